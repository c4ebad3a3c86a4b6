package import Core
package import Features
internal import Rocks

extension TaskStore {
  /// The namespace of a view in the form of `layout`: the one that the disk has for its name and fingerprint, or a new
  /// and empty one. Written at once, so that its number is never given to another view.
  ///
  /// - Parameter source: what else must be equal for rows to be the same: the plan's fingerprint of where the view's
  ///   events come from and of its entity.
  package func namespace(for layout: ViewLayout, source: String = "") throws(HeadraceError) -> ViewNamespace {
    try checkUsable()
    let name = layout.definition.name
    let fingerprint = String(layout.fingerprint, radix: 16) + (source.isEmpty ? "" : "-\(source)")
    for case let view? in views where view.namespace.name == name && view.namespace.fingerprint == fingerprint {
      // Equal rows; features may have other names, or stand in another order.
      lock.withLock { view.adopt(layout) }
      return view.namespace
    }
    do {
      let stored = try storedNamespaces().first { $0.name == name && $0.fingerprint == fingerprint }
      let id = if let stored { stored.id } else { try makeNamespace(name, fingerprint) }
      let namespace = ViewNamespace(id: id, view: views.count, name: name, fingerprint: fingerprint, layout: layout)
      let view = StoredView(namespace, mayBeOnDisk: stored != nil)
      lock.withLock { views.append(view) }
      return namespace
    } catch {
      throw noting(error)
    }
  }

  /// Every namespace that has rows on the disk or may have: also those of views that the plan does not have any more.
  package func storedNamespaces() throws(HeadraceError) -> [StoredNamespace] {
    let prefix = MetaRecord.namespacePrefix
    var iterator = try database.iterator(
      in: StoreFamily.meta, from: prefix, to: MetaRecord.end(of: prefix))
    var namespaces: [StoredNamespace] = []
    while try iterator.next() {
      guard let id = MetaRecord.id(of: iterator.key, behind: prefix),
        let record = MetaRecord.decode(iterator.value.array, textCount: 2)
      else { throw .corruptState("a record of a view cannot be read", place: path) }
      namespaces.append(StoredNamespace(id: id, name: record.texts[0], fingerprint: record.texts[1]))
    }
    return namespaces
  }

  /// Deletes a namespace with all of its rows: first its record, so that a kill leaves nothing half there. Its view's
  /// number is refused from then on.
  package func dropNamespace(_ id: UInt32) throws(HeadraceError) {
    try checkUsable()
    let (start, end) = MetaRecord.range(ofGroup: id)
    do {
      var batch = try WriteBatch(for: database)
      batch.delete(MetaRecord.key(MetaRecord.namespacePrefix, id))
      batch.delete(MetaRecord.key(MetaRecord.viewCheckpointPrefix, id))
      batch.deleteRange(from: start, to: end, in: StoreFamily.rows)
      batch.deleteRange(from: start, to: end, in: StoreFamily.touches)
      try database.write(batch, sync: true)
      lock.withLock {
        for index in views.indices where views[index]?.namespace.id == id { views[index] = nil }
      }
      touches.removeAll { $0.namespace == id }
      try database.deleteFiles(from: start, to: end, in: StoreFamily.rows)
    } catch {
      throw noting(error)
    }
  }

  private func makeNamespace(_ name: String, _ fingerprint: String) throws(HeadraceError) -> UInt32 {
    let id = try nextNumber(MetaRecord.nextNamespaceKey)
    var batch = try WriteBatch(for: database)
    batch.put(MetaRecord.nextNamespaceKey, MetaRecord.bytes(id + 1))
    batch.put(MetaRecord.key(MetaRecord.namespacePrefix, id), MetaRecord.encode([name, fingerprint]))
    try database.write(batch, sync: true)
    return id
  }

  /// The next number of a series; its owner writes the one behind it together with what the number is for.
  func nextNumber(_ key: [UInt8]) throws(HeadraceError) -> UInt32 {
    guard let value = try database.get(key, in: StoreFamily.meta) else { return 0 }
    guard let number = MetaRecord.id(of: value.bytes, behind: []), number < .max else {
      throw .corruptState("the record \(String(decoding: key, as: UTF8.self)) cannot be read", place: path)
    }
    return number
  }

  /// - Precondition: `view` came from `namespace(for:)`.
  /// - Throws: `STATE_VIEW_DROPPED`.
  func storedView(_ view: Int) throws(HeadraceError) -> StoredView {
    precondition(views.indices.contains(view), "no view \(view) in this store")
    guard let stored = views[view] else {
      throw HeadraceError(.internal, "STATE_VIEW_DROPPED", "the state of view \(view) was dropped", place: path)
    }
    return stored
  }
}

extension RawSpan {
  var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
