extension Problem {
  static let deadlineExceeded = Problem(
    504, "DEADLINE_EXCEEDED", "the request took longer than it may", remedy: "ask for fewer entities at once")

  /// Why a view could not be read, for the one who asked.
  init(_ error: OnlineReadError, view: String) {
    switch error {
    case .notReady(let partition, let why):
      self.init(
        503, "NOT_READY", "partition \(partition) is not ready: \(why)", place: view, remedy: "ask again later",
        retryAfterSeconds: 1)
    case .building:
      self.init(
        503, "BUILDING", "the view is being built from the log", place: view, remedy: "see /api/tasks how far it is",
        retryAfterSeconds: 5)
    case .notOwned(let partition, let owner):
      self.init(
        421, "NOT_OWNED", "partition \(partition) is served by \(owner ?? "another process")", place: view,
        remedy: owner.map { "ask \($0)" } ?? "ask the other members of the group")
    case .beforeHorizon:
      self.init(
        422, "BEFORE_HORIZON", "as_of lies before what the view keeps", place: view,
        remedy: "ask the offline tables for older values")
    case .waitTimedOut:
      self.init(
        503, "NOT_YET_APPLIED", "the record of min_offset was not applied within wait_ms", remedy: "ask again later",
        retryAfterSeconds: 1)
    case .unknownOffset(let offset):
      self.init(422, "UNKNOWN_OFFSET", "\(offset) is in no partition that is read here", place: "min_offset")
    case .atOwner(let failure):
      self.init(
        failure.status, failure.code, failure.message, place: view, remedy: failure.remedy,
        retryAfterSeconds: failure.retryAfterSeconds)
    case .failed(let code, let message):
      self.init(503, code, message, place: view, remedy: "ask again later", retryAfterSeconds: 1)
    }
  }
}
