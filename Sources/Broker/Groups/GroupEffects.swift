/// What happens in a group may be due later.
enum GroupDeadline: Hashable, Sendable {
  /// A member's, or a pending member's, session ends.
  case session(group: String, member: String)
  /// The members that have not joined again are given up.
  case join(group: String)
  /// The members that have not asked for their assignment are given up.
  case sync(group: String)

  var groupID: String {
    switch self {
    case .session(let group, _), .join(let group), .sync(let group): group
    }
  }
}

/// What a group is given to decide with, and what it leaves behind.
struct GroupEffects: Sendable {
  let nowMilliseconds: Int64
  let configuration: GroupConfiguration
  var memberIDs: MemberIDGenerator
  private(set) var replies: [GroupReply] = []
  private(set) var timers: [Timer] = []

  enum Timer: Sendable {
    case arm(GroupDeadline, Int64)
    case forget(GroupDeadline)
  }

  init(nowMilliseconds: Int64, configuration: GroupConfiguration, memberIDs: MemberIDGenerator) {
    self.nowMilliseconds = nowMilliseconds
    self.configuration = configuration
    self.memberIDs = memberIDs
  }

  mutating func reply(_ reply: GroupReply) { replies.append(reply) }

  /// A deadline is always later than now, also with a timeout of 0: time has to pass before it is missed.
  mutating func arm(_ key: GroupDeadline, at milliseconds: Int64) {
    timers.append(.arm(key, max(milliseconds, nowMilliseconds + 1)))
  }

  mutating func forget(_ key: GroupDeadline) { timers.append(.forget(key)) }

  mutating func takeTimers() -> [Timer] {
    defer { timers.removeAll(keepingCapacity: true) }
    return timers
  }
}
