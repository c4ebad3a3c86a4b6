internal import Core

/// One way of assigning that a member knows, with what the member wants its leader to know about it (opaque bytes).
struct GroupProtocol: Sendable, Equatable {
  var name: String
  var metadata: [UInt8]
}

/// A JoinGroup request, whatever its version.
struct GroupJoin: Sendable, Equatable {
  var groupID: String
  /// Empty on the first join.
  var memberID: String
  /// `group.instance.id` of a static member (KIP-345).
  var instanceID: String?
  var clientID: String
  var clientHost: String
  var sessionTimeoutMilliseconds: Int64
  /// Version 0 has none: pass the session timeout.
  var rebalanceTimeoutMilliseconds: Int64
  var protocolType: String
  /// Best first.
  var protocols: [GroupProtocol]
  /// Version 4 and later: a new dynamic member gets MEMBER_ID_REQUIRED and joins again with the id in it (KIP-394).
  var requiresKnownMemberID: Bool
  /// Version 9 and later: the answer can tell a returning static leader not to assign (KIP-814).
  var supportsSkippingAssignment: Bool
}

/// A SyncGroup request; only the leader's has assignments.
struct GroupSync: Sendable, Equatable {
  struct Assignment: Sendable, Equatable {
    var memberID: String
    var bytes: [UInt8]
  }

  var groupID: String
  var memberID: String
  var instanceID: String?
  var generation: Int32
  /// Version 5 and later (KIP-559).
  var protocolType: String?
  var protocolName: String?
  var assignments: [Assignment]
}

struct GroupHeartbeat: Sendable, Equatable {
  var groupID: String
  var memberID: String
  var instanceID: String?
  var generation: Int32
}

/// A LeaveGroup request; versions before 3 name one member.
struct GroupLeave: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    /// Empty when an administrator removes a static member by its instance id alone.
    var memberID: String
    var instanceID: String?
  }

  var groupID: String
  var members: [Member]
}

/// An OffsetCommit or TxnOffsetCommit request; partitions that do not exist are answered by the server beforehand.
struct GroupOffsetCommit: Sendable, Equatable {
  struct Partition: Sendable, Equatable {
    var partition: TopicPartition
    var offset: Int64
    /// -1: not told.
    var leaderEpoch: Int32
    var metadata: String
  }

  var groupID: String
  /// Empty, with generation -1: the committer is no member (`assign` instead of `subscribe`), or its version cannot
  /// say.
  var memberID: String
  var instanceID: String?
  var generation: Int32
  var partitions: [Partition]
}
