import Core
import Testing

@testable import Broker

/// A group coordinator with its journal, its clock and its clients' mailboxes: everything that a test has to own.
final class GroupHarness {
  var coordinator: GroupCoordinator
  var nowMilliseconds: Int64 = 1_700_000_000_000
  /// What the journal file would hold, byte for byte.
  private(set) var journal: [[UInt8]] = []
  /// The disk is full.
  var isJournalRefusing = false
  private(set) var issued: Set<ReplyToken> = []
  private(set) var answers: [ReplyToken: GroupReply] = [:]
  /// Tokens that were answered a second time, or were never issued.
  private(set) var faults: [String] = []
  private var nextToken: UInt64 = 1
  private let configuration: GroupConfiguration

  init(_ configuration: GroupConfiguration = GroupConfiguration(), seed: UInt64 = 1) {
    self.configuration = configuration
    coordinator = GroupCoordinator(configuration: configuration, seed: seed)
  }

  var waiting: Set<ReplyToken> { issued.subtracting(answers.keys) }

  func issueToken() -> ReplyToken {
    defer { nextToken += 1 }
    let token = ReplyToken(rawValue: nextToken)
    issued.insert(token)
    return token
  }

  func settle(_ decision: consuming GroupDecision) {
    var written: [[UInt8]] = []
    let isRefusing = isJournalRefusing
    let actions = decision.settle(in: &coordinator) { events in
      written = events.map { Self.encoded($0) }
      return !isRefusing
    }
    if !isRefusing { journal += written }
    for action in actions {
      if answers[action.token] != nil || !issued.contains(action.token) {
        faults.append("\(action.token) was answered again: \(action)")
      }
      answers[action.token] = action
    }
  }

  func advance(by milliseconds: Int64) {
    let end = nowMilliseconds + milliseconds
    while let deadline = coordinator.nextDeadlineMilliseconds, deadline <= end {
      nowMilliseconds = max(nowMilliseconds, deadline)
      settle(coordinator.advance(nowMilliseconds: nowMilliseconds))
    }
    nowMilliseconds = end
  }

  /// The broker is killed and comes back: the journal is all that is left, and nobody who waited gets an answer.
  func restart(seed: UInt64) {
    issued.subtract(waiting)
    coordinator = Self.replay(journal, configuration, seed: seed)
  }

  static func replay(
    _ journal: [[UInt8]], _ configuration: GroupConfiguration = GroupConfiguration(), seed: UInt64 = 99
  ) -> GroupCoordinator {
    var coordinator = GroupCoordinator(configuration: configuration, seed: seed)
    for bytes in journal {
      if let event = decoded(bytes) { coordinator.apply(event) }
    }
    return coordinator
  }

  static func encoded(_ event: GroupEvent) -> [UInt8] {
    var encoder = JournalEncoder()
    event.encode(into: &encoder)
    return encoder.bytes
  }

  static func decoded(_ bytes: [UInt8]) -> GroupEvent? {
    var decoder = JournalDecoder(bytes)
    return try? GroupEvent(decoding: &decoder)
  }
}

// MARK: Requests

extension GroupHarness {
  static let range = GroupProtocol(name: "range", metadata: subscription(["flights"]))

  /// ConsumerProtocolSubscription version 0, followed by what later versions append.
  static func subscription(_ topics: [String], rest: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = [0, 0, 0, 0, 0, UInt8(topics.count)]
    for topic in topics {
      bytes += [0, UInt8(topic.utf8.count)]
      bytes += Array(topic.utf8)
    }
    return bytes + rest
  }

  @discardableResult
  func join(
    _ groupID: String = "g", member memberID: String = "", instance: String? = nil, client: String = "client",
    protocols: [GroupProtocol] = [range], type: String = "consumer", session: Int64 = 10_000,
    rebalance: Int64 = 60_000, requiresKnownMemberID: Bool = true, skips: Bool = true
  ) -> ReplyToken {
    let token = issueToken()
    let request = GroupJoin(
      groupID: groupID, memberID: memberID, instanceID: instance, clientID: client, clientHost: "/127.0.0.1",
      sessionTimeoutMilliseconds: session, rebalanceTimeoutMilliseconds: rebalance, protocolType: type,
      protocols: protocols, requiresKnownMemberID: requiresKnownMemberID, supportsSkippingAssignment: skips)
    settle(coordinator.join(request, token: token, nowMilliseconds: nowMilliseconds))
    return token
  }

  @discardableResult
  func sync(
    _ groupID: String = "g", member memberID: String, instance: String? = nil, generation: Int32,
    type: String? = nil, name: String? = nil, assignments: [String: [UInt8]] = [:]
  ) -> ReplyToken {
    let token = issueToken()
    let request = GroupSync(
      groupID: groupID, memberID: memberID, instanceID: instance, generation: generation, protocolType: type,
      protocolName: name,
      assignments: assignments.sorted { $0.key < $1.key }.map {
        GroupSync.Assignment(memberID: $0.key, bytes: $0.value)
      })
    settle(coordinator.sync(request, token: token, nowMilliseconds: nowMilliseconds))
    return token
  }

  func heartbeat(
    _ groupID: String = "g", member memberID: String, instance: String? = nil, generation: Int32
  ) -> ErrorCode? {
    let token = issueToken()
    let request = GroupHeartbeat(
      groupID: groupID, memberID: memberID, instanceID: instance, generation: generation)
    settle(coordinator.heartbeat(request, token: token, nowMilliseconds: nowMilliseconds))
    guard case .heartbeat(_, let code) = answers[token] else { return nil }
    return code
  }

  func leave(
    _ groupID: String = "g", _ members: [(memberID: String, instanceID: String?)]
  ) -> [ErrorCode]? {
    let token = issueToken()
    let request = GroupLeave(
      groupID: groupID, members: members.map { GroupLeave.Member(memberID: $0.memberID, instanceID: $0.instanceID) })
    settle(coordinator.leave(request, token: token, nowMilliseconds: nowMilliseconds))
    guard case .leave(_, let reply) = answers[token], reply.error == ErrorCode.none else { return nil }
    return reply.members.map(\.error)
  }

  /// - Parameter producerID: stage for this producer's transaction instead of committing.
  func commit(
    group groupID: String = "g", member memberID: String = "", instance: String? = nil, generation: Int32 = -1,
    _ offsets: [TopicPartition: Int64], metadata: String = "", producerID: Int64? = nil
  ) -> [ErrorCode]? {
    let token = issueToken()
    let request = GroupOffsetCommit(
      groupID: groupID, memberID: memberID, instanceID: instance, generation: generation,
      partitions: offsets.sorted { $0.key < $1.key }.map {
        GroupOffsetCommit.Partition(partition: $0.key, offset: $0.value, leaderEpoch: 0, metadata: metadata)
      })
    if let producerID {
      settle(
        coordinator.stageOffsets(
          request, producerID: producerID, token: token, nowMilliseconds: nowMilliseconds))
    } else {
      settle(coordinator.commitOffsets(request, token: token, nowMilliseconds: nowMilliseconds))
    }
    guard case .offsetCommit(_, let codes) = answers[token] else { return nil }
    return codes
  }

  func endTransaction(_ producerID: Int64, isCommitted: Bool) {
    settle(coordinator.endTransaction(ofProducer: producerID, isCommitted: isCommitted))
  }

  // MARK: Answers

  func joined(_ token: ReplyToken) -> JoinReply? {
    guard case .join(_, let reply) = answers[token] else { return nil }
    return reply
  }

  func synced(_ token: ReplyToken) -> SyncReply? {
    guard case .sync(_, let reply) = answers[token] else { return nil }
    return reply
  }

  func offset(group groupID: String = "g", _ partition: TopicPartition, stable: Bool = false) -> Int64 {
    coordinator.fetchOffsets(of: groupID, [partition], requireStable: stable).first?.offset ?? -2
  }

  func offsetError(group groupID: String = "g", _ partition: TopicPartition) -> ErrorCode? {
    coordinator.fetchOffsets(of: groupID, [partition], requireStable: true).first?.error
  }

  func state(_ groupID: String = "g") -> GroupState { coordinator.describe(groupID).overview.state }

  // MARK: Whole conversations

  /// A dynamic member's first join as clients do it: without id, then with the id that the broker gave.
  func joinDynamic(
    _ groupID: String = "g", protocols: [GroupProtocol] = [range], session: Int64 = 10_000, rebalance: Int64 = 60_000
  ) throws -> (id: String, token: ReplyToken) {
    let first = join(groupID, protocols: protocols, session: session, rebalance: rebalance)
    let reply = try #require(joined(first))
    #expect(reply.error == .memberIdRequired)
    let second = join(groupID, member: reply.memberID, protocols: protocols, session: session, rebalance: rebalance)
    return (reply.memberID, second)
  }

  /// Three dynamic members in a stable group; each one's assignment is its place. The first is the leader.
  func makeStable(
    _ groupID: String = "g", count: Int = 3, protocols: [GroupProtocol] = [range], session: Int64 = 10_000,
    rebalance: Int64 = 60_000
  ) throws -> (members: [String], generation: Int32) {
    var members: [String] = []
    for _ in 0..<count {
      var tokens: [ReplyToken] = []
      let (id, token) = try joinDynamic(groupID, protocols: protocols, session: session, rebalance: rebalance)
      tokens.append(token)
      for member in members {
        tokens.append(
          join(groupID, member: member, protocols: protocols, session: session, rebalance: rebalance))
      }
      members.append(id)
      for token in tokens { #expect(joined(token)?.error == ErrorCode.none) }
    }
    let group = try #require(coordinator.groups[groupID])
    let assignments = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1, [UInt8($0)]) })
    for (place, member) in members.enumerated().reversed() {
      let token = sync(
        groupID, member: member, generation: group.generation,
        assignments: group.leaderID == member ? assignments : [:])
      if place == 0 { #expect(synced(token)?.assignment == [0]) }
    }
    #expect(state(groupID) == .stable)
    return (members, group.generation)
  }
}
