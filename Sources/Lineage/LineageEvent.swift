/// What a run of a job is doing: a `RunEvent` of OpenLineage 2-0-2 (https://openlineage.io/docs/spec/object-model).
package struct LineageEvent: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    case start = "START"
    case running = "RUNNING"
    case complete = "COMPLETE"
    /// Ended by somebody, without a result.
    case abort = "ABORT"
    case fail = "FAIL"
  }

  package var kind: Kind
  package var timeMilliseconds: Int64
  package var job: LineageJob
  package var runID: LineageRunID
  package var inputs: [LineageDataset]
  package var outputs: [LineageDataset]
  /// Of `fail`.
  package var errorMessage: String?
  /// Figures and names of the run that OpenLineage has no words for.
  package var notes: [Note]

  package struct Note: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package init(
    _ kind: Kind, timeMilliseconds: Int64, job: LineageJob, runID: LineageRunID, inputs: [LineageDataset] = [],
    outputs: [LineageDataset] = [], errorMessage: String? = nil, notes: [Note] = []
  ) {
    self.kind = kind
    self.timeMilliseconds = timeMilliseconds
    self.job = job
    self.runID = runID
    self.inputs = inputs
    self.outputs = outputs
    self.errorMessage = errorMessage
    self.notes = notes
  }
}

/// Something that runs again and again under the same name.
package struct LineageJob: Sendable, Hashable {
  package enum Kind: String, Sendable {
    /// Reads topics for as long as its process lives.
    case topology = "TOPOLOGY"
    case dataset = "DATASET"
    case training = "TRAINING"
    case retraining = "RETRAINING"

    var isStream: Bool { self == .topology }
  }

  package var namespace: String
  package var name: String
  package var kind: Kind

  package init(namespace: String, name: String, kind: Kind) {
    self.namespace = namespace
    self.name = name
    self.kind = kind
  }
}
