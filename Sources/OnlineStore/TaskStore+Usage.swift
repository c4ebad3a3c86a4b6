package import Core
internal import Rocks

/// What the rows of one view take.
package struct ViewUsage: Sendable, Equatable {
  package var name: String
  package var memoryBytes: Int64
  /// About, and without what is still in the store's log.
  package var diskBytes: Int64

  package init(name: String, memoryBytes: Int64 = 0, diskBytes: Int64 = 0) {
    self.name = name
    self.memoryBytes = memoryBytes
    self.diskBytes = diskBytes
  }
}

extension TaskStore {
  /// Any thread.
  package func usageOfViews() throws(HeadraceError) -> [ViewUsage] {
    let found = lock.withLock {
      views.compactMap { view in
        view.map { (id: $0.namespace.id, name: $0.namespace.name, bytes: Int64($0.rows.bytes)) }
      }
    }
    var usage: [ViewUsage] = []
    for view in found {
      let disk = try database.approximateBytes(
        from: Self.prefix(view.id), to: Self.prefix(view.id &+ 1), in: StoreFamily.rows)
      usage.append(ViewUsage(name: view.name, memoryBytes: view.bytes, diskBytes: Int64(clamping: disk)))
    }
    return usage
  }

  private static func prefix(_ id: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> $0) }
  }
}
