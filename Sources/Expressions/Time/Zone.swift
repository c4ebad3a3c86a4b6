/// A time zone by its name: what operations carry. Equal names are equal zones.
struct Zone: Hashable, Sendable {
  let name: String
  let rules: ZoneRules

  static let utc = Zone(name: "UTC", rules: ZoneRules(offsetSeconds: 0))

  static func == (a: Zone, b: Zone) -> Bool { a.name == b.name }
  func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// A stretch of time in which a zone's clocks keep one offset. Seconds since 1970-01-01T00:00:00Z.
struct ZoneSpan: Sendable, Equatable {
  var start: Int64
  /// Exclusive.
  var end: Int64
  /// East of UTC.
  var offset: Int64

  @inline(__always)
  func contains(_ seconds: Int64) -> Bool { seconds >= start && seconds < end }
}

/// When a zone's clocks changed and will change.
final class ZoneRules: Sendable {
  /// Instants at which an offset begins, ascending, with the offset.
  private let transitions: [(start: Int64, offset: Int64)]
  /// Before the first transition.
  private let firstOffset: Int64
  /// After the last transition; nil: its offset stays.
  private let rule: PosixZoneRule?

  init(offsetSeconds: Int64) {
    transitions = []
    firstOffset = offsetSeconds
    rule = nil
  }

  init(transitions: [(start: Int64, offset: Int64)], firstOffset: Int64, rule: PosixZoneRule?) {
    self.transitions = transitions
    self.firstOffset = firstOffset
    self.rule = rule
  }

  /// The span that an instant lies in; loops over rows look it up again only when they leave it.
  func span(at seconds: Int64) -> ZoneSpan {
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].start <= seconds { low = middle + 1 } else { high = middle }
    }
    let start = low == 0 ? Int64.min : transitions[low - 1].start
    let offset = low == 0 ? firstOffset : transitions[low - 1].offset
    if low < transitions.count { return ZoneSpan(start: start, end: transitions[low].start, offset: offset) }
    guard let rule else { return ZoneSpan(start: start, end: .max, offset: offset) }
    var span = rule.span(at: seconds)
    span.start = max(span.start, start)
    return span
  }

  /// The first instant at which the clocks show a local time or, where they jump over it, later.
  func instant(ofLocal local: Int64) -> Int64 {
    let before = span(at: local - Self.daySeconds)
    let after = span(at: local + Self.daySeconds)
    for offset in [max(before.offset, after.offset), min(before.offset, after.offset)] {
      if span(at: local - offset).offset == offset { return local - offset }
    }
    // Clocks jumped over it: the moment of the jump.
    return span(at: local - before.offset).start
  }

  private static let daySeconds: Int64 = 86_400
}
