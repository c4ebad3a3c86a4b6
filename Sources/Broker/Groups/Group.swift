/// The states of a classic group (KIP-134), by the names that DescribeGroups and ListGroups give them.
enum GroupState: String, Sendable, CaseIterable {
  /// No member; perhaps committed offsets.
  case empty = "Empty"
  /// Waits for the members to join again.
  case preparingRebalance = "PreparingRebalance"
  /// Waits for the leader's assignment.
  case completingRebalance = "CompletingRebalance"
  case stable = "Stable"
  /// Not a group: what DescribeGroups says about an unknown id.
  case dead = "Dead"
}

/// One consumer group: who is in it, and where it stands in its rebalance.
///
/// A value that is told what happened and leaves its answers and timers in `GroupEffects`. Nothing in it is durable:
/// the coordinator journals each new generation, and offsets live in `OffsetStore`.
struct Group: Sendable {
  let id: String
  var state = GroupState.empty
  var generation: Int32
  var protocolType: String?
  var protocolName: String?
  var leaderID: String?
  var members: [String: GroupMember] = [:]
  /// Instance id to member id.
  var staticMembers: [String: String] = [:]
  /// Ids that were given out by MEMBER_ID_REQUIRED and have not joined yet, with the deadline for that.
  var pendingMembers: [String: Int64] = [:]
  /// Members that know the generation and have not asked for their assignment.
  var pendingSync: Set<String> = []
  var joinPhase: JoinPhase?
  var syncDeadlineMilliseconds: Int64?
  /// How many members wait in JoinGroup: whether all are there is asked at every join.
  var waitingJoinCount = 0
  /// How many members know each protocol.
  var supporters: [String: Int] = [:]
  private var nextJoinOrder: UInt64 = 0

  /// How long PreparingRebalance lasts.
  struct JoinPhase: Sendable {
    var deadlineMilliseconds: Int64
    /// In the initial delay of an empty group: it may be extended to here while members keep coming.
    var latestDeadlineMilliseconds: Int64?
    var hasNewMember = false
  }

  init(id: String, generation: Int32 = 0, protocolType: String? = nil) {
    self.id = id
    self.generation = generation
    self.protocolType = protocolType
  }

  var isConsumerGroup: Bool { protocolType == ConsumerSubscription.protocolType }

  /// Nothing would be lost by forgetting it.
  var isBlank: Bool { state == .empty && generation == 0 && pendingMembers.isEmpty }

  var membersInOrder: [GroupMember] { members.values.sorted { $0.joinOrder < $1.joinOrder } }

  func isLeader(_ memberID: String) -> Bool { leaderID == memberID }

  // MARK: Members

  mutating func add(_ request: GroupJoin, id memberID: String, token: ReplyToken, _ effects: inout GroupEffects) {
    // A new member's session does not count yet; its first JoinGroup is given up instead when it takes too long.
    let deadline = effects.nowMilliseconds + effects.configuration.newMemberJoinTimeoutMilliseconds
    var member = GroupMember(
      request, id: memberID, joinOrder: nextJoinOrder, sessionDeadlineMilliseconds: deadline)
    nextJoinOrder += 1
    member.waitingJoin = token
    waitingJoinCount += 1
    if members.isEmpty { protocolType = request.protocolType }
    count(member.protocols, by: 1)
    pendingMembers[memberID] = nil
    if let instanceID = request.instanceID { staticMembers[instanceID] = memberID }
    members[memberID] = member
    if state == .preparingRebalance { joinPhase?.hasNewMember = true }
    effects.arm(.session(group: id, member: memberID), at: deadline)
  }

  /// Takes over what a known member says when it joins again, and lets it wait for the group.
  mutating func update(_ memberID: String, with request: GroupJoin, token: ReplyToken, _ effects: inout GroupEffects) {
    guard let known = members[memberID] else { return }
    count(known.protocols, by: -1)
    count(request.protocols, by: 1)
    members[memberID]?.protocols = request.protocols
    members[memberID]?.clientID = request.clientID
    members[memberID]?.clientHost = request.clientHost
    members[memberID]?.sessionTimeoutMilliseconds = request.sessionTimeoutMilliseconds
    members[memberID]?.rebalanceTimeoutMilliseconds = request.rebalanceTimeoutMilliseconds
    // The member asked a second time: its first connection is gone, or will ignore the answer.
    answerJoin(of: memberID, JoinReply(error: .rebalanceInProgress, memberID: memberID), &effects)
    members[memberID]?.waitingJoin = token
    waitingJoinCount += 1
  }

  /// Removes a member and answers what it waits for. The caller rebalances.
  mutating func remove(_ memberID: String, _ effects: inout GroupEffects) {
    // It joins again, as somebody new, if it is still alive.
    answerJoin(of: memberID, JoinReply(error: .unknownMemberId, memberID: ""), &effects)
    answerSync(of: memberID, SyncReply(error: .unknownMemberId), &effects)
    guard let member = members.removeValue(forKey: memberID) else { return }
    count(member.protocols, by: -1)
    if let instanceID = member.instanceID { staticMembers[instanceID] = nil }
    pendingSync.remove(memberID)
    if isLeader(memberID) { leaderID = nil }
    effects.forget(.session(group: id, member: memberID))
  }

  mutating func removePending(_ memberID: String, _ effects: inout GroupEffects) {
    pendingMembers[memberID] = nil
    effects.forget(.session(group: id, member: memberID))
  }

  /// A static member came back under a new member id: it takes over the place of the old one, and whoever still waits
  /// under the old id is fenced.
  mutating func replaceStatic(
    _ oldID: String, by newID: String, instanceID: String, _ effects: inout GroupEffects
  ) {
    answerJoin(of: oldID, JoinReply(error: .fencedInstanceId, memberID: oldID), &effects)
    answerSync(of: oldID, SyncReply(error: .fencedInstanceId), &effects)
    guard var member = members.removeValue(forKey: oldID) else { return }
    member.id = newID
    members[newID] = member
    staticMembers[instanceID] = newID
    if isLeader(oldID) { leaderID = newID }
    if pendingSync.remove(oldID) != nil { pendingSync.insert(newID) }
    effects.forget(.session(group: id, member: oldID))
    effects.arm(.session(group: id, member: newID), at: member.sessionDeadlineMilliseconds)
  }

  /// Nil when `memberID` is a member and, if it says that it is static, the current one of its instance id.
  func error(of memberID: String, instanceID: String?) -> ErrorCode? {
    if let instanceID {
      guard let current = staticMembers[instanceID] else { return .unknownMemberId }
      if current != memberID { return .fencedInstanceId }
    }
    return members[memberID] == nil ? .unknownMemberId : nil
  }

  // MARK: Sessions

  mutating func renewSession(of memberID: String, _ effects: inout GroupEffects) {
    guard let timeout = members[memberID]?.sessionTimeoutMilliseconds else { return }
    let deadline = effects.nowMilliseconds + timeout
    members[memberID]?.sessionDeadlineMilliseconds = deadline
    effects.arm(.session(group: id, member: memberID), at: deadline)
  }

  // MARK: Answers

  mutating func answerJoin(of memberID: String, _ reply: JoinReply, _ effects: inout GroupEffects) {
    guard let token = members[memberID]?.waitingJoin else { return }
    members[memberID]?.waitingJoin = nil
    waitingJoinCount -= 1
    effects.reply(.join(token, reply))
  }

  @discardableResult
  mutating func answerSync(of memberID: String, _ reply: SyncReply, _ effects: inout GroupEffects) -> Bool {
    guard let token = members[memberID]?.waitingSync else { return false }
    members[memberID]?.waitingSync = nil
    effects.reply(.sync(token, reply))
    return true
  }

  // MARK: Protocols

  /// Whether a member that knows `protocols` can be in this group: one of them must be known to everybody.
  func supports(_ type: String, _ protocols: [GroupProtocol]) -> Bool {
    if members.isEmpty { return !type.isEmpty && !protocols.isEmpty }
    return type == protocolType && protocols.contains { supporters[$0.name] == members.count }
  }

  /// The protocol with the most votes among those that every member knows. A member votes for the first of them in its
  /// own order; of equals the one that the earliest member voted for wins.
  func selectProtocol() -> String? {
    var votes: [String: Int] = [:]
    var order: [String] = []
    for member in membersInOrder {
      guard let choice = member.protocols.first(where: { supporters[$0.name] == members.count }) else { continue }
      if votes[choice.name] == nil { order.append(choice.name) }
      votes[choice.name, default: 0] += 1
    }
    var best: String?
    for name in order where votes[name, default: 0] > best.map({ votes[$0, default: 0] }) ?? 0 { best = name }
    return best
  }

  private mutating func count(_ protocols: [GroupProtocol], by change: Int) {
    for name in protocols.map(\.name) { supporters[name, default: 0] += change }
    for name in protocols.map(\.name) where supporters[name] == 0 { supporters[name] = nil }
  }
}
