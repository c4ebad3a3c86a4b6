internal import Columns
internal import Core
internal import Kafka
internal import OnlineStore
internal import Topology

/// From the deltas of one repartition partition to the rows of its view.
///
/// Nothing is decided here: filters, deduplication and lateness were decided upstream, once. The watermark of the rows
/// is the least over the upstream partitions that ever said something; one that says it is idle is not waited for.
final class DeltaInput {
  let view: ViewPlan
  /// As the store numbers it.
  let storeView: Int
  private let store: TaskStore
  private(set) var upstreams: [UpstreamWatermark]
  /// How much of each upstream partition the rows hold.
  private(set) var reaches: [UpstreamReach]
  private(set) var watermark = Int64.min
  /// Up to where every delta is merged. A view's history goes by it: by the watermark that a commit's first delta
  /// brings along, tiles would end before the other deltas of the commit count. For the same reason it waits for every
  /// upstream partition to speak first; one that is empty says that it is idle.
  private(set) var settledWatermark: Int64
  private(set) var digest: InputDigest
  private(set) var counts: OutcomeCounts
  /// Where the view's values go as rows; nil for nowhere.
  var history: HistoryWriter?
  private var keys = EntityKeys()
  private var deltas = TextBuffer()
  private var rows: [Int] = []

  init(view: ViewPlan, storeView: Int, store: TaskStore, partitionCount: Int32, record: CheckpointRecord.InputRecord) {
    self.view = view
    self.storeView = storeView
    self.store = store
    upstreams = record.upstreams
    if upstreams.count < Int(partitionCount) {
      upstreams += repeatElement(UpstreamWatermark(), count: Int(partitionCount) - upstreams.count)
    }
    settledWatermark = record.settledWatermark
    reaches = upstreams.map { UpstreamReach(restoredAt: $0.nextOffset) }
    let source = record.sources.first ?? CheckpointRecord.SourceRecord(source: view.name)
    digest = source.digest
    counts = source.counts
    watermark = least()
    settle()
  }

  /// What a checkpoint keeps.
  var record: CheckpointRecord.SourceRecord {
    var record = CheckpointRecord.SourceRecord(source: view.name)
    record.watermark = watermark
    record.digest = digest
    record.counts = counts
    return record
  }

  func process(_ records: borrowing ConsumedBatch, _ range: Range<Int>) throws(HeadraceError) {
    guard let last = range.last else { return }
    begin()
    let nextOffset = records[last].offset &+ 1
    for index in range {
      let record = records[index]
      let rowsBefore = rows.count
      let outcome = try take(record, records.partition)
      counts.count(outcome)
      digest.add(
        offset: record.offset, outcome: outcome, keyHash: unsafe record.keyBytes.map { unsafe Hash64.hash($0) } ?? 0)
      guard let history else { continue }
      let next = settledWatermark
      if next > history.watermark, next >= history.nextBoundary {
        // What ends with this record is read before it counts.
        try merge(rows[..<rowsBefore], history.watermark, nextOffset: nextOffset)
        try history.close(to: next, offset: record.offset, known: SourcePipeline.knownMilliseconds(record))
        rows.removeFirst(rowsBefore)
      }
      history.advance(to: next)
    }
    watermark = least()
    try merge(rows[...], history?.watermark ?? watermark, nextOffset: nextOffset)
  }

  private func begin() {
    keys.removeAll()
    deltas.removeAll()
    rows.removeAll(keepingCapacity: true)
  }

  /// - Parameter nextOffset: behind the last record of the batch, also where a part of it is merged.
  private func merge(
    _ rows: ArraySlice<Int>, _ watermark: Int64, nextOffset: Int64
  ) throws(HeadraceError) {
    guard !rows.isEmpty else { return }
    try store.merge(
      view: storeView, keys: keys, deltas: deltas, rows: rows.count == self.rows.count ? self.rows : Array(rows),
      watermarkMilliseconds: watermark, nextOffset: nextOffset, touches: history?.touches)
  }

  /// - Returns: `filtered` for watermarks and for deltas of another form of the view.
  private func take(
    _ record: borrowing ConsumedRecord, _ partition: TopicPartition
  ) throws(HeadraceError) -> Outcome {
    guard let value = record.value else { return .deadLettered }
    let envelope: DeltaEnvelope
    do throws(HeadraceError) {
      envelope = try DeltaEnvelope(decoding: value)
    } catch {
      throw error.at("\(partition) offset \(record.offset)")
    }
    guard envelope.view == view.fingerprint.value else { return .filtered }
    let upstream = Int(envelope.partition)
    guard upstreams.indices.contains(upstream) else { return .deadLettered }
    note(envelope, upstream)
    upstreams[upstream].nextOffset = max(upstreams[upstream].nextOffset, envelope.nextOffset)
    upstreams[upstream].isIdle = envelope.isIdle
    reaches[upstream].note(envelope)
    settle()
    guard envelope.hasRow, let key = record.key else { return .filtered }
    keys.append(bytes: key)
    deltas.append(value.extracting(DeltaEnvelope.sizeBytes..<value.byteCount))
    rows.append(keys.count - 1)
    return .applied
  }

  /// A commit follows the one before it, which is whole then; a watermark without a row follows the rows of its commit.
  private func note(_ envelope: DeltaEnvelope, _ upstream: Int) {
    if envelope.nextOffset > upstreams[upstream].nextOffset {
      upstreams[upstream].settled = max(upstreams[upstream].settled, upstreams[upstream].watermark)
    }
    upstreams[upstream].watermark = max(upstreams[upstream].watermark, envelope.watermark)
    if !envelope.hasRow { upstreams[upstream].settled = upstreams[upstream].watermark }
  }

  private func least() -> Int64 { max(watermark, least(of: \.watermark)) }

  private func settle() {
    let isSilent = upstreams.contains { $0.watermark == .min && !$0.isIdle }
    if !isSilent { settledWatermark = max(settledWatermark, least(of: \.settled)) }
  }

  private func least(of time: KeyPath<UpstreamWatermark, Int64>) -> Int64 {
    var (slowest, newest) = (Int64.max, Int64.min)
    for upstream in upstreams where upstream.watermark > .min {
      newest = max(newest, upstream[keyPath: time])
      if !upstream.isIdle { slowest = min(slowest, upstream[keyPath: time]) }
    }
    // When all are idle nobody holds anybody back: the newest says what time it is.
    return slowest < .max ? slowest : newest
  }
}
