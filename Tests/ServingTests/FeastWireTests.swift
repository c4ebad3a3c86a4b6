import Columns
import Features
import OnlineStore
import Runtime
import Synchronization
import Testing

@testable import Serving

/// Answers as Feast 0.67 gives them, byte for byte where the bytes were recorded.
@Suite struct FeastWireTests {
  private let engine = FakeEngine()
  private var call: FeatureCall { FeatureCall(engine: engine) }
  private let hour: Int64 = 1_793_498_400_000  // 2026-11-01T02:00:00Z

  init() {
    let city = FeatureValue.present(.string("Łódź \"1\""), at: hour)
    for (user, f0, f1) in [(7 as Int64, 3.6486, 94.7081), (8, -91.8634, -70.3735)] {
      engine.put(
        view: 0, [.integer(user)],
        [
          .present(.double(f0), at: hour), .present(.double(f1), at: hour), .present(.integer(17), at: hour), city,
          .present(.list([.string("a"), .string("b")]), at: hour),
        ])
    }
    engine.put(
      view: 1, [.string("JFK"), .string("LAX")], [.present(.double(1), at: hour), .present(.double(.nan), at: hour)])
    engine.put(view: 2, [.string("JFK")], [.present(.integer(3), at: hour + 5)])
  }

  @Test func `two features of two entities`() {
    let answer = call.answer(#"{"features": ["user_stats:f0", "user_stats:f1"], "entities": {"user_id": [7, 8]}}"#)
    #expect(answer.status == 200)
    #expect(
      answer.body
        == #"{"results":[{"values":[7,8],"statuses":["PRESENT","PRESENT"],"#
        + #""event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},"#
        + #"{"values":[3.6486,-91.8634],"statuses":["PRESENT","PRESENT"],"#
        + #""event_timestamps":["2026-11-01T02:00:00Z","2026-11-01T02:00:00Z"]},"#
        + #"{"values":[94.7081,-70.3735],"statuses":["PRESENT","PRESENT"],"#
        + #""event_timestamps":["2026-11-01T02:00:00Z","2026-11-01T02:00:00Z"]}],"#
        + #""metadata":{"feature_names":["user_id","f0","f1"]}}"#)
  }

  @Test func `several views and entities in one call, each view read once`() {
    let answer = call.answer(
      #"{"features":["route_stats:delay_6h","origin_stats:flights_1h","route_stats:f0"],"#
        + #""entities":{"origin":["JFK"],"dest":["LAX"]}}"#)
    #expect(
      answer.body
        == #"{"results":[{"values":["JFK"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},"#
        + #"{"values":["LAX"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},"#
        + #"{"values":[1.0],"statuses":["PRESENT"],"event_timestamps":["2026-11-01T02:00:00Z"]},"#
        + #"{"values":[3],"statuses":["PRESENT"],"event_timestamps":["2026-11-01T02:00:00.005Z"]},"#
        + #"{"values":["NaN"],"statuses":["PRESENT"],"event_timestamps":["2026-11-01T02:00:00Z"]}],"#
        + #""metadata":{"feature_names":["origin","dest","delay_6h","flights_1h","f0"]}}"#)
    #expect(engine.state.withLock { $0.readTimes.count } == 2)
  }

  @Test func `full names carry the view, join keys do not`() {
    let answer = call.answer(
      #"{"features":["user_stats:f0","route_stats:f0"],"full_feature_names":true,"#
        + #""entities":{"user_id":["7"],"origin":["JFK"],"dest":["LAX"]}}"#)
    #expect(answer.body.hasSuffix(#"["user_id","origin","dest","user_stats__f0","route_stats__f0"]}}"#))
    // A key that came as text is answered as what it is.
    #expect(answer.body.hasPrefix(#"{"results":[{"values":[7],"#))
  }

  @Test func `statuses, and the defaults of a service in place of nulls`() {
    engine.put(
      view: 0, [.integer(1)],
      [
        .init(value: .null, status: .nullValue, eventTimeMilliseconds: hour),
        .init(value: .null, status: .outsideMaxAge, eventTimeMilliseconds: hour),
        .init(value: .null, status: .outsideMaxAge, eventTimeMilliseconds: hour), .present(.null), .present(.list([])),
      ])
    let answer = call.answer(
      #"{"features":["user_stats:f0","user_stats:f1","user_stats:last_cities"],"entities":{"user_id":[1,99,null]}}"#)
    #expect(answer.body.contains(#"{"values":[1,99,null],"statuses":["PRESENT","PRESENT","PRESENT"]"#))
    #expect(answer.body.contains(#"{"values":[null,null,null],"statuses":["NULL_VALUE","NOT_FOUND","NOT_FOUND"]"#))
    #expect(answer.body.contains(#""statuses":["OUTSIDE_MAX_AGE","NOT_FOUND","NOT_FOUND"]"#))
    let service = call.answer(#"{"feature_service":"user_svc","entities":{"user_id":[1],"amount":[2]}}"#)
    #expect(service.body.contains(#"{"values":[0],"statuses":["OUTSIDE_MAX_AGE"]"#))
    #expect(service.body.hasSuffix(#"["user_id","f0","clicks_1h","amount","amount_vs_f0"]}}"#))
  }

  @Test func `features computed on demand, over values, request fields and each other`() {
    let answer = call.answer(
      #"{"features":["doubled","on_demand:amount_vs_f0"],"entities":{"user_id":[7,99],"amount":[7.2972,1]}}"#)
    #expect(answer.body.contains(#"{"values":[4.0,null],"statuses":["PRESENT","NULL_VALUE"]"#))
    #expect(answer.body.contains(#"{"values":[2.0,null],"statuses":["PRESENT","NULL_VALUE"]"#))
    #expect(answer.body.hasSuffix(#"{"feature_names":["user_id","doubled","amount_vs_f0"]}}"#))
  }

  @Test func `texts and lists`() {
    let answer = call.answer(#"{"features":["user_stats:city","user_stats:last_cities"],"entities":{"user_id":[7]}}"#)
    #expect(answer.body.contains(#"{"values":["Łódź \"1\""],"#))
    #expect(answer.body.contains(#"{"values":[["a","b"]],"#))
  }

  @Test(arguments: [
    (#""latest""#, ReadTime.latest), (#""now""#, .now), ("1793498400000", .asOf(1_793_498_400_000)),
    (#""2026-11-01T02:00:00Z""#, .asOf(1_793_498_400_000)), ("null", .now),
  ])
  func `as_of is a time, and only who knows of it is told more`(asOf: String, time: ReadTime) {
    let body = #"{"features":["user_stats:f0"],"entities":{"user_id":[7]},"as_of":\#(asOf)}"#
    engine.set {
      $0.readAt = hour
      $0.watermark = hour - 1_500
      $0.flags = .tile
    }
    let answer = call.answer(body)
    #expect(engine.state.withLock { $0.readTimes } == [time])
    #expect(
      answer.body.hasSuffix(
        #","headrace":{"read_at":"2026-11-01T02:00:00Z","tile":true,"approximate":false,"#
          + #""watermark":"2026-11-01T01:59:58.500Z","watermark_age_ms":1500}}"#))
  }

  @Test(
    arguments: [
      (0.1, "0.1"), (1, "1.0"), (-0.0, "-0.0"), (1e16, "1e+16"), (.leastNonzeroMagnitude, "5e-324"),
      (123456789.125, "123456789.125"),
      (.infinity, "\"Infinity\""), (-.infinity, "\"-Infinity\""), (.nan, "\"NaN\""),
    ] as [(Double, String)])
  func `doubles look like doubles`(number: Double, text: String) {
    engine.put(view: 2, [.string("X")], [.present(.double(number))])
    let answer = call.answer(#"{"features":["origin_stats:flights_1h"],"entities":{"origin":["X"]}}"#)
    #expect(answer.body.contains("{\"values\":[\(text)],"))
  }

  @Test func `timestamps are whole seconds, dates and decimals texts, bytes base64`() {
    let values: [(Value, String)] = [
      (.timestamp(1_793_498_400_999_999), "1793498400"), (.date(20_758), "\"2026-11-01\""),
      (.decimal(unscaled: -5, scale: 2), "\"-0.05\""), (.decimal(unscaled: 12_345, scale: 0), "\"12345\""),
      (.bytes([0, 255, 16]), "\"AP8Q\""), (.bytes([1]), "\"AQ==\""), (.bytes([1, 2]), "\"AQI=\""),
      (.boolean(true), "true"),
    ]
    for (value, text) in values {
      engine.put(view: 2, [.string("X")], [.present(value)])
      let answer = call.answer(#"{"features":["origin_stats:flights_1h"],"entities":{"origin":["X"]}}"#)
      #expect(answer.body.contains("{\"values\":[\(text)],"), "\(value)")
    }
  }
}
