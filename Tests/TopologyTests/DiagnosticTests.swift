import Core
import Testing

@testable import Topology

/// What a user reads when a file is wrong: everything at once, each with its place.
@Suite struct DiagnosticTests {
  @Test func `A file with many mistakes is told all of them`() {
    let text = """
      topology: small
      sources:
        departed:
          topic: flights.departures
          key: carier
          event_time: {field: ts, unit: mss}
          lateness: 30 parsecs
          dedupe: {by: flight_id, within: 5m}
          derive: {late: dep_delay > 15, later: even_later > 1, even_later: dep_delay > 60}
          filter: dep_delay + 1
        arrivd: {topic: flights.arrivalz, event_time: ts}
        weather: {topic: flights.weather, event_time: visib_, unit: ms}
      entities:
        carrier: [carrier]
        hot: [temp]
      views:
        a: {source: departd, entity: carrier, tll: 3d, features: {flights: count over 1h}}
        b: {source: weather, entity: hot, features: {a: count over 1h, 6h}}
        c:
          source: departed
          entity: rute
          features:
            text: mean(carrier) over 1h
            typo: mean(dep_dela) over 1h
            bare: flights_1
      """
    #expect(
      Sample.errors(text) == [
        "small.yaml:5:10: error: the contract `flights.departures` has no field `carier`; did you mean `carrier`?",
        "small.yaml:6:35: error: `unit` of `event_time` of source `departed` has an unknown value; found `mss`; "
          + "expected `s` or `ms` or `us` or `ns`; did you mean `ms`?",
        "small.yaml:7:15: error: `lateness` of source `departed` is no duration; found `30 parsecs`; "
          + "expected a number with a unit: ms, s, m, h, d or w; write `30m`, `24h` or `7d`",
        "small.yaml:8:37: error: `dedupe` of source `departed` forgets an id before its lateness is over; found `5m`; "
          + "expected at least the lateness, 10m; "
          + "a duplicate that comes late would count twice: raise `within`, or lower `lateness`",
        "small.yaml:9:43: error: derived column `later`: source `departed` has no field `even_later`; "
          + "a derived column reads fields and the derived columns above it",
        "small.yaml:11:19: error: there is no schema for topic `flights.arrivalz`; "
          + "expected a file \(Repository.root)/schemas/flights.arrivalz.avsc; did you mean `flights.arrivals`?",
        "small.yaml:12:49: error: the contract `flights.weather` has no field `visib_`; did you mean `visib`?",
        "small.yaml:12:57: error: source `weather` has no key `unit`; expected one of `description`, `owner`, `tags`, "
          + "`tenant`, `topic`, `format`, `key`, `partitioner`, `event_time`, `lateness`, `max_skew`, `dedupe`, "
          + "`filter`, `archive`, `derive`",
        "small.yaml:17:15: error: there is no source `departd`; did you mean `departed`?",
        "small.yaml:17:41: error: view `a` has no key `tll`; did you mean `ttl`?",
        "small.yaml:18:32: error: `temp` cannot be a join key; found double; "
          + "expected a text, an integer, a boolean, a date or a timestamp; derive a text of it in source `weather`",
        "small.yaml:18:66: error: feature `6h` has no expression; found nothing; "
          + "put the text in front into quotes up to here: inside of `{…}` a comma ends a value",
        "small.yaml:21:13: error: there is no entity `rute`; expected one of `carrier`, `hot`",
        "small.yaml:23:13: error: feature `text`: `mean` cannot take this argument; found a string; "
          + "expected a number or a boolean; `count_distinct`, `topk`, `first` and `last` take texts",
        "small.yaml:24:18: error: feature `typo`: source `departed` has no field `dep_dela`; did you mean `dep_delay`?",
        // The aggregates of this view are wrong themselves: there is nothing to choose from.
        "small.yaml:25:13: error: derived feature `bare`: view `c` has no feature `flights_1`",
      ])
  }

  /// One change of the sample, and what is said of it.
  static let mistakes: [(old: String, new: String, expected: String)] = [
    ("mean(late)", "mean(latte)", "21:24: error: feature `late_share`: source `departed` has no field `latte`"),
    ("derive: {late: dep_delay > 15}", "derive: {late: dep_delay > }", "9:31: error: derived column `late`"),
    ("derive: {late: dep_delay > 15}", "derive: {carrier: dep_delay > 15}", "has the name of a field of the contract"),
    ("pace: flights_1h / flights_24h", "pace: flights / flights_24h", "expected one of `flights_1h`, `flights_24h`"),
    ("pace: flights_1h / flights_24h", "pace: dep_delay * 2", "put an aggregate around it"),
    ("pace: flights_1h / flights_24h", "l: last_k(dest, 3) over 1h\n      pace: l_1h", "is a list, which expressions"),
    (
      "pace: flights_1h / flights_24h", "flights_1h: 2 * flights_24h",
      "there are two features `flights_1h` in this view"
    ),
    ("late_share: mean(late) over 6h", "flights: count over 6h", "`flights` comes twice in this mapping"),
    ("  routes:", "  carriers:", "`carriers` comes twice in this mapping"),
    ("features: {flights: count over 24h}", "features: {}", "view `routes` has no aggregate"),
    ("entity: route", "entity: roote", "did you mean `route`?"),
    ("route: [origin, dest]", "route: [origin, gate]", "has no join key `gate` of entity `route`"),
    ("route: [origin, dest]", "route: [origin, origin]", "has the join key `origin` twice"),
    ("route: [origin, dest]", "route: []", "has no join key"),
    ("ttl: 3d", "ttl: -3d", "`ttl` of view `carriers` is no duration"),
    ("ttl: 3d", "lateness: 2d", "waits longer than its source remembers ids"),
    ("within: 24h", "within: 10m", "forgets an id before its lateness is over"),
    ("topic: flights.departures", "topic: flights departures", "cannot be the name of a topic"),
    ("topic: flights.departures", "topic: small.dlq", "is written by this topology itself"),
    ("topology: small", "topology: a.b", "cannot be the name of a topology"),
    ("topology: small", "topologie: small", "did you mean `topology`?"),
    ("unit: ms", "unit: s", "`unit` of `ts` is not that of the contract; found `s`; expected `ms`"),
    ("{field: ts, unit: ms}", "late_at", "has no field `late_at`"),
    ("key: carrier", "key: dep_delay", "`dep_delay` cannot be the key; found double"),
    ("key: carrier", "partitioner: murmur", "did you mean `murmur2`?"),
    ("field: ts,", "field: late,", "found a derived column; expected a field of the event"),
    ("carriers:mean_delay_6h", "carriers:mean_delay", "the window is part of the name"),
    ("carriers:mean_delay_6h", "carrier:mean_delay_6h", "did you mean `carriers:mean_delay_6h`?"),
    ("dep_delay - carriers", "dep_delai - carriers", "did you mean `dep_delay`?"),
    ("dep_delay - carriers", "origin - carriers", "small.yaml:"),
    ("request:distance", "request:unheard", "request: {unheard: double}"),
    ("request:distance", "routes:flights_24h", "names `routes:flights_24h` twice"),
    ("\"carriers:*\"", "\"carier:*\"", "did you mean `carriers:*`?"),
    ("against_mean]", "against_men]", "did you mean `against_mean`?"),
    ("against_mean]", "pace]", "did you mean `carriers:pace`?"),
    ("{against_mean: 0}", "{against_men: 0}", "has no feature `against_men` for this default"),
    ("{against_mean: 0}", "{against_mean: often}", "expected a value of type double"),
    ("{against_mean: 0}", "{against_mean: [1]}", "expected a value of type double"),
    ("flights: count over 1h, 24h", "flights: count over", "small.yaml:19:"),
    ("mean(dep_delay) over 1h, 6h", "mean(dep_delay, 3) over 1h", "small.yaml:20:"),
    ("mean(dep_delay) over 1h, 6h", "median(dep_delay) over 1h", "small.yaml:20:"),
    ("mean(late) over 6h", "mean(late) where dep_delay over 6h", "must be a condition"),
  ]

  @Test(arguments: mistakes.indices)
  func `Each mistake has its message`(index: Int) throws {
    let mistake = Self.mistakes[index]
    let errors = Sample.errors(try Sample.changed((mistake.old, mistake.new)))
    #expect(errors.contains { $0.contains(mistake.expected) }, "\(mistake.new): \(errors)")
  }

  @Test func `A service's defaults and lists of texts may be wrong in any way`() {
    for value in ["1", "[]", "{}", "[[1]]", "{features: 1}", "{features: [{}]}", "{features: [a], defaults: []}", "~"] {
      let text = Sample.text + "\n  other_v1: \(value)\n"
      #expect(!Sample.errors(text).isEmpty, "\(value)")
    }
  }

  @Test func `What cannot be used together is warned of`() throws {
    let plan = try Sample.plan(try Sample.changed(("ttl: 3d", "ttl: 1h")))
    #expect(plan.warnings.map(\.message) == ["`ttl` of view `carriers` is shorter than its longest window, 1d"])
  }

  @Test func `A schema that is wrong is told at the topic that needs it`() {
    let schemas = SchemaDirectory(texts: ["flights.departures": "{\"type\": \"record\"}"])
    guard case .failure(let errors) = TopologyLoader.load(yaml: Sample.text, file: "small.yaml", schemas: schemas)
    else {
      Issue.record("the schema has no name and no fields")
      return
    }
    #expect(errors.diagnostics.map { "\($0.line):\($0.column)" } == ["4:12"])
    #expect(errors.diagnostics[0].message.hasPrefix("the schema of `flights.departures` is not valid: "))
    #expect(errors.diagnostics[0].found?.hasPrefix("flights.departures.avsc") == true)
    #expect(errors.headraceError.code == "TOPOLOGY_INVALID" && errors.headraceError.place == "small.yaml:4:12")
  }

  @Test func `Many errors are cut`() {
    let text = "topology: small\n" + (0..<300).map { "wrong_\($0): 1\n" }.joined()
    let errors = Sample.errors(text)
    #expect(errors.count == DiagnosticLog.errorsMax + 1)
    #expect(errors.last?.contains("more errors are not shown") == true)
  }
}
