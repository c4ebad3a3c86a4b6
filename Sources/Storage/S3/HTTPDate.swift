internal import Core

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
enum HTTPDate {
  static func milliseconds(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, let day = Int64(parts[1]), let month = months.firstIndex(of: String(parts[2])) else {
      return nil
    }
    let (dayText, monthText) = (padded(day), padded(Int64(month) + 1))
    let bytes = Array("\(parts[3])-\(monthText)-\(dayText)T\(parts[4])Z".utf8)
    return RFC3339.milliseconds(bytes.span)
  }

  private static func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
