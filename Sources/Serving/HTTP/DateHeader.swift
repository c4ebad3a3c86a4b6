internal import Synchronization

/// The `Date` of answers (RFC 9110, 5.6.7), made once a second.
final class DateHeader: Sendable {
  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private let newest = Mutex((second: Int64.min, text: ""))

  /// `Sun, 06 Nov 1994 08:49:37 GMT`.
  func text(milliseconds: Int64) -> String {
    let second = milliseconds.dividedDown(by: 1_000).quotient
    return newest.withLock { newest in
      if newest.second != second { newest = (second, Self.text(second: second)) }
      return newest.text
    }
  }

  private static func text(second: Int64) -> String {
    let (days, secondOfDay) = second.dividedDown(by: 86_400)
    let (year, month, day) = CalendarText.civil(days: days)
    var time = CalendarText()
    time.append(day, digits: 2)
    for byte in " \(months[Int(month) - 1]) ".utf8 { time.append(byte) }
    time.append(abs(year), digits: 4)
    time.append(UInt8(ascii: " "))
    time.appendTime(secondOfDay: secondOfDay)
    let weekday = weekdays[Int(days.dividedDown(by: 7).remainder)]
    return "\(weekday), \(time.description) GMT"
  }
}
