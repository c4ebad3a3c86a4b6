internal import Core

/// The rule at the end of a TZif file: `EST5EDT,M3.2.0,M11.1.0` (POSIX.1 section 8.3, with the hours of RFC 9636).
struct PosixZoneRule: Sendable, Equatable {
  /// Seconds east of UTC.
  var standardOffset: Int64
  var summer: Summer?

  struct Summer: Sendable, Equatable {
    var offset: Int64
    var start: Day
    var end: Day
  }

  struct Day: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
      /// 1...365; February 29 is never counted.
      case julian(Int64)
      /// 0...365
      case zeroBased(Int64)
      /// Day of the week (0 is Sunday) in the week (5 is the last) of a month.
      case month(Int64, week: Int64, day: Int64)
    }

    var kind: Kind
    /// Local seconds after midnight; may be negative or beyond a day.
    var time: Int64

    /// Local seconds since 1970-01-01T00:00:00.
    func seconds(in year: Int64) -> Int64 {
      let newYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
      let days: Int64
      switch kind {
      case .julian(let day): days = newYear + day - 1 + (CivilDate.isLeap(year) && day >= 60 ? 1 : 0)
      case .zeroBased(let day): days = newYear + day
      case .month(let month, let week, let day):
        let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
        // 1970-01-01 was a Thursday.
        let firstWeekday = floorRemainder(first + 4, 7)
        let date = 1 + floorRemainder(day - firstWeekday, 7) + (week - 1) * 7
        days = first - 1 + (date > CivilDate.length(ofMonth: month, year: year) ? date - 7 : date)
      }
      return days * 86_400 + time
    }
  }

  func span(at seconds: Int64) -> ZoneSpan {
    guard let summer else { return ZoneSpan(start: .min, end: .max, offset: standardOffset) }
    let year = CivilDate(daysSinceEpoch: floorDivide(seconds, 86_400)).year
    var changes: [(instant: Int64, isSummer: Bool)] = []
    for year in year - 1...year + 1 {
      changes.append((summer.start.seconds(in: year) - standardOffset, true))
      changes.append((summer.end.seconds(in: year) - summer.offset, false))
    }
    // Where summer ends as it begins it does not end.
    changes.sort { ($0.instant, $0.isSummer ? 1 : 0) < ($1.instant, $1.isSummer ? 1 : 0) }
    let next = changes.firstIndex { $0.instant > seconds } ?? changes.count
    guard next > 0 else { return ZoneSpan(start: seconds, end: seconds + 1, offset: standardOffset) }
    let isSummer = changes[next - 1].isSummer
    let start = changes[next - 1].instant
    let end = next < changes.count ? changes[next].instant : seconds + 1
    return ZoneSpan(start: start, end: end, offset: isSummer ? summer.offset : standardOffset)
  }
}

extension PosixZoneRule {
  /// nil when the text is no rule.
  init?(_ text: some Sequence<UInt8>) {
    var reader = Reader(Array(text))
    guard reader.name(), let standard = reader.offset() else { return nil }
    standardOffset = -standard
    if reader.isAtEnd { return }
    guard reader.name() else { return nil }
    var summerOffset = standardOffset + 3_600
    if !reader.isNext(",") {
      guard let offset = reader.offset() else { return nil }
      summerOffset = -offset
    }
    guard reader.take(","), let start = reader.day(), reader.take(","), let end = reader.day(), reader.isAtEnd else {
      return nil
    }
    summer = Summer(offset: summerOffset, start: start, end: end)
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    func isNext(_ character: Unicode.Scalar) -> Bool {
      position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard isNext(character) else { return false }
      position += 1
      return true
    }

    /// `EST`, or `<+03>`.
    mutating func name() -> Bool {
      let start = position
      if take("<") {
        while position < bytes.count, !isNext(">") { position += 1 }
        return take(">")
      }
      while position < bytes.count, (0x61...0x7a).contains(bytes[position] | 0x20) { position += 1 }
      return position > start
    }

    mutating func number(in range: ClosedRange<Int64>) -> Int64? {
      var value: Int64 = 0
      let start = position
      while position < bytes.count, Ascii.isDigit(bytes[position]), position - start < 4 {
        value = value * 10 + Int64(bytes[position] - 0x30)
        position += 1
      }
      return position > start && range.contains(value) ? value : nil
    }

    /// Seconds of `[+-]hh[:mm[:ss]]`.
    mutating func offset() -> Int64? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard var seconds = number(in: 0...167).map({ $0 * 3_600 }) else { return nil }
      for unit in [60, 1] as [Int64] where take(":") {
        guard let part = number(in: 0...59) else { return nil }
        seconds += part * unit
      }
      return isNegative ? -seconds : seconds
    }

    mutating func day() -> Day? {
      let kind: Day.Kind
      if take("M") {
        guard let month = number(in: 1...12), take("."), let week = number(in: 1...5), take("."),
          let day = number(in: 0...6)
        else { return nil }
        kind = .month(month, week: week, day: day)
      } else if take("J") {
        guard let day = number(in: 1...365) else { return nil }
        kind = .julian(day)
      } else {
        guard let day = number(in: 0...365) else { return nil }
        kind = .zeroBased(day)
      }
      guard take("/") else { return Day(kind: kind, time: 7_200) }
      return offset().map { Day(kind: kind, time: $0) }
    }
  }
}
