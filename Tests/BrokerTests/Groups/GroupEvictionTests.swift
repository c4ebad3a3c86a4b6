import Core
import Testing

@testable import Broker

@Suite("Groups: leaving, session expiry, and the deadlines of a rebalance")
struct GroupEvictionTests {
  @Test("LeaveGroup: the others join again, the one who left is unknown")
  func leave() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable()
    #expect(bench.leave("g", [(members[1], nil)]) == [ErrorCode.none])
    #expect(bench.heartbeat(member: members[1], generation: generation) == .unknownMemberId)
    #expect(bench.heartbeat(member: members[0], generation: generation) == .rebalanceInProgress)
    let replies = [bench.join(member: members[0]), bench.join(member: members[2])].map { bench.joined($0) }
    #expect(replies.map { $0?.generation } == [generation + 1, generation + 1])
  }

  @Test("LeaveGroup in batches (KIP-345): dynamic by id, static by instance id alone or with its member id")
  func leaveBatch() throws {
    let bench = GroupHarness()
    let a = try bench.joinDynamic()
    for name in ["s1", "s2", "s3"] { bench.join(instance: name) }
    bench.join(member: a.id)
    let ids = try #require(bench.coordinator.groups["g"]?.staticMembers)
    let codes = bench.leave(
      "g",
      [
        (a.id, nil), ("", "s1"), (ids["s2"] ?? "", "s2"), ("someone-else", "s3"), ("", "unknown"), ("stranger", nil),
        (ids["s3"] ?? "", "unknown"),
      ])
    let expected: [ErrorCode] = [
      .none, .none, .none, .fencedInstanceId, .unknownMemberId, .unknownMemberId, .unknownMemberId,
    ]
    #expect(codes == expected)
    #expect(bench.coordinator.groups["g"]?.staticMembers.keys.sorted() == ["s3"])
  }

  @Test("The last one to leave empties the group and starts a generation without members")
  func lastLeaves() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    #expect(bench.leave("g", [(members[0], nil), (members[1], nil)]) == [ErrorCode.none, ErrorCode.none])
    #expect(bench.state() == .empty)
    #expect(bench.coordinator.generations["g"]?.number == generation + 1)
    bench.advance(by: 86_400_000)
    #expect(bench.state() == .empty)
  }

  @Test("A pending member may leave, or its session ends: the others no longer wait for it")
  func pendingMemberGoes() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 1)
    let pending = try #require(bench.joined(bench.join())).memberID
    let again = bench.join(member: members[0])
    #expect(bench.joined(again) == nil, "the pending member may come at any moment")
    #expect(bench.leave("g", [(pending, nil)]) == [ErrorCode.none])
    #expect(bench.joined(again)?.generation == generation + 1)
    bench.sync(member: members[0], generation: generation + 1)

    let gone = try #require(bench.joined(bench.join(session: 5_000))).memberID
    let third = bench.join(member: members[0])
    bench.advance(by: 4_999)
    #expect(bench.joined(third) == nil)
    bench.advance(by: 1)
    #expect(bench.joined(third)?.generation == generation + 2)
    #expect(bench.joined(bench.join(member: gone))?.error == .unknownMemberId)
  }

  @Test("Session expiry: silence longer than the session evicts, heartbeats and commits do not let it come to that")
  func sessionExpiry() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(session: 10_000)
    bench.advance(by: 9_000)
    #expect(bench.heartbeat(member: members[0], generation: generation) == ErrorCode.none)
    let partition = TopicPartition(topic: "flights", partition: 0)
    #expect(bench.commit(member: members[1], generation: generation, [partition: 5]) == [ErrorCode.none])
    bench.advance(by: 1_000)
    #expect(bench.coordinator.groups["g"]?.members.keys.sorted() == [members[0], members[1]].sorted())
    #expect(bench.state() == .preparingRebalance)
    #expect(bench.heartbeat(member: members[2], generation: generation) == .unknownMemberId)
  }

  @Test("Whoever waits for the group is not evicted for silence")
  func waitingIsAlive() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2, session: 10_000, rebalance: 60_000)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let other = try #require(members.first { $0 != leader })
    let waiting = bench.join(member: leader)
    for _ in 0..<6 {
      bench.advance(by: 8_000)
      #expect(bench.heartbeat(member: other, generation: generation) == .rebalanceInProgress)
    }
    #expect(bench.joined(waiting) == nil)
    bench.join(member: other)
    #expect(bench.joined(waiting)?.generation == generation + 1)
    // From here the session runs again.
    bench.sync(member: leader, generation: generation + 1)
    bench.advance(by: 10_000)
    #expect(bench.coordinator.groups["g"]?.members.isEmpty == true)
  }

  @Test("Rebalance timeout: members that heartbeat but do not join again are removed")
  func rebalanceTimeout() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(session: 30_000, rebalance: 20_000)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let stubborn = try #require(members.first { $0 != leader })
    let waiting = members.filter { $0 != stubborn }.map { member in
      // The leader's join starts the rebalance.
      (member, bench.join(member: member, session: 30_000, rebalance: 20_000))
    }
    bench.advance(by: 19_999)
    #expect(bench.heartbeat(member: stubborn, generation: generation) == .rebalanceInProgress)
    #expect(waiting.allSatisfy { bench.joined($0.1) == nil })
    bench.advance(by: 1)
    #expect(waiting.allSatisfy { bench.joined($0.1)?.generation == generation + 1 })
    #expect(bench.heartbeat(member: stubborn, generation: generation) == .unknownMemberId)
  }

  @Test("A leader that does not join again is replaced by the earliest member that did")
  func leaderElection() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(session: 30_000, rebalance: 20_000)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let others = members.filter { $0 != leader }
    let changed = [GroupProtocol(name: "range", metadata: GroupHarness.subscription(["other"]))]
    let tokens = others.reversed().map {
      bench.join(member: $0, protocols: changed, session: 30_000, rebalance: 20_000)
    }
    bench.advance(by: 20_000)
    #expect(tokens.compactMap { bench.joined($0)?.leaderID } == [others[0], others[0]])
    #expect(bench.joined(tokens[1])?.members.map(\.memberID) == others)
    #expect(bench.joined(tokens[1])?.generation == generation + 1)
  }

  @Test("Sync timeout: members that know the generation and never ask for their assignment are removed")
  func syncTimeout() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2, session: 30_000, rebalance: 20_000)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let follower = try #require(members.first { $0 != leader })
    bench.join(member: leader, session: 30_000, rebalance: 20_000)
    bench.join(member: follower, session: 30_000, rebalance: 20_000)
    let waiting = bench.sync(member: follower, generation: generation + 1)
    bench.advance(by: 15_000)
    #expect(bench.heartbeat(member: leader, generation: generation + 1) == ErrorCode.none)
    bench.advance(by: 4_999)
    #expect(bench.synced(waiting) == nil)
    bench.advance(by: 1)
    #expect(bench.synced(waiting)?.error == .rebalanceInProgress)
    #expect(bench.heartbeat(member: leader, generation: generation + 1) == .unknownMemberId)
    let alone = try #require(bench.joined(bench.join(member: follower)))
    #expect(alone.generation == generation + 2)
    #expect(alone.leaderID == follower)
  }

  @Test("A new member whose first join takes too long is given up, and told")
  func newMemberJoinTimeout() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 1, session: 1_800_000, rebalance: 900_000)
    let newcomer = bench.join(session: 1_000, requiresKnownMemberID: false)
    bench.advance(by: 299_999)
    #expect(bench.joined(newcomer) == nil)
    bench.advance(by: 1)
    #expect(bench.joined(newcomer)?.error == .unknownMemberId)
    #expect(bench.joined(bench.join(member: members[0]))?.generation == generation + 1)
  }

  @Test("A member that is evicted while it waits for its assignment is told so")
  func leaveWhileSyncing() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let follower = try #require(members.first { $0 != leader })
    bench.join(member: leader)
    bench.join(member: follower)
    let waiting = bench.sync(member: follower, generation: generation + 1)
    #expect(bench.leave("g", [(follower, nil)]) == [ErrorCode.none])
    #expect(bench.synced(waiting)?.error == .unknownMemberId)
    #expect(bench.faults.isEmpty)
  }

  @Test("A rebalance timeout of zero is a deadline in the next millisecond, not an endless loop")
  func zeroRebalanceTimeout() throws {
    let bench = GroupHarness()
    let a = bench.join(instance: "s1", session: 30_000, rebalance: 0)
    #expect(bench.joined(a)?.generation == 1)
    bench.advance(by: 5)
    #expect(bench.coordinator.groups["g"]?.members.isEmpty == true, "the sync deadline passed")
    bench.advance(by: 100_000)
    #expect(bench.state() == .empty)
  }

  @Test("When the broker stops, everybody that waits is told to come back")
  func shutdown() throws {
    let bench = GroupHarness()
    let (members, _) = try bench.makeStable(count: 2)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    bench.join(member: leader)
    _ = members
    let replies = bench.coordinator.repliesToWaiting()
    #expect(Set(replies.map(\.token)) == bench.waiting)
  }
}
