/// From "somebody has to join again" to a new generation, and the three ways of losing a member on the way: it leaves,
/// its session expires, or it misses a deadline of the rebalance.
extension Group {
  /// Has everybody join again. Does nothing while that is already so.
  mutating func prepareRebalance(_ effects: inout GroupEffects) {
    let oldState = state
    switch oldState {
    case .preparingRebalance, .dead:
      return
    case .completingRebalance:
      for member in membersInOrder {
        if answerSync(of: member.id, SyncReply(error: .rebalanceInProgress), &effects) {
          renewSession(of: member.id, &effects)
        }
      }
    case .empty, .stable:
      break
    }
    pendingSync.removeAll()
    syncDeadlineMilliseconds = nil
    effects.forget(.sync(group: id))
    state = .preparingRebalance

    let now = effects.nowMilliseconds
    let timeout = rebalanceTimeoutMilliseconds
    if oldState == .empty {
      // The first member of a group waits a moment for others, so that not each of them is a rebalance of its own. It
      // does not wait for ids that were handed out: their owners may have gone.
      let delay = effects.configuration.initialRebalanceDelayMilliseconds
      guard delay > 0 else { return completeJoin(&effects) }
      joinPhase = JoinPhase(deadlineMilliseconds: now + delay, latestDeadlineMilliseconds: now + max(timeout, delay))
      effects.arm(.join(group: id), at: now + delay)
    } else {
      joinPhase = JoinPhase(deadlineMilliseconds: now + timeout)
      effects.arm(.join(group: id), at: now + timeout)
      completeJoinIfEverybodyIsThere(&effects)
    }
  }

  mutating func completeJoinIfEverybodyIsThere(_ effects: inout GroupEffects) {
    guard state == .preparingRebalance, joinPhase?.latestDeadlineMilliseconds == nil, pendingMembers.isEmpty,
      waitingJoinCount == members.count
    else { return }
    completeJoin(&effects)
  }

  /// The longest that any member may need to finish what it does and to join again.
  private var rebalanceTimeoutMilliseconds: Int64 {
    members.values.reduce(0) { max($0, $1.rebalanceTimeoutMilliseconds) }
  }

  /// Starts the next generation with the members that joined. Static members may be late: their session decides.
  private mutating func completeJoin(_ effects: inout GroupEffects) {
    for member in membersInOrder where member.waitingJoin == nil && member.instanceID == nil {
      remove(member.id, &effects)
    }
    let inOrder = membersInOrder
    if leaderID.flatMap({ members[$0]?.waitingJoin }) == nil {
      guard inOrder.isEmpty || waitingJoinCount > 0 else {
        // Only absent static members: nobody could assign. Sessions will end, or one of them comes.
        let deadline = effects.nowMilliseconds + rebalanceTimeoutMilliseconds
        joinPhase = JoinPhase(deadlineMilliseconds: deadline)
        return effects.arm(.join(group: id), at: deadline)
      }
      leaderID = inOrder.first { $0.waitingJoin != nil }?.id
    }
    joinPhase = nil
    effects.forget(.join(group: id))
    generation = generation == .max ? 1 : generation + 1
    protocolName = selectProtocol()
    guard !inOrder.isEmpty else {
      state = .empty
      return
    }
    state = .completingRebalance
    pendingSync = Set(members.keys)
    let syncDeadline = effects.nowMilliseconds + rebalanceTimeoutMilliseconds
    syncDeadlineMilliseconds = syncDeadline
    effects.arm(.sync(group: id), at: syncDeadline)
    // An absent static member is told nothing and its session goes on running.
    for member in inOrder where member.waitingJoin != nil {
      answerJoin(of: member.id, currentGeneration(for: member.id, asLeader: isLeader(member.id)), &effects)
      members[member.id]?.isNew = false
      renewSession(of: member.id, &effects)
    }
  }

  // MARK: Losing members

  /// Removes a member that left or was given up.
  mutating func removeAndRebalance(_ memberID: String, _ effects: inout GroupEffects) {
    remove(memberID, &effects)
    prepareRebalance(&effects)
    completeJoinIfEverybodyIsThere(&effects)
  }

  mutating func leave(_ member: GroupLeave.Member, _ effects: inout GroupEffects) -> ErrorCode {
    if member.memberID.isEmpty {
      guard let current = member.instanceID.flatMap({ staticMembers[$0] }) else { return .unknownMemberId }
      removeAndRebalance(current, &effects)
    } else if pendingMembers[member.memberID] != nil {
      removePending(member.memberID, &effects)
      completeJoinIfEverybodyIsThere(&effects)
    } else if let error = error(of: member.memberID, instanceID: member.instanceID) {
      return error
    } else {
      removeAndRebalance(member.memberID, &effects)
    }
    return .none
  }

  /// A wake-up; what it was armed for may have moved or gone.
  mutating func deadlineReached(_ deadline: GroupDeadline, _ effects: inout GroupEffects) {
    switch deadline {
    case .session(_, let memberID): sessionDeadlineReached(memberID, &effects)
    case .join: joinDeadlineReached(&effects)
    case .sync: syncDeadlineReached(&effects)
    }
  }

  private mutating func sessionDeadlineReached(_ memberID: String, _ effects: inout GroupEffects) {
    let now = effects.nowMilliseconds
    let key = GroupDeadline.session(group: id, member: memberID)
    if let deadline = pendingMembers[memberID] {
      guard deadline <= now else { return effects.arm(key, at: deadline) }
      removePending(memberID, &effects)
      completeJoinIfEverybodyIsThere(&effects)
    } else if let member = members[memberID], !member.isExcusedFromHeartbeats {
      guard member.sessionDeadlineMilliseconds <= now else {
        return effects.arm(key, at: member.sessionDeadlineMilliseconds)
      }
      removeAndRebalance(memberID, &effects)
    }
  }

  private mutating func joinDeadlineReached(_ effects: inout GroupEffects) {
    guard state == .preparingRebalance, var phase = joinPhase else { return }
    let now = effects.nowMilliseconds
    guard phase.deadlineMilliseconds <= now else {
      return effects.arm(.join(group: id), at: phase.deadlineMilliseconds)
    }
    if let latest = phase.latestDeadlineMilliseconds, phase.hasNewMember, now < latest {
      phase.hasNewMember = false
      phase.deadlineMilliseconds = min(now + effects.configuration.initialRebalanceDelayMilliseconds, latest)
      joinPhase = phase
      return effects.arm(.join(group: id), at: phase.deadlineMilliseconds)
    }
    completeJoin(&effects)
  }

  private mutating func syncDeadlineReached(_ effects: inout GroupEffects) {
    guard let deadline = syncDeadlineMilliseconds, !pendingSync.isEmpty else { return }
    guard deadline <= effects.nowMilliseconds else { return effects.arm(.sync(group: id), at: deadline) }
    for member in membersInOrder where pendingSync.contains(member.id) { remove(member.id, &effects) }
    prepareRebalance(&effects)
  }
}
