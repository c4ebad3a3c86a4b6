internal import Core
internal import Kafka
internal import Logging
internal import Storage

/// Copies of the states of this process's tasks, on their way into a store.
///
/// A snapshot is the checkpoint that was just written: on the checkpoint's thread its files get second names in a
/// folder of their own, which takes no copying, and this lane's thread uploads that folder while everything goes on.
final class SnapshotLane: Sendable {
  /// How a task's snapshots are doing.
  struct Status: Sendable {
    /// Of the newest one that is whole in the store, by the wall clock.
    var takenAtMilliseconds: Int64?
    /// Of the last try; nil when it went well.
    var failure: String?
  }

  private struct State: Sendable {
    /// When the next snapshot of a task is due, by the monotonic clock.
    var dueAtMilliseconds: [Int32: Int64] = [:]
    /// Tasks with one that is being taken or uploaded.
    var busy: Set<Int32> = []
    /// Where the newest snapshot of a task stands that was taken and did not fail.
    var taken: [Int32: Int64] = [:]
    var status: [Int32: Status] = [:]
    var isDraining = false
  }

  let store: SnapshotStore
  private let folder: String
  private let intervalMilliseconds: Int64
  private let topology: String
  private let clock: WallClock
  private let logger: Logger
  private let thread: BlockingThread
  private let state = Monitor(State())

  /// How long a process that ends waits for what is being uploaded.
  private static let drainMilliseconds: Int64 = 30_000

  init(
    _ store: any BlobStore, _ configuration: RuntimeConfiguration, topology: String, clock: WallClock, logger: Logger
  ) throws(HeadraceError) {
    self.store = SnapshotStore(store, topology: topology)
    folder = "\(configuration.dataDirectory)/snapshots/\(topology)"
    intervalMilliseconds = configuration.snapshotIntervalMilliseconds
    self.topology = topology
    self.clock = clock
    self.logger = logger
    thread = try BlockingThread(name: "snapshots", priority: .background)
    // Of a former life: what is not in the store by now is taken again.
    LocalFile.remove(folder)
  }

  func status(of task: Int32) -> Status? { state.change { $0.status[task] } }

  /// Whether the checkpoint that is about to be written is to be kept as a snapshot.
  ///
  /// - Parameter isLast: the task is given back or the process ends: the disk may go with it.
  /// - Returns: what does it; nil when none is due.
  func begin(
    _ task: Int32, inputs: [SnapshotManifest.Input], spoolFiles: [String], isLast: Bool
  ) -> SnapshotCopy? {
    let now = WallClock.monotonic.nowMilliseconds
    let manifest = SnapshotManifest(
      topology: topology, task: task, takenAtMilliseconds: clock.nowMilliseconds, inputs: inputs)
    let isDue = state.change { state in
      guard !state.busy.contains(task) else { return false }
      let due = state.dueAtMilliseconds[task] ?? firstDue(task, now)
      state.dueAtMilliseconds[task] = due
      guard isLast || now >= due else { return false }
      state.dueAtMilliseconds[task] = now + intervalMilliseconds
      state.busy.insert(task)
      state.taken[task] = manifest.progress
      return true
    }
    guard isDue else { return nil }
    return SnapshotCopy(folder: "\(folder)/\(task)", manifest: manifest, spoolFiles: spoolFiles, lane: self)
  }

  /// Whether one is due of a state that is saved already: without new records there is no checkpoint to keep.
  func isOwed(_ task: Int32, progress: Int64) -> Bool {
    let now = WallClock.monotonic.nowMilliseconds
    return state.change { state in
      let due = state.dueAtMilliseconds[task] ?? firstDue(task, now)
      state.dueAtMilliseconds[task] = due
      return now >= due && !state.busy.contains(task) && state.taken[task] != progress
    }
  }

  /// Tasks take theirs one after the other, not all at once.
  private func firstDue(_ task: Int32, _ now: Int64) -> Int64 {
    now + intervalMilliseconds / 2 + intervalMilliseconds * Int64(task % 8) / 16
  }

  /// Uploads a copy that is whole.
  func upload(_ copy: SnapshotCopy) {
    let isPosted = thread.post { [self] in
      let began = WallClock.monotonic.nowMilliseconds
      do throws(HeadraceError) {
        let bytes = try store.upload(copy.folder, copy.manifest)
        end(copy, nil)
        logger.info(
          "snapshot",
          metadata: [
            "task": "\(copy.manifest.task)", "uploaded_bytes": "\(bytes)",
            "milliseconds": "\(WallClock.monotonic.nowMilliseconds - began)",
          ])
      } catch {
        end(copy, error)
      }
    }
    if !isPosted { end(copy, nil, isGivenUp: true) }
  }

  /// It is in the store, or will not be.
  func end(_ copy: SnapshotCopy, _ failure: HeadraceError?, isGivenUp: Bool = false) {
    LocalFile.remove(copy.folder)
    let task = copy.manifest.task
    let isNews = state.change { state in
      state.busy.remove(task)
      if failure != nil || isGivenUp { state.taken[task] = nil }
      let isNews = failure != nil && state.status[task]?.failure != failure?.message
      if !isGivenUp {
        state.status[task, default: Status()].failure = failure?.message
        if failure == nil { state.status[task]?.takenAtMilliseconds = copy.manifest.takenAtMilliseconds }
      }
      return isNews
    }
    guard isNews, let failure else { return }
    logger.error("a snapshot failed: the next one is tried", metadata: ["task": "\(task)", "error": "\(failure)"])
  }

  /// Waits until everything is in the store, for a while.
  func drain() {
    _ = state.wait(timeoutMilliseconds: Self.drainMilliseconds) { $0.busy.isEmpty ? true : nil }
    thread.stop()
  }
}
