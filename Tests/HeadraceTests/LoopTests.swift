import Core
import Testing

@testable import headrace

@Suite struct LoopTests {
  @Test func `a year of flights has the months from April on, and is compared from June on`() throws {
    let scenario = LoopScenario.flights(days: 365)
    #expect(scenario.periods.map(\.name) == (4...12).map { "2013-\($0 < 10 ? "0" : "")\($0)" })
    #expect(LoopScenario.day(scenario.firstModelAt) == "2013-04-01")
    #expect(LoopScenario.day(scenario.comparedFrom) == "2013-06-01")
    #expect(scenario.periods.first?.range.lowerBound == scenario.firstModelAt)
    #expect(scenario.periods.last?.range.upperBound == scenario.range.upperBound)
    for (left, right) in zip(scenario.periods, scenario.periods.dropFirst()) {
      #expect(left.range.upperBound == right.range.lowerBound)
    }
  }

  @Test(arguments: [4, 7, 16, 24, 60] as [Int64])
  func `slices end where the first model is made, and cover everything`(days: Int64) throws {
    for scenario in [LoopScenario.payments(days: days), LoopScenario.flights(days: days)] {
      let ends = scenario.sliceEnds
      #expect(ends.last == scenario.range.upperBound && ends.contains(scenario.firstModelAt))
      #expect(ends == ends.sorted() && Set(ends).count == ends.count)
      #expect(scenario.firstModelAt < scenario.comparedFrom && scenario.comparedFrom < scenario.range.upperBound)
      #expect(
        scenario.periods.reduce(0) { $0 + $1.range.count }
          == Int(scenario.range.upperBound - scenario.firstModelAt))
    }
  }

  @Test func `figures are written with all their digits, and missing ones as null`() throws {
    let scenario = LoopScenario.payments(days: 4)
    let result = LoopResult(
      scenario: scenario, seed: 9, figures: .init(periods: scenario.periods.map { ($0, nil) }, compared: nil),
      events: 12, predictions: 10, driftAlarms: 1, retrainings: 2, promotions: 1, moments: [], milliseconds: 1_500)
    let document = try JSONDocument(result.json, depthMax: 8)
    #expect(document["seed"]?.integer == 9 && document["auc_frozen"]?.isNull == true)
    #expect(document["drift_alarms"]?.integer == 1 && document["promotions"]?.integer == 1)
    #expect(result.text.contains("1 drift alarms, 2 retrainings, 1 promotions"))
  }
}
