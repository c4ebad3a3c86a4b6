internal import Columns
internal import Core
internal import Expressions
internal import Glibc
internal import Inference
internal import Kafka
internal import OfflineStore
internal import Registry
internal import Runtime
internal import Storage
internal import Topology
internal import Training

/// The expensive steps of a retraining, each in a process of its own: what goes in is in the log and beside the tables,
/// what comes out is a file under the step's name.
struct RetrainingWork: Sendable {
  let id: String
  let topology: String
  let client: ClientConfiguration
  let dataDirectory: String
  let tables: any BlobStore
  let tableFreshnessMilliseconds: Int64

  /// One step; a result that is there already is left as it is.
  func run(_ work: RetrainingAction.Work) throws {
    let folder = try RetrainingFolder(dataDirectory: dataDirectory, id: id)
    let lock = try FolderLock(folder.lock)
    defer { lock.release() }
    guard folder.result(work) == nil else { return }
    let log = try ControlLog(client)
    guard let applied = try log.current(topology: topology) else {
      throw HeadraceError(.user, "PLAN_MISSING", "no plan of this topology is in force", place: topology)
    }
    let plan = try TopologyLoader.load(applied.document).get()
    let registry = try log.currentRegistry()
    guard let retraining = registry.retrainings[id],
      let policy = plan.policies.first(where: {
        PolicyWatch.key(topology: topology, policy: $0.name) == retraining.retraining.policy
      })
    else {
      throw HeadraceError(.user, "RETRAINING_UNKNOWN", "no policy of the plan has such a retraining", place: id)
    }
    let job = RetrainingJob(work: self, folder: folder, plan: plan, policy: policy, retraining: retraining)
    switch work {
    case .dataset: try folder.keep(try job.dataset().json, of: work)
    case .train: try folder.keep(try job.train().json, of: work)
    case .evaluate: try folder.keep(try job.evaluate(registry).json, of: work)
    }
  }
}

/// A lock that goes with its process.
private struct FolderLock {
  private let descriptor: Int32

  /// - Throws: RETRAINING_BUSY when another process works there.
  init(_ path: String) throws(HeadraceError) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path, "cannot be made") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw HeadraceError(.external, "RETRAINING_BUSY", "another process works on it", retry: .sameCall, place: path)
    }
  }

  func release() { close(descriptor) }
}

/// One retraining's work.
private struct RetrainingJob {
  let work: RetrainingWork
  let folder: RetrainingFolder
  let plan: Plan
  let policy: PolicyPlan
  let retraining: RegisteredRetraining

  private var id: String { work.id }
  private var model: ModelPlan { plan.models[policy.model] }

  func dataset() throws(HeadraceError) -> DatasetResult {
    let begun = WallClock.monotonic.nowMilliseconds
    let cause = retraining.cause
    var end = cause?.streamMilliseconds ?? retraining.retraining.atMilliseconds
    // Asked for by hand: up to what there is.
    if end <= 0 { end = try LabelRows.newestMilliseconds(plan, model: policy.model, tables: work.tables) + 1 }
    let times = (end - min(policy.dataset.windowMilliseconds, max(end, 0)))..<end
    let target = try BlobName("datasets/\(id)/1")
    let catalog = DatasetCatalog(work.tables)
    let service = plan.services[model.service]
    var versions: [String: Int64] = [:]
    let entry: DatasetCatalog.Entry
    if let known = try existing(catalog, target) {
      // Made by a process that died before it could say so.
      entry = known
    } else {
      versions = try labels(times)
      let specification = try DatasetSpecification(plan, service: service.name)
      let sources = DatasetSources(plan: plan, tables: work.tables, client: work.client, rebuilt: nil)
      var configuration = DatasetBuilder.Configuration()
      configuration.split = DatasetSplit(policy.dataset.split) ?? .time(0.8)
      configuration.threadCount = max(1, ParallelWork.processorCount / 2)
      configuration.memoryBytes = 256 << 20
      _ = try DatasetBuilder(specification, configuration: configuration).build(
        name: id, labels: try ParquetLabels(path: folder.labels), labelTime: "_event_time",
        events: try sources.events(of: specification, fromLog: false), into: work.tables, folder: target)
      entry = try catalog.entry(target)
    }
    for table in entry.tables { versions[table.name] = table.version }
    return DatasetResult(
      folder: target.text, manifestHash: ContentHash.sha256(entry.json), contentHash: entry.manifest.contentHash,
      rowCount: entry.manifest.rowCount, fromMilliseconds: times.lowerBound, toMilliseconds: times.upperBound,
      serviceName: service.name, serviceFingerprint: service.fingerprint.description, tables: versions,
      seconds: Double(WallClock.monotonic.nowMilliseconds - begun) / 1_000)
  }

  private func existing(
    _ catalog: DatasetCatalog, _ target: BlobName
  ) throws(HeadraceError) -> DatasetCatalog.Entry? {
    do throws(HeadraceError) {
      return try catalog.entry(target)
    } catch {
      guard error.code == "DATASET_MISSING" else { throw error }
      return nil
    }
  }

  /// Writes the labels once the archive has come as far as the cause.
  private func labels(_ times: Range<Int64>) throws(HeadraceError) -> [String: Int64] {
    let deadline = WallClock.monotonic.nowMilliseconds + 3 * work.tableFreshnessMilliseconds + 10_000
    while true {
      let rows = try LabelRows(
        plan, model: policy.model, tables: work.tables, times: times, extraColumns: policy.slices?.columns ?? [])
      var found: LabelRows.Count?
      do throws(HeadraceError) {
        found = try rows.write(to: folder.labels)
      } catch {
        guard error.code == "ARCHIVE_MISSING", WallClock.monotonic.nowMilliseconds < deadline else { throw error }
      }
      if let found {
        // What comes behind the cause has to be there, or enough time: then nothing more is on its way.
        let isThere = found.newestMilliseconds ?? .min >= times.upperBound - 1
        if isThere || WallClock.monotonic.nowMilliseconds >= deadline {
          guard found.rows > 0 else {
            throw HeadraceError(
              .user, "LABELS_MISSING", "no event of the dataset's time has a label", place: model.name,
              remedy: "see what `label` of the model matches, and how long `dataset: {window: …}` is")
          }
          return found.versions
        }
      }
      Sleep.milliseconds(300)
    }
  }

  private func trainingDataset() throws(HeadraceError) -> (TrainingDataset, TrainingSpecification) {
    let folder = retraining.datasetResult?.folder ?? "datasets/\(id)/1"
    let catalog = DatasetCatalog(work.tables)
    let specification = try specification()
    let dataset = try TrainingDataset(catalog, try catalog.entry(try BlobName(folder)), specification: specification)
    return (dataset, specification)
  }

  private func specification() throws(HeadraceError) -> TrainingSpecification {
    let trainer: TrainingSpecification.Trainer
    switch policy.work {
    case .trainer(let name, let parameters):
      // Seeds are for the specification, whoever trains.
      let settings = parameters.filter { $0.name != "seed" }.map { (name: $0.name, value: $0.text) }
      trainer =
        switch name {
        case .xgboost: .xgboost(try XGBoostParameters(settings: settings))
        case .logistic: .logistic(try LogisticParameters(settings: settings))
        }
    case .command(let words): trainer = .command(words)
    case .orchestrator: trainer = .command([])
    }
    var seed: UInt64 = 1
    if case .trainer(_, let parameters) = policy.work, let text = parameters.first(where: { $0.name == "seed" })?.text {
      seed = UInt64(text) ?? 1
    }
    let isCondition = model.label?.value.type == .boolean
    return TrainingSpecification(
      trainer: trainer, label: LabelRows.label, objective: isCondition || isBinary ? .binary : .regression, seed: seed,
      budget: TrainingBudget(timeoutMilliseconds: policy.guards.trainingMilliseconds), retries: 1)
  }

  /// Whether the policy or its monitors look at figures of yes and no.
  private var isBinary: Bool {
    let metrics = policy.gates.map { gate in
      switch gate {
      case .betterThanChampion(let metric, _), .bounds(let metric, _): metric
      }
    }
    return metrics.contains { !$0.isOfNumbers } || model.stream?.threshold != nil
  }

  func train() throws(HeadraceError) -> ModelResult {
    let (dataset, specification) = try trainingDataset()
    let made = try TrainingJob(specification: specification, dataset: dataset, workFolder: folder.training).run()
    return ModelResult(
      path: made.path, contentHash: made.contentHash, sizeBytes: made.sizeBytes, seconds: made.seconds,
      codeRevision: made.codeRevision, claims: made.claimedMetrics)
  }

  func evaluate(_ registry: RegistryState) throws(HeadraceError) -> EvaluationResult {
    guard let made = retraining.modelResult, let use = model.use, case .alias(let alias) = use.selector else {
      throw HeadraceError(.internal, "RETRAINING_RECORD", "the record of the training cannot be read", place: id)
    }
    let (dataset, _) = try trainingDataset()
    let bytes = try file(made.contentHash)
    let parsed = try Model(bytes, place: "models/\(made.contentHash)")
    var subjects = [
      ModelEvaluation.Subject(
        name: "challenger", role: .challenger, bytes: bytes, claims: made.claims)
    ]
    let champion = registry[use.model]?.aliases[alias]?.version
    if let champion, let version = registry[use.model]?[champion] {
      subjects.append(.init(name: "champion v\(champion)", role: .champion, bytes: try file(version.contentHash)))
    }
    var options = ModelEvaluation.Options()
    options.slices = policy.slices?.columns ?? []
    if let stream = model.stream {
      options.threshold = stream.threshold ?? options.threshold
      options.weights = stream.weights
    }
    let report = try ModelEvaluation.evaluate(subjects, on: dataset, options: options)
    return EvaluationResult(
      championVersion: champion, format: parsed.format.rawValue, summary: parsed.summary,
      featureNames: parsed.featureNames, featureCount: parsed.featureCount, outputCount: parsed.outputCount,
      report: report)
  }

  private func file(_ hash: String) throws(HeadraceError) -> [UInt8] {
    let name = try BlobName("models/\(hash)")
    guard let bytes = try work.tables.read(name, bytesMax: ModelFileStore.bytesMax),
      ContentHash.sha256(bytes) == hash
    else {
      throw HeadraceError(
        .external, "MODEL_FILE_MISSING", "the model's file is not there, or is another one",
        place: "\(work.tables.place)/\(name)")
    }
    return bytes
  }
}
