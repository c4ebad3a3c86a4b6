internal import Columns
internal import Contracts
internal import Core
internal import Kafka
internal import OfflineStore
internal import Runtime
internal import Topology

/// Labels in a topic that a source of the topology reads: the fields of its contract, and where each record is
/// (`_topic`, `_partition`, `_offset`). Records that break the contract are passed over.
final class TopicLabels: LabelSource {
  let names: [String]
  let types: [ColumnType]
  let origin: LabelOrigin
  private let source: SourcePlan
  private let client: ClientConfiguration
  private let ranges: [LogRange]

  /// - Parameter offsets: by partition, what is read; nil for all that is there now.
  /// - Throws: LABELS_INVALID when no source reads such a topic, or when a part of it is gone.
  init(
    _ plan: Plan, topic: String, client: ClientConfiguration, offsets: [Int32: Range<Int64>]?
  ) throws(HeadraceError) {
    guard let source = plan.sources.first(where: { $0.topic == topic || $0.name == topic }) else {
      throw HeadraceError(
        .user, "LABELS_INVALID", "there is no such file, and no source of the topology reads a topic of that name",
        place: topic,
        remedy: "name a Parquet file, a table (events/NAME, labels/NAME@VERSION), or one of the topics "
          + plan.sources.map(\.topic).joined(separator: ", "))
    }
    self.source = source
    self.client = client
    var ranges: [LogRange] = []
    for range in try LogRange.all(of: source.topic, client) {
      let wanted = offsets.map { $0[range.partition.partition] ?? 0..<0 } ?? range.offsets
      guard
        wanted.isEmpty
          || (range.offsets.lowerBound <= wanted.lowerBound && wanted.upperBound <= range.offsets.upperBound)
      else {
        throw HeadraceError(
          .user, "LABELS_INVALID", "the log has offsets \(range.offsets), and \(wanted) are needed",
          place: "\(range.partition)", remedy: "use labels that are still there")
      }
      ranges.append(LogRange(range.partition, wanted))
    }
    self.ranges = ranges
    names = source.contract.fields.map(\.path) + ["_known_at", "_topic", "_partition", "_offset"]
    types = source.contract.fields.map(\.type) + [.timestamp, .string, .integer, .integer]
    origin = LabelOrigin(
      .topic, source.topic,
      offsets: Dictionary(uniqueKeysWithValues: ranges.map { ($0.partition.partition, $0.offsets) }))
  }

  func forEachBatch(_ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void) throws(HeadraceError) {
    for range in ranges {
      let decoder = try RecordDecoder(
        contract: source.contract, format: source.format, columns: Array(source.contract.fields.indices))
      var fields = decoder.makeBatch()
      var faults: [RecordFault] = []
      do {
        try range.forEachBatch(client) { records, wanted in
          for index in wanted { decoder.append(records[index].value) }
          try decoder.decode(into: &fields, faults: &faults)
          let broken = Set(faults.map(\.row))
          let rows = (0..<wanted.count).filter { !broken.contains($0) }
          var batch = ColumnBatch(types)
          for column in fields.columns.indices { batch.columns[column].append(rows: rows, of: fields.columns[column]) }
          let first = fields.columns.count
          for row in rows {
            let record = records[wanted.lowerBound + row]
            let known = record.timestampMilliseconds
            if known > 0 { batch.columns[first].append(known * 1_000) } else { batch.columns[first].appendNull() }
            batch.columns[first + 1].append(source.topic)
            batch.columns[first + 2].append(Int64(range.partition.partition))
            batch.columns[first + 3].append(record.offset)
          }
          batch.rowCount = rows.count
          try body(batch)
          return wanted.count
        }
      } catch {
        throw error as? HeadraceError ?? HeadraceError(.internal, "LOG", "\(error)", place: "\(range.partition)")
      }
    }
  }
}
