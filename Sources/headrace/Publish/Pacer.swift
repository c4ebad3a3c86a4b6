/// When the next record is due. A value: the clock comes in, a wait goes out.
struct Pacer: Sendable {
  enum Pace: Sendable, Equatable {
    /// As fast as the broker takes them.
    case unlimited
    case rate(recordsPerSecond: Double)
    /// As the event times follow each other, so many times faster.
    case replay(speed: Double)
  }

  /// Who falls behind for longer catches up no further: a stall must not end in a burst.
  static let burstMilliseconds: Double = 1_000

  private let pace: Pace
  /// The moment, on the caller's clock, at which the schedule says zero.
  private var originMilliseconds: Double?
  private var records: Double = 0
  private var firstEventTime: Int64?
  private var latestEventTime: Int64 = .min

  init(_ pace: Pace) { self.pace = pace }

  /// Asks for one more record; it counts as sent when the answer is 0.
  ///
  /// - Parameters:
  ///   - eventTime: epoch milliseconds of the record; what is earlier than the one before is due at once.
  ///   - nowMilliseconds: of a clock that never goes back.
  /// - Returns: how long to wait before asking again, in milliseconds, rounded up.
  mutating func waitMilliseconds(eventTime: Int64?, nowMilliseconds: Int64) -> Int64 {
    guard let offset = offsetMilliseconds(eventTime) else { return 0 }
    let now = Double(nowMilliseconds)
    let origin = originMilliseconds ?? now
    let late = now - (origin + offset)
    guard late >= 0 else {
      originMilliseconds = origin
      return Int64(min(-late, 86_400_000).rounded(.up))
    }
    originMilliseconds = late > Self.burstMilliseconds ? origin + late - Self.burstMilliseconds : origin
    records += 1
    return 0
  }

  /// When the record is due, counted from the first one; nil for at once.
  private mutating func offsetMilliseconds(_ eventTime: Int64?) -> Double? {
    switch pace {
    case .unlimited: return nil
    case .rate(let recordsPerSecond): return records * 1_000 / recordsPerSecond
    case .replay(let speed):
      guard let eventTime else { return nil }
      let first = firstEventTime ?? eventTime
      firstEventTime = first
      latestEventTime = max(latestEventTime, eventTime)
      return Double(latestEventTime - first) / speed
    }
  }
}
