/// When to train a model again, on what, what the result must be worth, and who decides.
package struct PolicyPlan: Sendable {
  package var name: String
  package var about: About
  /// A position in `Plan.models`.
  package var model: Int
  package var triggers: [PolicyTrigger]
  package var work: PolicyWork
  package var dataset: PolicyDataset
  package var gates: [PolicyGate]
  package var slices: PolicySlices?
  package var shadow: PolicyShadow?
  package var canary: PolicyCanary?
  package var promote: Promotion
  /// How long somebody may take to decide before it counts as a no.
  package var approvalTimeoutMilliseconds: Int64
  package var guards: PolicyGuards
  package var notify: [WebhookPlan]

  package init(
    name: String, about: About, model: Int, triggers: [PolicyTrigger], work: PolicyWork, dataset: PolicyDataset,
    gates: [PolicyGate], slices: PolicySlices?, shadow: PolicyShadow?, canary: PolicyCanary?, promote: Promotion,
    approvalTimeoutMilliseconds: Int64, guards: PolicyGuards, notify: [WebhookPlan]
  ) {
    self.name = name
    self.about = about
    self.model = model
    self.triggers = triggers
    self.work = work
    self.dataset = dataset
    self.gates = gates
    self.slices = slices
    self.shadow = shadow
    self.canary = canary
    self.promote = promote
    self.approvalTimeoutMilliseconds = approvalTimeoutMilliseconds
    self.guards = guards
    self.notify = notify
  }
}

/// What asks for a retraining.
package enum PolicyTrigger: Sendable, Hashable {
  /// A monitor's drift tests (`drift`) or its performance bounds (`performance`) failed in so many windows in a row.
  case drift(monitor: Int, windows: Int)
  case performance(monitor: Int, windows: Int)
  /// So long after the last retraining; by the clock on the wall, or by the times of events.
  case every(milliseconds: Int64, isWallTime: Bool)
  /// So many records of a source since the last retraining.
  case rows(source: Int, atLeast: Int64)
  /// A table below the tables' root has another version than at the last retraining.
  case newVersion(table: String)
  /// More than this share of a source's records were refused. Bad data is never trained on: it pages.
  case contractBreach(source: Int, share: Double)
  /// `headrace retrain` alone.
  case byHand
}

/// What makes the model.
package enum PolicyWork: Sendable, Equatable {
  case trainer(Trainer, parameters: [TrainerParameter])
  case command([String])
  /// Something outside makes it, and comes back with a file.
  case orchestrator(OrchestratorPlan)
}

/// What is built in.
package enum Trainer: String, Sendable, CaseIterable { case xgboost, logistic }

/// `max_depth: 6`.
package struct TrainerParameter: Sendable, Equatable {
  package var name: String
  package var text: String

  package init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}

/// What it is trained on.
package struct PolicyDataset: Sendable, Equatable {
  /// Events of this long before the trigger's time, in event time.
  package var windowMilliseconds: Int64
  /// `time:0.8`, as `dataset build --split` takes it.
  package var split: String

  package init(windowMilliseconds: Int64, split: String) {
    self.windowMilliseconds = windowMilliseconds
    self.split = split
  }
}

/// What the challenger must be worth on the test split.
package enum PolicyGate: Sendable, Equatable {
  /// By more than the margin; chance counts: the interval of the difference must lie above it.
  case betterThanChampion(ModelMetric, margin: Double)
  case bounds(ModelMetric, MetricBounds)
}

/// No part of the rows may get much worse.
package struct PolicySlices: Sendable, Equatable {
  /// Columns of the dataset.
  package var columns: [String]
  package var metric: ModelMetric
  package var worseByAtMost: Double
  package var minimumRowCount: Int
}

/// How long the challenger is compared before it may answer.
package struct PolicyShadow: Sendable, Equatable {
  package var milliseconds: Int64
  package var eventCount: Int
  package var gates: [PolicyRolloutGate]

  package init(milliseconds: Int64, eventCount: Int, gates: [PolicyRolloutGate]) {
    self.milliseconds = milliseconds
    self.eventCount = eventCount
    self.gates = gates
  }
}

/// A share of the keys that the challenger answers for before all.
package struct PolicyCanary: Sendable, Equatable {
  package var sharePerMille: Int
  package var milliseconds: Int64
  package var eventCount: Int
  package var gates: [PolicyRolloutGate]

  package init(sharePerMille: Int, milliseconds: Int64, eventCount: Int, gates: [PolicyRolloutGate]) {
    self.sharePerMille = sharePerMille
    self.milliseconds = milliseconds
    self.eventCount = eventCount
    self.gates = gates
  }
}

/// `score_psi<=0.2`: the gates of rollouts.
package struct PolicyRolloutGate: Sendable, Equatable {
  package enum Metric: String, Sendable, CaseIterable {
    case errorRate = "error_rate"
    case latencyMilliseconds = "latency_ms"
    case scorePSI = "score_psi"
    case scoreDrift = "score_drift"
    case featureDrift = "feature_drift"
    case disagreement
  }

  package var metric: Metric
  package var atMost: Double
}

/// What keeps a policy from training too often, or on too little.
package struct PolicyGuards: Sendable, Equatable {
  /// In event time from one retraining's trigger to the next.
  package var cooldownMilliseconds: Int64 = 0
  /// For one training, in wall time.
  package var trainingMilliseconds: Int64 = 3_600_000
  /// In any seven days of event time.
  package var runsPerWeek: Int?
  package var minimumLabelCount = 0

  package init(cooldownMilliseconds: Int64 = 0) { self.cooldownMilliseconds = cooldownMilliseconds }
}

/// Who lets a trained model serve.
package enum Promotion: String, Sendable, CaseIterable { case approval, automatic }

/// An address that is told what happens. Secrets are names of environment variables, never values.
package struct WebhookPlan: Sendable, Equatable {
  package var url: String
  package var secretVariable: String?
}

/// Something outside that makes a model.
package struct OrchestratorPlan: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable { case airflow, dagster, prefect, argo, kubeflow, github, webhook }

  package var kind: Kind
  package var url: String
  /// What it is to run: a DAG, a job, a deployment, a workflow template, a pipeline, `owner/repository`.
  package var target: String
  /// Of Argo.
  package var namespace: String?
  /// The environment variable with its token.
  package var tokenVariable: String?
  /// The environment variable with the key that requests are signed with.
  package var secretVariable: String?
  /// How long it may take.
  package var timeoutMilliseconds: Int64

  package init(
    kind: Kind, url: String, target: String, namespace: String? = nil, tokenVariable: String? = nil,
    secretVariable: String? = nil, timeoutMilliseconds: Int64
  ) {
    self.kind = kind
    self.url = url
    self.target = target
    self.namespace = namespace
    self.tokenVariable = tokenVariable
    self.secretVariable = secretVariable
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}
