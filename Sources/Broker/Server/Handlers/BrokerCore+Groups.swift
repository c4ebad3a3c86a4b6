internal import Core
internal import NIOCore

extension BrokerCore {
  func handle(_ request: JoinGroupRequest, _ exchange: Exchange) {
    let sessionTimeout = Int64(request.sessionTimeoutMilliseconds)
    let join = GroupJoin(
      groupID: request.groupID, memberID: request.memberID, instanceID: request.groupInstanceID,
      clientID: exchange.header.clientID ?? "", clientHost: "/\(exchange.connection.peerAddress)",
      sessionTimeoutMilliseconds: sessionTimeout,
      rebalanceTimeoutMilliseconds: exchange.version == 0
        ? sessionTimeout : Int64(request.rebalanceTimeoutMilliseconds),
      protocolType: request.protocolType,
      protocols: request.protocols.map { .init(name: $0.name, metadata: Array($0.metadata.readableBytesView)) },
      requiresKnownMemberID: exchange.version >= 4, supportsSkippingAssignment: exchange.version >= 9)
    settle(groups.join(join, token: waitForReply(exchange), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: SyncGroupRequest, _ exchange: Exchange) {
    let sync = GroupSync(
      groupID: request.groupID, memberID: request.memberID, instanceID: request.groupInstanceID,
      generation: request.generation, protocolType: request.protocolType, protocolName: request.protocolName,
      assignments: request.assignments.map {
        .init(memberID: $0.memberID, bytes: Array($0.assignment.readableBytesView))
      })
    settle(groups.sync(sync, token: waitForReply(exchange), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: HeartbeatRequest, _ exchange: Exchange) {
    let heartbeat = GroupHeartbeat(
      groupID: request.groupID, memberID: request.memberID, instanceID: request.groupInstanceID,
      generation: request.generation)
    settle(groups.heartbeat(heartbeat, token: waitForReply(exchange), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: LeaveGroupRequest, _ exchange: Exchange) {
    let leave = GroupLeave(
      groupID: request.groupID,
      members: request.members.map { .init(memberID: $0.memberID, instanceID: $0.groupInstanceID) })
    settle(groups.leave(leave, token: waitForReply(exchange), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: DescribeGroupsRequest, _ exchange: Exchange) {
    let described = request.groupIDs.map { id -> DescribeGroupsResponse.Group in
      let group = groups.describe(id)
      return .init(
        groupID: id, state: group.overview.state.rawValue, protocolType: group.overview.protocolType,
        protocolData: group.protocolName,
        members: group.members.map {
          .init(
            memberID: $0.memberID, groupInstanceID: $0.instanceID, clientID: $0.clientID, clientHost: $0.clientHost,
            metadata: ByteBuffer(bytes: $0.metadata), assignment: ByteBuffer(bytes: $0.assignment))
        })
    }
    exchange.reply(
      DescribeGroupsResponse(throttleMilliseconds: exchange.throttleMilliseconds, groups: described))
  }

  func handle(_ request: ListGroupsRequest, _ exchange: Exchange) {
    let states = Set(request.statesFilter.map { $0.lowercased() })
    let listed = groups.listGroups().filter { states.isEmpty || states.contains($0.state.rawValue.lowercased()) }
    exchange.reply(
      ListGroupsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        groups: listed.map {
          .init(groupID: $0.groupID, protocolType: $0.protocolType, state: $0.state.rawValue)
        }))
  }

  func handle(_ request: DeleteGroupsRequest, _ exchange: Exchange) {
    settle(groups.deleteGroups(request.groupIDs, token: waitForReply(exchange, request)))
  }

  // MARK: Decisions

  /// Remembers who asked until the machine answers.
  func waitForReply(_ exchange: Exchange, _ request: (any WireReadable)? = nil) -> ReplyToken {
    lastReplyToken += 1
    let token = ReplyToken(rawValue: lastReplyToken)
    waitingReplies[token] = WaitingReply(exchange: exchange, request: request)
    return token
  }

  /// Journal, memory, answers: in that order.
  func settle(_ decision: consuming GroupDecision) {
    let replies = decision.settle(in: &groups) { append($0.map(JournalRecord.group)) }
    for reply in replies { send(reply) }
    groupAlarm.ring(at: groups.nextDeadlineMilliseconds, nowMilliseconds: coordinatorMilliseconds)
  }

  func advanceGroups() {
    settle(groups.advance(nowMilliseconds: coordinatorMilliseconds))
  }

  private func send(_ reply: GroupReply) {
    guard let waiting = waitingReplies.removeValue(forKey: reply.token) else { return }
    let exchange = waiting.exchange
    let throttle = exchange.throttleMilliseconds
    switch reply {
    case .join(_, let join):
      exchange.reply(JoinGroupResponse(join, throttleMilliseconds: throttle))
    case .sync(_, let sync):
      exchange.reply(
        SyncGroupResponse(
          throttleMilliseconds: throttle, errorCode: sync.error, protocolType: sync.protocolType,
          protocolName: sync.protocolName, assignment: ByteBuffer(bytes: sync.assignment)))
    case .heartbeat(_, let code):
      exchange.reply(HeartbeatResponse(throttleMilliseconds: throttle, errorCode: code))
    case .leave(_, let leave):
      exchange.reply(
        LeaveGroupResponse(
          throttleMilliseconds: throttle, errorCode: leave.error,
          members: leave.members.map {
            .init(memberID: $0.memberID, groupInstanceID: $0.instanceID, errorCode: $0.error)
          }))
    case .offsetCommit(_, let codes):
      answerOffsetCommit(waiting, codes)
    case .offsetDelete(_, let deletion):
      answerOffsetDelete(waiting, deletion)
    case .deleteGroups(_, let codes):
      guard let request = waiting.request as? DeleteGroupsRequest else { return }
      exchange.reply(
        DeleteGroupsResponse(
          throttleMilliseconds: throttle,
          groups: zip(request.groupIDs, codes).map { .init(groupID: $0, errorCode: $1) }))
    }
  }
}

/// A request whose answer a state machine will give.
struct WaitingReply {
  let exchange: Exchange
  /// What the answer must repeat: the partitions of a commit, the groups of a deletion.
  let request: (any WireReadable)?
}

extension JoinGroupResponse {
  fileprivate init(_ reply: JoinReply, throttleMilliseconds: Int32) {
    self.init(
      throttleMilliseconds: throttleMilliseconds, errorCode: reply.error, generation: reply.generation,
      protocolType: reply.protocolType, protocolName: reply.protocolName, leader: reply.leaderID,
      skipAssignment: reply.skipsAssignment, memberID: reply.memberID,
      members: reply.members.map {
        .init(memberID: $0.memberID, groupInstanceID: $0.instanceID, metadata: ByteBuffer(bytes: $0.metadata))
      })
  }
}
