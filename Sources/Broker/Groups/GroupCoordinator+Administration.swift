/// DescribeGroups, ListGroups, DeleteGroups.
extension GroupCoordinator {
  /// What ListGroups says about a group.
  struct Overview: Sendable, Equatable {
    var groupID: String
    var state: GroupState
    /// Empty for a group that only ever committed offsets.
    var protocolType: String
  }

  /// What DescribeGroups says about a group.
  struct Description: Sendable, Equatable {
    struct Member: Sendable, Equatable {
      var memberID: String
      var instanceID: String?
      var clientID: String
      var clientHost: String
      /// Metadata and assignment are those of the stable generation, else empty.
      var metadata: [UInt8]
      var assignment: [UInt8]
    }

    var overview: Overview
    /// Empty unless stable.
    var protocolName: String
    /// In the order in which they came.
    var members: [Member]
  }

  /// All groups, sorted by id: those with members, those with offsets, and those that had members before a restart.
  func listGroups() -> [Overview] {
    let ids = Set(groups.keys).union(offsets.groupIDs).union(generations.keys)
    return ids.sorted().map { overview(of: $0) }
  }

  /// An unknown group is `dead`; versions from 6 on answer GROUP_ID_NOT_FOUND for it (KIP-1043).
  func describe(_ groupID: String) -> Description {
    let group = groups[groupID]
    let isStable = group?.state == .stable
    let members = (group?.membersInOrder ?? []).map { member in
      Description.Member(
        memberID: member.id, instanceID: member.instanceID, clientID: member.clientID, clientHost: member.clientHost,
        metadata: isStable ? member.metadata(of: group?.protocolName) : [],
        assignment: isStable ? member.assignment : [])
    }
    return Description(
      overview: overview(of: groupID), protocolName: isStable ? group?.protocolName ?? "" : "", members: members)
  }

  private func overview(of groupID: String) -> Overview {
    if let group = groups[groupID] {
      return Overview(groupID: groupID, state: group.state, protocolType: group.protocolType ?? "")
    }
    return Overview(
      groupID: groupID, state: exists(groupID) ? .empty : .dead,
      protocolType: generations[groupID]?.protocolType ?? "")
  }

  private func exists(_ groupID: String) -> Bool {
    groups[groupID] != nil || generations[groupID] != nil || offsets.hasOffsets(of: groupID)
  }

  /// DeleteGroups: only groups without members.
  func deleteGroups(_ groupIDs: [String], token: ReplyToken) -> GroupDecision {
    var events: [GroupEvent] = []
    var deleted: Set<String> = []
    let codes = groupIDs.map { groupID -> ErrorCode in
      guard exists(groupID), !deleted.contains(groupID) else { return .groupIdNotFound }
      guard groups[groupID]?.state ?? .empty == .empty else { return .nonEmptyGroup }
      deleted.insert(groupID)
      events.append(.groupDeleted(groupID: groupID))
      return .none
    }
    return Decision(events: events, actions: [.deleteGroups(token, codes)])
  }

  /// The broker stops: everybody that waits is told to come back later. Nothing becomes durable by this.
  func repliesToWaiting() -> [GroupReply] {
    groups.sorted { $0.key < $1.key }.flatMap { _, group in
      group.membersInOrder.flatMap { member -> [GroupReply] in
        let join = member.waitingJoin.map {
          GroupReply.join($0, JoinReply(error: .coordinatorNotAvailable, memberID: member.id))
        }
        let sync = member.waitingSync.map { GroupReply.sync($0, SyncReply(error: .coordinatorNotAvailable)) }
        return [join, sync].compactMap { $0 }
      }
    }
  }
}
