package import Core
package import Registry

/// The registry once more in an MLflow server: experiments, runs, registered models, versions and aliases.
///
/// A view of the registry's log with an offset of its own, which is a tag in MLflow: whoever goes on with it goes on
/// where it is, and a server that has lost everything gets everything again. What is said twice is found by its tags,
/// and said once.
///
/// An MLflow that is away stops the mirror and nothing else; a record that MLflow refuses for good is passed over.
package struct MLflowMirror {
  /// Holds the offset; nobody's runs are in it.
  static let controlExperiment = "headrace.control"
  private static let offsetTag = "headrace.offset"
  private static let logTag = "headrace.log"
  private static let pageRecords = 100

  package struct Status: Sendable, Equatable {
    /// Of the newest record that MLflow knows of; nil before it was asked.
    package var offset: Int64?
    /// Records that MLflow does not take.
    package var refused: Int64 = 0
    /// What it said of the last of them.
    package var refusal: String?

    package init() {}
  }

  let client: MLflowClient
  /// Where files of models are, in the words of errors and of MLflow's `source`.
  let filesPlace: String
  private let database: RegistryDatabase
  private(set) var state = RegistryState()
  package private(set) var status = Status()
  private var controlID = ""
  private var experimentIDs: [String: String] = [:]
  private var runIDs: [String: String] = [:]
  private var versionNumbers: [String: String] = [:]

  package init(_ database: RegistryDatabase, _ client: MLflowClient, filesPlace: String) {
    self.database = database
    self.client = client
    self.filesPlace = filesPlace
  }

  /// Tells MLflow the next records.
  ///
  /// - Returns: whether there were any.
  /// - Throws: when MLflow cannot be reached, or is another registry's mirror; the next call goes on behind the last
  ///   record that it took.
  package mutating func step() async throws(HeadraceError) -> Bool {
    if status.offset == nil {
      guard let first = try database.records(after: -1, countMax: 1).first else { return false }
      try await begin(log: (try? RegistryCommand(json: first.json))?.id ?? "\(first.offset)")
    }
    let records = try database.records(after: state.offset, countMax: Self.pageRecords)
    guard !records.isEmpty else { return false }
    var failure: HeadraceError?
    for record in records {
      let before = state
      let (command, outcome) = state.follow(record)
      guard let command, outcome == RegistryOutcome.applied.code else { continue }
      do throws(HeadraceError) {
        try await tell(command, atMilliseconds: record.timeMilliseconds)
      } catch {
        guard error.retry == .never else {
          (state, failure) = (before, error)
          break
        }
        status.refused += 1
        status.refusal = error.description
      }
    }
    try await saveOffset()
    if let failure { throw failure }
    return true
  }

  /// - Parameter log: the id of its first command: no other log has it.
  private mutating func begin(log: String) async throws(HeadraceError) {
    let experiment = try await client.get("experiments/get-by-name", [("experiment_name", Self.controlExperiment)])
    controlID = try await experimentID(Self.controlExperiment)
    var tags: [String: String] = [:]
    for tag in experiment?["experiment"]?["tags"]?.elements ?? [] {
      if let key = tag["key"]?.string { tags[key] = tag["value"]?.string }
    }
    if let mirrored = tags[Self.logTag], mirrored != log {
      throw HeadraceError(
        .user, "MLFLOW_OTHER_REGISTRY", "the server mirrors another registry already", place: client.url,
        remedy: "name another server, or delete its experiment `\(Self.controlExperiment)` for good")
    }
    try await setControlTag(Self.logTag, log)
    let offset = tags[Self.offsetTag].flatMap { Int64($0) } ?? -1
    while state.offset < offset {
      let page = try database.records(after: state.offset, countMax: 1_000).filter { $0.offset <= offset }
      guard !page.isEmpty else { break }
      for record in page { _ = state.follow(record) }
    }
    status.offset = state.offset
  }

  private mutating func saveOffset() async throws(HeadraceError) {
    do throws(HeadraceError) {
      try await setControlTag(Self.offsetTag, "\(state.offset)")
    } catch {
      // The server has lost what it was told: from the beginning.
      if error.code == "MLFLOW_RESOURCE_DOES_NOT_EXIST" { self = Self(database, client, filesPlace: filesPlace) }
      throw error
    }
    status.offset = state.offset
  }

  private func setControlTag(_ key: String, _ value: String) async throws(HeadraceError) {
    try await client.post("experiments/set-experiment-tag") { [controlID] json in
      json.member("experiment_id", controlID)
      json.member("key", key)
      json.member("value", value)
    }
  }

  // MARK: What has which name there

  /// Makes the experiment when it is missing.
  mutating func experimentID(_ name: String) async throws(HeadraceError) -> String {
    if let id = experimentIDs[name] { return id }
    let found = try await client.get("experiments/get-by-name", [("experiment_name", name)])?["experiment"]
    let id: String
    if let known = found?["experiment_id"]?.string {
      id = known
      if found?["lifecycle_stage"]?.string == "deleted" {
        try await client.post("experiments/restore") { $0.member("experiment_id", known) }
      }
    } else {
      let made = try await client.post("experiments/create", isRepeatable: false) { $0.member("name", name) }
      id = made["experiment_id"]?.string ?? ""
    }
    experimentIDs[name] = id
    return id
  }

  /// nil: MLflow has no such run yet.
  mutating func knownRunID(_ id: String) async throws(HeadraceError) -> String? {
    if let known = runIDs[id] { return known }
    guard let experiment = state.runs[id]?.run.experiment else { return nil }
    let experimentID = try await experimentID(experiment)
    let found = try await client.post("runs/search") { json in
      json.key("experiment_ids")
      json.array { $0.string(experimentID) }
      json.member("filter", "tags.`\(Tag.run)` = '\(id)'")
      json.member("max_results", 1)
    }
    guard let known = found["runs"]?.elements?.first?["info"]?["run_id"]?.string else { return nil }
    note(run: id, known)
    return known
  }

  mutating func note(run id: String, _ known: String) {
    if runIDs.count >= 1_000 { runIDs.removeAll() }
    runIDs[id] = known
  }

  /// MLflow counts versions itself; ours is a tag of its.
  mutating func knownVersion(_ number: Int, of model: String) async throws(HeadraceError) -> String? {
    if let known = versionNumbers["\(model)/\(number)"] { return known }
    let filter = "name = '\(model)' and tags.`\(Tag.version)` = '\(number)'"
    let found = try await client.get("model-versions/search", [("filter", filter), ("max_results", "1")])
    guard let known = found?["model_versions"]?.elements?.first?["version"]?.string else { return nil }
    note(version: number, of: model, known)
    return known
  }

  mutating func note(version number: Int, of model: String, _ known: String) {
    if versionNumbers.count >= 1_000 { versionNumbers.removeAll() }
    versionNumbers["\(model)/\(number)"] = known
  }

  /// Names of our tags.
  enum Tag {
    static let run = "headrace.run"
    static let version = "headrace.version"
    static let contentHash = "headrace.content_hash"
  }
}
