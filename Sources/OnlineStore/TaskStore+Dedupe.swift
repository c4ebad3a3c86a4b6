package import Core
internal import Rocks

extension TaskStore {
  /// The ids of a source. Ask for it once for each source, before the first event.
  ///
  /// - Parameter withinMilliseconds: how long an id counts, by event time; at least the source's lateness. One that is
  ///   longer than at the last start holds for what comes from now on: what was dropped before is gone.
  package func dedupeTable(source: String, withinMilliseconds: Int64) throws(HeadraceError) -> DedupeTable {
    try checkUsable()
    if let table = dedupeTables.first(where: { $0.source == source }) { return table }
    do {
      let (group, newestTime) =
        if let stored = try storedGroup(source) { stored } else { (try makeGroup(source), Int64.min) }
      let table = DedupeTable(
        source: source, group: group, withinMilliseconds: withinMilliseconds, savedNewestTime: newestTime,
        database: database, budgetBytes: options.dedupeBudgetBytes)
      dedupeTables.append(table)
      return table
    } catch {
      throw noting(error)
    }
  }

  /// The names of every table that has ids on the disk or may have.
  package func storedDedupeSources() throws(HeadraceError) -> [String] {
    try checkUsable()
    return try storedGroups().map(\.source)
  }

  /// Deletes a table with all of its ids, if there is one; whoever has it must not use it any more.
  package func dropDedupeTable(source: String) throws(HeadraceError) {
    try checkUsable()
    dedupeTables.removeAll { $0.source == source }
    guard let (group, _) = try storedGroup(source) else { return }
    do {
      let (start, end) = MetaRecord.range(ofGroup: group)
      var batch = try WriteBatch(for: database)
      batch.delete(MetaRecord.key(MetaRecord.groupPrefix, group))
      batch.deleteRange(from: start, to: end, in: StoreFamily.dedupe)
      try database.write(batch, sync: true)
      try database.deleteFiles(from: start, to: end, in: StoreFamily.dedupe)
    } catch {
      throw noting(error)
    }
  }

  private func storedGroup(_ source: String) throws(HeadraceError) -> (UInt32, Int64)? {
    try storedGroups().first { $0.source == source }.map { ($0.group, $0.newestTime) }
  }

  private func storedGroups() throws(HeadraceError) -> [(source: String, group: UInt32, newestTime: Int64)] {
    let prefix = MetaRecord.groupPrefix
    var iterator = try database.iterator(in: StoreFamily.meta, from: prefix, to: MetaRecord.end(of: prefix))
    var groups: [(source: String, group: UInt32, newestTime: Int64)] = []
    while try iterator.next() {
      guard let group = MetaRecord.id(of: iterator.key, behind: prefix),
        let record = MetaRecord.decode(iterator.value.array, textCount: 1)
      else { throw .corruptState("a record of deduplication cannot be read", place: path) }
      groups.append((record.texts[0], group, record.number))
    }
    return groups
  }

  private func makeGroup(_ source: String) throws(HeadraceError) -> UInt32 {
    let group = try nextNumber(MetaRecord.nextGroupKey)
    var batch = try WriteBatch(for: database)
    batch.put(MetaRecord.nextGroupKey, MetaRecord.bytes(group + 1))
    batch.put(MetaRecord.key(MetaRecord.groupPrefix, group), MetaRecord.encode([source], number: .min))
    try database.write(batch, sync: true)
    return group
  }
}
