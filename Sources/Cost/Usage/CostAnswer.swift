package import Core

/// What a worker tells of its costs: usage, the sizes of its batches, who reads which feature, and what stood out.
package struct CostAnswer: Sendable, Equatable {
  package var usage: UsageReport
  package var curve: BatchCurve
  package var features: [FeatureUse]

  package init(usage: UsageReport, curve: BatchCurve, features: [FeatureUse]) {
    self.usage = usage
    self.curve = curve
    self.features = features
  }

  /// - Parameter events: of budgets, and what stood out.
  package func json(_ events: [CostEvent]) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("usage")
      writer.raw(usage.json)
      writer.key("batch_sizes")
      writer.array { writer in
        for point in curve.points {
          writer.object { writer in
            writer.member("batches", point.batches)
            writer.member("rows", point.rows)
            writer.member("cpu_ns", point.nanoseconds)
          }
        }
      }
      writer.key("features")
      writer.array { writer in for feature in features { feature.write(to: &writer) } }
      writer.key("events")
      writer.array { writer in
        for event in events {
          writer.raw(event.cloudEvent(source: usage.process, id: "\(event.timeMilliseconds)-\(event.name)"))
        }
      }
    }
    return writer.bytes
  }

  /// - Throws: `USAGE_INVALID` when it is no such document.
  package init(json: [UInt8], place: String) throws(HeadraceError) {
    guard let document = try? JSONDocument(json, depthMax: 16), let usage = document["usage"] else {
      throw UsageReport.invalid(place)
    }
    self.init(
      usage: try UsageReport(usage, place: place),
      curve: BatchCurve(
        points: (document["batch_sizes"]?.list ?? []).map { point in
          BatchCurve.Point(
            batches: point["batches"]?.integer ?? 0, rows: point["rows"]?.integer ?? 0,
            nanoseconds: point["cpu_ns"]?.integer ?? 0)
        }),
      features: (document["features"]?.list ?? []).compactMap { FeatureUse($0) })
  }
}

extension FeatureUse {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("view", view)
      writer.member("name", name)
      if let windowMilliseconds { writer.member("window_ms", windowMilliseconds) }
      if let hopMilliseconds { writer.member("hop_ms", hopMilliseconds) }
      if let ttlMilliseconds { writer.member("ttl_ms", ttlMilliseconds) }
      writer.member("in_service", isInService)
      writer.member("reads", reads)
    }
  }

  fileprivate init?(_ document: JSONDocument) {
    guard let view = document["view"]?.string, let name = document["name"]?.string else { return nil }
    self.init(
      view: view, name: name, windowMilliseconds: document["window_ms"]?.integer,
      hopMilliseconds: document["hop_ms"]?.integer, ttlMilliseconds: document["ttl_ms"]?.integer,
      isInService: document["in_service"]?.boolean ?? false, reads: document["reads"]?.integer ?? 0)
  }
}
