internal import ArgumentParser
internal import Core
internal import OfflineStore
internal import Storage

/// Where tables are: the same flags on every command that reads them.
struct TableOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The worker's data folder, where the tables are.", valueName: "folder")) var data: String?
  @Option(
    help: ArgumentHelp(
      "Where tables are: a folder or s3://BUCKET/PREFIX. (default: tables in --data)", valueName: "place"))
  var tables: String?

  var isGiven: Bool { data != nil || tables != nil }

  /// - Throws: when neither flag is given; TABLES_MISSING for a folder that is not there: reading makes none.
  func store() throws -> any BlobStore {
    guard isGiven else {
      throw ValidationError("--data DIR or --tables PLACE is missing: where the tables are")
    }
    let folder = tables ?? "\(data ?? "")/tables"
    guard folder.hasPrefix("s3://") || Folder.exists(folder) else {
      throw HeadraceError(
        .user, "TABLES_MISSING", "there are no tables", place: folder,
        remedy: "name the --data folder of a worker that has run, or its --tables")
    }
    return try TableLocation.store(tables, dataDirectory: data ?? "")
  }
}

/// How much of the machine a command may take: the same flags on all that compute over tables.
struct EffortOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads that compute. (default: one for each processor)", valueName: "n"))
  var threads: Int?
  @Option(
    help: ArgumentHelp(
      "For what waits in memory; the rest waits in TMPDIR, or /var/tmp. (default: 512MiB)", valueName: "size"))
  var memory: String?

  func validate() throws {
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads \(threads): expected 1 to 256") }
    if let memory, Quantity.bytes(memory) == nil {
      throw ValidationError("--memory \(memory): expected a size such as 512MiB")
    }
  }

  func threadCount() throws -> Int { threads ?? ParallelWork.processorCount }

  func memoryBytes() throws -> Int {
    memory.flatMap(Quantity.bytes).map { Int(clamping: $0) } ?? DatasetBuilder.Configuration().memoryBytes
  }
}

/// One dataset: a name with or without a version, or a folder.
struct DatasetReference: ParsableArguments {
  @Argument(help: ArgumentHelp("NAME, NAME/VERSION, or the folder that it was written to.", valueName: "dataset"))
  var dataset: String
  @OptionGroup var place: TableOptions

  func find() throws -> (DatasetCatalog, DatasetCatalog.Entry) { try Self.find(dataset, place) }

  /// - Parameter dataset: a name, or a folder when nobody says where the tables are.
  static func find(_ dataset: String, _ place: TableOptions) throws -> (DatasetCatalog, DatasetCatalog.Entry) {
    guard place.isGiven else { return try entry(inFolder: dataset) }
    let store = try place.store()
    let catalog = DatasetCatalog(store)
    if dataset.contains("/") { return (catalog, try catalog.entry(try BlobName("datasets/\(dataset)"))) }
    return (catalog, try catalog.entry(try DatasetVersions.newest(dataset, in: store)))
  }

  /// A dataset by the folder that it was written to.
  static func entry(inFolder path: String) throws -> (DatasetCatalog, DatasetCatalog.Entry) {
    guard Folder.exists(path) else {
      throw HeadraceError(
        .user, "DATASET_MISSING", "there is no such folder", place: path,
        remedy: "name the folder that `dataset build --out` wrote, or a dataset with --data or --tables")
    }
    let folder = try DiskBlobStore(root: path)
    // It is only read from.
    folder.removeTemporaryFolder()
    let catalog = DatasetCatalog(folder)
    return (catalog, try catalog.entry(nil))
  }
}
