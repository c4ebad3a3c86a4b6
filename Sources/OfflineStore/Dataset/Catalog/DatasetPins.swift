package import Core
package import Storage

/// Versions of tables that datasets were made of. As long as a dataset is there, so are the files and the log of its
/// versions: it can be made again, and compared.
package struct DatasetPins: Sendable {
  package struct Pin: Sendable, Equatable {
    /// `late_v1/1`, or the name of a dataset that lies elsewhere.
    package var dataset: String
    package var version: Int64
  }

  private var pins: [String: [Pin]] = [:]
  private static let folder = "pins"

  /// Leaves a copy of the manifest of a dataset that lies elsewhere beside the tables that it was made of. Whoever
  /// throws the dataset away deletes that copy.
  package static func leave(_ manifest: DatasetManifest, in store: any BlobStore) throws(HeadraceError) {
    guard manifest.events.contains(where: { $0.table != nil }) || manifest.labels.kind == .table else { return }
    let name = try BlobName("\(folder)/\(manifest.name)-\(manifest.contentHash.prefix(16))/manifest.json")
    _ = try store.putIfAbsent(name, manifest.json)
  }

  /// What the datasets beside the tables pin, and those elsewhere that have left a copy of their manifest.
  ///
  /// - Throws: MANIFEST_INVALID when a manifest cannot be read: nobody knows what it needs, so nothing may go.
  package init(in store: any BlobStore) throws(HeadraceError) {
    let catalog = DatasetCatalog(store)
    for entry in try catalog.entries() + catalog.entries(in: Self.folder) { add(entry) }
  }

  /// A dataset that lies elsewhere.
  package mutating func add(_ entry: DatasetCatalog.Entry) {
    let name = entry.folder.map { folder in folder.text.split(separator: "/").dropFirst().joined(separator: "/") }
    for table in entry.tables {
      pins[table.name, default: []].append(Pin(dataset: name ?? entry.name, version: table.version))
    }
  }

  /// - Parameter table: the table's folder in the store.
  package func pins(of table: BlobName) -> [Pin] { pins[table.text] ?? [] }

  package func versions(of table: BlobName) -> [Int64] { Set(pins(of: table).map(\.version)).sorted() }
}
