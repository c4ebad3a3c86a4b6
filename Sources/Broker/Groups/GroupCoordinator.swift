internal import Core

typealias GroupDecision = Decision<GroupEvent, GroupReply>

/// All consumer groups of the broker: membership, rebalances, and committed offsets (KIP-62, 134, 229, 345, 394, 429,
/// 447).
///
/// A value without clock, network or disk. Each request comes with the time and, where it may have to wait, a token,
/// and gives a `Decision`; every token is answered exactly once, now or in the decision of a later request or deadline.
///
/// Durable are offsets, and of each group the number of its generation: only `apply` changes them. Members are not:
/// after a restart they are unknown, hear so at their next heartbeat, and join again.
///
/// Time: milliseconds since 1970 of one clock that never goes back; deadlines and commit times use the same.
struct GroupCoordinator: Sendable, EventSourced {
  let configuration: GroupConfiguration
  private(set) var offsets = OffsetStore()
  private(set) var generations: [String: Generation] = [:]
  private(set) var groups: [String: Group] = [:]
  private var deadlines = DeadlineQueue<GroupDeadline>()
  private var memberIDs: MemberIDGenerator
  private var retentionCheck: RetentionCheck?

  /// What is durable about a group besides its offsets.
  struct Generation: Sendable, Equatable {
    var number: Int32
    var protocolType: String
    var startedMilliseconds: Int64
  }

  /// Offsets of groups that nobody uses any more are looked for now and then.
  private struct RetentionCheck: Sendable {
    var nextMilliseconds: Int64 = 0
    /// Since when this process serves: before that nobody can know whether a group was in use.
    var servingSinceMilliseconds: Int64?
  }

  /// - Parameter seed: of the random part of member ids; it must differ from start to start.
  init(configuration: GroupConfiguration = GroupConfiguration(), seed: UInt64) {
    self.configuration = configuration
    memberIDs = MemberIDGenerator(seed: seed)
    if configuration.offsetsRetentionMilliseconds != nil { retentionCheck = RetentionCheck() }
  }

  // MARK: Durable state

  mutating func apply(_ event: GroupEvent) {
    switch event {
    case .generationStarted(let groupID, let generation, let protocolType, let milliseconds):
      generations[groupID] = Generation(
        number: generation, protocolType: protocolType, startedMilliseconds: milliseconds)
    case .offsetsCommitted(let groupID, let committed):
      offsets.commit(committed, of: groupID)
    case .offsetsStaged(let groupID, let producerID, let staged):
      offsets.stage(staged, of: groupID, producerID: producerID)
    case .transactionEnded(let producerID, let isCommitted):
      offsets.endTransaction(of: producerID, isCommitted: isCommitted)
    case .offsetsDeleted(let groupID, let partitions):
      offsets.delete(partitions, of: groupID)
    case .groupDeleted(let groupID):
      offsets.deleteGroup(groupID)
      generations[groupID] = nil
      groups[groupID] = nil
    case .topicDeleted(let topic):
      offsets.deleteTopic(topic)
    }
  }

  /// The fewest events that re-create the durable state, for the compaction of the journal.
  func snapshotEvents() -> [GroupEvent] {
    let generationEvents = generations.sorted { $0.key < $1.key }.map { groupID, generation in
      GroupEvent.generationStarted(
        groupID: groupID, generation: generation.number, protocolType: generation.protocolType,
        milliseconds: generation.startedMilliseconds)
    }
    return generationEvents + offsets.snapshotEvents()
  }

  // MARK: Time

  /// When `advance` should be called next; it may turn out that nothing is due.
  var nextDeadlineMilliseconds: Int64? {
    switch (deadlines.nextMilliseconds, retentionCheck?.nextMilliseconds) {
    case (let first?, let second?): min(first, second)
    case (let first, let second): first ?? second
    }
  }

  /// Evicts whoever missed a deadline, and completes the rebalances that waited for them.
  mutating func advance(nowMilliseconds: Int64) -> GroupDecision {
    var effects = makeEffects(nowMilliseconds)
    var touched: Set<String> = []
    while let deadline = deadlines.popDue(nowMilliseconds) {
      groups[deadline.groupID]?.deadlineReached(deadline, &effects)
      setTimers(&effects)
      touched.insert(deadline.groupID)
    }
    let events = checkRetention(nowMilliseconds)
    return decision(on: touched.sorted(), effects, events: events)
  }

  private mutating func checkRetention(_ nowMilliseconds: Int64) -> [GroupEvent] {
    guard let retention = configuration.offsetsRetentionMilliseconds, var check = retentionCheck,
      check.nextMilliseconds <= nowMilliseconds
    else { return [] }
    let servingSince = check.servingSinceMilliseconds ?? nowMilliseconds
    check.servingSinceMilliseconds = servingSince
    check.nextMilliseconds = nowMilliseconds + configuration.offsetsRetentionCheckMilliseconds
    retentionCheck = check
    return expiredOffsets(before: nowMilliseconds - retention, servingSinceMilliseconds: servingSince)
  }

  // MARK: Deciding

  /// Runs one request in its group, and gathers what has to be journaled and answered.
  ///
  /// - Parameter creating: make the group if there is none; otherwise `body` sees nil.
  mutating func decide(
    _ groupID: String, creating: Bool = false, nowMilliseconds: Int64,
    _ body: (inout Group?, inout GroupEffects) -> [GroupEvent]
  ) -> GroupDecision {
    var effects = makeEffects(nowMilliseconds)
    // Taken out of the table meanwhile, so that it is changed in place.
    var group = groups.removeValue(forKey: groupID) ?? restoredGroup(groupID, creating: creating)
    let events = body(&group, &effects)
    if let group, !group.isBlank { groups[groupID] = group }
    setTimers(&effects)
    return decision(on: [groupID], effects, events: events)
  }

  private func makeEffects(_ nowMilliseconds: Int64) -> GroupEffects {
    GroupEffects(nowMilliseconds: nowMilliseconds, configuration: configuration, memberIDs: memberIDs)
  }

  /// A group of the time before the restart: it has its generation, and no members.
  private func restoredGroup(_ groupID: String, creating: Bool) -> Group? {
    if let generation = generations[groupID] {
      return Group(id: groupID, generation: generation.number, protocolType: generation.protocolType)
    }
    return creating || offsets.hasOffsets(of: groupID) ? Group(id: groupID) : nil
  }

  private mutating func setTimers(_ effects: inout GroupEffects) {
    memberIDs = effects.memberIDs
    for timer in effects.takeTimers() {
      switch timer {
      case .arm(let key, let milliseconds): deadlines.arm(key, at: milliseconds)
      case .forget(let key): deadlines.forget(key)
      }
    }
  }

  /// A generation is journaled before anybody hears of it. If the journal refuses, the next decision on the group
  /// brings the event again.
  private mutating func decision(
    on groupIDs: [String], _ effects: GroupEffects, events: [GroupEvent]
  ) -> GroupDecision {
    var events = events
    for groupID in groupIDs {
      guard let group = groups[groupID] else { continue }
      if group.isBlank {
        groups[groupID] = nil
      } else if group.generation != generations[groupID]?.number ?? 0 {
        events.append(
          .generationStarted(
            groupID: groupID, generation: group.generation, protocolType: group.protocolType ?? "",
            milliseconds: effects.nowMilliseconds))
      }
    }
    return Decision(events: events, actions: effects.replies)
  }
}
