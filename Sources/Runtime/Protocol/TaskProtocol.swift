/// What one task may do when: the commit, checkpoint and restart protocol as a value. Events go in, actions come out;
/// Kafka, RocksDB and the clock are somewhere else.
///
/// `S` is the offset in the saved state, `C` the committed one, both per input partition. The promises, which
/// `Tests/Model/eos_model.py` explores and `TaskProtocolTests` hold against this very code:
///
/// - `S ≤ C`: a checkpoint takes the state where a commit takes its offsets, and is written when that is decided.
/// - What is committed with an output is never emitted again: below the `C` of the restart only state moves.
/// - After any unclear outcome the memory goes and the task reads on from `S`. It never goes on from `C` with its
///   state.
/// - One transaction at a time, and none is ever ended twice: after a failure there is a new producer.
package struct TaskProtocol: Sendable, Hashable {
  package private(set) var phase = Phase.new
  package private(set) var inputs: [Input] = []
  /// The offsets of the transaction that is on its way.
  private(set) var flight: [Int64]?
  private var isCommitDue = false
  private var areOutputsDue = false
  private var isCheckpointDue = false
  private var checkpoint: Checkpoint?
  /// The state moved where no offset did, and no checkpoint has taken that: a view was built on, or came in.
  private var hasMoved = false
  package private(set) var isLeaving = false
  private let acceptances: Acceptances

  package init(_ acceptances: Acceptances = Acceptances()) { self.acceptances = acceptances }

  /// What was taken of the state and is not known to be on the disk.
  private struct Checkpoint: Sendable, Hashable {
    var offsets: [Int64]
    /// It has what moved without an offset.
    var hasMoved: Bool
    /// The commit up to `offsets` is decided.
    var isWriting: Bool
  }

  package enum Phase: Sendable, Hashable {
    case new
    /// Older lives of this task are being fenced.
    case fencing
    /// C is being read back.
    case reading
    /// Records are applied: below the restart's C to the state alone.
    case running
    case stopped(Stop)
    case closed
  }

  /// One input partition of the task.
  package struct Input: Sendable, Hashable {
    /// The state holds everything below it.
    package internal(set) var applied: Int64
    /// S: the disk holds everything below it; nil: nothing is saved of this input.
    package internal(set) var saved: Int64?
    /// C, as far as this process has heard of it.
    package internal(set) var committed: Int64?
    /// The C of the last restart: outputs belong to records from here on.
    package internal(set) var emitsFrom: Int64
    let log: LogEnds

    /// Records below `emitsFrom` are missing in the state still.
    package var isReplaying: Bool { applied < emitsFrom }
  }

  /// The first offset that the log has, and the one that its next record gets.
  package struct LogEnds: Sendable, Hashable {
    package var beginning: Int64
    package var end: Int64

    package init(beginning: Int64, end: Int64) {
      self.beginning = beginning
      self.end = end
    }
  }

  /// What a person has allowed for this one start.
  package struct Acceptances: Sendable, Hashable {
    /// `--accept-state-offset`: the group's offset is gone, and S counts as C.
    package var stateOffset = false
    /// `--accept-lost-records`: the log no longer reaches back to the state; what is gone is left out.
    package var lostRecords = false

    package init() {}
  }

  /// Why a task does nothing until a person has decided.
  package enum Stop: Sendable, Hashable {
    /// C < S: the state is ahead of what Kafka decided.
    case stateAhead(input: Int, saved: Int64, committed: Int64)
    /// There is a state, and the group knows no offset.
    case missingCommit(input: Int, saved: Int64)
    /// Retention took records that the state has not seen.
    case recordsGone(input: Int, from: Int64, to: Int64)
    /// The log ends before an offset that was read: it was recreated, or its broker lost records.
    case logTruncated(input: Int, offset: Int64, end: Int64)
    /// Another instance took this task over.
    case fenced
    /// The records below C gave another digest than the one that is committed with C.
    case digestDiffers(input: Int, offset: Int64)
    /// The record below S is not the one that the state has read: the topic was recreated.
    case topicRecreated(input: Int, offset: Int64)
  }

  package enum Event: Sendable, Hashable {
    /// The state is open; its S and the ends of the log for each input.
    case opened([Opened])
    case producerReady
    /// C of each input.
    case committedRead([Int64?])
    /// Everything of an input below `offset` is in the state.
    case applied(input: Int, offset: Int64)
    case commitDue
    /// There is something to save although no offset moved.
    case stateMoved
    /// There is something to tell although no offset moved.
    case outputsDue
    case commitEnded(CommitOutcome)
    case checkpointDue
    case checkpointEnded
    /// Nothing was written, and nothing is damaged: the disk has no room. The next one that is due tries again.
    case checkpointRefused
    /// The group takes the task back, or the process ends in good order: commit, save, close.
    case revoked
    /// Somebody else has the task already, or the store failed: what is not saved goes.
    case lost
    /// Something failed between the steps, a write or the way to the brokers: from S again.
    case failed
    case contradicted(Stop)
  }

  /// What is known of an input before anything is read.
  package struct Opened: Sendable, Hashable {
    package var saved: Int64?
    package var log: LogEnds

    package init(saved: Int64?, log: LogEnds) {
      self.saved = saved
      self.log = log
    }
  }

  package enum CommitOutcome: Sendable, Hashable {
    case committed
    /// Aborted, timed out, or nobody knows.
    case unclear
    case fenced
  }

  package enum Action: Sendable, Hashable {
    /// Read S from the disk, after opening it anew where a write failed.
    case openState
    /// A new producer under the task's transactional id; it fences the older ones.
    case initializeProducer
    case readCommitted
    /// Read every input from here.
    case readFrom([Int64])
    /// One transaction: outputs, and these offsets.
    case commit([Int64])
    /// Keep what changed of the state, and these offsets; nothing is applied before it is kept.
    case takeCheckpoint([Int64])
    /// Write what was kept, in one synced batch. Ends with an event; records are applied meanwhile.
    case writeCheckpoint
    /// Drop the memory table, and a checkpoint that is not being written: the state is what the disk has. One that is
    /// being written ends first.
    case discardUnsaved
    /// Reads may see the task.
    case becomeReadable
    case close
    case stop(Stop)
  }
}

extension TaskProtocol {
  /// - Returns: what to do now, in this order. Events that come of it are told when all of it is done.
  package mutating func handle(_ event: Event) -> [Action] {
    if phase == .closed { return [] }
    switch event {
    case .opened(let inputs): return open(inputs)
    case .producerReady:
      guard phase == .fencing else { return [] }
      phase = .reading
      return [.readCommitted]
    case .committedRead(let offsets): return begin(offsets)
    case .applied(let input, let offset): return advance(input, to: offset)
    case .stateMoved:
      hasMoved = phase == .running
      return []
    case .commitDue: isCommitDue = true
    case .outputsDue: areOutputsDue = true
    case .checkpointDue: isCheckpointDue = true
    case .commitEnded(let outcome): return end(outcome)
    case .checkpointEnded:
      guard let saved = checkpoint?.offsets else { return [] }
      checkpoint = nil
      for index in inputs.indices { inputs[index].saved = saved[index] }
    case .checkpointRefused:
      guard let refused = checkpoint.take() else { return [] }
      hasMoved = hasMoved || refused.hasMoved
      guard isLeaving else { break }
      phase = .closed
      return [.discardUnsaved, .close]
    case .revoked: isLeaving = true
    case .lost:
      phase = .closed
      return [.discardUnsaved, .close]
    case .failed: return restart()
    case .contradicted(let stop): return [.discardUnsaved] + halt(stop)
    }
    return settle()
  }

  /// Whether a record of this input at this offset may write to Kafka.
  package func emits(_ input: Int, at offset: Int64) -> Bool { offset >= inputs[input].emitsFrom }

  package var isReadable: Bool { phase == .running && !inputs.contains(where: \.isReplaying) }
  package var isCommitInFlight: Bool { flight != nil }
  package var isSaving: Bool { checkpoint != nil }
  /// Whether the disk has everything that is applied.
  package var isSaved: Bool {
    phase == .running && checkpoint == nil && !hasMoved && inputs.allSatisfy { $0.saved == $0.applied }
  }

  private mutating func open(_ opened: [Opened]) -> [Action] {
    guard phase == .new else { return [] }
    inputs = opened.map {
      Input(applied: $0.saved ?? $0.log.beginning, saved: $0.saved, committed: nil, emitsFrom: 0, log: $0.log)
    }
    phase = .fencing
    return [.initializeProducer]
  }

  private mutating func begin(_ offsets: [Int64?]) -> [Action] {
    guard phase == .reading, offsets.count == inputs.count else { return [] }
    for index in inputs.indices {
      if let stop = start(index, committed: offsets[index]) { return halt(stop) }
    }
    phase = .running
    var actions: [Action] = [.readFrom(inputs.map(\.applied))]
    if isReadable { actions.append(.becomeReadable) }
    return actions + settle()
  }

  /// Holds S, C and the log of one input against each other.
  private mutating func start(_ index: Int, committed: Int64?) -> Stop? {
    var input = inputs[index]
    var committed = committed
    if let saved = input.saved, committed == nil {
      guard acceptances.stateOffset else { return .missingCommit(input: index, saved: saved) }
      committed = saved
    }
    if let saved = input.saved, let committed, committed < saved {
      return .stateAhead(input: index, saved: saved, committed: committed)
    }
    let newest = max(input.saved ?? 0, committed ?? 0)
    if newest > input.log.end { return .logTruncated(input: index, offset: newest, end: input.log.end) }
    // Without a state and without a commit the beginning of the log is where everything begins.
    let first = input.saved ?? (committed == nil ? input.log.beginning : 0)
    if first < input.log.beginning {
      guard acceptances.lostRecords else {
        return .recordsGone(input: index, from: first, to: input.log.beginning)
      }
    }
    input.applied = max(first, input.log.beginning)
    input.committed = committed
    input.emitsFrom = max(committed ?? input.applied, input.applied)
    inputs[index] = input
    return nil
  }

  private mutating func advance(_ index: Int, to offset: Int64) -> [Action] {
    guard phase == .running, offset > inputs[index].applied else { return [] }
    let wasReadable = isReadable
    inputs[index].applied = offset
    return !wasReadable && isReadable ? [.becomeReadable] + settle() : settle()
  }

  private mutating func end(_ outcome: CommitOutcome) -> [Action] {
    guard let offsets = flight else { return [] }
    flight = nil
    switch outcome {
    case .committed:
      for index in inputs.indices { inputs[index].committed = max(inputs[index].committed ?? 0, offsets[index]) }
      return settle()
    case .unclear: return restart()
    case .fenced: return [.discardUnsaved] + halt(.fenced)
    }
  }

  /// The one way back: S as the disk has it (a write that failed may have happened), a new producer, C.
  private mutating func restart() -> [Action] {
    if case .stopped = phase { return [] }
    flight = nil
    checkpoint = nil
    hasMoved = false
    if isLeaving {
      phase = .closed
      return [.discardUnsaved, .close]
    }
    phase = .new
    return [.discardUnsaved, .openState]
  }

  private mutating func halt(_ stop: Stop) -> [Action] {
    phase = .stopped(stop)
    flight = nil
    checkpoint = nil
    return [.stop(stop)] + settle()
  }

  /// The next step that is due and allowed.
  private mutating func settle() -> [Action] {
    guard phase == .running else {
      guard isLeaving, phase != .closed else { return [] }
      phase = .closed
      return [.discardUnsaved, .close]
    }
    // One transaction at a time.
    guard flight == nil else { return [] }
    var actions: [Action] = []
    if checkpoint?.isWriting == false {
      checkpoint?.isWriting = true
      actions.append(.writeCheckpoint)
    }
    let mayTake = checkpoint == nil
    if isCommitDue || areOutputsDue || isLeaving || isCheckpointDue && mayTake { actions += commitWhatIsApplied() }
    if mayTake, isCheckpointDue || isLeaving { actions += takeCheckpoint() }
    guard isLeaving, flight == nil, checkpoint == nil else { return actions }
    phase = .closed
    return actions + [.close]
  }

  private mutating func commitWhatIsApplied() -> [Action] {
    isCommitDue = false
    // An input that was never committed is committed where it begins: else its S would have no C.
    guard areOutputsDue || inputs.contains(where: { $0.committed ?? -1 < $0.applied }) else { return [] }
    areOutputsDue = false
    // Never back: while one input is replayed, the others go on.
    let offsets = inputs.map { max($0.applied, $0.committed ?? $0.applied) }
    flight = offsets
    return [.commit(offsets)]
  }

  /// The state as it is now: where the commit that has just begun will end, or where the last one ended.
  private mutating func takeCheckpoint() -> [Action] {
    isCheckpointDue = false
    guard hasMoved || inputs.contains(where: { $0.saved != $0.applied }) else { return [] }
    let offsets = inputs.map(\.applied)
    checkpoint = Checkpoint(offsets: offsets, hasMoved: hasMoved, isWriting: flight == nil)
    hasMoved = false
    return flight == nil ? [.takeCheckpoint(offsets), .writeCheckpoint] : [.takeCheckpoint(offsets)]
  }
}
