/// What went wrong, whose turn it is, and what to do next.
///
/// One shape for every module: a caller switches on `retry`, a person reads `description`.
package struct HeadraceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Who has to act.
  package enum Domain: String, Sendable {
    /// The input, the configuration or the call was wrong: the user mends it.
    case user
    /// A peer, the network, or the disk: somebody outside of this process.
    case external
    /// A fault of Headrace itself.
    case `internal`
  }

  /// What a program may do next without asking anybody.
  package enum Retry: String, Sendable {
    /// The same call would fail again.
    case never
    /// The same call may succeed later.
    case sameCall
    /// Abort the open transaction, rewind to the committed offset, and start again.
    case abortTransaction
    /// This client instance is dead: close it and make a new one.
    case newInstance
    /// It is not known whether the call took effect: re-initialise, read back, decide.
    case unknownOutcome
  }

  package var domain: Domain
  package var retry: Retry
  /// A short stable name of the failure, for programs and for searching (`RECORD_TOO_LARGE`).
  package var code: String
  /// What was found and what was expected.
  package var message: String
  /// Where: a file with line, a topic with partition and offset, a field path.
  package var place: String?
  /// How to mend it, as an instruction.
  package var remedy: String?

  package init(
    _ domain: Domain, _ code: String, _ message: String, retry: Retry = .never, place: String? = nil,
    remedy: String? = nil
  ) {
    self.domain = domain
    self.code = code
    self.message = message
    self.retry = retry
    self.place = place
    self.remedy = remedy
  }

  package var description: String {
    var text = place.map { "\($0): " } ?? ""
    text += message
    if let remedy { text += " (\(remedy))" }
    return "\(text) [\(code)]"
  }

  /// The same error seen from one level further out: `topic/3` in front of `offset 17`.
  package func at(_ outer: String) -> Self {
    var copy = self
    copy.place = place.map { "\(outer) \($0)" } ?? outer
    return copy
  }
}
