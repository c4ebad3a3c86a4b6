import Columns
import Core
import Testing
@testable import headrace

@Suite struct GoldenFileTests {
  private func read(_ text: String) throws -> GoldenFile { try GoldenFile(path: "f.golden.jsonl", text: text) }

  @Test func `steps keep their order and their lines`() throws {
    let file = try read(
      """
      # first
      {"case": "one", "about": "it"}

      {"source": "s", "event": {"a": [1, {"b": 2}]}, "key": "k", "timestamp": "1970-01-01T00:00:01Z"}
      {"source": "s", "raw": "not json", "timestamp": 5}
      {"view": "v", "key": ["x", 7], "at": 9, "features": {"n": 2, "m": null, "q": {"about": 1.5, "within": 0.01}}}
      {"counts": {"s": {"applied": 1}}}
      {"case": "two"}
      """)
    #expect(file.cases.map(\.name) == ["one", "two"])
    let steps = file.cases[0].steps
    #expect(steps.map(\.line) == [4, 5, 6, 7])
    guard case .event(let event) = steps[0].content, case .event(let raw) = steps[1].content,
      case .expectation(let expectation) = steps[2].content, case .counts(let counts) = steps[3].content
    else {
      Issue.record("\(steps)")
      return
    }
    #expect(event.value == Array(#"{"a": [1, {"b": 2}]}"#.utf8))
    #expect(event.key == Array("k".utf8) && event.timestampMilliseconds == 1_000)
    #expect(raw.value == Array("not json".utf8) && raw.timestampMilliseconds == 5)
    #expect(expectation.key == ["x", "7"] && expectation.atMilliseconds == 9)
    #expect(expectation.features.map(\.value) == [.integer(2), .null, .about(1.5, within: 0.01)])
    #expect(counts == [GoldenCounts(source: "s", outcomes: ["applied": 1])])
  }

  @Test(arguments: [
    ("{\"source\":\"s\",\"event\":{}}", "before the first case"), ("{\"case\":\"a\"}\n{\"x\":1}", "2:"),
    ("{\"case\":\"a\"}\nnot json", "no JSON"), ("", "no case"),
    ("{\"case\":\"a\"}\n{\"source\":\"s\"}", "needs either"),
    ("{\"case\":\"a\"}\n{\"view\":\"v\",\"key\":[\"k\"],\"at\":\"never\",\"status\":\"PRESENT\"}", "expected a time"),
    ("{\"case\":\"a\"}\n{\"view\":\"v\",\"key\":[\"k\"],\"at\":1}", "\"features\" or \"status\""),
    ("{\"case\":\"a\"}\n{\"view\":\"v\",\"kee\":[\"k\"],\"at\":1}", "\"kee\""),
  ])
  func `what is wrong is told with its line`(text: String, message: String) {
    #expect {
      try read(text)
    } throws: { error in
      let text = "\(error)"
      return text.contains("f.golden.jsonl:") && text.contains(message)
    }
  }
}

@Suite struct GoldenValueTests {
  @Test func `numbers are equal by their value, texts and types by what they are`() {
    #expect(GoldenValue.integer(2).accepts(.integer(2)) && GoldenValue.integer(2).accepts(.double(2)))
    #expect(GoldenValue.number(2.5).accepts(.double(2.5)) && !GoldenValue.number(2.5).accepts(.double(2.5.nextUp)))
    #expect(!GoldenValue.integer(1).accepts(.boolean(true)) && !GoldenValue.null.accepts(.integer(0)))
    #expect(GoldenValue.list([.integer(1), .text("a")]).accepts(.list([.integer(1), .string("a")])))
    #expect(GoldenValue.about(100, within: 0.01).accepts(.double(101)))
    #expect(!GoldenValue.about(100, within: 0.01).accepts(.double(101.1)))
    #expect(GoldenValue.text("-0.05").accepts(.decimal(unscaled: -5, scale: 2)))
  }
}

@Suite struct GoldenVariantTests {
  private let events: [TimedEvent] = (0..<200).map { (index: Int) -> TimedEvent in
    TimedEvent(
      source: 0, key: nil, value: [UInt8(truncatingIfNeeded: index)], timestampMilliseconds: Int64(index) * 1_000,
      latenessMilliseconds: 30_000, hasDeduplication: index % 2 == 0, mayMove: index != 100)
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `a shuffle keeps every event and delays none beyond its lateness`(seed: UInt64) {
    let arranged = GoldenVariant.shuffled(seed: seed).arrange(events, stretch: 1)
    #expect(arranged != events && arranged.count == events.count)
    #expect(Set(arranged.map(\.value)) == Set(events.map(\.value)))
    var newest = Int64.min
    for event in arranged {
      let time = Int64(event.value[0]) * 1_000
      newest = max(newest, time)
      #expect(time >= newest - 30_000 && event.timestampMilliseconds >= time, "seed \(seed)")
    }
    #expect(arranged == GoldenVariant.shuffled(seed: seed).arrange(events, stretch: 1))
  }

  @Test func `duplicates come where the source knows them, and never before the event`() {
    let arranged = GoldenVariant.duplicated(seed: 3).arrange(events, stretch: 0)
    for event in events {
      let expected = event.hasDeduplication && event.mayMove ? 2 : 1
      #expect(arranged.filter { $0.value == event.value }.count == expected)
    }
  }

  @Test func `some events come late, and the case itself is as it was written`() {
    #expect(GoldenVariant.asWritten.arrange(events, stretch: 0) == events)
    let arranged = GoldenVariant.late(seed: 1).arrange(events, stretch: 0)
    #expect(arranged.contains { $0.timestampMilliseconds - Int64($0.value[0]) * 1_000 > 30_000 })
    #expect(GoldenVariant.all(seeds: 2).count == 7)
  }
}
