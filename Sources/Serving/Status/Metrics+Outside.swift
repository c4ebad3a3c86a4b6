extension Metrics {
  /// What is told to other systems; nothing where nobody listens.
  func writeOutside(_ text: inout MetricsText) {
    if let lineage = report.outside.lineage {
      text.family("headrace_lineage_events", .counter, "Lineage events by what became of them.") {
        $0.add(lineage.sent, ("outcome", "sent"))
        $0.add(lineage.dropped, ("outcome", "dropped"))
        $0.add(lineage.failed, ("outcome", "failed"))
      }
      text.family("headrace_lineage_waiting", .gauge, "Lineage events that are not sent yet.") {
        $0.add(Int64(lineage.waiting))
      }
    }
    guard let mlflow = report.outside.mlflow else { return }
    text.family("headrace_mlflow_offset", .gauge, "Up to which offset of the control topic MLflow was told.") {
      if let offset = mlflow.offset { $0.add(offset) }
    }
    text.family("headrace_mlflow_refused", .counter, "Records of the registry that MLflow did not take.") {
      $0.add(mlflow.refused)
    }
  }
}
