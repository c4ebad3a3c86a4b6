internal import ArgumentParser
internal import Core
internal import OfflineStore
internal import Storage

struct DatasetListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Datasets beside the tables, with their sizes and hashes.")

  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let entries = try DatasetCatalog(try place.store()).entries()
    switch output {
    case .json: for entry in entries { try StandardOutput.writeAll(entry.json) }
    case .table:
      var table = Table([("dataset", .left), ("service", .left), ("rows", .right), ("content hash", .left)])
      for entry in entries {
        let name = entry.folder?.text.split(separator: "/").dropFirst().joined(separator: "/") ?? entry.name
        table.append([
          name, entry.manifest.service, Figures.grouped(entry.manifest.rowCount),
          String(entry.manifest.contentHash.prefix(16)),
        ])
      }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }
}

struct DatasetShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print the manifest of a dataset: what it is, and what it was made of.")

  @OptionGroup var reference: DatasetReference

  func run() async throws { try StandardOutput.writeAll(try reference.find().1.json) }
}

struct DatasetVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read a dataset again and hold it against its manifest.",
    discussion: "Exit codes: 0 it is what the manifest says; 1 it is not; 2 wrong usage.")

  @OptionGroup var reference: DatasetReference

  func run() async throws {
    let (catalog, entry) = try reference.find()
    let found = try catalog.contentHash(of: entry)
    guard found == entry.manifest.contentHash else {
      throw HeadraceError(
        .external, "DATASET_CHANGED", "its content hash is \(found), the manifest says \(entry.manifest.contentHash)",
        place: reference.dataset, remedy: "it was changed after it was written: build it again")
    }
    try StandardOutput.writeAll(
      Array("\(entry.manifest.rowCount) rows, content hash \(found): as it was written\n".utf8))
  }
}
