internal import Core
internal import Logging

// What stands in the way of a retraining: said once, and not for ever.
extension RetrainingSession {
  /// A command that is refused, a file that cannot be read: it may pass, as when somebody else was faster.
  struct Trouble {
    var text = ""
    var sinceMilliseconds = WallClock.monotonic.nowMilliseconds
    var count = 0
    /// Nobody waits for ever: the retraining is being ended, and this is the reason.
    var isHopeless = false
  }

  private static let troubleMilliseconds: Int64 = 5_000
  private static let troublesMinimum = 5

  func note(_ trouble: String, of id: String) {
    var known = troubles[id, default: Trouble()]
    if known.text != trouble {
      runner.logger.warning(
        "a retraining does not get on", metadata: ["retraining": "\(id)", "reason": "\(trouble)"])
    }
    known.count += 1
    if !known.isHopeless {
      known.text = trouble
      known.isHopeless =
        known.count >= Self.troublesMinimum
        && WallClock.monotonic.nowMilliseconds - known.sinceMilliseconds >= Self.troubleMilliseconds
    }
    troubles[id] = known
  }

  /// Something was done, or nothing was to be done.
  func forgetTrouble(of id: String) {
    if troubles[id]?.isHopeless == false { troubles[id] = nil }
  }
}
