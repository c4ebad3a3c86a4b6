internal import Glibc
internal import Synchronization

/// Makes the process die as by `kill -9` where a test wants it to.
///
/// `HEADRACE_KILL_AT=name:3` kills at the third pass of that place; without it a pass is one load and one compare. Each
/// module lists its places in an enum (`KillPoint`, `RuntimeKillPoint`), so that a test goes through them all.
package enum KillSwitch {
  /// The place of this enum that the environment names, if it names one.
  package static func armed<Place: RawRepresentable<String>>() -> Place? {
    setting.flatMap { Place(rawValue: $0.name) }
  }

  package static func die() -> Never {
    kill(getpid(), SIGKILL)
    while true { pause() }
  }

  /// The armed place is passed: dies when it is its turn.
  package static func reach() {
    if advance() { die() }
  }

  /// Counts a pass of the armed place; true when it is its turn. For torn writes, which do half of their work first.
  package static func advance() -> Bool { remainingPasses.advance() }

  private static let setting: (name: String, passes: Int)? = {
    guard let raw = unsafe getenv("HEADRACE_KILL_AT") else { return nil }
    let parts = unsafe String(cString: raw).split(separator: ":")
    guard let name = parts.first else { return nil }
    return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
  }()
  private static let remainingPasses = PassCounter(setting?.passes ?? 1)
}

/// Counts down over all threads; true exactly once, at zero.
private final class PassCounter: Sendable {
  private let remaining: Atomic<Int>

  init(_ passes: Int) { remaining = Atomic(passes) }

  func advance() -> Bool { remaining.subtract(1, ordering: .relaxed).newValue == 0 }
}
