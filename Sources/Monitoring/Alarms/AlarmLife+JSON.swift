package import Core

// Alarms as JSON: the same in events, in the table, and over HTTP.
extension AlarmLife {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in writeMembers(to: &writer) }
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.member("alarm_id", id)
    writer.member("feature", feature)
    writer.member("since", RFC3339.text(milliseconds: openedMilliseconds))
    writer.member("severity", severity.name)
    writer.member("windows_outside", outsideCount)
    writer.member("windows_in_a_row", inARowCount)
    writer.member("windows_inside", insideCount)
    writer.key("muted_by")
    if let mutedBy { writer.string(mutedBy) } else { writer.null() }
    writer.key("newest")
    newest.write(to: &writer)
    writer.key("worst")
    worst.write(to: &writer)
  }
}

extension AlarmSighting {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("start", RFC3339.text(milliseconds: startMilliseconds))
      writer.member("end", RFC3339.text(milliseconds: endMilliseconds))
      writer.member("test", test)
      writer.member("value", value)
      writer.member("threshold", threshold)
      writer.member("cause", cause)
      writer.member("data_bug", isDataBug)
      for (key, parts) in [("segments", segments), ("producers", producers)] {
        writer.key(key)
        writer.array { writer in
          for part in parts {
            writer.object { writer in
              writer.member("name", part.name)
              writer.member("share", part.share)
            }
          }
        }
      }
    }
  }
}

extension ResolvedAlarm {
  func writeMembers(to writer: inout JSONWriter) {
    writer.member("reason", reason)
    life.writeMembers(to: &writer)
  }
}

extension AlarmDigest {
  private static let worstMaximum = 5

  package func writeMembers(to writer: inout JSONWriter) {
    writer.member("of", isOfLabels ? "labels" : "features")
    writer.member("windows", windowCount)
    writer.key("counts")
    writer.object { writer in
      writer.member("open", open.count)
      writer.member("opened", openedIDs.count)
      writer.member("escalated", escalatedIDs.count)
      writer.member("resolved", resolved.count)
    }
    writer.key("common_cause")
    if let commonCause {
      writer.object { writer in
        writer.member("kind", commonCause.kind.rawValue)
        writer.member("name", commonCause.name)
        writer.member("text", commonCause.text)
        writer.key("features")
        writer.array { writer in for name in commonCause.features { writer.string(name) } }
      }
    } else {
      writer.null()
    }
    writer.key("worst")
    writer.array { writer in for life in open.prefix(Self.worstMaximum) { writer.string(life.feature) } }
    for (key, ids) in [("opened", openedIDs), ("escalated", escalatedIDs)] {
      writer.key(key)
      writer.array { writer in for id in ids { writer.string(id) } }
    }
    writer.key("open")
    writer.array { writer in for life in open { life.write(to: &writer) } }
    writer.key("resolved")
    writer.array { writer in
      for alarm in resolved { writer.object { writer in alarm.writeMembers(to: &writer) } }
    }
  }
}
