internal import Core
internal import Drift

// Results as JSON: the data of a CloudEvent, and of the column `detail` of the table.
extension MonitorResult {
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("id", id)
      writer.member("monitor", monitor)
      writer.member("model", model)
      writer.member("kind", kind)
      writer.key("window")
      window.write(to: &writer)
      switch content {
      case .window(let features): Self.write(features, to: &writer)
      case .labels(let labels): Self.write([labels], to: &writer)
      case .alarm(let alarm): alarm.writeMembers(to: &writer)
      case .resolved(let alarm): alarm.writeMembers(to: &writer)
      case .digest(let digest): digest.writeMembers(to: &writer)
      case .change(let change):
        writer.member("feature", change.feature)
        writer.member("deviation", change.deviation)
        writer.key("detectors")
        writer.array { writer in for name in change.detectors { writer.string(name) } }
      case .performance(let result), .estimate(let result): Self.write(result, to: &writer)
      }
    }
    return writer.bytes
  }

  private static func write(_ features: [FeatureResult], to writer: inout JSONWriter) {
    writer.key("features")
    writer.array { writer in
      for feature in features {
        writer.object { writer in
          writer.member("feature", feature.feature)
          writer.member("alarm", feature.isAlarm)
          writer.member("p_value", feature.pValue)
          writer.member("adjusted_p_value", feature.adjustedPValue)
          writer.key("tests")
          writer.object { writer in
            for result in feature.tests {
              writer.key(result.test.rawValue)
              writer.object { writer in
                writer.member("score", result.score.score)
                if let threshold = result.threshold { writer.member("threshold", threshold.value) }
                writer.member("drift", result.isDrift)
              }
            }
          }
          guard let alarm = feature.alarm else { return }
          writer.key("evidence")
          writer.raw(alarm.json)
        }
      }
    }
  }

  private static func write(_ result: PerformanceResult, to writer: inout JSONWriter) {
    writer.key("segment")
    if let segment = result.segment { writer.string(segment) } else { writer.null() }
    writer.member("predictions", result.predictionCount)
    writer.member("labelled", result.labelledCount)
    writer.member("sampled_one_in", result.sampledOneIn)
    writer.key("figures")
    writer.object { writer in
      for figure in result.figures {
        writer.key(figure.metric)
        writer.object { writer in
          writer.member("value", figure.interval.value)
          writer.member("lower", figure.interval.lower)
          writer.member("upper", figure.interval.upper)
        }
      }
    }
    writer.key("broken_bounds")
    writer.array { writer in for name in result.brokenBounds { writer.string(name) } }
  }
}

extension WindowReference {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("start", RFC3339.text(milliseconds: startMilliseconds))
      writer.member("end", RFC3339.text(milliseconds: endMilliseconds))
      writer.member("rows", rowCount)
      if !versions.isEmpty {
        writer.key("versions")
        writer.object { writer in
          for (version, rows) in versions.sorted(by: { $0.key < $1.key }) { writer.member("\(version)", rows) }
        }
      }
      guard !offsets.isEmpty else { return }
      writer.key("offsets")
      writer.array { writer in
        for range in offsets {
          writer.object { writer in
            writer.member("topic", range.topic)
            writer.member("partition", range.partition)
            writer.member("first", range.first)
            writer.member("last", range.last)
          }
        }
      }
    }
  }
}

/// How far results of a monitor have been told. Windows, panes and labelled windows close one after the other, each
/// kind for itself.
package struct ResultMarks: Sendable, Equatable {
  package enum Lane: String, Sendable, CaseIterable { case windows, panes, labels }

  private var ends: [Lane: Int64] = [:]

  package init() {}

  package subscript(lane: Lane) -> Int64? { ends[lane] }

  package mutating func note(_ result: MonitorResult) {
    ends[result.lane] = max(ends[result.lane] ?? .min, result.window.endMilliseconds)
  }

  package func contains(_ result: MonitorResult) -> Bool {
    ends[result.lane].map { result.window.endMilliseconds <= $0 } ?? false
  }

  /// `windows=…,panes=…`: ASCII, for the metadata of an offset.
  package var text: String {
    Lane.allCases.compactMap { lane in ends[lane].map { "\(lane.rawValue)=\($0)" } }.joined(separator: ",")
  }

  package init(text: String) {
    for part in text.split(separator: ",") {
      let sides = part.split(separator: "=").map(String.init)
      if sides.count == 2, let lane = Lane(rawValue: sides[0]), let end = Int64(sides[1]) { ends[lane] = end }
    }
  }
}

extension MonitorResult {
  package var lane: ResultMarks.Lane {
    switch content {
    case .alarm(let alarm): alarm.isOfLabels ? .labels : .windows
    case .resolved(let alarm): alarm.isOfLabels ? .labels : .windows
    case .digest(let digest): digest.isOfLabels ? .labels : .windows
    case .window, .estimate: .windows
    case .change: .panes
    case .performance, .labels: .labels
    }
  }
}
