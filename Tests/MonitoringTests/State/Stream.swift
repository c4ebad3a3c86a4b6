import Core
import Drift

@testable import Monitoring

extension [MonitorResult] {
  /// What is outside its limits, window by window, told anew or not; that of the labels aside.
  var outside: [AlarmResult] { filter { $0.kind == "window" }.flatMap { $0.features.compactMap(\.alarm) } }
}

/// A stream of predictions, events and labels over several partitions, to be fed in any order that keeps each
/// partition's own.
struct Stream {
  static let columns = ["amount", "age", "prediction"]
  static let minute: Int64 = 60_000

  var predictions: [Int32: PredictionRows] = [:]
  var events: [Int32: [EventRow]] = [:]
  var labels: [Int32: [LabelRow]] = [:]

  struct Shift {
    var feature: Int
    var factor: Float
    var fromMilliseconds: Int64
    /// Only rows of this segment; nil: all.
    var segment: String?
  }

  static func definition(_ change: (inout MonitorDefinition) -> Void = { _ in }) -> MonitorDefinition {
    var definition = MonitorDefinition(
      name: "watch", model: "m", columns: columns, windowMilliseconds: 60 * minute,
      tests: [(.psi, 0.2), (.kolmogorovSmirnov, 0.1), (.missing, 0.05)])
    definition.topic = "predictions"
    definition.latenessMilliseconds = 5 * minute
    change(&definition)
    return definition
  }

  /// - Parameters:
  ///   - promotedAt: from this time on version 2 scores, which says something else; nil: a file does.
  ///   - names: takes the segments' names, in the order in which the events come.
  init(
    rows: Int, partitions: Int32, minutes: Int64, seed: UInt64, shift: Shift? = nil, labelled: Bool = false,
    promotedAt: Int64? = nil, names: inout SegmentNames
  ) {
    var random = SplitMix64(seed: seed)
    for row in 0..<rows {
      let partition = Int32(truncatingIfNeeded: random.next() % UInt64(partitions))
      // Mostly in order, some minutes of disorder.
      let time = Int64(row) * minutes * Self.minute / Int64(rows) + Int64(random.next() % 120_000)
      let carrier = ["AA", "BB", "CC"][Int(random.next() % 3)]
      var values = [Self.uniform(&random) * 100, Self.uniform(&random) * 50 + 20]
      if random.next() % 20 == 0 { values[1] = .nan }
      let isPromoted = promotedAt.map { time >= $0 } ?? false
      let score = Double(Self.uniform(&random)) * (isPromoted ? 0.4 : 1)
      if let shift, time >= shift.fromMilliseconds, shift.segment.map({ $0 == "carrier=\(carrier)" }) ?? true {
        values[shift.feature] *= shift.factor
      }
      var rows = predictions[partition] ?? PredictionRows(partition: partition)
      let offset = Int64(rows.count)
      rows.values += values + [Float(score)]
      rows.timesMilliseconds.append(time)
      rows.offsets.append(offset)
      rows.eventOffsets.append(offset * 2)
      rows.scores.append(score)
      rows.versions.append(promotedAt == nil ? 0 : isPromoted ? 2 : 1)
      predictions[partition] = rows
      let key = random.next() | 1
      events[partition, default: []].append(
        EventRow(offset: offset * 2, key: key, segments: [names.number("carrier=\(carrier)")]))
      guard labelled, random.next() % 10 > 0 else { continue }
      let isTrue = Double(Self.uniform(&random)) < score
      let labelTime = time + Int64(random.next() % 1_200_000)
      labels[partition, default: []].append(LabelRow(key: key, timeMilliseconds: labelTime, value: isTrue ? 1 : 0))
    }
    for partition in labels.keys { labels[partition]?.sort { $0.timeMilliseconds < $1.timeMilliseconds } }
  }

  private static func uniform(_ random: inout SplitMix64) -> Float { Float(random.next() >> 40) * 0x1p-24 }

  /// Where a reader of the stream stands.
  struct Cursor {
    var predictions: [Int32: Int] = [:]
    var events: [Int32: Int] = [:]
    var labels: [Int32: Int] = [:]
  }

  /// Feeds everything, in random pieces of random partitions.
  func feed(_ state: inout MonitorState, seed: UInt64) -> [MonitorResult] { feed(&state, seed: seed) { _ in } }

  /// As above.
  ///
  /// - Parameter each: called behind each piece with the state.
  func feed<Failure: Error>(
    _ state: inout MonitorState, seed: UInt64, each: (inout MonitorState) throws(Failure) -> Void
  ) throws(Failure) -> [MonitorResult] {
    state.expect(partitions: Array(predictions.keys), labelPartitions: Array(labels.keys))
    var random = SplitMix64(seed: seed)
    var cursor = Cursor()
    var results: [MonitorResult] = []
    while true {
      var open: [(Int32, Int)] = []
      for partition in predictions.keys.sorted() {
        if cursor.predictions[partition, default: 0] < predictions[partition]?.count ?? 0 {
          open.append((partition, 0))
        }
        if state.definition.needsEvents, cursor.events[partition, default: 0] < events[partition]?.count ?? 0 {
          open.append((partition, 1))
        }
        if cursor.labels[partition, default: 0] < labels[partition]?.count ?? 0 { open.append((partition, 2)) }
      }
      guard !open.isEmpty else { return results }
      let (partition, kind) = open[Int(random.next() % UInt64(open.count))]
      let size = 1 + Int(random.next() % 700)
      switch kind {
      case 0: feedPredictions(&state, partition, size, &cursor)
      case 1: feedEvents(&state, partition, size, &cursor)
      default: feedLabels(&state, partition, size, &cursor)
      }
      results += state.advance()
      try each(&state)
    }
  }

  private func feedPredictions(_ state: inout MonitorState, _ partition: Int32, _ size: Int, _ cursor: inout Cursor) {
    guard let all = predictions[partition] else { return }
    let start = cursor.predictions[partition, default: 0]
    let end = min(start + size, all.count)
    var piece = PredictionRows(partition: partition)
    piece.append(all, start..<end, width: Self.columns.count)
    state.add(piece)
    cursor.predictions[partition] = end
  }

  private func feedEvents(_ state: inout MonitorState, _ partition: Int32, _ size: Int, _ cursor: inout Cursor) {
    guard let all = events[partition] else { return }
    let start = cursor.events[partition, default: 0]
    let end = min(start + size, all.count)
    state.add(Array(all[start..<end]), partition: partition, upTo: all[end - 1].offset + 1)
    cursor.events[partition] = end
  }

  private func feedLabels(_ state: inout MonitorState, _ partition: Int32, _ size: Int, _ cursor: inout Cursor) {
    guard let all = labels[partition] else { return }
    let start = cursor.labels[partition, default: 0]
    let end = min(start + size, all.count)
    state.add(Array(all[start..<end]), partition: partition)
    cursor.labels[partition] = end
  }
}
