/// Events and what must come of them, as `headrace test` reads them: JSON Lines, one step a line, as the log has them.
///
///     # A comment; blank lines are left out.
///     {"case": "two departures of one carrier"}
///     {"source": "departed", "event": {"carrier": "AA", "dep_delay": 20, "ts": 1357034400000}}
///     {"source": "departed", "raw": "not json", "timestamp": 1357034400000}
///     {"view": "carrier_departures", "key": ["AA"], "at": "2013-01-01T12:00:00Z", "features": {"flights_1h": 1}}
///     {"view": "carrier_departures", "key": ["ZZ"], "at": 1357041600000, "status": "NOT_FOUND"}
///     {"counts": {"departed": {"applied": 1, "dead_lettered": 1}}}
///
/// - `case` begins a case with nothing in it; `about` may say more.
/// - `source` is one record: `event` (a JSON object) or `raw` (text that need not be JSON); `key` when it is not
///   that of the event's key field; `timestamp`, the record's own (RFC 3339 or epoch milliseconds), when it is not the
///   event's.
/// - `view` is what a read must give: `key` (a list with one value for each join key), `at` (the injected clock),
///   `features` (name → value, `null`, or `{"about": 12.5, "within": 0.01}` with a relative error), `status` of all.
/// - `counts` is what must have become of the records of a source by now.
///
/// An expectation sees the events above it in its case.
struct GoldenFile: Sendable {
  var path: String
  var cases: [GoldenCase]
}

struct GoldenCase: Sendable {
  var name: String
  var line: Int
  var steps: [GoldenStep] = []
}

struct GoldenStep: Sendable {
  enum Content: Sendable {
    case event(GoldenEvent)
    case expectation(GoldenExpectation)
    case counts([GoldenCounts])
  }

  var line: Int
  var content: Content
}

struct GoldenEvent: Sendable, Equatable {
  var source: String
  /// nil: that of the source's key field.
  var key: [UInt8]?
  var value: [UInt8]
  /// nil: the event's own time.
  var timestampMilliseconds: Int64?
}

struct GoldenExpectation: Sendable {
  var view: String
  /// One text for each join key.
  var key: [String]
  var atMilliseconds: Int64
  /// Of every feature that is named, or of the whole view when none is.
  var status: String?
  var features: [(name: String, value: GoldenValue)]
}

struct GoldenCounts: Sendable, Equatable {
  var source: String
  var outcomes: [String: Int64]
}

/// What a feature must be.
enum GoldenValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  /// Equal as numbers: `2` and `2.0` are the same.
  case number(Double)
  /// Integers beyond 2^53 are compared by their digits.
  case integer(Int64)
  case text(String)
  case list([GoldenValue])
  case about(Double, within: Double)
}
