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

  private func storedGroup(_ source: String) throws(HeadraceError) -> (UInt32, Int64)? {
    let prefix = MetaRecord.groupPrefix
    var iterator = try database.iterator(in: StoreFamily.meta, from: prefix, to: MetaRecord.end(of: prefix))
    while try iterator.next() {
      guard let group = MetaRecord.id(of: iterator.key, behind: prefix),
        let record = MetaRecord.decode(iterator.value.array, textCount: 1)
      else { throw .corruptState("a record of deduplication cannot be read", place: path) }
      if record.texts[0] == source { return (group, record.number) }
    }
    return nil
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
