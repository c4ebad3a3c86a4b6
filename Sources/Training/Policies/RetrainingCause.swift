internal import Core

/// Why a retraining was opened: what is kept with it.
package struct RetrainingCause: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case drift, performance, schedule, rows
    case newVersion = "new_version"
    case contractBreach = "contract_breach"
    case byHand = "by_hand"
  }

  /// An alarm behind it.
  package struct Alarm: Sendable, Equatable {
    /// Of the event in `headrace.drift`.
    package var eventID: String
    package var feature: String
    package var cause: String
  }

  package var kind: Kind
  /// As the policy says it.
  package var trigger: String
  package var monitor: String?
  package var alarms: [Alarm] = []
  /// The class of a cause in the data (`unit`, `null`, `contract`, `freshness`): this is not trained on.
  package var dataBug: String?
  /// Since when it is there, in event time, as its monitor says.
  package var bugSinceMilliseconds: Int64?
  /// Where the stream was, in event time.
  package var streamMilliseconds: Int64
  package var wallMilliseconds: Int64
  /// Records of each source that a trigger counts.
  package var rows: [String: Int64] = [:]
  package var tableVersions: [String: Int64] = [:]
  /// What a person gave as the reason.
  package var reason: String = ""

  package init(kind: Kind, trigger: String, streamMilliseconds: Int64, wallMilliseconds: Int64) {
    self.kind = kind
    self.trigger = trigger
    self.streamMilliseconds = streamMilliseconds
    self.wallMilliseconds = wallMilliseconds
  }

  private static let alarmsMax = 100

  package var json: String {
    var writer = JSONWriter()
    writer.object { json in
      json.member("kind", kind.rawValue)
      json.member("trigger", trigger)
      if let monitor { json.member("monitor", monitor) }
      if let dataBug { json.member("data_bug", dataBug) }
      if let bugSinceMilliseconds { json.member("bug_since_ms", bugSinceMilliseconds) }
      if !reason.isEmpty { json.member("reason", reason) }
      json.member("stream_ms", streamMilliseconds)
      json.member("wall_ms", wallMilliseconds)
      json.key("alarms")
      json.array { array in
        for alarm in alarms.prefix(Self.alarmsMax) {
          array.object { json in
            json.member("event", alarm.eventID)
            json.member("feature", alarm.feature)
            json.member("cause", alarm.cause)
          }
        }
      }
      for (name, values) in [("rows", rows), ("table_versions", tableVersions)] where !values.isEmpty {
        json.key(name)
        json.object { json in
          for (key, value) in values.sorted(by: { $0.key < $1.key }) { json.member(key, value) }
        }
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// - Returns: nil for what another program wrote.
  package init?(json text: String) {
    guard let document = try? JSONDocument(Array(text.utf8), depthMax: 8),
      let kind = document["kind"]?.string.flatMap(Kind.init), let trigger = document["trigger"]?.string,
      let stream = document["stream_ms"]?.integer, let wall = document["wall_ms"]?.integer
    else { return nil }
    self.init(kind: kind, trigger: trigger, streamMilliseconds: stream, wallMilliseconds: wall)
    monitor = document["monitor"]?.string
    dataBug = document["data_bug"]?.string
    bugSinceMilliseconds = document["bug_since_ms"]?.integer
    reason = document["reason"]?.string ?? ""
    if case .array(let entries)? = document["alarms"]?.content {
      alarms = entries.compactMap { entry in
        guard let event = entry["event"]?.string, let feature = entry["feature"]?.string,
          let cause = entry["cause"]?.string
        else { return nil }
        return Alarm(eventID: event, feature: feature, cause: cause)
      }
    }
    rows = WorkJSON.numbers(document["rows"])
    tableVersions = WorkJSON.numbers(document["table_versions"])
  }
}
