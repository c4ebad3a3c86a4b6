/// JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
extension GroupCoordinator {
  /// - Returns: the answer for `token`, unless the group is waiting for others: then a later decision has it.
  mutating func join(_ request: GroupJoin, token: ReplyToken, nowMilliseconds: Int64) -> GroupDecision {
    if let error = error(of: request) {
      return Decision(actions: [.join(token, JoinReply(error: error, memberID: request.memberID))])
    }
    var request = request
    request.protocols = withoutDuplicates(request.protocols)
    let isNew = request.memberID.isEmpty
    return decide(request.groupID, creating: isNew, nowMilliseconds: nowMilliseconds) { group, effects in
      if group == nil {
        effects.reply(.join(token, JoinReply(error: .unknownMemberId, memberID: request.memberID)))
      }
      group?.join(request, token: token, &effects)
      return []
    }
  }

  /// - Returns: the answer for `token`, unless the leader has not assigned yet: then a later decision has it.
  mutating func sync(_ request: GroupSync, token: ReplyToken, nowMilliseconds: Int64) -> GroupDecision {
    guard !request.groupID.isEmpty else {
      return Decision(actions: [.sync(token, SyncReply(error: .invalidGroupId))])
    }
    return decide(request.groupID, nowMilliseconds: nowMilliseconds) { group, effects in
      if group == nil { effects.reply(.sync(token, SyncReply(error: .unknownMemberId))) }
      group?.sync(request, token: token, &effects)
      return []
    }
  }

  mutating func heartbeat(_ request: GroupHeartbeat, token: ReplyToken, nowMilliseconds: Int64) -> GroupDecision {
    guard !request.groupID.isEmpty else { return Decision(actions: [.heartbeat(token, .invalidGroupId)]) }
    return decide(request.groupID, nowMilliseconds: nowMilliseconds) { group, effects in
      effects.reply(.heartbeat(token, group?.heartbeat(request, &effects) ?? .unknownMemberId))
      return []
    }
  }

  mutating func leave(_ request: GroupLeave, token: ReplyToken, nowMilliseconds: Int64) -> GroupDecision {
    guard !request.groupID.isEmpty else {
      return Decision(actions: [.leave(token, LeaveReply(error: .invalidGroupId, members: []))])
    }
    return decide(request.groupID, nowMilliseconds: nowMilliseconds) { group, effects in
      let members = request.members.map { member in
        LeaveReply.Member(
          memberID: member.memberID, instanceID: member.instanceID,
          error: group?.leave(member, &effects) ?? .unknownMemberId)
      }
      effects.reply(.leave(token, LeaveReply(error: .none, members: members)))
      return []
    }
  }

  private func error(of request: GroupJoin) -> ErrorCode? {
    if request.groupID.isEmpty { return .invalidGroupId }
    let allowed = configuration.sessionTimeoutMillisecondsMinimum...configuration.sessionTimeoutMillisecondsMaximum
    return allowed.contains(request.sessionTimeoutMilliseconds) ? nil : .invalidSessionTimeout
  }

  /// A protocol that is named twice must not count as two supporters.
  private func withoutDuplicates(_ protocols: [GroupProtocol]) -> [GroupProtocol] {
    var names: Set<String> = []
    return protocols.filter { names.insert($0.name).inserted }
  }
}
