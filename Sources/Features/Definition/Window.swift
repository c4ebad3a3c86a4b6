/// Which events a feature looks at when it is read at a time `t`. All times are milliseconds.
package enum Window: Hashable, Sendable {
  /// `[floor(t, hop) - length, t]`: fresh at the head, hopping at the tail.
  case sliding(length: Int64, hop: Int64)
  /// The last closed span: `[floor(t, length) - length, floor(t, length))`.
  case tumbling(length: Int64)
  /// All events.
  case lifetime
  /// The events of the session that `t` lies in: neighbours in it are at most `gap` apart, the last at most `gap`
  /// before `t`.
  case session(gap: Int64)
  /// The newest events by (event time, partition, offset), of whatever age.
  case lastEvents(Int)
}

extension Window {
  /// The hops that a sliding window gets when it names none.
  private static let hops: [Int64] = [
    1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
    7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
  ]

  /// A sliding window with the largest usual hop that is no longer than a twelfth of it and divides it.
  ///
  /// A length that no usual hop fits gets tiles of a twelfth, or of its whole length when twelve do not divide it.
  package static func sliding(length: Int64) -> Window {
    if let hop = hops.last(where: { $0 <= length / 12 && length % $0 == 0 }) {
      return .sliding(length: length, hop: hop)
    }
    return .sliding(length: length, hop: length % 12 == 0 && length > 0 ? length / 12 : length)
  }

  /// The hop at the tail; nil of windows without tiles.
  var hop: Int64? {
    switch self {
    case .sliding(_, let hop): hop
    case .tumbling(let length): length
    case .lifetime, .session, .lastEvents: nil
    }
  }

  /// How long it takes a quiet key's window to become empty; nil when it never does.
  package var reachMilliseconds: Int64? {
    switch self {
    case .sliding(let length, let hop): length &+ hop
    case .tumbling(let length): length &+ length
    case .session(let gap): gap
    case .lifetime, .lastEvents: nil
    }
  }

  /// What is appended to a feature's name: `1h`, `1h_tumbling`, `lifetime`, `session_30m`, `last_10`.
  package var nameSuffix: String {
    switch self {
    case .sliding(let length, _): Self.durationText(length)
    case .tumbling(let length): "\(Self.durationText(length))_tumbling"
    case .lifetime: "lifetime"
    case .session(let gap): "session_\(Self.durationText(gap))"
    case .lastEvents(let count): "last_\(count)"
    }
  }

  /// As a definition writes it; equal windows have equal text.
  package var canonicalText: String {
    switch self {
    case .sliding(let length, let hop): "sliding(\(Self.durationText(length)), hop \(Self.durationText(hop)))"
    case .tumbling(let length): "tumbling(\(Self.durationText(length)))"
    case .lifetime: "lifetime"
    case .session(let gap): "session(\(Self.durationText(gap)))"
    case .lastEvents(let count): "last(\(count))"
    }
  }

  /// The shortest exact text of a duration: `90m`, `7d`. One and two days are `24h` and `48h`, as people say it of
  /// windows.
  package static func durationText(_ milliseconds: Int64) -> String {
    let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
    for (unit, suffix) in units where milliseconds >= unit && milliseconds % unit == 0 {
      if suffix == "d", milliseconds <= 2 * unit { continue }
      return "\(milliseconds / unit)\(suffix)"
    }
    return "\(milliseconds)ms"
  }
}
