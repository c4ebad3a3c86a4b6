internal import Core

extension MonitorStatus {
  /// What `GET /api/drift` answers: what is open in each monitor, and its newest digest.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("monitors")
      writer.array { writer in
        for (monitor, alarms) in open.sorted(by: { $0.key < $1.key }) {
          writer.object { writer in
            writer.member("monitor", monitor)
            writer.member("model", alarms.model)
            writer.key("open")
            writer.array { writer in for life in alarms.lives { life.write(to: &writer) } }
            writer.key("digest")
            if let digest = digests[monitor] { writer.raw(digest.json) } else { writer.null() }
          }
        }
      }
    }
    return writer.bytes
  }
}
