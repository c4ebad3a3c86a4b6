/// Compares two arms of a rollout while their rows come in, over the newest rows of the candidate.
///
/// Rows lie in slices of an eighth of the window. At the end of a slice the newest window is looked at, and at the end
/// of a window the one that reaches back eight times as far: what a window is too small for is seen there, and what
/// comes late is not hidden behind hours in which all was well. Where slices end follows from the rows alone, so that
/// whoever reads them in the same order finds the same at the same row. Memory: 64 slices, whatever the window.
package struct ArmGauge: Sendable {
  /// Where a row was.
  package struct Place: Sendable {
    package var partition: Int32
    package var offset: Int64

    package init(partition: Int32, offset: Int64) {
      self.partition = partition
      self.offset = offset
    }
  }

  /// What the newest look has found, and in which rows.
  package struct Look: Sendable {
    package var finding: ArmPolicy.Finding
    /// First and last offset by partition, rising.
    package var offsets: [(partition: Int32, range: ClosedRange<Int64>)]
  }

  private struct Slice: Sendable {
    var champion: ArmRows
    var candidate: ArmRows
    var offsets: [Int32: ClosedRange<Int64>] = [:]

    init(width: Int, seed: UInt64) {
      // One seed: of pairs either both rows are kept or none.
      champion = ArmRows(width: width, seed: seed)
      candidate = ArmRows(width: width, seed: seed)
    }

    mutating func note(_ place: Place) {
      let range = offsets[place.partition] ?? place.offset...place.offset
      offsets[place.partition] = min(range.lowerBound, place.offset)...max(range.upperBound, place.offset)
    }
  }

  package let policy: ArmPolicy
  /// The smallest number of the candidate's rows that is looked at.
  package let window: Int
  private let width: Int
  private let isPaired: Bool
  private let sliceRows: Int
  /// The last one is not full yet.
  private var slices: [Slice]
  private var slicesBegun = 1
  private var candidateCount = 0
  private var looks = 0
  /// nil before the first window is full.
  package private(set) var newest: Look?

  private static let slicesOfWindow = 8
  /// So many windows are looked at together besides the newest one.
  private static let windowsMax = 8
  private static let sliceRowsMin = 16

  /// - Parameters:
  ///   - width: numbers of a row.
  ///   - isPaired: both arms have a row of each event.
  package init(_ policy: ArmPolicy, window: Int, width: Int, isPaired: Bool) {
    self.policy = policy
    self.window = max(window, 1)
    self.width = width
    self.isPaired = isPaired
    sliceRows = max(self.window / Self.slicesOfWindow, Self.sliceRowsMin)
    slices = [Slice(width: width, seed: 0)]
  }

  /// Takes a row of the champion.
  package mutating func champion(cluster: UInt64, at place: Place, _ numbers: (inout [Double]) -> Void) {
    slices[slices.count - 1].champion.add(cluster: cluster, numbers)
    slices[slices.count - 1].note(place)
  }

  /// Takes a row of the candidate, and looks when it was the last one of a slice.
  package mutating func candidate(cluster: UInt64, at place: Place, _ numbers: (inout [Double]) -> Void) {
    let last = slices.count - 1
    slices[last].candidate.add(cluster: cluster, numbers)
    slices[last].note(place)
    candidateCount += 1
    guard slices[last].candidate.seenCount >= sliceRows else { return }
    if candidateCount >= window { look() }
    slices.append(Slice(width: width, seed: UInt64(slicesBegun)))
    slicesBegun += 1
    if slices.count > slicesPerWindow * Self.windowsMax { slices.removeFirst() }
  }

  private var slicesPerWindow: Int { (window + sliceRows - 1) / sliceRows }

  private mutating func look() {
    looks += 1
    let recent = look(slices.suffix(slicesPerWindow))
    let reachesBack = slices.count > slicesPerWindow && slicesBegun % slicesPerWindow == 0
    let long = reachesBack ? look(slices[...]) : nil
    let found = [recent, long].compactMap { $0 }
    // What is wrong comes first, then what is certain of either window.
    for state in [ArmPolicy.State.exceeds, .within, .undecided] {
      guard let look = found.first(where: { $0.finding.state == state }) else { continue }
      newest = look
      return
    }
  }

  private func look(_ slices: ArraySlice<Slice>) -> Look? {
    let (champion, candidate) = (slices.map(\.champion), slices.map(\.candidate))
    let columns = (0..<width).compactMap { column in
      ArmComparison(champion: champion, candidate: candidate, column: column, isPaired: isPaired)
    }
    guard columns.count == width, let finding = policy.judge(columns, look: looks, windows: 2) else { return nil }
    var offsets: [Int32: ClosedRange<Int64>] = [:]
    for slice in slices {
      for (partition, range) in slice.offsets {
        let known = offsets[partition] ?? range
        offsets[partition] =
          min(known.lowerBound, range.lowerBound)...max(known.upperBound, range.upperBound)
      }
    }
    return Look(finding: finding, offsets: offsets.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }
}
