internal import Core
internal import Columns

extension Machine {
  func timestampDifference(_ operands: [Program.Operand], into result: inout Register) {
    map(operands, into: &result) { (a: Int64, b: Int64) -> (value: Int64, isFault: Bool) in
      let (difference, overflow) = a.subtractingReportingOverflow(b)
      return (floorDivide(difference, Microseconds.perMillisecond), overflow)
    }
  }

  func timestampShift(_ operands: [Program.Operand], isForward: Bool, into result: inout Register) {
    map(operands, into: &result) { (a: Int64, b: Int64) -> (value: Int64, isFault: Bool) in
      let (shift, overflowed) = b.multipliedReportingOverflow(by: Microseconds.perMillisecond)
      let (value, overflow) = isForward ? a.addingReportingOverflow(shift) : a.subtractingReportingOverflow(shift)
      return (value, overflowed || overflow)
    }
  }

  func timestampOfMilliseconds(_ operand: Program.Operand, into result: inout Register) {
    map(operand, into: &result) { (a: Int64) -> (value: Int64, isFault: Bool) in
      let (value, overflow) = a.multipliedReportingOverflow(by: Microseconds.perMillisecond)
      return (value, overflow)
    }
  }

  func timePart(_ part: TimePart, _ zone: Zone, _ operand: Program.Operand, into result: inout Register) {
    var clock = LocalClock(zone.rules)
    switch part {
    case .second: map(operand, into: &result) { (a: Int64) in floorRemainder(clock.local(a), 60) }
    case .minute: map(operand, into: &result) { (a: Int64) in floorRemainder(clock.local(a), 3_600) / 60 }
    case .hour: map(operand, into: &result) { (a: Int64) in floorRemainder(clock.local(a), 86_400) / 3_600 }
    case .date: map(operand, into: &result) { (a: Int64) in clock.localDay(a) }
    // 1970-01-01 was a Thursday.
    case .dayOfWeek: map(operand, into: &result) { (a: Int64) in floorRemainder(clock.localDay(a) &+ 3, 7) &+ 1 }
    case .dayOfMonth: map(operand, into: &result) { (a: Int64) in CivilDate(daysSinceEpoch: clock.localDay(a)).day }
    case .month: map(operand, into: &result) { (a: Int64) in CivilDate(daysSinceEpoch: clock.localDay(a)).month }
    case .year: map(operand, into: &result) { (a: Int64) in CivilDate(daysSinceEpoch: clock.localDay(a)).year }
    case .dayOfYear:
      map(operand, into: &result) { (a: Int64) -> Int64 in
        let day = clock.localDay(a)
        let newYear = CivilDate(year: CivilDate(daysSinceEpoch: day).year, month: 1, day: 1)
        return day &- newYear.daysSinceEpoch &+ 1
      }
    }
  }

  func truncate(_ unit: TimeUnit, _ zone: Zone, _ operand: Program.Operand, into result: inout Register) {
    var clock = LocalClock(zone.rules)
    map(operand, into: &result) { (a: Int64) -> (value: Int64, isFault: Bool) in
      let (value, overflow) = clock.truncated(a, to: unit).multipliedReportingOverflow(by: Microseconds.perSecond)
      return (value, overflow)
    }
  }
}

/// Local times of one zone, in a loop over rows that mostly stay within one span of it.
private struct LocalClock {
  private let rules: ZoneRules
  private var span: ZoneSpan

  init(_ rules: ZoneRules) {
    self.rules = rules
    span = rules.span(at: 0)
  }

  /// Local seconds since 1970-01-01T00:00:00 of a timestamp in microseconds.
  @inline(__always)
  mutating func local(_ microseconds: Int64) -> Int64 {
    let seconds = floorDivide(microseconds, Microseconds.perSecond)
    if !span.contains(seconds) { span = rules.span(at: seconds) }
    return seconds &+ span.offset
  }

  @inline(__always)
  mutating func localDay(_ microseconds: Int64) -> Int64 { floorDivide(local(microseconds), 86_400) }

  /// Seconds since the epoch of the beginning of the unit that a timestamp lies in. Units below a day keep the offset
  /// of the timestamp; days and longer ones begin at the first moment of their first day.
  mutating func truncated(_ microseconds: Int64, to unit: TimeUnit) -> Int64 {
    let local = local(microseconds)
    switch unit {
    case .second: return local &- span.offset
    case .minute: return local &- floorRemainder(local, 60) &- span.offset
    case .hour: return local &- floorRemainder(local, 3_600) &- span.offset
    case .day, .week, .month, .quarter, .year:
      return rules.instant(ofLocal: Self.firstDay(of: unit, floorDivide(local, 86_400)) &* 86_400)
    }
  }

  private static func firstDay(of unit: TimeUnit, _ day: Int64) -> Int64 {
    if unit == .day { return day }
    if unit == .week { return day &- floorRemainder(day &+ 3, 7) }
    var date = CivilDate(daysSinceEpoch: day)
    date.day = 1
    if unit == .quarter { date.month = (date.month &- 1) / 3 &* 3 &+ 1 }
    if unit == .year { date.month = 1 }
    return date.daysSinceEpoch
  }
}
