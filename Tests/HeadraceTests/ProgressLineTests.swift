import Testing
@testable import headrace

@Suite struct ProgressLineTests {
  @Test func showsShareRateAndRemainingTime() {
    var line = ProgressLine(nowMilliseconds: 0)
    let text = line.draw(
      records: 50_000, fraction: 0.25, label: "departures.jsonl.gz", columns: 120, nowMilliseconds: 1_000)
    #expect(text == " 25% [#######-----------------------]  50,000 records  50.0k/s  ETA 0:03  departures.jsonl.gz")
  }

  @Test func isDrawnTenTimesASecondAtMost() {
    var line = ProgressLine(nowMilliseconds: 0)
    let drawn = (0..<1_000).filter { millisecond in
      line.draw(records: 1, fraction: nil, label: "", columns: 80, nowMilliseconds: Int64(millisecond)) != nil
    }
    #expect(drawn.count == 10)
  }

  @Test func neverWrapsAndNeverFails() {
    for columns in 0...200 {
      var line = ProgressLine(nowMilliseconds: 0)
      for (step, fraction) in [nil, 0, 0.5, 1, 7.5, -1, 0.999].enumerated() {
        let text = line.draw(
          records: 123_456_789, fraction: fraction, label: "a-file.jsonl", columns: columns,
          nowMilliseconds: Int64(step + 1) * 1_000)
        #expect((text?.count ?? 0) <= max(columns - 1, 0))
      }
    }
  }

  @Test func theRateIsThatOfTheLastSeconds() {
    var line = ProgressLine(nowMilliseconds: 0)
    for second in 1...20 {
      _ = line.draw(
        records: second * 1_000, fraction: nil, label: "", columns: 80, nowMilliseconds: Int64(second) * 1_000)
    }
    // Then nothing comes any more.
    for second in 21...23 {
      _ = line.draw(records: 20_000, fraction: nil, label: "", columns: 80, nowMilliseconds: Int64(second) * 1_000)
    }
    let text = line.draw(records: 20_000, fraction: nil, label: "", columns: 80, nowMilliseconds: 24_000)
    #expect(text == "0:24  20,000 records  0/s")
  }
}
