internal import Core

/// An even sample of what one arm of a comparison said in a stretch of a log, in bounded memory.
///
/// Reservoir sampling (Vitter: algorithm R, 1985) with a seed: whoever reads the same rows keeps the same ones. Two
/// arms with one seed that are given a row of each event keep the same events, and their rows stay pairs.
package struct ArmRows: Sendable {
  /// Numbers of a row; NaN is missing.
  package let width: Int
  /// Rows that were offered.
  package private(set) var seenCount = 0
  private(set) var clusters: [UInt16] = []
  /// Row by row.
  private(set) var values: [Double] = []
  private var row: [Double] = []
  private var random: SplitMix64
  private let capacity: Int

  package static let cellsMax = 8_192
  package static let rowsMax = 2_048
  /// Clusters are told apart by so many parts of their hashes: several in one part are one, which is careful.
  static let clusterParts = 256

  package init(width: Int, seed: UInt64) {
    self.width = max(width, 1)
    capacity = min(max(Self.cellsMax / self.width, 64), Self.rowsMax)
    random = SplitMix64(seed: seed)
  }

  package var keptCount: Int { clusters.count }
  /// How many of the offered rows each kept one stands for.
  var weight: Double { keptCount == 0 ? 0 : Double(seenCount) / Double(keptCount) }

  /// Offers a row.
  ///
  /// - Parameters:
  ///   - cluster: a hash of what makes rows alike, such as their key.
  ///   - numbers: appends the row's numbers; called only when the row is kept. What is missing becomes NaN.
  package mutating func add(cluster: UInt64, _ numbers: (inout [Double]) -> Void) {
    seenCount += 1
    var place = keptCount
    if place >= capacity {
      place = Int(random.next() % UInt64(seenCount))
      guard place < capacity else { return }
    }
    row.removeAll(keepingCapacity: true)
    numbers(&row)
    let part = UInt16(cluster % UInt64(Self.clusterParts))
    if place == keptCount {
      clusters.append(part)
      values += repeatElement(.nan, count: width)
    }
    clusters[place] = part
    for column in 0..<width { values[place * width + column] = column < row.count ? row[column] : .nan }
  }
}
