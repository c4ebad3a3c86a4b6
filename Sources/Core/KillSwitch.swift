internal import Glibc
internal import Synchronization

/// Named places at which a test can make the process die as by `kill -9`.
///
/// `HEADRACE_KILL_AT=name:3` kills the process at the third pass of that place; without it a pass is one load and one
/// compare. Each module lists its own places in an enum, so that a test goes through them all.
package protocol KillPlace: RawRepresentable, CaseIterable, Equatable, Sendable where RawValue == String {
  /// `KillSwitch.armed()`, stored: the environment is read once.
  static var armed: Self? { get }
}

extension KillPlace {
  /// Dies here when the environment says so.
  @inline(__always)
  package static func pass(_ place: Self) {
    if let armed, armed == place { KillSwitch.reach() }
  }

  /// Whether the environment names this place and its turn has come; for torn writes, which must do half of their work
  /// first.
  package static func isDue(_ place: Self) -> Bool { armed == place && KillSwitch.advance() }

  package static func die() -> Never { KillSwitch.die() }
}

/// What the environment asks for.
package enum KillSwitch {
  /// The place of this enum that is armed, if one is.
  package static func armed<Place: KillPlace>() -> Place? { setting.flatMap { Place(rawValue: $0.name) } }

  package static func die() -> Never {
    kill(getpid(), SIGKILL)
    while true { pause() }
  }

  fileprivate static func reach() {
    if advance() { die() }
  }

  fileprivate static func advance() -> Bool { remainingPasses.advance() }

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
