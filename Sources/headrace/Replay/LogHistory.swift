internal import Columns
internal import Contracts
internal import Core
internal import Kafka
internal import Topology

/// Records of the log of one source, one by one from each of its partitions.
///
/// One reader for all partitions: a partition of which enough is waiting is paused, so that memory stays bounded
/// however unequally they are read.
final class LogHistory {
  private let source: SourcePlan
  private let selection: ReplaySelection
  private let consumer: Consumer
  /// nil: values are not looked at.
  private let decoder: RecordDecoder?
  private let times: EventTimeReader
  private var waiting: [TopicPartition: Waiting] = [:]
  private var batch: ColumnBatch
  private var eventTimes: [Int64] = []
  private var faults: [RecordFault] = []
  /// Records that were read and not wanted: they break the contract.
  private(set) var deadLettered: Int64 = 0

  private struct Waiting {
    var end: Int64
    var events: [PastEvent] = []
    var next = 0
    var isDone = false
    var isPaused = false
  }

  private static let eventsMax = 4_096

  /// - Parameter ranges: what is to be read of each partition.
  init(
    _ source: SourcePlan, _ selection: ReplaySelection, ranges: [TopicPartition: Range<Int64>],
    _ client: ClientConfiguration
  ) throws(HeadraceError) {
    self.source = source
    self.selection = selection
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.reportsPartitionEnds = true
    configuration.batchRecordsMaximum = 1_024
    configuration.prefetchKibibytesMaximum = 16_384
    consumer = try Consumer(configuration)
    // Their schemas are with a registry, which nobody is asked for here.
    decoder =
      source.format == .avroConfluent
      ? nil
      : try RecordDecoder(
        contract: source.contract, format: source.format, columns: Array(source.contract.fields.indices))
    batch = decoder?.makeBatch() ?? ColumnBatch([])
    let timeColumn = source.columns[source.eventTime.column]
    times = EventTimeReader(
      column: timeColumn, path: source.contract.fields[timeColumn].path, unit: source.eventTime.unit)
    var starts: [TopicPartition: StartOffset] = [:]
    for (partition, range) in ranges {
      waiting[partition] = Waiting(end: range.upperBound, isDone: range.isEmpty)
      if !range.isEmpty { starts[partition] = .offset(range.lowerBound) }
    }
    if !starts.isEmpty { try consumer.assign(starts) }
  }

  /// Of the source.
  var name: String { source.name }

  func close() { _ = try? consumer.close(timeoutMilliseconds: 1_000) }

  func isDone(_ partition: TopicPartition) -> Bool {
    waiting[partition].map { $0.isDone && $0.next >= $0.events.count } ?? true
  }

  func nextTime(_ partition: TopicPartition) -> Int64? {
    guard let state = waiting[partition], state.next < state.events.count else { return nil }
    let event = state.events[state.next]
    return event.knownMilliseconds ?? event.eventMilliseconds ?? .min
  }

  /// Of the event that `nextTime` has seen.
  func time(_ partition: TopicPartition, _ clock: ReplayCommand.Clock) -> Int64? {
    guard let state = waiting[partition], state.next < state.events.count else { return nil }
    let event = state.events[state.next]
    return clock == .event ? event.eventMilliseconds : event.knownMilliseconds
  }

  func take(_ partition: TopicPartition) -> PastEvent? {
    guard let next = waiting[partition]?.next, let event = waiting[partition]?.events[next] else { return nil }
    waiting[partition]?.next = next + 1
    if next + 1 == waiting[partition]?.events.count {
      waiting[partition]?.events.removeAll(keepingCapacity: true)
      waiting[partition]?.next = 0
    }
    return event
  }

  /// Reads on.
  func advance(timeoutMilliseconds: Int32) throws {
    for (partition, state) in waiting where state.isPaused && state.next >= state.events.count / 2 {
      waiting[partition]?.isPaused = false
      try consumer.resume([partition])
    }
    let result = try consumer.poll(timeoutMilliseconds: timeoutMilliseconds) { records in
      try add(records)
    }
    for partition in result.endsReached where try consumer.position(of: partition) >= waiting[partition]?.end ?? 0 {
      waiting[partition]?.isDone = true
    }
    for (partition, state) in waiting where !state.isDone && !state.isPaused && state.events.count > Self.eventsMax {
      waiting[partition]?.isPaused = true
      try consumer.pause([partition])
    }
  }

  private func add(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    let partition = records.partition
    guard let state = waiting[partition], !state.isDone else { return }
    var count = records.count
    while count > 0, records[count - 1].offset >= state.end { count -= 1 }
    if count < records.count || (count > 0 && records[count - 1].offset + 1 >= state.end) {
      waiting[partition]?.isDone = true
    }
    if let decoder {
      for index in 0..<count { decoder.append(records[index].value) }
      try decoder.decode(into: &batch, faults: &faults)
      times.read(batch, into: &eventTimes, faults: &faults)
    }
    var fault = 0
    for index in 0..<count {
      let record = records[index]
      let isFaulty = decoder != nil && fault < faults.count && faults[fault].row == index
      if isFaulty { fault += 1 }
      append(record, isFaulty: isFaulty, eventTime: decoder == nil ? nil : eventTimes[index], to: partition)
    }
  }

  private func append(
    _ record: borrowing ConsumedRecord, isFaulty: Bool, eventTime: Int64?, to partition: TopicPartition
  ) {
    let known = record.timestampMilliseconds > 0 ? record.timestampMilliseconds : nil
    var isBad = isFaulty
    if let known, let eventTime, eventTime &- known > source.maxSkewMilliseconds { isBad = true }
    let time = selection.clock == .known ? known : isFaulty ? known : eventTime
    guard !selection.hasTimes || time.map({ selection.times.contains($0) }) ?? false else { return }
    if isBad { return deadLettered += 1 }
    var event = PastEvent(
      offset: record.offset, knownMilliseconds: known, eventMilliseconds: eventTime, outcome: .valid,
      key: unsafe record.keyBytes.map { unsafe Array($0) },
      value: unsafe record.valueBytes.map { unsafe Array($0) } ?? [])
    let headers = record.headers
    for index in 0..<headers.count {
      let header = headers[index]
      var value: [UInt8]?
      if let span = header.value { value = unsafe span.withUnsafeBytes { unsafe Array($0) } }
      event.headers.append((header.name, value))
    }
    waiting[partition]?.events.append(event)
  }
}
