internal import Core
internal import Kafka
internal import Registry
internal import Synchronization
internal import Topology

/// What scores the events of one plan's models: now, and as of any place of the control topic. Shared by the tasks of a
/// process and the thread that follows the control topic.
///
/// The protocol of a switch, line by line:
///
/// 1. A command in the control topic concerns the plan's models. Every process folds it, loads what it names, and only
///    then shows the new epoch to its tasks (`advance`).
/// 2. A task goes over at its next commit: the transaction that commits C carries the epoch's position with C, and
///    records from C on are scored by it. So which version scores an offset is decided in the transaction that decides
///    the offset, and a restart that reads C back reads the version with it (`epoch(asOf:)`).
/// 3. Once the commit is known, the process writes down in the control topic that the task scores by the position from
///    C on. Until that is written the task goes over to nothing else, so that nothing is ever left out of that record.
final class ModelEpochs: Sendable {
  private struct State: Sendable {
    var registry: RegistryState
    var newest: ModelEpoch
  }

  let plan: Plan
  /// Whether any model scores in the stream: which versions do, and how many of the events, is decided in the registry.
  let usesRegistry: Bool
  /// Why it does not begin with the newest versions; nil when it does.
  let trouble: HeadraceError?
  private let library: ModelLibrary
  private let newestPosition: Atomic<Int64>
  private let state: Mutex<State>

  /// Begins with the newest versions that fit: of one that does not, the former one stays, as in a process that runs.
  ///
  /// - Throws: when a version that is in force cannot be read now, or a file of the topology's folder does not fit.
  init(_ plan: Plan, _ registry: RegistryState, _ library: ModelLibrary) throws(HeadraceError) {
    self.plan = plan
    self.library = library
    usesRegistry = plan.hasStreamModels
    var trouble: HeadraceError?
    var found: ModelEpoch?
    var position = Int64.max
    while found == nil {
      do throws(HeadraceError) {
        found = try Self.epoch(plan, registry, library, asOf: position)
      } catch {
        let failed = registry.position(of: plan.models, of: plan.name, at: position)
        guard error.domain == .user, failed >= 0 else { throw error }
        trouble = trouble ?? error
        position = failed - 1
      }
    }
    let newest = found ?? .none
    self.trouble = trouble
    newestPosition = Atomic(newest.position)
    state = Mutex(State(registry: registry, newest: newest))
  }

  private static func epoch(
    _ plan: Plan, _ registry: RegistryState, _ library: ModelLibrary, asOf position: Int64
  ) throws(HeadraceError) -> ModelEpoch {
    let position = registry.position(of: plan.models, of: plan.name, at: position)
    var epoch = ModelEpoch(position: position, models: [])
    for (index, model) in plan.models.enumerated() {
      let assignment = ModelAssignment(model, of: plan.name, registry, at: position)
      epoch.models.append(
        try assignment.map { assignment throws(HeadraceError) in try ModelArms(assignment, of: index, plan, library) })
    }
    return epoch
  }

  var newest: ModelEpoch { state.withLock { $0.newest } }

  /// What the registry says, as far as this process has followed it.
  var registry: RegistryState { state.withLock { $0.registry } }

  /// Takes what the registry says now.
  ///
  /// - Throws: when a version cannot be loaded, or does not fit: everything stays as it is.
  func advance(to registry: RegistryState) throws(HeadraceError) {
    let (known, current) = state.withLock { ($0.registry.offset, $0.newest) }
    guard registry.offset > known else { return }
    guard registry.position(of: plan.models, of: plan.name, at: .max) != current.position else {
      return state.withLock { $0.registry = registry }
    }
    let epoch = try Self.epoch(plan, registry, library, asOf: .max)
    state.withLock {
      $0.registry = registry
      $0.newest = epoch
    }
  }

  /// The newest epoch while the tasks do not see it yet.
  var unshown: ModelEpoch? {
    let newest = newest
    return newest.position == newestPosition.load(ordering: .relaxed) ? nil : newest
  }

  /// Lets the tasks see the newest epoch: everything that it needs is there.
  func show(_ epoch: ModelEpoch) { newestPosition.store(epoch.position, ordering: .releasing) }

  /// The newest epoch, if it is another one than that at `position`.
  func next(after position: Int64) -> ModelEpoch? {
    let shown = newestPosition.load(ordering: .acquiring)
    guard shown != position else { return nil }
    let newest = newest
    return newest.position == shown ? newest : nil
  }

  /// What scored when the command at `position` was the newest.
  ///
  /// - Throws: `REGISTRY_BEHIND` when this process has not read so far yet; what reading a version throws.
  func epoch(asOf position: Int64) throws(HeadraceError) -> ModelEpoch {
    let (registry, newest) = state.withLock { ($0.registry, $0.newest) }
    if position == newest.position { return newest }
    guard position <= registry.offset else {
      throw HeadraceError(
        .external, "REGISTRY_BEHIND",
        "the task was scored by command \(position) of the control topic, which has been read up to \(registry.offset)",
        retry: .sameCall, place: plan.name)
    }
    do throws(HeadraceError) {
      return try Self.epoch(plan, registry, library, asOf: position)
    } catch {
      // What cannot be read now may be there again in a moment; what does not fit never will.
      guard error.domain == .user else { throw error }
      return newest
    }
  }
}

/// Switches of a process's tasks that are committed, on their way into the control topic.
final class ScoringNotes: Sendable {
  /// A task scores by `position` from these offsets on.
  struct Note: Sendable, Equatable {
    var position: Int64
    var offsets: [TopicPartition: Int64]
  }

  private struct State: Sendable {
    var waiting: [Int32: Note] = [:]
    /// What is written down last, by task.
    var written: [Int32: Int64] = [:]
  }

  private let state = Mutex(State())

  /// A switch of a task is committed.
  func add(_ task: Int32, _ note: Note) { state.withLock { $0.waiting[task] = note } }

  /// Whether the switch of a task to this position is written down.
  func isWritten(_ task: Int32, _ position: Int64) -> Bool { state.withLock { $0.written[task] == position } }

  var waiting: [Int32: Note] { state.withLock { $0.waiting } }

  /// It is written down.
  func setWritten(_ task: Int32, _ note: Note) {
    state.withLock { state in
      state.written[task] = note.position
      if state.waiting[task] == note { state.waiting[task] = nil }
    }
  }
}
