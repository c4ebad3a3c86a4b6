internal import Core

/// Predictions that wait for the truth, and truths that wait for theirs, in event time.
///
/// A prediction's label is the earliest one of its key from the prediction's time on and within the time that labels
/// may take; of equal times the one with the greater value, so that the order of arrival leaves no trace. When there
/// are too many, keys are sampled by their hash, the same ones on both sides.
struct LabelJoin: Sendable, Equatable {
  struct Prediction: Sendable, Equatable {
    var key: UInt64
    var timeMilliseconds: Int64
    var score: Double
    var segments: [UInt32]
    /// Where its event is.
    var partition: Int32 = 0
    var eventOffset: Int64 = 0
  }

  struct Truth: Sendable, Equatable {
    var timeMilliseconds: Int64
    var value: Double
  }

  private static let entriesMaximum = 1 << 21

  /// By the index of their window.
  private(set) var predictions: [Int64: [Prediction]] = [:]
  /// The first of each key; the others of a key that has more lie beside it.
  private var truths: [UInt64: Truth] = [:]
  private var moreTruths: [UInt64: [Truth]] = [:]
  private var predictionCount = 0
  private var truthCount = 0
  /// One key in 2^level is followed.
  private(set) var level = 0
  /// Up to where truths were forgotten.
  private var forgottenBeforeMilliseconds = Int64.min

  init() {}

  private func isFollowed(_ key: UInt64) -> Bool { (key >> 32) & ((1 << UInt64(level)) - 1) == 0 }

  mutating func add(_ prediction: Prediction, window: Int64) {
    guard prediction.key != 0, isFollowed(prediction.key) else { return }
    predictions[window, default: []].append(prediction)
    predictionCount += 1
    limit()
  }

  mutating func add(_ truth: Truth, key: UInt64) {
    guard key != 0, isFollowed(key), !truth.value.isNaN, truth.timeMilliseconds >= forgottenBeforeMilliseconds else {
      return
    }
    hold(truth, key)
    truthCount += 1
    limit()
  }

  private mutating func hold(_ truth: Truth, _ key: UInt64) {
    if let other = truths.updateValue(truth, forKey: key) { moreTruths[key, default: []].append(other) }
  }

  /// Predictions of a window whose labels are still waited for say something else now: scores by their events' offsets.
  mutating func correct(_ scores: [Int64: Double], partition: Int32, window: Int64) {
    guard var waiting = predictions.removeValue(forKey: window) else { return }
    for index in waiting.indices where waiting[index].partition == partition {
      if let score = scores[waiting[index].eventOffset] { waiting[index].score = score }
    }
    predictions[window] = waiting
  }

  private mutating func limit() {
    guard predictionCount + truthCount > Self.entriesMaximum, level < 30 else { return }
    level += 1
    for (window, waiting) in predictions { predictions[window] = waiting.filter { isFollowed($0.key) } }
    truths = truths.filter { isFollowed($0.key) }
    moreTruths = moreTruths.filter { isFollowed($0.key) }
    recount()
  }

  private mutating func recount() {
    predictionCount = predictions.values.reduce(0) { $0 + $1.count }
    truthCount = moreTruths.values.reduce(truths.count) { $0 + $1.count }
  }

  /// Takes the predictions of a window with their labels; nil where none came.
  mutating func close(window: Int64, withinMilliseconds within: Int64) -> [(Prediction, label: Double?)] {
    let waiting = predictions.removeValue(forKey: window) ?? []
    predictionCount -= waiting.count
    // The order of arrival differs from run to run: sums are exact, but whoever lists them wants one order.
    return waiting.map { prediction in
      let end = prediction.timeMilliseconds.addingReportingOverflow(within).partialValue
      let times = prediction.timeMilliseconds...max(end, prediction.timeMilliseconds)
      return (prediction, label(of: prediction.key, in: times)?.value)
    }
  }

  private func label(of key: UInt64, in times: ClosedRange<Int64>) -> Truth? {
    let first = truths[key].flatMap { times.contains($0.timeMilliseconds) ? $0 : nil }
    guard !moreTruths.isEmpty, let more = moreTruths[key] else { return first }
    let found = more.filter { times.contains($0.timeMilliseconds) } + (first.map { [$0] } ?? [])
    return found.min { ($0.timeMilliseconds, -$0.value) < ($1.timeMilliseconds, -$1.value) }
  }

  /// Forgets truths of events in front of a time.
  ///
  /// All of them are looked at: once for each time, however often it is said.
  mutating func forget(beforeMilliseconds time: Int64) {
    guard time > forgottenBeforeMilliseconds else { return }
    forgottenBeforeMilliseconds = time
    for (key, waiting) in moreTruths {
      let left = waiting.filter { $0.timeMilliseconds >= time }
      moreTruths[key] = left.isEmpty ? nil : left
    }
    truths = truths.filter { $0.value.timeMilliseconds >= time }
    // Of what is left one has to be the first again.
    for (key, waiting) in moreTruths where truths[key] == nil {
      truths[key] = waiting[0]
      moreTruths[key] = waiting.count > 1 ? Array(waiting.dropFirst()) : nil
    }
    truthCount = moreTruths.values.reduce(truths.count) { $0 + $1.count }
  }
}

extension LabelJoin {
  func write(to writer: inout ByteWriter) {
    writer.number(UInt8(clamping: level))
    writer.number(UInt32(clamping: predictions.count))
    for (window, waiting) in predictions.sorted(by: { $0.key < $1.key }) {
      writer.number(window)
      writer.number(UInt32(clamping: waiting.count))
      for prediction in waiting {
        writer.number(prediction.key)
        writer.number(prediction.timeMilliseconds)
        writer.number(prediction.score.bitPattern)
        writer.number(UInt8(clamping: prediction.segments.count))
        for segment in prediction.segments { writer.number(segment) }
        writer.number(prediction.partition)
        writer.number(prediction.eventOffset)
      }
    }
    writer.number(UInt32(clamping: truths.count))
    for (key, first) in truths.sorted(by: { $0.key < $1.key }) {
      let waiting = (moreTruths[key] ?? []) + [first]
      writer.number(key)
      writer.number(UInt32(clamping: waiting.count))
      for truth in waiting {
        writer.number(truth.timeMilliseconds)
        writer.number(truth.value.bitPattern)
      }
    }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    level = min(Int(try reader.number(UInt8.self)), 30)
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let window: Int64 = try reader.number()
      for _ in 0..<(try reader.elements(ofSize: 37)) {
        var prediction = Prediction(
          key: try reader.number(), timeMilliseconds: try reader.number(), score: try reader.double(), segments: [])
        for _ in 0..<Int(try reader.number(UInt8.self)) { prediction.segments.append(try reader.number()) }
        prediction.partition = try reader.number()
        prediction.eventOffset = try reader.number()
        predictions[window, default: []].append(prediction)
      }
    }
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let key: UInt64 = try reader.number()
      for _ in 0..<(try reader.elements(ofSize: 16)) {
        hold(Truth(timeMilliseconds: try reader.number(), value: try reader.double()), key)
      }
    }
    recount()
  }
}
