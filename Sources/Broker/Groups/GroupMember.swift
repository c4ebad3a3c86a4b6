/// One member of a group, as long as the broker runs: membership is not durable, members join again after a restart.
struct GroupMember: Sendable, Equatable {
  var id: String
  var instanceID: String?
  /// Smaller is earlier. Whatever is told about several members is told in this order.
  let joinOrder: UInt64
  var clientID: String
  var clientHost: String
  var sessionTimeoutMilliseconds: Int64
  var rebalanceTimeoutMilliseconds: Int64
  var protocols: [GroupProtocol]
  var assignment: [UInt8] = []
  /// In its first JoinGroup: it knows no member id, so it cannot send heartbeats.
  var isNew = true
  var sessionDeadlineMilliseconds: Int64
  var waitingJoin: ReplyToken?
  var waitingSync: ReplyToken?

  init(_ request: GroupJoin, id: String, joinOrder: UInt64, sessionDeadlineMilliseconds: Int64) {
    self.id = id
    instanceID = request.instanceID
    self.joinOrder = joinOrder
    clientID = request.clientID
    clientHost = request.clientHost
    sessionTimeoutMilliseconds = request.sessionTimeoutMilliseconds
    rebalanceTimeoutMilliseconds = request.rebalanceTimeoutMilliseconds
    protocols = request.protocols
    self.sessionDeadlineMilliseconds = sessionDeadlineMilliseconds
  }

  /// While a member waits for the group, the group keeps it waiting and not the other way round: no session expires.
  var isExcusedFromHeartbeats: Bool { !isNew && (waitingJoin != nil || waitingSync != nil) }

  func metadata(of protocolName: String?) -> [UInt8] {
    protocols.first { $0.name == protocolName }?.metadata ?? []
  }
}
