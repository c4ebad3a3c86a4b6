/// Where a version comes from: the run that made it, its data, features and code, and what it was worth then.
package struct VersionLineage: Sendable, Hashable {
  /// nil: no run of this registry made it.
  package var runID: String?
  package var origin: TrainingOrigin
  /// As Headrace measured them, on rows that the run had not seen.
  package var metrics: [RunMetric]
  /// The address that the file was fetched from, such as `models:/churn/3`; empty when it was not.
  package var fetchedFrom: String

  package init(
    runID: String? = nil, origin: TrainingOrigin = TrainingOrigin(), metrics: [RunMetric] = [],
    fetchedFrom: String = ""
  ) {
    self.runID = runID
    self.origin = origin
    self.metrics = metrics
    self.fetchedFrom = fetchedFrom
  }
}
