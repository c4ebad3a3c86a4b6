internal import Core
internal import NIOCore
internal import Topology

/// What a plan's monitors watch, and the last figures of those that run here.
struct MonitorReplies {
  let plan: Plan
  let figures: [EngineReport.MonitorFigure]

  func list() -> ByteBuffer {
    JSONDocumentWriter.object { json in
      // Of all processes of a topology one runs the monitors.
      json.member("running_here", !figures.isEmpty)
      json.objects("monitors", plan.monitors) { json, monitor in
        json.member("monitor", monitor.name)
        json.member("model", plan.models[monitor.model].name)
        json.member("window_ms", monitor.windowMilliseconds)
        json.member("reference", monitor.reference.text)
        json.objects("tests", monitor.tests) { json, test in
          json.member("test", test.test.rawValue)
          json.member("threshold", number: test.threshold)
        }
        json.objects("performance", monitor.performance) { json, performance in
          json.member("metric", performance.metric.rawValue)
          json.member("min", number: performance.bounds.minimum)
          json.member("max", number: performance.bounds.maximum)
        }
        write(figures.filter { $0.monitor == monitor.name }, monitor, &json)
      }
    }
  }

  private func write(
    _ figures: [EngineReport.MonitorFigure], _ monitor: MonitorPlan, _ json: inout JSONDocumentWriter
  ) {
    json.member("rows", figures.first { $0.kind == .rows }.map { Int64($0.value) })
    json.member("late", figures.first { $0.kind == .late }.map { Int64($0.value) })
    json.objects("scores", figures.filter { $0.kind == .score }) { json, figure in
      json.member("feature", figure.part)
      json.member("test", figure.figure)
      json.member("value", number: figure.value)
      json.member("threshold", number: monitor.tests.first { $0.test.rawValue == figure.figure }?.threshold)
    }
    json.objects("quality", figures.filter { $0.kind == .quality }) { json, figure in
      json.member("segment", figure.part)
      json.member("metric", figure.figure)
      json.member("value", number: figure.value)
    }
    json.objects("alarms", figures.filter { $0.kind == .alarms }) { json, figure in
      json.member("feature", figure.part)
      json.member("cause", figure.figure)
      json.member("count", Int64(figure.value))
    }
  }
}
