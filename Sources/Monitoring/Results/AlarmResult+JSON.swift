internal import Core
internal import Drift

// An alarm as JSON, in the event that tells of it and in every window in which it goes on.
extension AlarmResult {
  /// With the window that shows it.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writeMembers(to: &writer)
      writer.key("window")
      drift.current.write(to: &writer)
    }
    return writer.bytes
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.member("feature", drift.feature)
    writer.member("test", drift.test.rawValue)
    writer.member("value", drift.value)
    writer.member("threshold", drift.threshold)
    writer.member("adjusted_p_value", drift.adjustedPValue)
    writer.member("alarm_id", alarmID)
    writer.member("state", change.name)
    if case .escalated(let news) = change { writer.member("news", news) }
    writer.member("since", RFC3339.text(milliseconds: openedMilliseconds))
    writer.member("severity", severity.name)
    writer.member("windows_in_a_row", windowCount)
    writer.key("muted_by")
    if let reason = mutedBy { writer.string(reason) } else { writer.null() }
    writer.key("cause")
    writer.object { writer in
      writer.member("class", drift.cause.code)
      writer.member("data_bug", drift.cause.isDataBug)
      switch drift.cause {
      case .contract(let share): writer.member("refused_share", share)
      case .unit(let factor, let name, let share):
        writer.member("factor", factor)
        writer.member("unit", name)
        writer.member("share", share)
      case .null(let share): writer.member("missing_share", share)
      case .freshness(let age): writer.member("age_ms", age)
      case .stale(let source, let share):
        writer.member("source", source)
        writer.member("missing_share", share)
      case .consequence(let feature, _): writer.member("because_of", feature)
      case .newCategories(let share, let distinct):
        writer.member("share", share)
        writer.member("distinct", distinct)
      case .realShift: break
      }
    }
    if let dataset { writer.member("reference_dataset", dataset) }
    writer.key("reference")
    drift.reference.write(to: &writer)
    for (key, parts) in [("segments", drift.segments), ("producers", drift.producers)] {
      writer.key(key)
      writer.array { writer in
        for part in parts {
          writer.object { writer in
            writer.member("name", part.name)
            writer.member("rows", part.rowCount)
            writer.member("score", part.score)
            writer.member("share", part.share)
          }
        }
      }
    }
  }
}
