/// Microseconds of the units of time.
enum Microseconds {
  static let perMillisecond: Int64 = 1_000
  static let perSecond: Int64 = 1_000_000
  static let perMinute = 60 * perSecond
  static let perHour = 60 * perMinute
  static let perDay = 24 * perHour
}
