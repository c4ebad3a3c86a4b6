internal import ArgumentParser
internal import Core

/// What `demo loop` replays, and which moments of it count. All times are event times, epoch milliseconds.
struct LoopScenario: Sendable, Equatable {
  enum Name: String, CaseIterable, Sendable, ExpressibleByArgument { case payments, flights }

  /// A part of the replay that has figures of its own.
  struct Period: Sendable, Equatable {
    var name: String
    var range: Range<Int64>
  }

  static let dayMilliseconds: Int64 = 86_400_000

  var name: Name
  var range: Range<Int64>
  /// Between two slices everything comes to rest.
  var sliceMilliseconds: Int64
  /// The first model learns from what came before.
  var firstModelAt: Int64
  /// The served model is compared with the first one from here on.
  var comparedFrom: Int64
  /// From the first model on.
  var periods: [Period]

  /// Ends of the slices, the last one behind the last labels.
  var sliceEnds: [Int64] {
    let first = range.lowerBound + sliceMilliseconds
    var ends = Array(stride(from: first, to: range.upperBound, by: Int(sliceMilliseconds)))
    ends.append(range.upperBound)
    return ends
  }
}

extension LoopScenario {
  /// Made-up payments, whose fraud and amounts change half-way.
  static func payments(days: Int64) -> LoopScenario {
    // A Monday; windows of monitors begin at midnight UTC.
    let start: Int64 = 1_736_121_600_000
    let range = start..<start + days * dayMilliseconds
    let first = start + max(days / 4, 1) * dayMilliseconds
    return LoopScenario(
      name: .payments, range: range, sliceMilliseconds: dayMilliseconds / 4, firstModelAt: first,
      comparedFrom: start + driftDay(days: days) * dayMilliseconds,
      periods: fixed(first..<range.upperBound, days: days >= 16 ? 2 : 1))
  }

  /// On which day payments change.
  static func driftDay(days: Int64) -> Int64 { days / 2 }

  /// Flights of a year, or of as many days as are wanted: the first model learns from January to March, the
  /// comparison begins with June; of less than a year from a quarter, and from a half.
  static func flights(days: Int64) -> LoopScenario {
    let start: Int64 = 1_356_998_400_000
    let range = start..<start + days * dayMilliseconds
    let isYear = days >= 360
    let first = start + (isYear ? 90 : max(days / 4, 1)) * dayMilliseconds
    let compared = start + (isYear ? 151 : max(days / 2, 1)) * dayMilliseconds
    return LoopScenario(
      name: .flights, range: range, sliceMilliseconds: dayMilliseconds, firstModelAt: first, comparedFrom: compared,
      periods: days >= 90 ? months(first..<range.upperBound) : fixed(first..<range.upperBound, days: 7))
  }

  private static func fixed(_ range: Range<Int64>, days: Int64) -> [Period] {
    stride(from: range.lowerBound, to: range.upperBound, by: Int(days * dayMilliseconds)).map { start in
      Period(name: day(start), range: start..<min(start + days * dayMilliseconds, range.upperBound))
    }
  }

  /// Calendar months.
  private static func months(_ range: Range<Int64>) -> [Period] {
    var periods: [Period] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let name = String(day(start).prefix(7))
      var end = start
      while end < range.upperBound, day(end).hasPrefix(name) { end += dayMilliseconds }
      periods.append(Period(name: name, range: start..<end))
      start = end
    }
    return periods
  }

  static func day(_ time: Int64) -> String { String(RFC3339.text(milliseconds: time).prefix(10)) }
}
