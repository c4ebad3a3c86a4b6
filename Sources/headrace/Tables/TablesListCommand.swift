internal import ArgumentParser
internal import Core
internal import Delta
internal import Storage

struct TablesListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Tables with their versions and sizes.",
    discussion: "A table that cannot be read is named on stderr, and the exit code is 1.")

  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let store = try place.store()
    var table = Table([
      ("table", .left), ("version", .right), ("rows", .right), ("files", .right), ("size", .right), ("newest", .left),
    ])
    var lines: [UInt8] = []
    var hasFailed = false
    for root in try DeltaTable.roots(in: store) {
      do throws(HeadraceError) {
        guard let found = try DeltaTable.open(store, root) else { continue }
        switch output {
        case .json: lines += TableSummary(found).json
        case .table: table.append(TableSummary(found).cells)
        }
      } catch {
        StandardError.write("error: \(error)")
        hasFailed = true
      }
    }
    try StandardOutput.writeAll(output == .json ? lines : Array(table.text.utf8))
    if hasFailed { throw Ended(status: .failed) }
  }
}
