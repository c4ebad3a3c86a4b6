/// An answer to a waiting group request: the only thing that the group coordinator asks of its caller.
enum GroupReply: DecidedAction, Equatable {
  case join(ReplyToken, JoinReply)
  case sync(ReplyToken, SyncReply)
  case heartbeat(ReplyToken, ErrorCode)
  case leave(ReplyToken, LeaveReply)
  /// One code for each partition of the request, in its order.
  case offsetCommit(ReplyToken, [ErrorCode])
  case offsetDelete(ReplyToken, OffsetDeleteReply)
  /// One code for each group of the request, in its order.
  case deleteGroups(ReplyToken, [ErrorCode])

  var token: ReplyToken {
    switch self {
    case .join(let token, _), .sync(let token, _), .heartbeat(let token, _), .leave(let token, _),
      .offsetCommit(let token, _), .offsetDelete(let token, _), .deleteGroups(let token, _):
      token
    }
  }

  func refused(with error: ErrorCode) -> GroupReply? {
    switch self {
    case .join(let token, let reply): .join(token, JoinReply(error: error, memberID: reply.memberID))
    case .sync(let token, _): .sync(token, SyncReply(error: error))
    case .heartbeat(let token, _): .heartbeat(token, error)
    case .leave(let token, _): .leave(token, LeaveReply(error: error, members: []))
    case .offsetCommit(let token, let codes):
      .offsetCommit(token, codes.map { $0 == .none ? error : $0 })
    case .offsetDelete(let token, _): .offsetDelete(token, OffsetDeleteReply(error: error, partitions: []))
    case .deleteGroups(let token, let codes):
      .deleteGroups(token, codes.map { $0 == .none ? error : $0 })
    }
  }
}

/// The body of a JoinGroup response.
struct JoinReply: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    var memberID: String
    var instanceID: String?
    var metadata: [UInt8]
  }

  var error: ErrorCode
  var generation: Int32 = -1
  var protocolType: String?
  var protocolName: String?
  var leaderID = ""
  var skipsAssignment = false
  var memberID: String
  /// For the leader only: every member, in the order in which they came.
  var members: [Member] = []
}

/// The body of a SyncGroup response.
struct SyncReply: Sendable, Equatable {
  var error: ErrorCode
  var protocolType: String?
  var protocolName: String?
  var assignment: [UInt8] = []
}

/// The body of a LeaveGroup response: one entry for each member of the request, in its order.
struct LeaveReply: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    var memberID: String
    var instanceID: String?
    var error: ErrorCode
  }

  var error: ErrorCode
  var members: [Member]
}

/// The body of an OffsetDelete response; without partitions when the whole request failed.
struct OffsetDeleteReply: Sendable, Equatable {
  var error: ErrorCode
  var partitions: [ErrorCode]
}
