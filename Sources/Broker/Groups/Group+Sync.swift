/// SyncGroup, Heartbeat, and who may commit offsets: what a member does within its generation.
extension Group {
  mutating func sync(_ request: GroupSync, token: ReplyToken, _ effects: inout GroupEffects) {
    if let error = error(of: request) { return effects.reply(.sync(token, SyncReply(error: error))) }
    switch state {
    case .empty, .dead:
      effects.reply(.sync(token, SyncReply(error: .unknownMemberId)))
    case .preparingRebalance:
      effects.reply(.sync(token, SyncReply(error: .rebalanceInProgress)))
    case .completingRebalance:
      // The member asked a second time: its first connection is gone, or will ignore the answer.
      answerSync(of: request.memberID, SyncReply(error: .rebalanceInProgress), &effects)
      members[request.memberID]?.waitingSync = token
      noteSync(of: request.memberID, &effects)
      if isLeader(request.memberID) { distribute(request.assignments, &effects) }
    case .stable:
      noteSync(of: request.memberID, &effects)
      renewSession(of: request.memberID, &effects)
      effects.reply(.sync(token, assignment(of: request.memberID)))
    }
  }

  private func error(of request: GroupSync) -> ErrorCode? {
    if let error = error(of: request.memberID, instanceID: request.instanceID) { return error }
    if request.generation != generation { return .illegalGeneration }
    if let type = request.protocolType, type != protocolType { return .inconsistentGroupProtocol }
    if let name = request.protocolName, name != protocolName { return .inconsistentGroupProtocol }
    return nil
  }

  private mutating func noteSync(of memberID: String, _ effects: inout GroupEffects) {
    pendingSync.remove(memberID)
    guard pendingSync.isEmpty else { return }
    syncDeadlineMilliseconds = nil
    effects.forget(.sync(group: id))
  }

  /// The leader has assigned: everybody that waits gets its part, members that it left out get nothing.
  private mutating func distribute(_ assignments: [GroupSync.Assignment], _ effects: inout GroupEffects) {
    for memberID in members.keys { members[memberID]?.assignment = [] }
    for assignment in assignments { members[assignment.memberID]?.assignment = assignment.bytes }
    state = .stable
    for member in membersInOrder where member.waitingSync != nil {
      answerSync(of: member.id, assignment(of: member.id), &effects)
      renewSession(of: member.id, &effects)
    }
  }

  private func assignment(of memberID: String) -> SyncReply {
    SyncReply(
      error: .none, protocolType: protocolType, protocolName: protocolName,
      assignment: members[memberID]?.assignment ?? [])
  }

  mutating func heartbeat(_ request: GroupHeartbeat, _ effects: inout GroupEffects) -> ErrorCode {
    if let error = error(of: request.memberID, instanceID: request.instanceID) { return error }
    if request.generation != generation { return .illegalGeneration }
    switch state {
    case .empty, .dead:
      return .unknownMemberId
    case .preparingRebalance:
      renewSession(of: request.memberID, &effects)
      return .rebalanceInProgress
    case .completingRebalance, .stable:
      renewSession(of: request.memberID, &effects)
      return .none
    }
  }

  /// Whether an OffsetCommit may go ahead; a member that commits is alive.
  mutating func errorOfCommit(_ request: GroupOffsetCommit, _ effects: inout GroupEffects) -> ErrorCode? {
    guard request.namesMember else {
      // Only members commit in a group that has some.
      return state == .empty ? nil : .unknownMemberId
    }
    if let error = errorOfMember(request) { return error }
    // It knows the generation, so it will hear of the assignment: its commit belongs to the generation before.
    if state == .completingRebalance { return .rebalanceInProgress }
    renewSession(of: request.memberID, &effects)
    return nil
  }

  /// Whether a TxnOffsetCommit may go ahead. Versions before 3 cannot name a member and are not checked (KIP-447).
  func errorOfTransactionalCommit(_ request: GroupOffsetCommit) -> ErrorCode? {
    request.namesMember ? errorOfMember(request) : nil
  }

  private func errorOfMember(_ request: GroupOffsetCommit) -> ErrorCode? {
    if let error = error(of: request.memberID, instanceID: request.instanceID) { return error }
    return request.generation == generation ? nil : .illegalGeneration
  }
}

extension GroupOffsetCommit {
  var namesMember: Bool { generation >= 0 || !memberID.isEmpty || instanceID != nil }
}
