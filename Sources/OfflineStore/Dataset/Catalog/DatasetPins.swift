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

  /// What the datasets beside the tables pin.
  ///
  /// - Throws: MANIFEST_INVALID when a manifest cannot be read: nobody knows what it needs, so nothing may go.
  package init(in store: any BlobStore) throws(HeadraceError) {
    for entry in try DatasetCatalog(store).entries() { add(entry) }
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
