import Testing
@testable import headrace

@Suite struct ReadingLimitsTests {
  /// Positions of the wanted records of a batch with these offsets.
  private func take(_ limits: inout ReadingLimits, _ partition: Int32, _ offsets: [Int64]) -> Range<Int> {
    limits.take(partition: partition, offsets: offsets[0]...offsets[offsets.count - 1], count: offsets.count) {
      offsets[$0]
    }
  }

  @Test func withoutLimitsNothingEnds() {
    var limits = ReadingLimits(countMax: nil)
    limits.add(partition: 0, start: 0, end: nil, endOfLog: 0)
    #expect(take(&limits, 0, [0, 1]) == 0..<2)
    limits.didReachEnd(partition: 0, position: 2)
    #expect(!limits.isDone && !limits.expectsRecords)
  }

  @Test func theCountIsOverAllPartitions() {
    var limits = ReadingLimits(countMax: 3)
    for partition in 0..<2 { limits.add(partition: Int32(partition), start: 0, end: nil, endOfLog: 9) }
    #expect(take(&limits, 0, [0, 1]) == 0..<2)
    #expect(take(&limits, 1, [0, 1]) == 0..<1)
    #expect(limits.isDone)
    #expect(take(&limits, 1, [2]) == 0..<0)
    #expect(ReadingLimits(countMax: 0).isDone)
  }

  @Test func offsetsBeyondTheEndAreNotWanted() {
    var limits = ReadingLimits(countMax: nil)
    limits.add(partition: 0, start: 0, end: 5, endOfLog: 9)
    limits.add(partition: 1, start: 7, end: 7, endOfLog: 7)
    #expect(!limits.isDone && limits.expectsRecords)
    #expect(take(&limits, 0, [1, 2]) == 0..<2)
    // Holes: 4 is a marker.
    #expect(take(&limits, 0, [3, 5, 6]) == 0..<1)
    #expect(limits.isDone && !limits.expectsRecords)
    #expect(take(&limits, 1, [7]) == 0..<0)
  }

  @Test func markersAtTheEndAreNoRecordsToWaitFor() {
    var limits = ReadingLimits(countMax: nil)
    limits.add(partition: 0, start: 0, end: 5, endOfLog: 5)
    #expect(take(&limits, 0, [0, 1, 2]) == 0..<3)
    #expect(!limits.isDone)
    limits.didReachEnd(partition: 0, position: 3)
    #expect(limits.isDone)
  }

  @Test func anEndThatIsStillToComeIsWaitedFor() {
    var limits = ReadingLimits(countMax: nil)
    limits.add(partition: 0, start: 0, end: 10, endOfLog: 5)
    limits.didReachEnd(partition: 0, position: 5)
    #expect(!limits.isDone && !limits.expectsRecords)
    limits.didReachEnd(partition: 0, position: 10)
    #expect(limits.isDone)
  }
}
