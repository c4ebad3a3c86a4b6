internal import Columns
package import Core
internal import Parquet
package import Storage

/// Datasets that are there: what their manifests say, and whether their files still hold that.
package struct DatasetCatalog {
  /// A manifest that was read.
  package struct Entry: Sendable {
    /// The folder in the store; nil when the store is the dataset.
    package var folder: BlobName?
    package var name: String
    package var service: String
    package var rowCount: Int64
    package var contentHash: String
    package var labelTime: String
    /// Versions of the tables that it was made of.
    package var tables: [(name: String, version: Int64)]
    package var files: [(name: String, rowCount: Int64)]
    /// As it is in the store.
    package var json: [UInt8]
  }

  private let store: any BlobStore

  private static let manifestName = "manifest.json"
  private static let manifestBytesMax = 16 << 20
  private static let depthMax = 16

  package init(_ store: any BlobStore) { self.store = store }

  /// All datasets below `datasets`, by name and version.
  package func entries() throws(HeadraceError) -> [Entry] {
    var entries: [Entry] = []
    var folders: [BlobName] = []
    try store.forEach(in: try BlobName("datasets")) { (entry) throws(HeadraceError) in
      guard entry.name.text.hasSuffix("/manifest.json") else { return }
      folders.append(try BlobName(String(entry.name.text.dropLast("/manifest.json".utf8.count))))
    }
    for folder in folders { entries.append(try entry(folder)) }
    return entries
  }

  /// One dataset.
  ///
  /// - Parameter folder: nil when the store is the dataset.
  /// - Throws: DATASET_MISSING, MANIFEST_INVALID.
  package func entry(_ folder: BlobName?) throws(HeadraceError) -> Entry {
    let name = try Self.name(Self.manifestName, folder)
    let place = "\(store.place)/\(name)"
    guard let bytes = try store.read(name, bytesMax: Self.manifestBytesMax) else {
      throw HeadraceError(
        .user, "DATASET_MISSING", "there is no manifest", place: place, remedy: "see `headrace dataset list`")
    }
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(bytes, depthMax: Self.depthMax)
    } catch {
      throw Self.invalid("it is no JSON: \(error)", place)
    }
    guard document["format_version"]?.integer == Int64(DatasetManifest.formatVersion) else {
      throw Self.invalid("its format_version is not \(DatasetManifest.formatVersion)", place)
    }
    func text(_ key: String) throws(HeadraceError) -> String {
      guard let text = document[key]?.string else { throw Self.invalid("\"\(key)\" is missing", place) }
      return text
    }
    guard let rowCount = document["row_count"]?.integer, rowCount >= 0 else {
      throw Self.invalid("\"row_count\" is missing", place)
    }
    return Entry(
      folder: folder, name: try text("name"), service: try text("service"), rowCount: rowCount,
      contentHash: try text("content_hash"), labelTime: try text("label_time"),
      tables: try Self.list(document["tables"], "version", place),
      files: try Self.list(document["files"], "row_count", place),
      json: bytes)
  }

  /// Objects with a name and a number.
  private static func list(
    _ document: JSONDocument?, _ key: String, _ place: String
  ) throws(HeadraceError) -> [(String, Int64)] {
    var list: [(String, Int64)] = []
    guard case .array(let items)? = document?.content else { return [] }
    for item in items {
      guard let name = item["name"]?.string, let number = item[key]?.integer, number >= 0 else {
        throw invalid("an entry lacks \"name\" or \"\(key)\"", place)
      }
      list.append((name, number))
    }
    return list
  }

  /// Reads a dataset's files and holds them against its manifest.
  ///
  /// - Returns: the hash of what is there.
  /// - Throws: MANIFEST_INVALID when a file has another number of rows, or a name that is no file of the dataset;
  ///   PARQUET_CORRUPT.
  package func contentHash(of entry: Entry) throws(HeadraceError) -> String {
    var hash: DatasetHash?
    for (file, rowCount) in entry.files {
      guard !file.contains("/"), file.hasSuffix(".parquet"), let name = try? Self.name(file, entry.folder) else {
        let manifest = try Self.name(Self.manifestName, entry.folder)
        throw Self.invalid("\"\(file.prefix(200))\" is no name of a data file", "\(store.place)/\(manifest)")
      }
      let place = "\(store.place)/\(name)"
      guard let size = try store.entry(name)?.sizeBytes, let bytes = try store.read(name, bytesMax: size) else {
        throw Self.invalid("the file is missing", place)
      }
      let source = ParquetBytes(bytes)
      let parquet = try ParquetFile(source, place: place)
      guard Int64(parquet.rowCount) == rowCount else {
        throw Self.invalid("the file has \(parquet.rowCount) rows, the manifest says \(rowCount)", place)
      }
      let names = parquet.schema.leaves.map(\.name)
      let reader = try ParquetReader(parquet, source: source, columns: names)
      var batch = ColumnBatch(reader.types)
      var running = hash ?? DatasetHash(names: names, types: reader.types)
      while try reader.next(into: &batch) { running.add(batch) }
      hash = running
    }
    return hash?.finish() ?? ""
  }

  private static func name(_ file: String, _ folder: BlobName?) throws(HeadraceError) -> BlobName {
    if let folder { return try folder.appending(file) }
    return try BlobName(file)
  }

  private static func invalid(_ what: String, _ place: String) -> HeadraceError {
    HeadraceError(
      .external, "MANIFEST_INVALID", what, place: place,
      remedy: "the dataset was changed after it was written: build it again")
  }
}
