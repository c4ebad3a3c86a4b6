import Core
import Testing

@testable import Runtime

/// The protocol's machine in every state that a small world can reach.
@Suite struct TaskProtocolTests {
  @Test func `every reachable state keeps the promises`() {
    var seen: Set<ProtocolWorld> = [ProtocolWorld()]
    var waiting = [ProtocolWorld()]
    var index = 0
    while index < waiting.count {
      let world = waiting[index]
      index += 1
      for step in world.steps {
        let next = world.after(step)
        if let violation = next.violation {
          Issue.record("after \(step): \(violation)\n\(world)")
          return
        }
        if seen.insert(next).inserted { waiting.append(next) }
      }
    }
    #expect(seen.count > 2_000, "the world is too small to prove anything")
    // Nothing is stuck: where both logs are read, committed and saved, the end is reached.
    #expect(
      seen.contains { world in
        world.committed == [ProtocolWorld.recordCount, ProtocolWorld.recordCount]
          && world.disk.saved == [ProtocolWorld.recordCount, ProtocolWorld.recordCount]
      })
  }

  private static let log = TaskProtocol.LogEnds(beginning: 10, end: 100)

  private func begun(
    saved: Int64?, committed: Int64?, log: TaskProtocol.LogEnds = log,
    _ acceptances: TaskProtocol.Acceptances = .init()
  ) -> (machine: TaskProtocol, actions: [TaskProtocol.Action]) {
    var machine = TaskProtocol(acceptances)
    #expect(machine.handle(.opened([.init(saved: saved, log: log)])) == [.initializeProducer])
    #expect(machine.handle(.producerReady) == [.readCommitted])
    let actions = machine.handle(.committedRead([committed]))
    return (machine, actions)
  }

  @Test func `a new task begins where the log begins`() {
    var (machine, actions) = begun(saved: nil, committed: nil)
    #expect(actions == [.readFrom([10]), .becomeReadable])
    // Also where nothing was read yet, C is there before S.
    #expect(machine.handle(.checkpointDue) == [.commit([10]), .takeCheckpoint([10])])
    #expect(machine.handle(.commitEnded(.committed)) == [.writeCheckpoint])
    #expect(machine.handle(.checkpointEnded) == [])
  }

  @Test func `records between S and C move the state alone`() {
    var (machine, actions) = begun(saved: 20, committed: 30)
    #expect(actions == [.readFrom([20])])
    #expect(!machine.emits(0, at: 29) && machine.emits(0, at: 30) && !machine.isReadable)
    #expect(machine.handle(.applied(input: 0, offset: 25)) == [])
    // There is nothing to commit; the progress may be saved, because all of it is below C.
    #expect(machine.handle(.checkpointDue) == [.takeCheckpoint([25]), .writeCheckpoint])
    #expect(machine.handle(.checkpointEnded) == [])
    #expect(machine.handle(.applied(input: 0, offset: 30)) == [.becomeReadable])
  }

  @Test func `what cannot be right stops the task`() {
    #expect(begun(saved: 30, committed: 20).actions == [.stop(.stateAhead(input: 0, saved: 30, committed: 20))])
    #expect(begun(saved: 30, committed: nil).actions == [.stop(.missingCommit(input: 0, saved: 30))])
    #expect(begun(saved: 5, committed: 20).actions == [.stop(.recordsGone(input: 0, from: 5, to: 10))])
    #expect(begun(saved: nil, committed: 20).actions == [.stop(.recordsGone(input: 0, from: 0, to: 10))])
    #expect(begun(saved: 20, committed: 120).actions == [.stop(.logTruncated(input: 0, offset: 120, end: 100))])
  }

  @Test func `a person may accept what the machine does not`() {
    var acceptances = TaskProtocol.Acceptances()
    acceptances.stateOffset = true
    acceptances.lostRecords = true
    #expect(begun(saved: 30, committed: nil, acceptances).actions == [.readFrom([30]), .becomeReadable])
    #expect(begun(saved: 5, committed: 20, acceptances).actions == [.readFrom([10])])
    // Never that the state is ahead of what Kafka decided.
    #expect(
      begun(saved: 30, committed: 20, acceptances).actions == [.stop(.stateAhead(input: 0, saved: 30, committed: 20))])
  }

  @Test func `an unclear commit leads back to S with a new producer`() {
    var (machine, _) = begun(saved: 20, committed: 20)
    _ = machine.handle(.applied(input: 0, offset: 40))
    #expect(machine.handle(.commitDue) == [.commit([40])])
    _ = machine.handle(.applied(input: 0, offset: 50))
    #expect(machine.handle(.commitEnded(.unclear)) == [.discardUnsaved, .openState])
    #expect(machine.handle(.opened([.init(saved: 20, log: Self.log)])) == [.initializeProducer])
    #expect(machine.handle(.producerReady) == [.readCommitted])
    #expect(machine.handle(.committedRead([40])) == [.readFrom([20])])
  }

  @Test func `a revoked task commits, saves and closes`() {
    var (machine, _) = begun(saved: 20, committed: 20)
    _ = machine.handle(.applied(input: 0, offset: 40))
    #expect(machine.handle(.commitDue) == [.commit([40])])
    _ = machine.handle(.applied(input: 0, offset: 50))
    #expect(machine.handle(.revoked) == [])
    #expect(machine.handle(.commitEnded(.committed)) == [.commit([50]), .takeCheckpoint([50])])
    #expect(machine.handle(.commitEnded(.committed)) == [.writeCheckpoint])
    #expect(machine.handle(.checkpointEnded) == [.close])
    #expect(machine.phase == .closed)
  }

  @Test func `commits go on while a checkpoint is written, and it says where it was taken`() {
    var (machine, _) = begun(saved: 20, committed: 20)
    _ = machine.handle(.applied(input: 0, offset: 40))
    #expect(machine.handle(.checkpointDue) == [.commit([40]), .takeCheckpoint([40])])
    _ = machine.handle(.applied(input: 0, offset: 50))
    #expect(machine.handle(.commitEnded(.committed)) == [.writeCheckpoint])
    #expect(machine.handle(.commitDue) == [.commit([50])])
    // The next one waits for the one that is being written, and holds no commit up.
    #expect(machine.handle(.checkpointDue) == [])
    #expect(machine.handle(.commitEnded(.committed)) == [])
    _ = machine.handle(.applied(input: 0, offset: 60))
    #expect(machine.handle(.checkpointEnded) == [.commit([60]), .takeCheckpoint([60])])
    #expect(machine.inputs[0].saved == 40)
  }

  @Test func `a checkpoint whose commit is unclear is never written`() {
    var (machine, _) = begun(saved: 20, committed: 20)
    _ = machine.handle(.applied(input: 0, offset: 40))
    #expect(machine.handle(.checkpointDue) == [.commit([40]), .takeCheckpoint([40])])
    #expect(machine.handle(.commitEnded(.unclear)) == [.discardUnsaved, .openState])
    #expect(!machine.isSaving)
    #expect(machine.handle(.checkpointEnded) == [])
  }

  @Test func `what moved without an offset is saved too`() {
    var (machine, _) = begun(saved: 20, committed: 20)
    #expect(machine.isSaved && machine.handle(.checkpointDue) == [])
    #expect(machine.handle(.stateMoved) == [] && !machine.isSaved)
    #expect(machine.handle(.checkpointDue) == [.takeCheckpoint([20]), .writeCheckpoint])
    // Moved again behind what was taken: another one is needed.
    _ = machine.handle(.stateMoved)
    #expect(machine.handle(.checkpointEnded) == [] && !machine.isSaved)
    #expect(machine.handle(.checkpointDue) == [.takeCheckpoint([20]), .writeCheckpoint])
    // Refused, it is still to be saved.
    #expect(machine.handle(.checkpointRefused) == [] && !machine.isSaved)
    #expect(machine.handle(.checkpointDue) == [.takeCheckpoint([20]), .writeCheckpoint])
    #expect(machine.handle(.checkpointEnded) == [] && machine.isSaved)
    // What is dropped needs no saving.
    _ = machine.handle(.stateMoved)
    #expect(machine.handle(.failed) == [.discardUnsaved, .openState])
    _ = machine.handle(.opened([.init(saved: 20, log: Self.log)]))
    _ = machine.handle(.producerReady)
    _ = machine.handle(.committedRead([20]))
    #expect(machine.isSaved)
  }

  @Test func `a fenced task stops and keeps nothing`() {
    var (machine, _) = begun(saved: 20, committed: 20)
    _ = machine.handle(.applied(input: 0, offset: 40))
    _ = machine.handle(.commitDue)
    #expect(machine.handle(.commitEnded(.fenced)) == [.discardUnsaved, .stop(.fenced)])
    #expect(machine.handle(.commitDue) == [])
    #expect(machine.handle(.revoked) == [.discardUnsaved, .close])
  }
}
