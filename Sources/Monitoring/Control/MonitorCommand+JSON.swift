internal import Core

// Commands as records of the control topic.
extension MonitorCommand {
  /// What the header `headrace-kind` says of such a record.
  package static let recordKind = "monitor"

  /// - Parameter actor: who says so, for those who read it later.
  package func json(monitor: String, by actor: String? = nil) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("monitor", monitor)
      if let actor { writer.member("by", actor) }
      switch self {
      case .silence(let silence):
        writer.member("action", "silence")
        if let feature = silence.feature { writer.member("feature", feature) }
        writer.member("from", silence.startMilliseconds)
        writer.member("until", silence.endMilliseconds)
        writer.member("reason", silence.reason)
      case .acknowledge(let time, let reason):
        writer.member("action", "acknowledge")
        writer.member("at", time)
        writer.member("reason", reason)
      case .expect(let change):
        writer.member("action", "expect")
        writer.member("from", change.startMilliseconds)
        writer.member("until", change.endMilliseconds)
        writer.member("reason", change.about)
      }
    }
    return writer.bytes
  }

  /// - Returns: nil for what is no command, or of a newer program: whoever cannot read a command does not follow it.
  package static func parse(_ bytes: [UInt8]) -> (monitor: String, command: MonitorCommand)? {
    guard let document = try? JSONDocument(bytes, depthMax: 4), let monitor = document["monitor"]?.string,
      let action = document["action"]?.string, let reason = document["reason"]?.string
    else { return nil }
    if action == "acknowledge" {
      return document["at"]?.integer.map { (monitor, .acknowledge(atMilliseconds: $0, reason: reason)) }
    }
    guard let from = document["from"]?.integer, let until = document["until"]?.integer, from < until else { return nil }
    switch action {
    case "silence":
      return (
        monitor,
        .silence(
          Silence(
            feature: document["feature"]?.string, startMilliseconds: from, endMilliseconds: until, reason: reason))
      )
    case "expect":
      return (monitor, .expect(KnownChange(startMilliseconds: from, endMilliseconds: until, about: reason)))
    default: return nil
    }
  }
}
