internal import Core
internal import Kafka
internal import OfflineStore
internal import Storage
internal import Topology

/// Everything that is to be read, partition by partition, merged by the times at which records came.
final class ReplayHistory {
  let selection: ReplaySelection
  private(set) var partitions: [PartitionHistory] = []
  private var logs: [LogHistory] = []
  /// What the command should say before it begins.
  private(set) var notes: [String] = []

  /// - Parameters:
  ///   - store: nil: there are no tables.
  ///   - resumed: where partitions go on, and where their range ended when they were begun.
  /// - Throws: ARCHIVE_MISSING.
  init(
    _ selection: ReplaySelection, _ store: (any BlobStore)?, _ client: ClientConfiguration,
    resumed: [TopicPartition: Range<Int64>] = [:]
  ) throws {
    self.selection = selection
    var reader: Consumer?
    defer { _ = try? reader?.close(timeoutMilliseconds: 1_000) }
    if selection.reading != .archive { reader = try Consumer(ConsumerConfiguration(client: client, groupID: nil)) }
    for index in selection.sources {
      let source = selection.plan.sources[index]
      var archive: ArchiveSnapshot?
      if let store, selection.reading != .log { archive = try ArchiveSnapshot.open(store, source: source.name) }
      guard archive != nil || selection.reading != .archive else {
        throw HeadraceError(
          .user, "ARCHIVE_MISSING", "there is no table of archived events",
          place: "\(store?.place ?? "")/\(EventArchive.name(source: source.name))",
          remedy: "let --read auto take the log, or run the topology with `archive: on` (the default)")
      }
      try add(index, source, archive, reader, client, resumed)
    }
  }

  deinit { for log in logs { log.close() } }

  private func add(
    _ index: Int, _ source: SourcePlan, _ archive: ArchiveSnapshot?, _ reader: Consumer?,
    _ client: ClientConfiguration, _ resumed: [TopicPartition: Range<Int64>]
  ) throws {
    let topology = selection.plan.name
    let progress = archive?.progress(topology: topology, topic: source.topic) ?? [:]
    let logEnds = try reader.map { try Self.logRanges($0, source, selection) } ?? [:]
    var logRanges: [TopicPartition: Range<Int64>] = [:]
    var found: [(partition: TopicPartition, archive: ArchiveHistory?, range: Range<Int64>)] = []
    let numbers = Set(progress.keys).union(logEnds.keys).sorted()
    for number in numbers {
      let partition = TopicPartition(topic: source.topic, partition: number)
      let resume = resumed[partition]
      let archived = try archive?.reach(topology: topology, topic: source.topic, partition: number)
      let log = logEnds[number]
      // The archive up to D, the log from there on.
      let switching = max(archived?.nextOffset ?? .min, log?.whole.lowerBound ?? .min)
      let end = resume?.upperBound ?? max(log?.whole.upperBound ?? .min, archived?.nextOffset ?? .min)
      let first = resume?.lowerBound ?? min(archived?.firstOffset ?? .max, log?.whole.lowerBound ?? .max)
      if let archived, let log, archived.nextOffset < log.whole.lowerBound {
        notes.append(
          "\(partition): offsets \(archived.nextOffset) to \(log.whole.lowerBound - 1) are in neither archive nor log")
      }
      var history: ArchiveHistory?
      var start = max(first, log.map { max($0.wanted.lowerBound, switching) } ?? first)
      if let archive, let archived, first < archived.nextOffset {
        var request = ArchiveReader.Request(
          topic: source.topic, partition: number, fields: source.contract.archiveFields,
          defaults: source.contract.archiveDefaults, offsets: first..<min(archived.nextOffset, max(end, first)))
        if selection.hasTimes { request.times = (selection.clock == .event ? .event : .known, selection.times) }
        let opened = try archive.reader(request)
        if let bounds = opened.offsetBounds {
          history = ArchiveHistory(source, opened)
          start = min(max(first, bounds.lowerBound), start)
        }
      }
      if let log {
        let from = max(first, log.wanted.lowerBound, archived?.nextOffset ?? .min)
        logRanges[partition] = min(from, end)..<end
      }
      found.append((partition, history, min(start, end)..<end))
    }
    let log = reader == nil ? nil : try LogHistory(source, selection, ranges: logRanges, client)
    if let log { logs.append(log) }
    for entry in found {
      partitions.append(
        PartitionHistory(
          source: index, partition: entry.partition, archive: entry.archive, log: log, range: entry.range))
    }
  }

  /// Of each partition: what the log has, and the part that may hold wanted records.
  private static func logRanges(
    _ reader: Consumer, _ source: SourcePlan, _ selection: ReplaySelection
  ) throws(HeadraceError) -> [Int32: (whole: Range<Int64>, wanted: Range<Int64>)] {
    let count = try reader.partitionCount(of: source.topic)
    let partitions = (0..<count).map { TopicPartition(topic: source.topic, partition: $0) }
    let ends = try reader.watermarks(partitions)
    var starts: [TopicPartition: Int64] = [:]
    if selection.times.lowerBound > 0 {
      // An event is at most so much ahead of its record, else it is a dead letter: nothing older is looked at. Records
      // behind that moment may have any time, so there is no such end.
      let skew = selection.clock == .event ? source.maxSkewMilliseconds : 0
      let time = selection.times.lowerBound.subtractingReportingOverflow(skew).partialValue
      starts = try reader.offsets(
        forTimes: Dictionary(uniqueKeysWithValues: partitions.map { ($0, max(time, 0)) }))
    }
    var ranges: [Int32: (whole: Range<Int64>, wanted: Range<Int64>)] = [:]
    for (partition, log) in ends {
      let whole = log.beginning..<max(log.end, log.beginning)
      let first = selection.times.lowerBound > 0 ? starts[partition] ?? whole.upperBound : whole.lowerBound
      ranges[partition.partition] = (whole, min(max(first, whole.lowerBound), whole.upperBound)..<whole.upperBound)
    }
    return ranges
  }

  /// The partition whose event is next.
  enum Next {
    case event(PartitionHistory)
    /// Nothing came in time.
    case nothingYet
    case done
  }

  /// - Parameter timeoutMilliseconds: how long to wait for the log.
  func next(timeoutMilliseconds: Int32) throws -> Next {
    var isWaiting = false
    var best: (time: Int64, history: PartitionHistory)?
    for history in partitions {
      switch try history.look() {
      case .done: continue
      case .waiting: isWaiting = true
      case .ready(let time):
        // Of equal times the first partition goes first: the order is the same in every run.
        if best.map({ time < $0.time }) ?? true { best = (time, history) }
      }
    }
    if isWaiting {
      // Whoever is waited for may have an older event.
      for log in logs { try log.advance(timeoutMilliseconds: timeoutMilliseconds) }
      return .nothingYet
    }
    guard let best else { return .done }
    return .event(best.history)
  }

  /// Those that the log has and nobody replays.
  func addDeadLetters(to report: inout ReplayReport) {
    for log in logs {
      guard let position = report.sources.firstIndex(where: { $0.name == log.name }) else { continue }
      report.sources[position].outcomes[PastOutcome.deadLettered.rawValue] += log.deadLettered
    }
  }

  /// 0 to 1, by offsets.
  var fraction: Double {
    let whole = partitions.reduce(Int64(0)) { $0 &+ Int64($1.range.count) }
    let done = partitions.reduce(Int64(0)) { $0 &+ $1.doneOffsets }
    return whole > 0 ? Double(done) / Double(whole) : 1
  }
}
