import Core
import Testing

@testable import Broker

@Suite("Groups: static members (KIP-345, KIP-814)")
struct GroupStaticMemberTests {
  /// Two static members in a stable group; s1 leads.
  private func makeBench(session: Int64 = 10_000, protocols: [GroupProtocol] = [GroupHarness.range]) throws
    -> (GroupHarness, first: String, second: String, generation: Int32)
  {
    let bench = GroupHarness()
    let s1 = try #require(
      bench.joined(bench.join(instance: "s1", protocols: protocols, session: session))?.memberID)
    bench.sync(member: s1, instance: "s1", generation: 1)
    let waiting = bench.join(instance: "s2", protocols: protocols, session: session)
    bench.join(member: s1, instance: "s1", protocols: protocols, session: session)
    let s2 = try #require(bench.joined(waiting)?.memberID)
    bench.sync(member: s2, instance: "s2", generation: 2)
    bench.sync(member: s1, instance: "s1", generation: 2, assignments: [s1: [1], s2: [2]])
    #expect(bench.state() == .stable)
    return (bench, s1, s2, 2)
  }

  @Test("Restart within the session: same place, new member id, no rebalance, and the old id is fenced")
  func restartWithinSession() throws {
    let (bench, s1, s2, generation) = try makeBench()
    #expect(s2.hasPrefix("s2-"))
    bench.advance(by: 5_000)
    #expect(bench.heartbeat(member: s1, instance: "s1", generation: generation) == ErrorCode.none)
    let back = try #require(bench.joined(bench.join(instance: "s2")))
    #expect(back.error == .none)
    #expect(back.generation == generation)
    #expect(back.memberID != s2)
    #expect(back.leaderID == s1)
    #expect(back.members.isEmpty && !back.skipsAssignment)
    #expect(bench.state() == .stable)
    let sync = bench.sync(member: back.memberID, instance: "s2", generation: generation)
    #expect(bench.synced(sync)?.assignment == [2])

    #expect(bench.heartbeat(member: s2, instance: "s2", generation: generation) == .fencedInstanceId)
    #expect(bench.heartbeat(member: s2, generation: generation) == .unknownMemberId)
    let zombieJoin = bench.join(member: s2, instance: "s2")
    #expect(bench.joined(zombieJoin)?.error == .fencedInstanceId)
    let zombieSync = bench.sync(member: s2, instance: "s2", generation: generation)
    #expect(bench.synced(zombieSync)?.error == .fencedInstanceId)
    let partition = TopicPartition(topic: "flights", partition: 0)
    let zombieCommit = bench.commit(member: s2, instance: "s2", generation: generation, [partition: 1])
    #expect(zombieCommit == [.fencedInstanceId])
    #expect(bench.leave("g", [(s2, "s2")]) == [.fencedInstanceId])
    #expect(bench.state() == .stable)
  }

  @Test("The session counts from the restart: the old id's deadline means nothing any more")
  func sessionMovesOver() throws {
    let (bench, s1, _, generation) = try makeBench()
    bench.advance(by: 9_000)
    #expect(bench.heartbeat(member: s1, instance: "s1", generation: generation) == ErrorCode.none)
    let back = try #require(bench.joined(bench.join(instance: "s2"))?.memberID)
    bench.advance(by: 9_000)
    #expect(bench.heartbeat(member: s1, instance: "s1", generation: generation) == ErrorCode.none)
    #expect(bench.heartbeat(member: back, instance: "s2", generation: generation) == ErrorCode.none)
  }

  @Test("Restart after the session: it was evicted, and comes back with a rebalance")
  func restartAfterSession() throws {
    let (bench, s1, s2, generation) = try makeBench()
    for _ in 0..<2 {
      bench.advance(by: 5_000)
      _ = bench.heartbeat(member: s1, instance: "s1", generation: generation)
    }
    #expect(bench.state() == .preparingRebalance)
    #expect(bench.coordinator.groups["g"]?.staticMembers["s2"] == nil)
    #expect(bench.heartbeat(member: s2, instance: "s2", generation: generation) == .unknownMemberId)
    let back = bench.join(instance: "s2")
    #expect(bench.joined(back) == nil)
    bench.join(member: s1, instance: "s1")
    #expect(bench.joined(back)?.generation == generation + 1)
  }

  @Test("A returning leader of version 9 leads on without assigning; an older one does not know that it leads")
  func returningLeader() throws {
    let (bench, s1, _, generation) = try makeBench()
    let back = try #require(bench.joined(bench.join(instance: "s1", skips: true)))
    #expect(back.generation == generation)
    #expect(back.skipsAssignment)
    #expect(back.leaderID == back.memberID)
    #expect(back.members.count == 2)
    let older = try #require(bench.joined(bench.join(instance: "s1", skips: false)))
    #expect(older.leaderID == back.memberID)
    #expect(older.leaderID != older.memberID)
    #expect(older.members.isEmpty && !older.skipsAssignment)
    #expect(bench.coordinator.groups["g"]?.leaderID == older.memberID)
    #expect(s1 != older.memberID)
    #expect(bench.state() == .stable)
  }

  @Test("What a cooperative member owned before its restart does not matter, but its topics do")
  func changedSubscription() throws {
    func cooperative(_ topics: [String], owned: [UInt8]) -> [GroupProtocol] {
      [GroupProtocol(name: "cooperative-sticky", metadata: GroupHarness.subscription(topics, rest: owned))]
    }
    let (bench, _, _, generation) = try makeBench(protocols: cooperative(["flights"], owned: [1, 2, 3]))
    let same = bench.join(instance: "s2", protocols: cooperative(["flights"], owned: []))
    #expect(bench.joined(same)?.generation == generation)
    #expect(bench.state() == .stable)
    let other = bench.join(instance: "s2", protocols: cooperative(["flights", "weather"], owned: []))
    #expect(bench.joined(other) == nil)
    #expect(bench.state() == .preparingRebalance)
  }

  @Test("A restart that changes the group's protocol rebalances")
  func changedProtocol() throws {
    let both = ["range", "sticky"].map { GroupProtocol(name: $0, metadata: GroupHarness.subscription(["flights"])) }
    let (bench, _, _, _) = try makeBench(protocols: both)
    bench.join(instance: "s2", protocols: [both[1]])
    #expect(bench.state() == .preparingRebalance)
  }

  @Test("A restart while the assignment is awaited rebalances, and the pending sync of the old id is fenced")
  func restartWhileCompleting() throws {
    let (bench, s1, s2, generation) = try makeBench()
    bench.join(member: s1, instance: "s1")
    bench.join(member: s2, instance: "s2")
    let waiting = bench.sync(member: s2, instance: "s2", generation: generation + 1)
    let back = bench.join(instance: "s2")
    #expect(bench.synced(waiting)?.error == .fencedInstanceId)
    #expect(bench.joined(back) == nil)
    #expect(bench.state() == .preparingRebalance)
    bench.join(member: s1, instance: "s1")
    #expect(bench.joined(back)?.generation == generation + 2)
    #expect(bench.faults.isEmpty)
  }

  @Test("A restart while members join again takes the old id's place in the queue, whose join is fenced")
  func restartWhilePreparing() throws {
    let (bench, s1, s2, generation) = try makeBench()
    bench.join(member: s1, instance: "s1")
    let third = bench.join(instance: "s3")
    let old = bench.join(member: s2, instance: "s2")
    #expect(bench.joined(old)?.generation == generation + 1, "all three are there")
    #expect(bench.joined(third)?.generation == generation + 1)
    bench.join(instance: "s4")
    let waiting = bench.join(member: s2, instance: "s2")
    let back = bench.join(instance: "s2")
    #expect(bench.joined(waiting)?.error == .fencedInstanceId)
    #expect(bench.joined(waiting)?.memberID == s2)
    #expect(bench.joined(back) == nil)
    #expect(bench.coordinator.groups["g"]?.members.count == 4)
  }

  @Test("An absent static member keeps its place at the rebalance timeout; its session ends it")
  func absentStaticMember() throws {
    let (bench, s1, s2, generation) = try makeBench(session: 30_000)
    let waiting = bench.join(member: s1, instance: "s1", session: 30_000, rebalance: 20_000)
    bench.advance(by: 29_999)
    #expect(bench.joined(waiting) == nil)
    bench.advance(by: 1)
    #expect(bench.joined(waiting)?.generation == generation + 1)
    #expect(bench.coordinator.groups["g"]?.members[s2] == nil)

    let (kept, k1, k2, _) = try makeBench(session: 90_000)
    let leader = kept.join(member: k1, instance: "s1", session: 90_000, rebalance: 20_000)
    kept.advance(by: 60_000)
    #expect(kept.joined(leader)?.generation == generation + 1)
    #expect(kept.joined(leader)?.members.map(\.memberID) == [k1, k2])
  }

  @Test("An unknown instance id with a member id has to start over")
  func unknownInstance() throws {
    let (bench, s1, _, generation) = try makeBench()
    #expect(bench.joined(bench.join(member: s1, instance: "s9"))?.error == .unknownMemberId)
    #expect(bench.heartbeat(member: s1, instance: "s9", generation: generation) == .unknownMemberId)
  }
}
