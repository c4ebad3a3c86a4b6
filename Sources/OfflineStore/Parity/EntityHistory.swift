internal import Columns
internal import Core
internal import Features

/// One read, made again in three ways.
struct ReplayedRead {
  /// Of the records that the row was made of when it was read. More than one where a read fell between two pieces of a
  /// commit and nobody knows which of them it saw.
  var served: [Candidate] = []
  /// Whether the row may lack the last commit of a partition: what differs then proves nothing.
  var isUncertain = false
  /// What a training set has at that time: of events that had happened and were known.
  var training: [FeatureValue] = []
  /// The same of all events that had happened, known or not.
  var happened: [FeatureValue] = []

  struct Candidate {
    var values: [FeatureValue]
    var difference: HistoryDifference
  }
}

/// What keeps the row that was served from the one of a training set.
struct HistoryDifference {
  /// Happened before the read, and came after it.
  var late = 0
  /// Were in the log at the time of the read, and not yet in the row.
  var unapplied = 0
  /// In the row, and happened, or were known, after the time that was asked for.
  var ahead = 0
  /// Not in the partition that their key belongs to.
  var misplaced = 0
  /// The newest of these.
  var position: EventPosition?
}

/// Events that were kept, with the inputs that a row takes of them.
final class ReplayedEvents {
  let kept: [ReplayedEvent]
  let block: EventBlock
  private let inputs: [Column]

  init(_ kept: [ReplayedEvent], _ inputs: [Column], _ layout: ViewLayout) {
    self.kept = kept
    self.inputs = inputs
    var block = EventBlock(layout)
    block.load(inputs, rowCount: kept.count)
    self.block = block
  }

  func isValid(input: Int, _ event: Int) -> Bool { inputs[input].isValid[event] }
  func isTrue(input: Int, _ event: Int) -> Bool { isValid(input: input, event) && inputs[input].integers[event] != 0 }
}

/// The events of one entity, and its row at any time and in any state of the log.
struct EntityHistory {
  private let view: ParitySpecification.View
  private let all: ReplayedEvents
  private let kept: [ReplayedEvent]
  /// Positions in `kept`, by partition and offset.
  private let events: [Int]
  private let features: [Int]

  private static let candidatesMax = 16

  init(_ view: ParitySpecification.View, _ all: ReplayedEvents, _ events: [Int]) {
    self.view = view
    self.all = all
    let kept = all.kept
    self.kept = kept
    self.events = events.sorted {
      (kept[$0].position.partition, kept[$0].position.offset) < (kept[$1].position.partition, kept[$1].position.offset)
    }
    features = view.point.features.map(\.position)
  }

  func results(_ reads: [ServedVector.Read]) -> [ReplayedRead] {
    var results = served(reads)
    let training = values(
      reads, events.filter { !kept[$0].isLate }.map { (event: $0, from: kept[$0].countsFrom) })
    let happened = values(reads, events.map { (event: $0, from: kept[$0].timeMilliseconds) })
    for index in reads.indices {
      results[index].training = training[index]
      results[index].happened = happened[index]
    }
    return results
  }

  /// Rows at times, each of the events that count from then or earlier.
  private func values(_ reads: [ServedVector.Read], _ events: [(event: Int, from: Int64)]) -> [[FeatureValue]] {
    let events = events.sorted { ($0.from, $0.event) < ($1.from, $1.event) }
    var results = [[FeatureValue]](repeating: [], count: reads.count)
    var row = FeatureRow(view.point.layout)
    var next = 0
    for index in reads.indices.sorted(by: { reads[$0].readMilliseconds < reads[$1].readMilliseconds }) {
      let time = reads[index].readMilliseconds
      while next < events.count, events[next].from <= time {
        apply(events[next].event, to: &row, watermark: events[next].from)
        next += 1
      }
      read(row, isEmpty: next == 0, at: time, watermark: time, into: &results[index])
    }
    return results
  }

  private func apply(_ event: Int, to row: inout FeatureRow, watermark: Int64) {
    view.point.layout.apply(
      &row, events: all.block, index: event, eventTime: kept[event].timeMilliseconds, position: kept[event].position,
      watermark: watermark)
  }

  private func read(
    _ row: borrowing FeatureRow, isEmpty: Bool, at time: Int64, watermark: Int64, into values: inout [FeatureValue]
  ) {
    if isEmpty {
      view.point.layout.readMissing(features: features, into: &values)
    } else {
      view.point.layout.read(row, at: time, watermark: watermark, features: features, into: &values)
    }
  }
}

// Rows of prefixes of the log.
extension EntityHistory {
  /// Rows as they were read. Reads are taken in the order of their positions, so that nearly always a row goes on where
  /// the one before it stood.
  private func served(_ reads: [ServedVector.Read]) -> [ReplayedRead] {
    var results = reads.map { _ in ReplayedRead() }
    var row = PrefixRow(view.point.layout)
    let order = reads.indices.sorted { reads[$0].prefix.offsetSum < reads[$1].prefix.offsetSum }
    for index in order {
      let read = reads[index]
      results[index].isUncertain = read.prefix.parts.contains { $0.wholeOffset == nil }
      for offsets in candidates(read.prefix, &results[index].isUncertain) {
        var values: [FeatureValue] = []
        advance(&row, to: offsets)
        self.read(
          row.row, isEmpty: row.eventCount == 0, at: read.readMilliseconds,
          watermark: read.watermarkMilliseconds ?? .min, into: &values)
        results[index].served.append(.init(values: values, difference: difference(read, offsets)))
      }
    }
    return results
  }

  /// The prefixes that a row may be of: each partition's last commit is in it, or is not.
  private func candidates(_ prefix: LogPrefix, _ isUncertain: inout Bool) -> [[Int32: Int64]] {
    var candidates: [[Int32: Int64]] = [[:]]
    for part in prefix.parts {
      var ends = [part.nextOffset]
      if let whole = part.wholeOffset, whole < part.nextOffset,
        events.contains(where: {
          kept[$0].position.partition == part.partition && kept[$0].position.offset >= whole
            && kept[$0].position.offset < part.nextOffset
        })
      {
        ends.append(whole)
      }
      guard candidates.count * ends.count <= Self.candidatesMax else {
        isUncertain = true
        ends = [part.nextOffset]
        candidates = candidates.map { $0.merging([part.partition: part.nextOffset]) { first, _ in first } }
        continue
      }
      candidates = candidates.flatMap { known in
        ends.map { end in known.merging([part.partition: end]) { first, _ in first } }
      }
    }
    return candidates
  }

  private func advance(_ row: inout PrefixRow, to offsets: [Int32: Int64]) {
    if row.offsets.contains(where: { $0.value > offsets[$0.key] ?? 0 }) { row = PrefixRow(view.point.layout) }
    for event in events where !kept[event].isLate {
      let position = kept[event].position
      guard let end = offsets[position.partition], position.offset < end,
        position.offset >= row.offsets[position.partition] ?? 0
      else { continue }
      // Deltas are merged as they come, and nothing in them is too old by the watermark of another partition.
      apply(event, to: &row.row, watermark: view.isRepartitioned ? .min : kept[event].watermark)
      row.eventCount += 1
    }
    row.offsets = offsets
  }

  /// - Parameter ends: the prefix that the row is of.
  private func difference(_ read: ServedVector.Read, _ ends: [Int32: Int64]) -> HistoryDifference {
    var difference = HistoryDifference()
    for index in events {
      let event = kept[index]
      let end = ends[event.position.partition]
      let isServed = !event.isLate && end.map { event.position.offset < $0 } ?? false
      let hasHappened = event.timeMilliseconds <= read.readMilliseconds
      let isKnown = event.knownMilliseconds <= read.readMilliseconds
      switch (isServed, hasHappened, isKnown) {
      case (true, true, true), (false, false, _): continue
      case (true, _, _): difference.ahead += 1
      case (false, true, true) where !event.isLate && end == nil: difference.misplaced += 1
      case (false, true, true) where !event.isLate: difference.unapplied += 1
      case (false, true, _): difference.late += 1
      }
      difference.position = event.position
    }
    return difference
  }
}

/// A row and the prefix that it is of.
private struct PrefixRow: ~Copyable {
  var row: FeatureRow
  var offsets: [Int32: Int64] = [:]
  var eventCount = 0

  init(_ layout: ViewLayout) { row = FeatureRow(layout) }
}

extension LogPrefix {
  fileprivate var offsetSum: Int64 { parts.reduce(0) { $0 &+ $1.nextOffset } }
}
