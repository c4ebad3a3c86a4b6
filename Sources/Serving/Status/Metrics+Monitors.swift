internal import NIOCore

extension Metrics {
  /// What the monitors of this process found last; nothing where it runs none.
  func writeMonitors(_ text: inout MetricsText) {
    guard !report.monitors.isEmpty else { return }
    text.family("headrace_drift_score", .gauge, "How far a feature's last window is from its reference, by a test.") {
      for figure in report.monitors where figure.kind == .score {
        $0.add(
          figure.value, ("monitor", figure.monitor), ("model", figure.model), ("feature", figure.part),
          ("test", figure.figure))
      }
    }
    text.family("headrace_model_performance", .gauge, "A figure of quality of the last labelled window.") {
      for figure in report.monitors where figure.kind == .quality {
        $0.add(
          figure.value, ("monitor", figure.monitor), ("model", figure.model), ("segment", figure.part),
          ("metric", figure.figure))
      }
    }
    text.family("headrace_drift_alarms_open", .gauge, "Alarms that are open, by how severe they are.") {
      for figure in report.monitors where figure.kind == .open {
        $0.add(
          Int64(figure.value), ("monitor", figure.monitor), ("model", figure.model), ("severity", figure.figure))
      }
    }
    text.family(
      "headrace_drift_alarms", .counter, "Alarms that were opened or got worse and rang, by feature and cause."
    ) {
      for figure in report.monitors where figure.kind == .alarms {
        $0.add(
          Int64(figure.value), ("monitor", figure.monitor), ("model", figure.model), ("feature", figure.part),
          ("cause", figure.figure))
      }
    }
    text.family("headrace_monitor_predictions", .counter, "Predictions that a monitor has counted.") {
      for figure in report.monitors where figure.kind == .rows {
        $0.add(Int64(figure.value), ("monitor", figure.monitor))
      }
    }
    text.family("headrace_monitor_late_predictions", .counter, "Predictions that came after their window.") {
      for figure in report.monitors where figure.kind == .late {
        $0.add(Int64(figure.value), ("monitor", figure.monitor))
      }
    }
  }
}
