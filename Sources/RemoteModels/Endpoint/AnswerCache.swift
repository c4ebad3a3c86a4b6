/// Scores of rows that were asked for already: equal features, equal answer, for a time and within a size. The key is
/// the row itself, so that two rows never share an answer by chance.
///
/// All answers live equally long, so that the order of arrival is the order of expiry and of eviction.
package struct AnswerCache: Sendable {
  private struct Entry: Sendable {
    var scores: [Double]
    var endsAtMilliseconds: Int64
    /// Which arrival it is of: an older one of the same row in the queue means nothing.
    var number: UInt64
  }

  private let lifetimeMilliseconds: Int64
  private let bytesMax: Int
  private var entries: [[UInt32]: Entry] = [:]
  private var queue: [(key: [UInt32], number: UInt64)] = []
  private var first = 0
  private var next: UInt64 = 0
  package private(set) var sizeBytes = 0

  /// What an entry takes besides its numbers: the table's place, two arrays' heads, the queue's place.
  private static let entryBytes = 160

  package init(lifetimeMilliseconds: Int64, bytesMax: Int) {
    self.lifetimeMilliseconds = lifetimeMilliseconds
    self.bytesMax = bytesMax
  }

  package var count: Int { entries.count }

  /// - Parameter row: the bits of its features.
  package func scores(of row: [UInt32], nowMilliseconds: Int64) -> [Double]? {
    guard let entry = entries[row], nowMilliseconds < entry.endsAtMilliseconds else { return nil }
    return entry.scores
  }

  package mutating func insert(_ scores: [Double], of row: [UInt32], nowMilliseconds: Int64) {
    let added = Self.sizeBytes(row, scores)
    guard added <= bytesMax else { return }
    next += 1
    if let former = entries[row] { sizeBytes -= Self.sizeBytes(row, former.scores) }
    let endsAt = nowMilliseconds.addingReportingOverflow(lifetimeMilliseconds)
    entries[row] = Entry(
      scores: scores, endsAtMilliseconds: endsAt.overflow ? .max : endsAt.partialValue, number: next)
    queue.append((row, next))
    sizeBytes += added
    trim(nowMilliseconds)
  }

  private mutating func trim(_ nowMilliseconds: Int64) {
    while first < queue.count {
      let (key, number) = queue[first]
      if let entry = entries[key], entry.number == number {
        guard sizeBytes > bytesMax || entry.endsAtMilliseconds <= nowMilliseconds else { break }
        sizeBytes -= Self.sizeBytes(key, entry.scores)
        entries[key] = nil
      }
      first += 1
    }
    guard first > 64, first > queue.count / 2 else { return }
    queue.removeFirst(first)
    first = 0
  }

  private static func sizeBytes(_ row: [UInt32], _ scores: [Double]) -> Int {
    row.count * 4 + scores.count * 8 + entryBytes
  }
}
