internal import Glibc

/// How many keys an entity has and how busy they are: what an estimate of state assumes.
///
/// Keys are not alike: the k-th busiest has 1 / k^skew of the events of the busiest (Zipf's law). A skew of 0 makes
/// them alike, about 1 is what users, products and addresses show.
package struct KeyPopulation: Sendable, Equatable {
  package var count: Int
  /// Of a key, on average over all of them.
  package var eventsPerHour: Double
  package var skew: Double

  package init(count: Int, eventsPerHour: Double, skew: Double) {
    self.count = max(count, 1)
    self.eventsPerHour = eventsPerHour
    self.skew = skew
  }

  /// The events an hour of some keys that stand for all: each for an equal share of the ranks.
  package func rates(ofSample size: Int) -> [Double] {
    let size = max(min(size, count), 1)
    let scale = eventsPerHour * Double(count) / weight(upTo: count)
    return (0..<size).map { index in
      let rank = (Double(index) + 0.5) / Double(size) * Double(count)
      return scale * pow(max(rank, 1), -skew)
    }
  }

  /// Σ k^-skew: the first thousand one by one, the rest as an integral.
  private func weight(upTo count: Int) -> Double {
    let exact = min(count, 1_000)
    var sum = 0.0
    for rank in 1...exact { sum += pow(Double(rank), -skew) }
    guard count > exact else { return sum }
    let (low, high) = (Double(exact) + 0.5, Double(count) + 0.5)
    let rest = abs(skew - 1) < 1e-9 ? log(high / low) : (pow(high, 1 - skew) - pow(low, 1 - skew)) / (1 - skew)
    return sum + rest
  }
}

/// What the rows of a view, or the ids of a source, are expected to take.
package struct StateEstimate: Sendable, Equatable {
  /// Rows that are there at any time: keys whose last event is not too long ago. Of a source, its ids.
  package var rows: Int
  /// Of all rows in memory, with their keys and the table that finds them.
  package var memoryBytes: Int
  /// Of all rows in RocksDB's files, compacted: compressed, with keys, indexes and filters.
  package var diskBytes: Int

  package init(rows: Int, memoryBytes: Int, diskBytes: Int) {
    self.rows = rows
    self.memoryBytes = memoryBytes
    self.diskBytes = diskBytes
  }
}
