package import Cost
package import Runtime
package import Telemetry

/// One reading of what a process used.
package struct CostReading: Sendable {
  package var usage: UsageReport
  package var curve: BatchCurve
  package var durations: BatchDurations
  /// nil: nothing is traced.
  package var spans: SpanQueue.Counts?
  /// nil: nobody said what resources cost.
  package var priced: CostReport?
  package var events: [CostEvent]

  package init(
    usage: UsageReport, curve: BatchCurve, durations: BatchDurations, spans: SpanQueue.Counts?, priced: CostReport?,
    events: [CostEvent]
  ) {
    self.usage = usage
    self.curve = curve
    self.durations = durations
    self.spans = spans
    self.priced = priced
    self.events = events
  }
}
