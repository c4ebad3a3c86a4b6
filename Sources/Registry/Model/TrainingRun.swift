/// One attempt to train a model: what went in. What came out is a `RunResult`.
package struct TrainingRun: Sendable, Hashable {
  /// Unique: of the alphabet of names (`RegistryLimits.isModelName`).
  package var id: String
  /// A name that runs share which somebody wants to compare; made by its first run.
  package var experiment: String
  /// The model that the run trains; it need not have a version yet.
  package var model: String
  /// `xgboost`, `logistic`, or `command`.
  package var trainer: String
  /// In the order in which they were given.
  package var parameters: [RunParameter]
  /// What the run learns from, and by which code.
  package var origin: TrainingOrigin
  /// A person, or a policy.
  package var startedBy: String

  package init(
    id: String = RegistryCommand.newID(), experiment: String, model: String, trainer: String,
    parameters: [RunParameter] = [], origin: TrainingOrigin, startedBy: String
  ) {
    self.id = id
    self.experiment = experiment
    self.model = model
    self.trainer = trainer
    self.parameters = parameters
    self.origin = origin
    self.startedBy = startedBy
  }
}

/// Data, features and code that a run learns from: what must be the same for the same model to come out.
package struct TrainingOrigin: Sendable, Hashable {
  /// SHA-256 of the dataset's content, as its manifest has it; nil when no dataset of Headrace was used.
  package var datasetManifestHash: String?
  /// Where the dataset lies: a folder, or an address in object storage.
  package var datasetPlace: String
  /// Versions of the Delta tables that the dataset was made from.
  package var dataVersions: [DataVersion]
  package var serviceName: String
  /// The service's fingerprint: order, types and definitions of all its features.
  package var serviceVersion: String
  /// Of the training code: a commit, or a hash of the program.
  package var codeRevision: String

  package init(
    datasetManifestHash: String? = nil, datasetPlace: String = "", dataVersions: [DataVersion] = [],
    serviceName: String = "", serviceVersion: String = "", codeRevision: String = ""
  ) {
    self.datasetManifestHash = datasetManifestHash
    self.datasetPlace = datasetPlace
    self.dataVersions = dataVersions
    self.serviceName = serviceName
    self.serviceVersion = serviceVersion
    self.codeRevision = codeRevision
  }
}

/// A table at one of its versions.
package struct DataVersion: Sendable, Hashable {
  /// Such as `events/departed`.
  package var table: String
  package var version: Int64

  package init(table: String, version: Int64) {
    self.table = table
    self.version = version
  }
}

package struct RunParameter: Sendable, Hashable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// A figure of a run, finite, with the bounds of its interval where it has one.
package struct RunMetric: Sendable, Hashable {
  package var name: String
  package var value: Double
  package var low: Double?
  package var high: Double?

  package init(name: String, value: Double, low: Double? = nil, high: Double? = nil) {
    self.name = name
    self.value = value
    self.low = low
    self.high = high
  }
}

/// A file that a run left in the store of files, under its content.
package struct Artefact: Sendable, Hashable {
  package var name: String
  /// SHA-256 in small hexadecimal.
  package var contentHash: String
  package var sizeBytes: Int

  package init(name: String, contentHash: String, sizeBytes: Int) {
    self.name = name
    self.contentHash = contentHash
    self.sizeBytes = sizeBytes
  }
}

/// What came out of a run.
package struct RunResult: Sendable, Hashable {
  package enum Status: String, Sendable, CaseIterable {
    case finished
    case failed
    case cancelled
  }

  package var status: Status
  package var metrics: [RunMetric]
  package var artefacts: [Artefact]
  /// Why it failed; nil when it did not.
  package var error: String?

  package init(status: Status, metrics: [RunMetric] = [], artefacts: [Artefact] = [], error: String? = nil) {
    self.status = status
    self.metrics = metrics
    self.artefacts = artefacts
    self.error = error
  }
}
