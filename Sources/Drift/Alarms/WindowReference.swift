/// Where the rows of a window came from: its span in event time and its offsets.
package struct WindowReference: Sendable, Equatable {
  /// Event time, epoch milliseconds; the end is not part of it.
  package var startMilliseconds: Int64
  package var endMilliseconds: Int64
  package var rowCount: Int
  /// First and last offset of each partition that gave rows.
  package var offsets: [PartitionOffsets]
  /// Rows that each registered version of the model has scored; empty where none is known.
  package var versions: [Int32: Int]

  package init(
    startMilliseconds: Int64, endMilliseconds: Int64, rowCount: Int, offsets: [PartitionOffsets] = [],
    versions: [Int32: Int] = [:]
  ) {
    self.startMilliseconds = startMilliseconds
    self.endMilliseconds = endMilliseconds
    self.rowCount = rowCount
    self.offsets = offsets
    self.versions = versions
  }
}

package struct PartitionOffsets: Sendable, Equatable {
  package var topic: String
  package var partition: Int32
  package var first: Int64
  package var last: Int64

  package init(topic: String, partition: Int32, first: Int64, last: Int64) {
    self.topic = topic
    self.partition = partition
    self.first = first
    self.last = last
  }
}

/// A part of the rows that differs more than the rest: a segment of the data or one producer.
package struct Contributor: Sendable, Equatable {
  package enum Kind: String, Sendable { case segment, producer }

  package var kind: Kind
  /// `origin=JFK`, `client=billing-7`.
  package var name: String
  package var rowCount: Int
  /// The score of its rows alone against the reference.
  package var score: Double
  /// Which share of the excess its rows account for: rows times score, over the sum of it.
  package var share: Double
}

extension Contributor {
  /// The parts that account for most of the excess, the greatest first; ties by name.
  package static func top(
    _ count: Int, of parts: [(kind: Kind, name: String, rowCount: Int, score: Double)]
  ) -> [Contributor] {
    let weights = parts.map { Double($0.rowCount) * max($0.score.isFinite ? $0.score : 0, 0) }
    let total = weights.reduce(0, +)
    let all = zip(parts, weights).map { part, weight in
      Contributor(
        kind: part.kind, name: part.name, rowCount: part.rowCount, score: part.score,
        share: total > 0 ? weight / total : 0)
    }
    return Array(all.sorted { ($1.share, $0.name) < ($0.share, $1.name) }.prefix(count))
  }
}
