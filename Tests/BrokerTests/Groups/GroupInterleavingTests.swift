import Core
import Testing

@testable import Broker

/// Many clients, some of them zombies, in an order that a seed decides; the broker restarts, its disk fills up, and
/// time jumps. What must hold is checked after every step.
@Suite("Groups: random interleavings")
struct GroupInterleavingTests {
  @Test("Every token is answered once, generations grow, assignments arrive", arguments: 0..<40 as Range<UInt64>)
  func dynamicAndStatic(_ seed: UInt64) {
    var scenario = GroupScenario(seed: seed)
    for step in 0..<600 {
      scenario.step()
      guard scenario.faults.isEmpty else { break }
      scenario.checkState()
      if step % 50 == 0 { scenario.checkJournal() }
    }
    scenario.finish()
    #expect(scenario.faults.isEmpty, "seed \(seed)")
  }
}

/// One client process: what it was told, and nothing else.
private struct ScenarioClient {
  var groupID: String
  var instanceID: String?
  var memberID = ""
  var generation: Int32 = -1
  var isLeader = false
  var members: [JoinReply.Member] = []
  var joinToken: ReplyToken?
  var syncToken: ReplyToken?
  var hasAssignment = false
  /// Its instance id belongs to another process now: it stops, as a fenced client does.
  var isFenced = false

  var isWaiting: Bool { joinToken != nil || syncToken != nil }

  /// It is told that it is not a member (any more): it starts over, as all clients do.
  mutating func forgetMembership() {
    memberID = ""
    generation = -1
    hasAssignment = false
  }
}

private struct GroupScenario {
  private struct GenerationKey: Hashable {
    var groupID: String
    var generation: Int32
  }

  private let seed: UInt64
  private var random: ScenarioRandom
  private let bench: GroupHarness
  private var clients: [ScenarioClient] = []
  /// What the leader of a generation assigned, by instance id or member id.
  private var assigned: [GenerationKey: [String: [UInt8]]] = [:]
  private var protocolNames: [GenerationKey: String] = [:]
  private var greatestGeneration: [String: Int32] = [:]
  /// What the syncs that wait asked for.
  private var syncs: [ReplyToken: (key: GenerationKey, name: String)] = [:]
  private var seenAnswers: Set<ReplyToken> = []
  private(set) var faults: [String] = []
  private var restarts: UInt64 = 0

  init(seed: UInt64) {
    self.seed = seed
    random = ScenarioRandom(seed: seed)
    bench = GroupHarness(
      GroupConfiguration(initialRebalanceDelayMilliseconds: seed % 3 == 0 ? 500 : 0, membersMaximum: 6), seed: seed)
    for groupID in ["g", "h"] {
      clients += (0..<4).map { _ in ScenarioClient(groupID: groupID) }
      // Two processes per instance id: one of them is a zombie sooner or later.
      clients += ["s1", "s1", "s2", "s2"].map { ScenarioClient(groupID: groupID, instanceID: $0) }
    }
  }

  mutating func step() {
    switch random.below(200) {
    case 0: bench.advance(by: Int64(random.below(20_000)))
    case 1..<30: bench.advance(by: Int64(random.below(400)))
    case 30: bench.isJournalRefusing.toggle()
    case 31 where random.chance(1, in: 3): restart()
    case 32..<170: behave(random.below(clients.count))
    default: misbehave(random.below(clients.count))
    }
    if bench.isJournalRefusing, random.chance(1, in: 5) { bench.isJournalRefusing = false }
    readAnswers()
  }

  // MARK: Clients

  /// What a client's state asks for.
  private mutating func behave(_ index: Int) {
    let client = clients[index]
    if client.isWaiting || client.isFenced { return }
    if client.generation < 0 { return join(index) }
    if !client.hasAssignment { return sync(index) }
    if random.chance(1, in: 3) { return commit(client) }
    heartbeat(index)
  }

  private mutating func heartbeat(_ index: Int) {
    let client = clients[index]
    let error = bench.heartbeat(
      client.groupID, member: client.memberID, instance: client.instanceID, generation: client.generation)
    if error == .rebalanceInProgress || error == .illegalGeneration { clients[index].generation = -1 }
    if error == .unknownMemberId { clients[index].forgetMembership() }
    if error == .fencedInstanceId { clients[index].isFenced = true }
  }

  /// What no client should do, or only does when it was killed, or hears nothing and asks again.
  private mutating func misbehave(_ index: Int) {
    let client = clients[index]
    switch random.below(12) {
    case 0..<3: join(index)
    case 3..<6: sync(index)
    case 6..<8: heartbeat(index)
    case 8: commit(client)
    case 9:
      _ = bench.leave(client.groupID, [(client.memberID, client.instanceID)])
      clients[index].forgetMembership()
    case 10: clients[index].memberID = clients.filter { $0.groupID == client.groupID }[random.below(8)].memberID
    default:
      // The process is killed, and a new one has its place.
      clients[index] = ScenarioClient(groupID: client.groupID, instanceID: client.instanceID)
    }
  }

  private mutating func join(_ index: Int) {
    let client = clients[index]
    clients[index].hasAssignment = false
    let topics = random.chance(1, in: 8) ? ["flights", "weather"] : ["flights"]
    let metadata = GroupHarness.subscription(topics, rest: [UInt8(random.below(2))])
    let names = random.pick([["range", "sticky"], ["sticky", "range"], ["sticky", "other"]]) ?? []
    clients[index].joinToken = bench.join(
      client.groupID, member: client.memberID, instance: client.instanceID,
      protocols: names.map { GroupProtocol(name: $0, metadata: metadata) },
      session: Int64(2_000 + random.below(4) * 2_000), rebalance: Int64(random.below(5) * 2_500),
      requiresKnownMemberID: random.chance(4, in: 5), skips: random.chance(1, in: 2))
  }

  private mutating func sync(_ index: Int) {
    let client = clients[index]
    guard client.generation >= 0 else { return }
    let key = GenerationKey(groupID: client.groupID, generation: client.generation)
    let instanceID = bench.coordinator.groups[client.groupID]?.members[client.memberID]?.instanceID
    var assignments: [String: [UInt8]] = [:]
    if client.isLeader {
      for member in client.members where random.chance(9, in: 10) {
        assignments[member.memberID] = [UInt8(random.below(256)), UInt8(random.below(256))]
      }
    }
    // The first sync of the leader counts.
    if let group = bench.coordinator.groups[client.groupID], group.state == .completingRebalance,
      group.generation == client.generation, group.leaderID == client.memberID,
      group.error(of: client.memberID, instanceID: client.instanceID) == nil
    {
      var named: [String: [UInt8]] = [:]
      for member in group.members.values { named[member.instanceID ?? member.id] = assignments[member.id] ?? [] }
      assigned[key] = named
    }
    let before = bench.issued
    clients[index].syncToken = bench.sync(
      client.groupID, member: client.memberID, instance: client.instanceID, generation: client.generation,
      assignments: assignments)
    for token in bench.issued.subtracting(before) { syncs[token] = (key, instanceID ?? client.memberID) }
  }

  private func commit(_ client: ScenarioClient) {
    let partition = TopicPartition(topic: "flights", partition: 0)
    let codes = bench.commit(
      group: client.groupID, member: client.memberID, instance: client.instanceID, generation: client.generation,
      [partition: bench.nowMilliseconds])
    if codes?.first == ErrorCode.none, bench.offset(group: client.groupID, partition) != bench.nowMilliseconds {
      Issue.record("seed \(seed): an acknowledged commit is not there")
    }
  }

  private mutating func restart() {
    restarts += 1
    bench.isJournalRefusing = false
    bench.restart(seed: seed &+ restarts &* 1_000)
    for groupID in ["g", "h"] {
      let durable = bench.coordinator.generations[groupID]?.number ?? 0
      if durable < greatestGeneration[groupID] ?? 0 { fault("\(groupID) lost generation \(durable)") }
    }
    for index in clients.indices {
      clients[index].joinToken = nil
      clients[index].syncToken = nil
    }
  }

  // MARK: What must hold

  private mutating func fault(_ text: String) { faults.append("seed \(seed): \(text)") }

  private mutating func readAnswers() {
    for fault in bench.faults { self.fault(fault) }
    for (token, answer) in bench.answers where seenAnswers.insert(token).inserted {
      switch answer {
      case .join(_, let reply): check(reply, token)
      case .sync(_, let reply): check(reply, token)
      default: break
      }
    }
    for index in clients.indices {
      if let token = clients[index].joinToken, case .join(_, let reply) = bench.answers[token] {
        clients[index].joinToken = nil
        hear(reply, index)
      }
      if let token = clients[index].syncToken, case .sync(_, let reply) = bench.answers[token] {
        clients[index].syncToken = nil
        clients[index].hasAssignment = reply.error == ErrorCode.none
        if reply.error != ErrorCode.none { clients[index].generation = -1 }
        if reply.error == .unknownMemberId { clients[index].forgetMembership() }
        if reply.error == .fencedInstanceId { clients[index].isFenced = true }
      }
    }
  }

  private mutating func hear(_ reply: JoinReply, _ index: Int) {
    switch reply.error {
    case .none:
      clients[index].memberID = reply.memberID
      clients[index].generation = reply.generation
      clients[index].isLeader = reply.leaderID == reply.memberID && !reply.skipsAssignment
      clients[index].members = reply.members
    case .memberIdRequired:
      clients[index].memberID = reply.memberID
    case .unknownMemberId, .groupMaxSizeReached:
      clients[index].forgetMembership()
    case .fencedInstanceId:
      clients[index].isFenced = true
    default:
      break
    }
  }

  private mutating func check(_ reply: JoinReply, _ token: ReplyToken) {
    guard reply.error == ErrorCode.none else { return }
    guard let groupID = clients.first(where: { $0.joinToken == token })?.groupID else { return }
    let key = GenerationKey(groupID: groupID, generation: reply.generation)
    if bench.coordinator.generations[groupID]?.number ?? 0 < reply.generation { fault("\(key) is not durable") }
    if let name = protocolNames[key], name != reply.protocolName { fault("\(key) has two protocols") }
    protocolNames[key] = reply.protocolName
    greatestGeneration[groupID] = max(greatestGeneration[groupID] ?? 0, reply.generation)
    if !reply.members.isEmpty, reply.leaderID != reply.memberID { fault("\(key): a follower was told the members") }
  }

  private mutating func check(_ reply: SyncReply, _ token: ReplyToken) {
    guard reply.error == ErrorCode.none, let sync = syncs[token] else { return }
    guard let generation = assigned[sync.key] else { return fault("\(sync) was answered before its leader") }
    if generation[sync.name] != reply.assignment { fault("\(sync) got \(reply.assignment), not its own") }
  }

  mutating func checkState() {
    for (groupID, group) in bench.coordinator.groups {
      for text in group.inconsistencies { fault("\(groupID): \(text)") }
    }
  }

  mutating func checkJournal() {
    let live = bench.coordinator.snapshotEvents()
    if GroupHarness.replay(bench.journal).snapshotEvents() != live { fault("the journal tells something else") }
    let compacted = GroupHarness.replay(live.map { GroupHarness.encoded($0) })
    if compacted.snapshotEvents() != live { fault("the snapshot tells something else") }
  }

  /// Everybody falls silent.
  mutating func finish() {
    bench.isJournalRefusing = false
    bench.advance(by: 3_600_000)
    readAnswers()
    checkState()
    checkJournal()
    if !bench.waiting.isEmpty { fault("never answered: \(bench.waiting)") }
    for (groupID, group) in bench.coordinator.groups where !group.members.isEmpty || !group.pendingMembers.isEmpty {
      fault("\(groupID) still has members: \(group)")
    }
    if let deadline = bench.coordinator.nextDeadlineMilliseconds { fault("something is due at \(deadline)") }
  }
}

extension Group {
  /// What contradicts itself in this value.
  fileprivate var inconsistencies: [String] {
    var found: [String] = []
    func require(_ condition: Bool, _ text: String) { if !condition { found.append("\(text) in \(state)") } }
    require(waitingJoinCount == members.values.count { $0.waitingJoin != nil }, "waitingJoinCount")
    var counted: [String: Int] = [:]
    for member in members.values { for name in member.protocols.map(\.name) { counted[name, default: 0] += 1 } }
    require(supporters == counted, "supporters")
    let instances = members.values.compactMap(\.instanceID)
    require(Set(instances).count == instances.count, "two members of one instance id")
    require(Set(instances) == Set(staticMembers.keys), "static members")
    require(staticMembers.allSatisfy { members[$0.value]?.instanceID == $0.key }, "static member ids")
    require(members.allSatisfy { $0.key == $0.value.id }, "member ids")
    require(pendingSync.isSubset(of: members.keys), "pending syncs")
    require(state == .preparingRebalance || members.values.allSatisfy { $0.waitingJoin == nil }, "a waiting join")
    require(state == .completingRebalance || members.values.allSatisfy { $0.waitingSync == nil }, "a waiting sync")
    require((state == .preparingRebalance) == (joinPhase != nil), "join phase")
    require(state != .empty || members.isEmpty, "members")
    if state == .stable || state == .completingRebalance {
      require(leaderID.map { members[$0] != nil } == true, "leader")
      require(protocolName.map { supporters[$0] == members.count } == true, "protocol")
    }
    return found
  }
}
