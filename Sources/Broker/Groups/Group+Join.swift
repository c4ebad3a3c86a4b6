/// JoinGroup.
extension Group {
  /// - Parameter token: answered now, or when the rebalance that this join starts or takes part in has everybody.
  mutating func join(_ request: GroupJoin, token: ReplyToken, _ effects: inout GroupEffects) {
    if !hasRoom(for: request, limit: effects.configuration.membersMaximum) {
      remove(request.memberID, &effects)
      effects.reply(.join(token, JoinReply(error: .groupMaxSizeReached, memberID: "")))
    } else if !supports(request.protocolType, request.protocols) {
      effects.reply(.join(token, JoinReply(error: .inconsistentGroupProtocol, memberID: request.memberID)))
    } else if request.memberID.isEmpty {
      joinAsNew(request, token: token, &effects)
    } else if pendingMembers[request.memberID] != nil, request.instanceID == nil {
      addAndRebalance(request, id: request.memberID, token: token, &effects)
    } else if let error = error(of: request.memberID, instanceID: request.instanceID) {
      effects.reply(.join(token, JoinReply(error: error, memberID: request.memberID)))
    } else {
      rejoin(request, token: token, &effects)
    }
    completeJoinIfEverybodyIsThere(&effects)
  }

  /// In a rebalance the places go to whoever joins first, since the others may not come back.
  private func hasRoom(for request: GroupJoin, limit: Int) -> Bool {
    if request.memberID.isEmpty, let instanceID = request.instanceID, staticMembers[instanceID] != nil { return true }
    return switch state {
    case .empty, .dead: true
    case .preparingRebalance: members[request.memberID]?.waitingJoin != nil || waitingJoinCount < limit
    case .completingRebalance, .stable: members[request.memberID] != nil || members.count < limit
    }
  }

  private mutating func joinAsNew(_ request: GroupJoin, token: ReplyToken, _ effects: inout GroupEffects) {
    let newID = effects.memberIDs.next(prefix: request.instanceID ?? request.clientID)
    if let instanceID = request.instanceID {
      if let oldID = staticMembers[instanceID] {
        returnAsStatic(request, from: oldID, to: newID, instanceID: instanceID, token: token, &effects)
      } else {
        addAndRebalance(request, id: newID, token: token, &effects)
      }
    } else if request.requiresKnownMemberID {
      let deadline = effects.nowMilliseconds + request.sessionTimeoutMilliseconds
      pendingMembers[newID] = deadline
      effects.arm(.session(group: id, member: newID), at: deadline)
      effects.reply(.join(token, JoinReply(error: .memberIdRequired, memberID: newID)))
    } else {
      addAndRebalance(request, id: newID, token: token, &effects)
    }
  }

  private mutating func addAndRebalance(
    _ request: GroupJoin, id memberID: String, token: ReplyToken, _ effects: inout GroupEffects
  ) {
    add(request, id: memberID, token: token, &effects)
    prepareRebalance(&effects)
  }

  private mutating func updateAndRebalance(
    _ request: GroupJoin, token: ReplyToken, _ effects: inout GroupEffects
  ) {
    update(request.memberID, with: request, token: token, &effects)
    prepareRebalance(&effects)
  }

  /// A member that the group knows joins once more.
  private mutating func rejoin(_ request: GroupJoin, token: ReplyToken, _ effects: inout GroupEffects) {
    let isUnchanged = members[request.memberID]?.protocols == request.protocols
    switch state {
    case .preparingRebalance:
      updateAndRebalance(request, token: token, &effects)
    case .completingRebalance where isUnchanged:
      // The first answer was lost on its way: it is given again.
      effects.reply(.join(token, currentGeneration(for: request.memberID, asLeader: isLeader(request.memberID))))
    case .stable where isUnchanged && !isLeader(request.memberID):
      effects.reply(.join(token, currentGeneration(for: request.memberID, asLeader: false)))
    case .completingRebalance, .stable:
      // A leader that joins again asks for a new assignment: it saw a change that its own metadata does not show,
      // such as new partitions. Other members have changed theirs.
      updateAndRebalance(request, token: token, &effects)
    case .empty, .dead:
      effects.reply(.join(token, JoinReply(error: .unknownMemberId, memberID: request.memberID)))
    }
  }

  /// A static member was restarted within its session: if it wants what it wanted before, nobody else notices.
  private mutating func returnAsStatic(
    _ request: GroupJoin, from oldID: String, to newID: String, instanceID: String, token: ReplyToken,
    _ effects: inout GroupEffects
  ) {
    let oldLeaderID = leaderID
    let oldMetadata = members[oldID]?.metadata(of: protocolName) ?? []
    replaceStatic(oldID, by: newID, instanceID: instanceID, &effects)
    update(newID, with: request, token: token, &effects)
    if members[newID]?.isNew == false { renewSession(of: newID, &effects) }
    switch state {
    case .stable where selectProtocol() == protocolName && isSameSubscription(oldMetadata, newID):
      var reply = currentGeneration(for: newID, asLeader: false)
      if request.supportsSkippingAssignment {
        reply = currentGeneration(for: newID, asLeader: isLeader(newID))
        reply.skipsAssignment = isLeader(newID)
      } else {
        // An older client must not believe that it is the leader: its assignment would reach nobody in a stable group.
        reply.leaderID = oldLeaderID ?? ""
      }
      answerJoin(of: newID, reply, &effects)
    case .stable, .completingRebalance:
      // While an assignment is awaited it is awaited for the old member id, so the leader has to see the new one.
      prepareRebalance(&effects)
    case .preparingRebalance, .empty, .dead:
      break
    }
  }

  /// Consumers list what they owned in their metadata, and a restarted one owns nothing: only its topics matter. Of
  /// other protocols the metadata is not known, and the group stays as it is.
  private func isSameSubscription(_ oldMetadata: [UInt8], _ memberID: String) -> Bool {
    guard isConsumerGroup, let old = ConsumerSubscription(oldMetadata),
      let new = ConsumerSubscription(members[memberID]?.metadata(of: protocolName) ?? [])
    else { return true }
    return old.topics == new.topics
  }

  /// The answer of a JoinGroup that did not need a rebalance, or whose rebalance has everybody.
  func currentGeneration(for memberID: String, asLeader: Bool) -> JoinReply {
    var reply = JoinReply(
      error: .none, generation: generation, protocolType: protocolType, protocolName: protocolName,
      leaderID: leaderID ?? "", memberID: memberID)
    if asLeader {
      reply.members = membersInOrder.map {
        JoinReply.Member(memberID: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(of: protocolName))
      }
    }
    return reply
  }
}
