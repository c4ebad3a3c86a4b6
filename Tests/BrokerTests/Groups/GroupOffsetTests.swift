import Core
import Testing

@testable import Broker

@Suite("Groups: committed and staged offsets")
struct GroupOffsetTests {
  private let p0 = TopicPartition(topic: "flights", partition: 0)
  private let p1 = TopicPartition(topic: "flights", partition: 1)
  private let other = TopicPartition(topic: "weather", partition: 0)

  @Test("A consumer without membership commits to a group that has no members, known or not")
  func simpleConsumer() {
    let bench = GroupHarness()
    #expect(bench.commit([p0: 17]) == [ErrorCode.none])
    #expect(bench.offset(p0) == 17)
    #expect(bench.offset(p1) == -1)
    #expect(bench.commit([p0: 18]) == [ErrorCode.none])
    #expect(bench.offset(p0) == 18)
    #expect(bench.coordinator.listGroups().map(\.groupID) == ["g"])
    #expect(bench.coordinator.listGroups().map(\.state) == [.empty])
    #expect(bench.commit(group: "absent", generation: 3, [p0: 1]) == [.illegalGeneration])
    #expect(bench.commit(group: "absent", member: "m", [p0: 1]) == [.unknownMemberId])
    #expect(bench.state("absent") == .dead)
  }

  @Test("In a group with members only its members commit, with their generation")
  func members() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    #expect(bench.commit([p0: 1]) == [.unknownMemberId])
    #expect(bench.commit(member: members[0], generation: generation - 1, [p0: 1]) == [.illegalGeneration])
    #expect(bench.commit(member: members[0], generation: -1, [p0: 1]) == [.illegalGeneration])
    #expect(bench.commit(member: "stranger", generation: generation, [p0: 1]) == [.unknownMemberId])
    #expect(bench.commit(member: members[0], generation: generation, [p0: 5, p1: 6]) == [.none, .none])
    #expect(bench.offset(p1) == 6)

    let leader = try #require(bench.coordinator.groups["g"]?.leaderID)
    let follower = try #require(members.first { $0 != leader })
    bench.join(member: leader)
    #expect(bench.state() == .preparingRebalance)
    #expect(bench.commit(member: follower, generation: generation, [p0: 7]) == [ErrorCode.none], "before it gives up")
    bench.join(member: follower)
    #expect(bench.state() == .completingRebalance)
    #expect(bench.commit(member: follower, generation: generation, [p0: 8]) == [.illegalGeneration])
    #expect(bench.commit(member: follower, generation: generation + 1, [p0: 8]) == [.rebalanceInProgress])
    #expect(bench.offset(p0) == 7)
  }

  @Test("Metadata has a limit in bytes, per partition")
  func metadataLimit() {
    let bench = GroupHarness()
    #expect(bench.commit([p0: 1], metadata: String(repeating: "é", count: 2_048)) == [ErrorCode.none])
    #expect(bench.commit([p0: 2], metadata: String(repeating: "x", count: 4_097)) == [.offsetMetadataTooLarge])
    #expect(bench.offset(p0) == 1)
    #expect(bench.coordinator.fetchOffsets(of: "g", nil, requireStable: false).first?.metadata.utf8.count == 4_096)
  }

  @Test("Staged offsets vanish with an abort, and the committed value was never touched")
  func abort() {
    let bench = GroupHarness()
    _ = bench.commit([p0: 10])
    #expect(bench.commit([p0: 20, p1: 30], producerID: 7) == [.none, .none])
    #expect(bench.offset(p0) == 10)
    #expect(bench.offset(p1) == -1)
    #expect(bench.offsetError(p0) == .unstableOffsetCommit)
    #expect(bench.offsetError(p1) == .unstableOffsetCommit)
    let all = bench.coordinator.fetchOffsets(of: "g", nil, requireStable: true)
    #expect(all.map(\.partition) == [p0, p1])
    #expect(all.map(\.error) == [.unstableOffsetCommit, .unstableOffsetCommit])
    #expect(bench.coordinator.fetchOffsets(of: "g", nil, requireStable: false).map(\.offset) == [10])
    bench.endTransaction(7, isCommitted: false)
    #expect(bench.offset(p0, stable: true) == 10)
    #expect(bench.offset(p1, stable: true) == -1)
    #expect(bench.offsetError(p1) == ErrorCode.none)
  }

  @Test("A commit makes staged offsets the committed ones, in all groups of the transaction, once")
  func commit() {
    let bench = GroupHarness()
    _ = bench.commit([p0: 10])
    _ = bench.commit([p0: 20], producerID: 7)
    _ = bench.commit([p0: 21], producerID: 7)
    _ = bench.commit(group: "h", [p1: 30], producerID: 7)
    _ = bench.commit(group: "h", [p1: 99], producerID: 8)
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(p0, stable: true) == 21)
    #expect(bench.offset(group: "h", p1) == 30)
    #expect(bench.offsetError(group: "h", p1) == .unstableOffsetCommit, "producer 8 is still open")
    _ = bench.commit([p0: 22])
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(p0) == 22, "a repeated completion changes nothing")
  }

  @Test("A plain commit after the staging is the later one and stays")
  func laterCommitWins() {
    let bench = GroupHarness()
    _ = bench.commit([p0: 20, p1: 20], producerID: 7)
    _ = bench.commit([p0: 50])
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(p0) == 50)
    #expect(bench.offset(p1) == 20)
  }

  @Test("TxnOffsetCommit names its member from version 3 on, and a zombie's is refused (KIP-447)")
  func transactionalFencing() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 2)
    let known = bench.commit(member: members[0], generation: generation, [p0: 1], producerID: 7)
    #expect(known == [ErrorCode.none])
    #expect(
      bench.commit(member: members[0], generation: generation - 1, [p0: 2], producerID: 7) == [.illegalGeneration])
    #expect(bench.commit(member: "zombie", generation: generation, [p0: 2], producerID: 7) == [.unknownMemberId])
    #expect(bench.commit([p0: 3], producerID: 7) == [ErrorCode.none], "versions before 3 cannot say")
    #expect(bench.commit(group: "absent", generation: 1, [p0: 2], producerID: 7) == [.illegalGeneration])
    #expect(bench.commit(group: "absent", [p0: 2], producerID: 7) == [ErrorCode.none])
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(p0) == 3)
    #expect(bench.offset(group: "absent", p0) == 2)
  }

  @Test("A static member's zombie is fenced in both kinds of commit")
  func staticFencing() throws {
    let bench = GroupHarness()
    let old = try #require(bench.joined(bench.join(instance: "s"))?.memberID)
    bench.sync(member: old, instance: "s", generation: 1)
    let new = try #require(bench.joined(bench.join(instance: "s"))?.memberID)
    #expect(bench.commit(member: old, instance: "s", generation: 1, [p0: 1]) == [.fencedInstanceId])
    #expect(bench.commit(member: old, instance: "s", generation: 1, [p0: 1], producerID: 7) == [.fencedInstanceId])
    #expect(bench.commit(member: new, instance: "s", generation: 1, [p0: 1], producerID: 7) == [ErrorCode.none])
  }

  @Test("Groups with members are not deleted; a deleted one takes its offsets, staged ones too, along")
  func deleteGroups() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 1)
    _ = bench.commit(group: "simple", [p0: 1])
    _ = bench.commit(group: "simple", [p0: 2], producerID: 7)
    let token = bench.issueToken()
    bench.settle(bench.coordinator.deleteGroups(["g", "simple", "simple", "absent"], token: token))
    #expect(
      bench.answers[token]
        == .deleteGroups(token, [.nonEmptyGroup, .none, .groupIdNotFound, .groupIdNotFound]))
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(group: "simple", p0) == -1)
    #expect(bench.coordinator.listGroups().map(\.groupID) == ["g"])

    _ = bench.commit(member: members[0], generation: generation, [p0: 1])
    _ = bench.leave("g", [(members[0], nil)])
    let second = bench.issueToken()
    bench.settle(bench.coordinator.deleteGroups(["g"], token: second))
    #expect(bench.coordinator.listGroups().isEmpty)
    #expect(GroupHarness.replay(bench.journal).listGroups().isEmpty)
  }

  @Test("OffsetDelete spares topics that a member reads (KIP-496)")
  func deleteOffsets() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable(count: 1)
    _ = bench.commit(member: members[0], generation: generation, [p0: 1, other: 2])
    func delete(_ groupID: String, _ partitions: [TopicPartition]) -> OffsetDeleteReply? {
      let token = bench.issueToken()
      bench.settle(
        bench.coordinator.deleteOffsets(
          of: groupID, partitions, token: token, nowMilliseconds: bench.nowMilliseconds))
      guard case .offsetDelete(_, let reply) = bench.answers[token] else { return nil }
      return reply
    }
    #expect(delete("absent", [p0]) == OffsetDeleteReply(error: .groupIdNotFound, partitions: []))
    let spared = delete("g", [p0, other])
    #expect(spared == OffsetDeleteReply(error: .none, partitions: [.groupSubscribedToTopic, .none]))
    #expect(bench.offset(p0) == 1)
    #expect(bench.offset(other) == -1)
    _ = bench.leave("g", [(members[0], nil)])
    #expect(delete("g", [p0])?.partitions == [ErrorCode.none])
    #expect(bench.offset(p0) == -1)

    bench.join("connect", type: "connect", requiresKnownMemberID: false)
    #expect(delete("connect", [p0])?.error == .nonEmptyGroup)
  }

  @Test("Metadata that is no consumer subscription counts as reading everything")
  func unreadableSubscription() throws {
    #expect(ConsumerSubscription([]) == nil)
    #expect(ConsumerSubscription([0, 0, 0xff, 0xff, 0xff, 0xff]) == nil)
    #expect(ConsumerSubscription([0, 0, 0x7f, 0xff, 0xff, 0xff]) == nil)
    #expect(ConsumerSubscription([0, 0, 0, 0, 0, 1, 0, 9, 65]) == nil)
    #expect(ConsumerSubscription([0, 0, 0, 0, 0, 1, 0, 1, 0xff]) == nil)
    #expect(ConsumerSubscription(GroupHarness.subscription(["a", "b"], rest: [1, 2]))?.topics == ["a", "b"])
    let bench = GroupHarness()
    bench.join(protocols: [GroupProtocol(name: "range", metadata: [9])], requiresKnownMemberID: false)
    #expect(bench.coordinator.groups["g"]?.isSubscribed(to: "anything") == true)
  }

  @Test("A deleted topic takes every group's position along, and nothing else")
  func topicDeletion() {
    let bench = GroupHarness()
    _ = bench.commit([p0: 1, other: 2])
    _ = bench.commit(group: "only", [p0: 1])
    _ = bench.commit(group: "staged", [p0: 5, other: 6], producerID: 7)
    bench.settle(bench.coordinator.topicDeleted("flights"))
    #expect(bench.offset(p0) == -1)
    #expect(bench.offset(other) == 2)
    #expect(!bench.coordinator.offsets.hasOffsets(of: "only"))
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(group: "staged", p0) == -1)
    #expect(bench.offset(group: "staged", other) == 6)
  }

  @Test("Offsets are kept for ever by default; with a retention, a group without members loses what is too old")
  func retention() throws {
    let forever = GroupHarness()
    _ = forever.commit([p0: 1])
    forever.advance(by: 10 * 365 * 86_400_000)
    #expect(forever.offset(p0) == 1)

    let bench = GroupHarness(
      GroupConfiguration(offsetsRetentionMilliseconds: 3_600_000, offsetsRetentionCheckMilliseconds: 60_000))
    bench.advance(by: 0)
    let (members, generation) = try bench.makeStable(count: 1, session: 1_800_000)
    _ = bench.commit(member: members[0], generation: generation, [p0: 1])
    _ = bench.commit(group: "simple", [p0: 1])
    _ = bench.commit(group: "staged", [p1: 1], producerID: 7)
    bench.advance(by: 1_700_000)
    _ = bench.heartbeat(member: members[0], generation: generation)
    _ = bench.commit(group: "simple", [p1: 1])
    bench.advance(by: 1_700_000)
    _ = bench.heartbeat(member: members[0], generation: generation)
    bench.advance(by: 300_000)
    #expect(bench.offset(group: "simple", p0) == -1, "an hour after its commit")
    #expect(bench.offset(group: "simple", p1) == 1)
    #expect(bench.offset(p0) == 1, "its group has a member")
    #expect(bench.offsetError(group: "staged", p1) == .unstableOffsetCommit, "a transaction decides first")
    _ = bench.leave("g", [(members[0], nil)])
    bench.advance(by: 3_500_000)
    #expect(bench.offset(p0) == 1, "an hour after its last member")
    bench.advance(by: 200_000)
    #expect(bench.coordinator.listGroups().map(\.groupID) == ["staged"])
  }

  @Test("After a restart members are unknown, the generation goes on, offsets are there")
  func restart() throws {
    let bench = GroupHarness()
    let (members, generation) = try bench.makeStable()
    _ = bench.commit(member: members[0], generation: generation, [p0: 42])
    _ = bench.commit(member: members[0], generation: generation, [p0: 43], producerID: 7)
    bench.restart(seed: 2)
    #expect(bench.state() == .empty)
    #expect(bench.coordinator.listGroups().first?.protocolType == "consumer")
    #expect(bench.heartbeat(member: members[0], generation: generation) == .unknownMemberId)
    #expect(bench.commit(member: members[0], generation: generation, [p0: 1]) == [.unknownMemberId])
    #expect(bench.commit(member: members[0], generation: generation, [p0: 1], producerID: 8) == [.unknownMemberId])
    #expect(bench.joined(bench.join(member: members[0]))?.error == .unknownMemberId)
    #expect(bench.offset(p0) == 42)
    #expect(bench.offsetError(p0) == .unstableOffsetCommit)
    let back = try bench.joinDynamic()
    #expect(bench.joined(back.token)?.generation == generation + 1)
    bench.endTransaction(7, isCommitted: true)
    #expect(bench.offset(p0) == 43)
  }

  @Test("When the journal refuses, nothing happened, and clients are told to try again")
  func fullDisk() throws {
    let bench = GroupHarness()
    _ = bench.commit([p0: 1])
    bench.isJournalRefusing = true
    #expect(bench.commit([p0: 2]) == [.coordinatorNotAvailable])
    #expect(bench.commit([p0: 2], metadata: String(repeating: "x", count: 5_000)) == [.offsetMetadataTooLarge])
    #expect(bench.offset(p0) == 1)
    let pending = try #require(bench.joined(bench.join("j"))?.memberID)
    let refused = try #require(bench.joined(bench.join("j", member: pending)))
    #expect(refused == JoinReply(error: .coordinatorNotAvailable, memberID: pending))
    let again = try #require(bench.joined(bench.join("j", member: pending)))
    #expect(again.error == .coordinatorNotAvailable)
    bench.isJournalRefusing = false
    let joined = try #require(bench.joined(bench.join("j", member: pending)))
    #expect(joined.error == .none)
    #expect(joined.generation == 1)
    #expect(joined.members.map(\.memberID) == [pending])
    #expect(bench.coordinator.generations["j"]?.number == 1)
  }

  @Test("Describe and list")
  func describe() throws {
    let bench = GroupHarness()
    let (members, _) = try bench.makeStable(count: 2)
    let description = bench.coordinator.describe("g")
    #expect(description.protocolName == "range")
    #expect(description.members.map(\.memberID) == members)
    #expect(description.members.map(\.assignment) == [[0], [1]])
    #expect(description.members.first?.metadata == GroupHarness.range.metadata)
    #expect(description.members.first?.clientHost == "/127.0.0.1")
    bench.join(member: try #require(bench.coordinator.groups["g"]?.leaderID))
    #expect(bench.coordinator.describe("g").protocolName.isEmpty)
    #expect(bench.coordinator.describe("g").members.allSatisfy { $0.metadata.isEmpty && $0.assignment.isEmpty })
    #expect(bench.coordinator.describe("absent").overview.state == .dead)
  }
}
