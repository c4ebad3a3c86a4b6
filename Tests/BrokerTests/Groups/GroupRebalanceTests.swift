import Core
import Testing

@testable import Broker

@Suite("Groups: rebalances")
struct GroupRebalanceTests {
  @Test("A dynamic member's first join gives it an id, the second one brings it in (KIP-394)")
  func memberIDRequired() throws {
    let bench = GroupHarness()
    let first = try #require(bench.joined(bench.join(client: "reader")))
    #expect(first.error == .memberIdRequired)
    #expect(first.memberID.hasPrefix("reader-"))
    #expect(first.memberID.utf8.count == "reader-".utf8.count + 36)
    let second = try #require(bench.joined(bench.join(member: first.memberID)))
    #expect(second.error == .none)
    #expect(second.generation == 1)
    #expect(second.leaderID == first.memberID)
    #expect(second.protocolName == "range")
    #expect(second.members.map(\.memberID) == [first.memberID])
    #expect(bench.state() == .completingRebalance)
  }

  @Test("Versions before 4 get in with their first join")
  func oldVersionJoins() throws {
    let bench = GroupHarness()
    let reply = try #require(bench.joined(bench.join(requiresKnownMemberID: false)))
    #expect(reply.error == .none)
    #expect(reply.generation == 1)
  }

  @Test("Three members, eager: each newcomer makes everybody join again, and each gets the leader's assignment")
  func threeMembersEager() throws {
    let bench = GroupHarness()
    let a = try bench.joinDynamic()
    #expect(bench.joined(a.token)?.generation == 1)
    #expect(bench.synced(bench.sync(member: a.id, generation: 1, assignments: [a.id: [1]]))?.assignment == [1])

    let b = try bench.joinDynamic()
    #expect(bench.joined(b.token) == nil, "waits for A")
    #expect(bench.state() == .preparingRebalance)
    #expect(bench.heartbeat(member: a.id, generation: 1) == .rebalanceInProgress)
    let c = try bench.joinDynamic()
    let again = bench.join(member: a.id)
    let replies = try [again, b.token, c.token].map { try #require(bench.joined($0)) }
    #expect(replies.map(\.generation) == [2, 2, 2])
    #expect(replies.map(\.leaderID) == [a.id, a.id, a.id])
    #expect(replies.map(\.members.count) == [3, 0, 0])
    #expect(replies[0].members.map(\.memberID) == [a.id, b.id, c.id])

    let early = bench.sync(member: b.id, generation: 2, type: "consumer", name: "range")
    #expect(bench.synced(early) == nil, "waits for the leader")
    #expect(bench.heartbeat(member: c.id, generation: 2) == ErrorCode.none)
    let leader = bench.sync(member: a.id, generation: 2, assignments: [a.id: [1], b.id: [2]])
    #expect(bench.synced(leader)?.assignment == [1])
    #expect(bench.synced(early)?.assignment == [2])
    #expect(bench.synced(early)?.protocolName == "range")
    #expect(bench.synced(bench.sync(member: c.id, generation: 2))?.assignment == [], "left out by the leader")
    #expect(bench.state() == .stable)
    #expect(bench.heartbeat(member: c.id, generation: 2) == ErrorCode.none)
    #expect(bench.faults.isEmpty)
  }

  @Test("Cooperative: members join again on their own with what they own, and the leader assigns in two steps")
  func threeMembersCooperative() throws {
    func cooperative(owning owned: UInt8...) -> [GroupProtocol] {
      [
        GroupProtocol(
          name: "cooperative-sticky", metadata: GroupHarness.subscription(["flights"], rest: [0, 0, 0, 0] + owned))
      ]
    }
    let bench = GroupHarness()
    let a = try bench.joinDynamic(protocols: cooperative())
    bench.sync(member: a.id, generation: 1, assignments: [a.id: [1, 2]])
    let b = try bench.joinDynamic(protocols: cooperative())
    let aAgain = bench.join(member: a.id, protocols: cooperative(owning: 1, 2))
    #expect(bench.joined(aAgain)?.generation == 2)
    #expect(bench.joined(aAgain)?.members.first?.metadata.suffix(2) == [1, 2])
    // First step: the leader takes partition 2 away from itself; B gets nothing yet.
    bench.sync(member: b.id, generation: 2)
    bench.sync(member: a.id, generation: 2, assignments: [a.id: [1], b.id: []])
    #expect(bench.state() == .stable)
    // Second step: having given it up, A joins again with changed metadata and B may have it.
    let aThird = bench.join(member: a.id, protocols: cooperative(owning: 1))
    #expect(bench.state() == .preparingRebalance)
    #expect(bench.heartbeat(member: b.id, generation: 2) == .rebalanceInProgress)
    let bThird = bench.join(member: b.id, protocols: cooperative())
    #expect(bench.joined(aThird)?.generation == 3)
    #expect(bench.joined(bThird)?.generation == 3)
    let bSync = bench.sync(member: b.id, generation: 3)
    bench.sync(member: a.id, generation: 3, assignments: [a.id: [1], b.id: [2]])
    #expect(bench.synced(bSync)?.assignment == [2])
  }

  @Test("In a stable group a follower with equal metadata is told the generation; a leader, or a change, rebalances")
  func stableRejoin() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable()
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let followers = members.filter { $0 != leader }
    let same = try #require(bench.joined(bench.join(member: followers[0])))
    #expect(same.generation == generation)
    #expect(same.members.isEmpty)
    #expect(bench.state() == .stable)

    bench.join(member: leader)
    #expect(bench.state() == .preparingRebalance)
    for follower in followers { bench.join(member: follower) }
    #expect(bench.coordinator.groups["g"]?.generation == generation + 1)
    bench.sync(member: leader, generation: generation + 1)
    for follower in followers { bench.sync(member: follower, generation: generation + 1) }
    #expect(bench.state() == .stable)

    let changed = GroupProtocol(name: "range", metadata: GroupHarness.subscription(["flights", "weather"]))
    bench.join(member: followers[0], protocols: [changed])
    #expect(bench.state() == .preparingRebalance)
  }

  @Test("Whom the leader leaves out has nothing, also if it had something in the generation before")
  func leftOut() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let follower = try #require(members.first { $0 != leader })
    bench.join(member: leader)
    bench.join(member: follower)
    bench.sync(member: leader, generation: generation + 1, assignments: [leader: [7]])
    #expect(bench.synced(bench.sync(member: follower, generation: generation + 1))?.assignment == [])
  }

  @Test("A lost JoinGroup answer is given again, to the leader with all members")
  func repeatedJoinWhileCompleting() throws {
    let bench = GroupHarness()
    let a = try bench.joinDynamic()
    let again = try #require(bench.joined(bench.join(member: a.id)))
    #expect(again == bench.joined(a.token))
    #expect(bench.state() == .completingRebalance)
  }

  @Test("A second request of the same member releases the first one")
  func replacedRequests() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let follower = try #require(members.first { $0 != leader })
    let lost = bench.join(member: leader)
    let kept = bench.join(member: leader)
    #expect(bench.joined(lost)?.error == .rebalanceInProgress)
    bench.join(member: follower)
    #expect(bench.joined(kept)?.generation == generation + 1)
    let lostSync = bench.sync(member: follower, generation: generation + 1)
    let keptSync = bench.sync(member: follower, generation: generation + 1)
    #expect(bench.synced(lostSync)?.error == .rebalanceInProgress)
    bench.sync(member: leader, generation: generation + 1, assignments: [follower: [9]])
    #expect(bench.synced(keptSync)?.assignment == [9])
    #expect(bench.waiting.isEmpty && bench.faults.isEmpty)
  }

  @Test("A join while others wait for the assignment makes them join again")
  func joinWhileCompleting() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let follower = try #require(members.first { $0 != leader })
    bench.join(member: leader)
    bench.join(member: follower)
    let sync = bench.sync(member: follower, generation: generation + 1)
    let newcomer = try bench.joinDynamic()
    #expect(bench.synced(sync)?.error == .rebalanceInProgress)
    #expect(bench.synced(bench.sync(member: leader, generation: generation + 1))?.error == .rebalanceInProgress)
    bench.join(member: leader)
    bench.join(member: follower)
    #expect(bench.joined(newcomer.token)?.generation == generation + 2)
  }

  @Test("The protocol is one that all know; of those the one with most votes")
  func protocolVotes() throws {
    func protocols(_ names: String...) -> [GroupProtocol] { names.map { GroupProtocol(name: $0, metadata: []) } }
    let bench = GroupHarness()
    let a = try bench.joinDynamic(protocols: protocols("range", "roundrobin", "sticky"))
    bench.join(protocols: protocols("sticky", "roundrobin"), requiresKnownMemberID: false)
    bench.join(protocols: protocols("sticky", "roundrobin", "other"), requiresKnownMemberID: false)
    let again = bench.join(member: a.id, protocols: protocols("range", "roundrobin", "sticky"))
    #expect(bench.joined(again)?.protocolName == "sticky")
    let refused = bench.join(protocols: protocols("range"), requiresKnownMemberID: false)
    #expect(bench.joined(refused)?.error == .inconsistentGroupProtocol)
    let connect = bench.join(protocols: protocols("sticky"), type: "connect", requiresKnownMemberID: false)
    #expect(bench.joined(connect)?.error == .inconsistentGroupProtocol)
    #expect(bench.joined(bench.join("new", protocols: []))?.error == .inconsistentGroupProtocol)
    #expect(bench.coordinator.groups["new"] == nil, "a refused join leaves no group behind")
  }

  @Test("A protocol that is named twice counts once")
  func duplicateProtocols() throws {
    let bench = GroupHarness()
    let twice = [GroupHarness.range, GroupHarness.range]
    let a = try bench.joinDynamic(protocols: twice)
    #expect(bench.joined(a.token)?.generation == 1)
    let b = try bench.joinDynamic()
    bench.join(member: a.id, protocols: twice)
    #expect(bench.joined(b.token)?.generation == 2)
  }

  @Test("An empty group waits for the initial delay, and longer while members keep coming")
  func initialDelay() throws {
    let bench = GroupHarness(GroupConfiguration(initialRebalanceDelayMilliseconds: 3_000))
    let a = try bench.joinDynamic(rebalance: 7_000)
    bench.advance(by: 2_999)
    #expect(bench.joined(a.token) == nil)
    let b = try bench.joinDynamic(rebalance: 7_000)
    bench.advance(by: 1)
    #expect(bench.joined(a.token) == nil, "B came within the delay")
    bench.advance(by: 2_000)
    let c = try bench.joinDynamic(rebalance: 7_000)
    bench.advance(by: 1_999)
    #expect(bench.joined(a.token) == nil, "C came as well, but 7 s is the end")
    bench.advance(by: 1)
    #expect([a, b, c].map { bench.joined($0.token)?.generation } == [1, 1, 1])
  }

  @Test("Session timeouts have bounds; a group has an id")
  func bounds() {
    let bench = GroupHarness()
    #expect(bench.joined(bench.join(session: 999))?.error == .invalidSessionTimeout)
    #expect(bench.joined(bench.join(session: 1_800_001))?.error == .invalidSessionTimeout)
    #expect(bench.joined(bench.join(session: 1_000))?.error == .memberIdRequired)
    #expect(bench.joined(bench.join(""))?.error == .invalidGroupId)
    #expect(bench.joined(bench.join(member: "stranger"))?.error == .unknownMemberId)
    #expect(bench.joined(bench.join("absent", member: "stranger"))?.error == .unknownMemberId)
    #expect(bench.heartbeat("absent", member: "x", generation: 1) == .unknownMemberId)
    #expect(bench.synced(bench.sync("absent", member: "x", generation: 1))?.error == .unknownMemberId)
    #expect(bench.leave("absent", [("x", nil)]) == [.unknownMemberId])
  }

  @Test("A full group turns newcomers away, keeps its members, and lets a static member come back")
  func groupMaximumSize() throws {
    let bench = GroupHarness(GroupConfiguration(membersMaximum: 2))
    let a = try bench.joinDynamic()
    let s = bench.join(instance: "s1")
    bench.join(member: a.id)
    #expect(bench.joined(s)?.generation == 2)
    #expect(bench.joined(bench.join())?.error == .groupMaxSizeReached)
    #expect(bench.joined(bench.join(instance: "s2"))?.error == .groupMaxSizeReached)
    let back = bench.join(instance: "s1")
    bench.join(member: a.id)
    #expect(bench.joined(back)?.error == ErrorCode.none)
  }

  @Test("In a rebalance the places go to the first; who joins again too late is turned away")
  func groupMaximumSizeWhilePreparing() throws {
    let bench = GroupHarness(GroupConfiguration(membersMaximum: 2))
    let (members, _) = try bench.makeStable(count: 2)
    bench.join(member: members[0])
    let newcomer = bench.join(requiresKnownMemberID: false)
    #expect(bench.joined(newcomer) == nil)
    let late = try #require(bench.joined(bench.join(member: members[1])))
    #expect(late.error == .groupMaxSizeReached)
    #expect(bench.joined(newcomer)?.generation ?? 0 > 0)
    #expect(bench.waiting.isEmpty && bench.faults.isEmpty)
  }

  @Test("SyncGroup and Heartbeat check member, generation and protocol")
  func checks() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    #expect(bench.heartbeat(member: members[0], generation: generation - 1) == .illegalGeneration)
    #expect(bench.heartbeat(member: "stranger", generation: generation) == .unknownMemberId)
    #expect(bench.synced(bench.sync(member: members[0], generation: 99))?.error == .illegalGeneration)
    #expect(bench.synced(bench.sync(member: "x", generation: generation))?.error == .unknownMemberId)
    let wrongType = bench.sync(member: members[0], generation: generation, type: "connect")
    #expect(bench.synced(wrongType)?.error == .inconsistentGroupProtocol)
    let wrongName = bench.sync(member: members[0], generation: generation, name: "sticky")
    #expect(bench.synced(wrongName)?.error == .inconsistentGroupProtocol)
  }
}
