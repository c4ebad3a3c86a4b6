package import Columns
package import Core
internal import Parquet
package import Storage

/// Datasets that are there: what their manifests say, and whether their files still hold that.
package struct DatasetCatalog {
  /// A manifest that was read.
  package struct Entry: Sendable {
    /// The folder in the store; nil when the store is the dataset.
    package var folder: BlobName?
    package var manifest: DatasetManifest
    /// As it is in the store.
    package var json: [UInt8]

    package var name: String { manifest.name }

    /// Versions of the tables that it was made of, that of its labels included.
    package var tables: [(name: String, version: Int64)] {
      let events = manifest.events.compactMap { origin in origin.table.map { (name: $0, version: origin.version) } }
      guard manifest.labels.kind == .table, let version = manifest.labels.version else { return events }
      return events + [(manifest.labels.place, version)]
    }
  }

  let store: any BlobStore

  private static let manifestBytesMax = 16 << 20

  package init(_ store: any BlobStore) { self.store = store }

  /// All datasets below `datasets`, by name and version.
  package func entries() throws(HeadraceError) -> [Entry] { try entries(in: "datasets") }

  func entries(in folder: String) throws(HeadraceError) -> [Entry] {
    var entries: [Entry] = []
    var folders: [BlobName] = []
    try store.forEach(in: try BlobName(folder)) { (entry) throws(HeadraceError) in
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
    let name = try DatasetTarget(store: store, folder: folder).name("manifest.json")
    let place = "\(store.place)/\(name)"
    guard let bytes = try store.read(name, bytesMax: Self.manifestBytesMax) else {
      throw HeadraceError(
        .user, "DATASET_MISSING", "there is no manifest", place: place, remedy: "see `headrace dataset list`")
    }
    return Entry(folder: folder, manifest: try DatasetManifest(bytes, place: place), json: bytes)
  }

  /// Reads a dataset's files and holds them against its manifest.
  ///
  /// - Returns: the hash of what is there.
  /// - Throws: MANIFEST_INVALID when a file has other rows than the manifest says, PARQUET_CORRUPT.
  package func contentHash(of entry: Entry) throws(HeadraceError) -> String {
    var hash: DatasetHash?
    for part in entry.manifest.split.parts {
      var blocks: BlockHashes?
      try forEachBatch(of: entry, part: part) { (batch, names) throws(HeadraceError) in
        let types = batch.columns.map(\.type)
        if hash == nil { hash = DatasetHash(names: names, types: types) }
        if blocks == nil { blocks = BlockHashes(types) }
        blocks?.add(batch)
      }
      blocks?.finish()
      hash?.add(rowCount: blocks?.rowCount ?? 0, blocks: blocks?.blocks ?? [])
    }
    return hash?.finish() ?? ""
  }

  /// Hands over the rows of a part, in their order; of a file without rows, an empty batch.
  package func forEachBatch(
    of entry: Entry, part: String, _ body: (ColumnBatch, _ names: [String]) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    for file in entry.manifest.files where file.part == part {
      let name = try DatasetTarget(store: store, folder: entry.folder).name(file.name)
      let place = "\(store.place)/\(name)"
      guard let size = try store.entry(name)?.sizeBytes, let bytes = try store.read(name, bytesMax: size) else {
        throw DatasetManifest.invalid("the file is missing", place)
      }
      let source = ParquetBytes(bytes)
      let parquet = try ParquetFile(source, place: place)
      guard parquet.rowCount == file.rowCount else {
        throw DatasetManifest.invalid(
          "the file has \(parquet.rowCount) rows, the manifest says \(file.rowCount)", place)
      }
      let names = parquet.schema.leaves.map(\.name)
      let reader = try ParquetReader(parquet, source: source, columns: names)
      var batch = ColumnBatch(reader.types)
      if parquet.rowCount == 0 { try body(batch, names) }
      while try reader.next(into: &batch) { try body(batch, names) }
    }
  }
}
