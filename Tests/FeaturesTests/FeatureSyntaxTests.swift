import Columns
import Core
import Expressions
import Testing

@testable import Features

@Suite struct FeatureSyntaxTests {
  @Test func `functions, arguments, filters and windows`() throws {
    let hour = Scenario.hour
    let parsed = try #require(try FeatureSyntax.parse("mean(dep_delay) where origin == 'JFK, over' over 1h, 6h"))
    #expect(parsed.function == .mean && parsed.windows == [.sliding(length: hour), .sliding(length: 6 * hour)])
    #expect(parsed.argument?.names.map(\.name) == ["dep_delay"] && parsed.filter?.names.map(\.name) == ["origin"])

    let texts: [(String, AggregateFunction, [Window])] = [
      ("count over 1h", .count, [.sliding(length: hour)]),
      ("count() over lifetime", .count, [.lifetime]),
      ("percentile(dep_delay, 0.9) over 24h", .percentile(0.9), [.sliding(length: 24 * hour)]),
      ("last_k(dest, 5) over last(5)", .lastK(5), [.lastEvents(5)]),
      ("topk(dest,3) over tumbling(1h),session(30m)", .topK(3), [.tumbling(length: hour), .session(gap: hour / 2)]),
      ("ewma(x + 1, 30m) over 6h", .ewma(halfLifeMilliseconds: hour / 2), [.sliding(length: 6 * hour)]),
      ("rate over 1h", .rate(perMilliseconds: 1_000), [.sliding(length: hour)]),
      ("rate(1m) over 1h", .rate(perMilliseconds: 60_000), [.sliding(length: hour)]),
      (
        "sum(amount) over 24h every 1h, 1h by 5m", .sum,
        [.sliding(length: 24 * hour, hop: hour), .sliding(length: hour)]
      ),
      ("max(case when a then b else c end)\n  over\t2w", .maximum, [.sliding(length: 336 * hour)]),
    ]
    for (text, function, windows) in texts {
      let parsed = try #require(try FeatureSyntax.parse(text), "\(text)")
      #expect(parsed.function == function && parsed.windows == windows, "\(text): \(parsed)")
    }
  }

  @Test func `what is no aggregate is left to be an expression`() throws {
    for text in ["flights_1h / flights_24h", "coalesce(mean_delay_1h, 0)", "1", "counted_1h"] {
      #expect(try FeatureSyntax.parse(text) == nil)
    }
  }

  @Test func `errors name the place and what to do`() {
    let wrong: [(String, offset: Int, length: Int, words: String)] = [
      ("meen(dep_delay) over 1h", 0, 4, "mean"),
      ("avg(dep_delay) over 1h", 0, 3, "mean"),
      ("mean(dep_delay)", 15, 0, "over"),
      ("mean over 1h", 5, 4, "mean(x)"),
      ("mean() over 1h", 0, 4, "mean(x)"),
      ("mean(dep_delay over 1h", 15, 4, "')'"),
      ("percentile(x) over 1h", 12, 1, "percentile(x, 0.9)"),
      ("percentile(x, 90) over 1h", 14, 2, "0.9"),
      ("last_k(x, many) over 1h", 10, 4, "whole number"),
      ("rate(x) over 1h", 5, 1, "duration"),
      ("ewma(x, 5) over 1h", 8, 1, "30m"),
      ("count over 1x", 11, 2, "lifetime"),
      ("count over", 10, 0, "lifetime"),
      ("count over 1h,", 14, 0, "lifetime"),
      ("count over 1h, 60m", 15, 3, "twice"),
      ("count over 1h 6h", 14, 2, "','"),
      ("count over 1h every 7m", 11, 11, "divides"),
      ("count over session 30m", 19, 3, "'('"),
      ("count over last(0)", 16, 1, "whole number"),
      ("count where over 1h", 12, 4, ""),
      ("sum(a +) over 1h", 7, 1, ""),
    ]
    for (text, offset, length, words) in wrong {
      let error = #expect(throws: ExpressionError.self, "\(text)") { try FeatureSyntax.parse(text) }
      #expect(error?.offset == offset && error?.length == length, "\(text): \(String(describing: error))")
      #expect(error?.description.contains(words) == true, "\(text): \(String(describing: error))")
    }
  }

  @Test func `no text traps`() {
    var random = SplitMix64(seed: 8)
    let parts = [
      "count", "(", ")", ",", "over", "1h", "where", "'", "\"", "x", "last", " ", "0.9", "percentile", "ż", "every",
    ]
    for _ in 0..<3_000 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        parts[Int.random(in: 0..<parts.count, using: &random)]
      }.joined(separator: Bool.random(using: &random) ? " " : "")
      _ = try? FeatureSyntax.parse(text)
    }
  }

  @Test func `derived features are computed from what is read`() throws {
    let (hour, day) = (Window.sliding(length: Scenario.hour), Window.sliding(length: 24 * Scenario.hour))
    let features: [FeatureDefinition] = [
      .init(name: "n_1h", function: .count, window: hour), .init(name: "n_24h", function: .count, window: day),
      .init(name: "m_1h", function: .mean, argument: 0, window: hour),
    ]
    let scope = [
      ExpressionField(name: "n_1h", type: .integer), ExpressionField(name: "n_24h", type: .integer),
      ExpressionField(name: "m_1h", type: .double),
    ]
    let derived = try ["n_1h / n_24h", "m_1h * 2"].map { text in
      DerivedFeature(name: text, expression: try ParsedExpression(text).typed(in: scope))
    }
    let layout = try ViewLayout(
      ViewDefinition(name: "v", inputs: Scenario.inputs, features: features, derived: derived))
    let events = [0, 10, 11].enumerated().map { index, hours in
      TestEvent(
        time: Int64(hours) * Scenario.hour, position: .init(partition: 0, offset: Int64(index)),
        values: [.double(3), .null, .null, .null, .null])
    }
    let row = layout.row(of: events)
    let found = layout.values(row, at: 11 * Scenario.hour)
    #expect(found.map(\.value) == [.integer(2), .integer(3), .double(3), .double(2.0 / 3), .double(6)])
    let later = layout.values(row, at: 20 * Scenario.hour)
    #expect(later.map(\.value) == [.integer(0), .integer(3), .null, .double(0), .null])
    #expect(later.map(\.status) == [.present, .present, .nullValue, .present, .nullValue])
    let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: 5)
    defer { unsafe numbers.deallocate() }
    var unions = DistinctUnions()
    unsafe layout.gather(
      row, at: 11 * Scenario.hour, watermark: 11 * Scenario.hour, layout.gatherPlan(of: [4, 1, 0, 3, 2]), &unions,
      into: numbers)
    #expect(unsafe Array(numbers) == [6, 3, 2, 2.0 / 3, 3])
    #expect(layout.index(ofFeature: "m_1h * 2") == 4 && layout.index(ofFeature: "x") == nil)
  }
}
