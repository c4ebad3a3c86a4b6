/// Predictions of one partition in the order of their offsets.
package struct PredictionRows: Sendable, Equatable {
  package var partition: Int32
  /// Row by row: the features, then the score.
  package var values: [Float] = []
  package var timesMilliseconds: [Int64] = []
  /// Of the predictions' own records.
  package var offsets: [Int64] = []
  /// Of the events, in the partition of the same number of their topic.
  package var eventOffsets: [Int64] = []
  package var scores: [Double] = []
  /// Of the registered models that scored them; 0: of a file.
  package var versions: [Int32] = []

  package init(partition: Int32) { self.partition = partition }

  package var count: Int { offsets.count }

  package mutating func removeAll() {
    values.removeAll(keepingCapacity: true)
    timesMilliseconds.removeAll(keepingCapacity: true)
    offsets.removeAll(keepingCapacity: true)
    eventOffsets.removeAll(keepingCapacity: true)
    scores.removeAll(keepingCapacity: true)
    versions.removeAll(keepingCapacity: true)
  }

  mutating func append(_ other: PredictionRows, _ rows: Range<Int>, width: Int) {
    values += other.values[rows.lowerBound * width..<rows.upperBound * width]
    timesMilliseconds += other.timesMilliseconds[rows]
    offsets += other.offsets[rows]
    eventOffsets += other.eventOffsets[rows]
    scores += other.scores[rows]
    versions += other.versions[rows]
  }

  mutating func removeFirst(_ count: Int, width: Int) {
    values.removeFirst(count * width)
    timesMilliseconds.removeFirst(count)
    offsets.removeFirst(count)
    eventOffsets.removeFirst(count)
    scores.removeFirst(count)
    versions.removeFirst(count)
  }
}

/// What a model says now of an event that it has scored before: a later revision of a prediction.
package struct ScoreCorrection: Sendable, Equatable {
  /// Of the event, in the partition of the same number of its topic.
  package var eventOffset: Int64
  package var timeMilliseconds: Int64
  package var score: Double

  package init(eventOffset: Int64, timeMilliseconds: Int64, score: Double) {
    self.eventOffset = eventOffset
    self.timeMilliseconds = timeMilliseconds
    self.score = score
  }
}

/// A label as its topic tells it.
package struct LabelRow: Sendable, Equatable {
  package var key: UInt64
  package var timeMilliseconds: Int64
  /// 1 and 0 for yes and no.
  package var value: Double

  package init(key: UInt64, timeMilliseconds: Int64, value: Double) {
    self.key = key
    self.timeMilliseconds = timeMilliseconds
    self.value = value
  }
}
