import Core
import Testing

@testable import Broker

@Suite("Groups: the offset store against a naive one")
struct OffsetStoreTests {
  /// A list of everything that was ever written; every question scans it.
  private struct NaiveStore {
    struct Entry {
      var group: String
      var partition: TopicPartition
      var producerID: Int64?
      var value: Int64
      var isAlive = true
    }

    var entries: [Entry] = []

    mutating func forget(where matches: (Entry) -> Bool) {
      for index in entries.indices where matches(entries[index]) { entries[index].isAlive = false }
    }

    mutating func apply(_ event: GroupEvent) {
      switch event {
      case .generationStarted:
        break
      case .offsetsCommitted(let group, let offsets):
        entries += offsets.map { Entry(group: group, partition: $0.partition, value: $0.committed.offset) }
      case .offsetsStaged(let group, let producerID, let offsets):
        entries += offsets.map {
          Entry(group: group, partition: $0.partition, producerID: producerID, value: $0.committed.offset)
        }
      case .transactionEnded(let producerID, let isCommitted):
        if !isCommitted { forget { $0.producerID == producerID } }
        for index in entries.indices where entries[index].producerID == producerID { entries[index].producerID = nil }
      case .offsetsDeleted(let group, let partitions):
        forget { $0.group == group && $0.producerID == nil && partitions.contains($0.partition) }
      case .groupDeleted(let group):
        forget { $0.group == group }
      case .topicDeleted(let topic):
        forget { $0.partition.topic == topic }
      }
    }

    func committed(_ partition: TopicPartition, _ group: String) -> Int64? {
      entries.last { $0.isAlive && $0.producerID == nil && $0.group == group && $0.partition == partition }?.value
    }

    func isStaged(_ partition: TopicPartition, _ group: String) -> Bool {
      entries.contains { $0.isAlive && $0.producerID != nil && $0.group == group && $0.partition == partition }
    }
  }

  private static let groups = ["a", "b"]
  private static let partitions = ["x", "y"].flatMap { topic in
    (0..<3).map { TopicPartition(topic: topic, partition: $0) }
  }

  private func randomEvent(_ random: inout ScenarioRandom, value: Int64) -> GroupEvent {
    let group = random.pick(Self.groups) ?? ""
    let chosen = Self.partitions.filter { _ in random.chance(1, in: 3) }
    let offsets = chosen.map {
      GroupEvent.Offset(
        partition: $0,
        committed: CommittedOffset(offset: value, leaderEpoch: -1, metadata: "", commitMilliseconds: value))
    }
    let producerID = Int64(random.below(3))
    return switch random.below(20) {
    case 0..<7: .offsetsCommitted(groupID: group, offsets: offsets)
    case 7..<14: .offsetsStaged(groupID: group, producerID: producerID, offsets: offsets)
    case 14..<17: .transactionEnded(producerID: producerID, isCommitted: random.chance(1, in: 2))
    case 17: .offsetsDeleted(groupID: group, partitions: chosen)
    case 18:
      random.chance(1, in: 3) ? .groupDeleted(groupID: group) : .transactionEnded(producerID: 0, isCommitted: true)
    default: random.chance(1, in: 3) ? .topicDeleted(topic: "x") : .transactionEnded(producerID: 1, isCommitted: false)
    }
  }

  private func expectEqual(_ coordinator: GroupCoordinator, _ naive: NaiveStore, _ comment: Comment) {
    for group in Self.groups {
      for partition in Self.partitions {
        #expect(
          coordinator.offsets.committed(partition, of: group)?.offset == naive.committed(partition, group), comment)
        #expect(coordinator.offsets.isStaged(partition, of: group) == naive.isStaged(partition, group), comment)
      }
      let any = Self.partitions.contains { naive.committed($0, group) != nil || naive.isStaged($0, group) }
      #expect(coordinator.offsets.hasOffsets(of: group) == any, comment)
    }
  }

  @Test("Random commits, stagings, outcomes and deletions, with a compaction of the journal in the middle")
  func random() {
    for seed in 0..<60 as Range<UInt64> {
      var random = ScenarioRandom(seed: seed)
      var coordinator = GroupCoordinator(seed: 1)
      var naive = NaiveStore()
      for step in 0..<120 as Range<Int64> {
        let event = randomEvent(&random, value: step)
        coordinator.apply(event)
        naive.apply(event)
        if random.chance(1, in: 10) {
          let snapshot = coordinator.snapshotEvents()
          coordinator = GroupHarness.replay(snapshot.map { GroupHarness.encoded($0) })
          let isSame = coordinator.snapshotEvents() == snapshot
          #expect(isSame, "seed \(seed) step \(step)")
        }
        if random.chance(1, in: 5) { expectEqual(coordinator, naive, "seed \(seed) step \(step)") }
      }
      expectEqual(coordinator, naive, "seed \(seed)")
    }
  }

  @Test("A group without open transactions is one event in a snapshot, a big one a few")
  func minimalSnapshot() {
    let bench = GroupHarness()
    for offset in 0..<200 as Range<Int64> {
      _ = bench.commit([TopicPartition(topic: "t", partition: Int32(offset % 7)): offset])
    }
    #expect(bench.coordinator.snapshotEvents().count == 1)
    let many = Dictionary(
      uniqueKeysWithValues: (0..<2_500).map { (TopicPartition(topic: "t", partition: $0), Int64($0)) })
    _ = bench.commit(group: "big", many)
    let snapshot = bench.coordinator.snapshotEvents()
    #expect(snapshot.count == 4)
    #expect(GroupHarness.replay(snapshot.map { GroupHarness.encoded($0) }).snapshotEvents() == snapshot)
  }
}

@Suite("Groups: the queue of deadlines against a naive one")
struct DeadlineQueueTests {
  @Test("No deadline is missed, whatever moves or goes")
  func random() {
    for seed in 0..<40 as Range<UInt64> {
      var random = ScenarioRandom(seed: seed)
      var queue = DeadlineQueue<Int>()
      // The owners' own deadlines, which only they know.
      var deadlines: [Int: Int64] = [:]
      var now: Int64 = 0
      for _ in 0..<2_000 {
        let key = random.below(50)
        switch random.below(10) {
        case 0..<6:
          deadlines[key] = now + 1 + Int64(random.below(100))
          queue.arm(key, at: deadlines[key] ?? 0)
        case 6:
          deadlines[key] = nil
          queue.forget(key)
        default:
          now += Int64(random.below(20))
          var fired: Set<Int> = []
          while let due = queue.popDue(now) {
            guard let deadline = deadlines[due] else { continue }
            if deadline <= now {
              deadlines[due] = nil
              fired.insert(due)
            } else {
              queue.arm(due, at: deadline)
            }
          }
          #expect(deadlines.values.allSatisfy { $0 > now }, "seed \(seed): missed at \(now)")
        }
        #expect(queue.nextMilliseconds ?? .max <= deadlines.values.min() ?? .max, "seed \(seed)")
      }
    }
  }

  @Test("Members that come and go leave nothing behind, and a heartbeat is no heap operation")
  func bounded() {
    var queue = DeadlineQueue<Int>()
    for key in 0..<100_000 {
      queue.arm(key, at: 1_800_000)
      queue.forget(key)
    }
    #expect(queue.entryCount < 100)
    for key in 0..<10 { for beat in 0..<1_000 as Range<Int64> { queue.arm(key, at: 10_000 + beat) } }
    #expect(queue.entryCount < 100)
  }
}
