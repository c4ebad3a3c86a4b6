@testable import Runtime

/// One task with two inputs, the group's offsets, an output topic and a disk: everything around `TaskProtocol` that the
/// tests need, as a value. `Tests/Model/eos_model.py` explores the same with Delta and snapshots, and without this
/// code.
struct ProtocolWorld: Hashable {
  static let inputCount = 2
  static let recordCount: Int64 = 2
  static let faultsMaximum = 2
  static let movesMaximum = 1

  /// What a state should be that has applied everything below `offset`.
  static func golden(_ input: Int, below offset: Int64) -> Int {
    (0..<offset).reduce(input + 7) { fold($0, $1) }
  }

  static func fold(_ state: Int, _ record: Int64) -> Int { (state &* 31 &+ Int(record) &+ 1) % 1_000_003 }

  struct Disk: Hashable {
    var saved: [Int64]?
    var states = (0..<inputCount).map { golden($0, below: 0) }
    var moves = 0
  }

  struct Life: Hashable {
    var machine = TaskProtocol()
    var states: [Int]
    /// What changed of the state beside the records: views that are built from what was read long ago.
    var moves: Int
    var pending: [Output] = []
    var lane = Lane.idle
    /// Whether the machine asked for the group's offsets.
    var isReading = false
    var isOpening = true
    var checkpoint: Checkpoint?
  }

  /// What was taken of the state.
  struct Checkpoint: Hashable {
    var offsets: [Int64]
    var states: [Int]
    var moves: Int
    var isWriting = false
  }

  enum Lane: Hashable {
    case idle, starting
    case committing([Int64], [Output])
  }

  struct Output: Hashable {
    var input: Int
    var offset: Int64
    var state: Int
  }

  var committed: [Int64?] = [nil, nil]
  var outputs: [Output] = []
  var disk = Disk()
  var life: Life?
  var faults = 0
  /// What was seen to go wrong on the way.
  var isBroken: String?

  // MARK: - What must hold

  var violation: String? {
    if let isBroken { return isBroken }
    if let life, life.machine.isSaved, life.moves != disk.moves { return "said to be saved, and is not" }
    for input in 0..<Self.inputCount {
      let expected = (0..<(committed[input] ?? 0)).map { offset in
        Output(input: input, offset: offset, state: Self.golden(input, below: offset + 1))
      }
      let found = outputs.filter { $0.input == input }
      if found != expected { return "input \(input): outputs \(found), expected \(expected)" }
      let saved = disk.saved?[input] ?? 0
      if disk.saved != nil, saved > committed[input] ?? -1 { return "input \(input): S is ahead of C" }
      if disk.states[input] != Self.golden(input, below: saved) { return "input \(input): the saved state is wrong" }
    }
    return nil
  }

  // MARK: - What may happen next

  enum Step: Hashable {
    case start, apply(Int), move, commitDue, checkpointDue, revoke, lose, crash
    case opens, producerStarts, producerFails, offsetsRead
    case commits, commitFails(isDecided: Bool), isFenced
    case saves, saveRefused, saveFails(isWritten: Bool)
  }

  var steps: [Step] {
    guard let life else { return [.start] }
    var steps: [Step] = []
    let mayFail = faults < Self.faultsMaximum
    switch life.lane {
    case .starting: steps += [.producerStarts] + (mayFail ? [.producerFails] : [])
    case .committing:
      steps += [.commits]
      if mayFail { steps += [.commitFails(isDecided: true), .commitFails(isDecided: false), .isFenced] }
    case .idle: break
    }
    if life.isOpening { steps.append(.opens) }
    if life.isReading { steps.append(.offsetsRead) }
    if life.checkpoint?.isWriting == true {
      steps.append(.saves)
      if mayFail { steps += [.saveRefused, .saveFails(isWritten: true), .saveFails(isWritten: false)] }
    }
    if life.machine.phase == .running {
      for input in 0..<Self.inputCount where life.machine.inputs[input].applied < Self.recordCount {
        steps.append(.apply(input))
      }
      if life.moves < Self.movesMaximum { steps.append(.move) }
      steps += [.commitDue, .checkpointDue]
    }
    if mayFail { steps += [.revoke, .lose, .crash] }
    return steps
  }

  func after(_ step: Step) -> ProtocolWorld {
    var next = self
    next.take(step)
    return next
  }

  private mutating func take(_ step: Step) {
    switch step {
    case .start: start()
    case .opens: open()
    case .apply(let input): apply(input)
    case .move:
      life?.moves += 1
      send(.stateMoved)
    case .commitDue: send(.commitDue)
    case .checkpointDue: send(.checkpointDue)
    case .revoke:
      faults += 1
      send(.revoked)
    case .lose:
      faults += 1
      send(.lost)
    case .crash:
      faults += 1
      life = nil
    case .producerStarts:
      life?.lane = .idle
      send(.producerReady)
    case .producerFails:
      faults += 1
      life?.lane = .idle
      send(.failed)
    case .offsetsRead:
      life?.isReading = false
      send(.committedRead(committed))
    case .commits:
      decide()
      send(.commitEnded(.committed))
    case .commitFails(let isDecided):
      faults += 1
      if isDecided { decide() }
      life?.lane = .idle
      send(.commitEnded(.unclear))
    case .isFenced:
      faults += 1
      life?.lane = .idle
      send(.commitEnded(.fenced))
    case .saves:
      save()
      send(.checkpointEnded)
    case .saveRefused:
      faults += 1
      life?.checkpoint = nil
      send(.checkpointRefused)
    case .saveFails(let isWritten):
      faults += 1
      if isWritten { save() }
      life?.checkpoint = nil
      send(.failed)
    }
  }

  private mutating func start() {
    life = Life(states: disk.states, moves: disk.moves)
  }

  private mutating func open() {
    life?.isOpening = false
    let log = TaskProtocol.LogEnds(beginning: 0, end: Self.recordCount)
    send(.opened((0..<Self.inputCount).map { TaskProtocol.Opened(saved: disk.saved?[$0], log: log) }))
  }

  private mutating func apply(_ input: Int) {
    guard var life else { return }
    let offset = life.machine.inputs[input].applied
    life.states[input] = Self.fold(life.states[input], offset)
    if life.machine.emits(input, at: offset) {
      life.pending.append(Output(input: input, offset: offset, state: life.states[input]))
    }
    self.life = life
    send(.applied(input: input, offset: offset + 1))
  }

  private mutating func decide() {
    guard case .committing(let offsets, let outputs) = life?.lane else { return }
    for input in 0..<Self.inputCount {
      if offsets[input] < committed[input] ?? 0 { isBroken = "input \(input): C moves back" }
      committed[input] = offsets[input]
    }
    self.outputs += outputs
    life?.lane = .idle
  }

  private mutating func save() {
    guard let checkpoint = life?.checkpoint else { return }
    disk = Disk(saved: checkpoint.offsets, states: checkpoint.states, moves: checkpoint.moves)
    life?.checkpoint = nil
  }

  private mutating func send(_ event: TaskProtocol.Event) {
    guard var life else { return }
    for action in life.machine.handle(event) {
      switch action {
      case .openState:
        life.isOpening = true
        life.isReading = false
        life.lane = .idle
      case .initializeProducer: life.lane = .starting
      case .readCommitted: life.isReading = true
      case .readFrom(let offsets):
        for input in 0..<Self.inputCount where life.states[input] != Self.golden(input, below: offsets[input]) {
          isBroken = "input \(input): reading begins at \(offsets[input]) with another state"
        }
      case .commit(let offsets):
        if life.lane != .idle { isBroken = "two transactions at once" }
        life.lane = .committing(offsets, life.pending)
        life.pending = []
      case .takeCheckpoint(let offsets):
        if life.checkpoint != nil { isBroken = "two checkpoints at once" }
        life.checkpoint = Checkpoint(offsets: offsets, states: life.states, moves: life.moves)
      case .writeCheckpoint:
        if life.lane != .idle { isBroken = "a checkpoint is written while its commit is on its way" }
        life.checkpoint?.isWriting = true
      case .discardUnsaved:
        // What is being written ends first.
        if let checkpoint = life.checkpoint, checkpoint.isWriting {
          disk = Disk(saved: checkpoint.offsets, states: checkpoint.states, moves: checkpoint.moves)
        }
        life.checkpoint = nil
        life.states = disk.states
        life.moves = disk.moves
        life.pending = []
      case .becomeReadable:
        for input in 0..<Self.inputCount where life.machine.inputs[input].applied < committed[input] ?? 0 {
          isBroken = "input \(input): readable before C"
        }
      case .close:
        if life.checkpoint != nil { isBroken = "closed while a checkpoint is on its way" }
        if life.moves != disk.moves { isBroken = "closed with something that is not on the disk" }
        self.life = nil
        return
      case .stop: break
      }
    }
    self.life = life
  }
}
