import Core
import Contracts
import Testing

@Suite struct EventTimeTests {
  private func milliseconds(_ json: String, unit: EventTime.Unit = .milliseconds) throws -> Int64 {
    var reader = try JSONFieldReader(fields: [FieldPath("t")])
    let bytes = Array("{\"t\":\(json)}".utf8)
    try reader.read(bytes.span, ends: [UInt32(bytes.count)])
    return try EventTime.milliseconds(of: reader.value(document: 0, field: 0), in: bytes.span, unit: unit)
  }

  @Test(
    arguments: [
      ("1357035420000", .milliseconds, 1_357_035_420_000), ("1357035420", .seconds, 1_357_035_420_000),
      ("1357035420.5", .seconds, 1_357_035_420_500), ("1357035420.0009999999999999999", .seconds, 1_357_035_420_000),
      ("1357035420000999", .microseconds, 1_357_035_420_000), ("1357035420000999999", .nanoseconds, 1_357_035_420_000),
      ("1.35703542e12", .milliseconds, 1_357_035_420_000), ("1.35703542E9", .seconds, 1_357_035_420_000),
      ("0.001", .seconds, 1),
      ("1357035420000.75", .milliseconds, 1_357_035_420_000), ("\"2013-01-01T10:17:00Z\"", .seconds, 1_357_035_420_000),
      ("\"2013-01-01 11:17:00.125+01:00\"", .seconds, 1_357_035_420_125),
      ("253402300799", .seconds, 253_402_300_799_000),
    ] as [(String, EventTime.Unit, Int64)])
  func reads(json: String, unit: EventTime.Unit, expected: Int64) throws {
    #expect(try milliseconds(json, unit: unit) == expected)
  }

  @Test(
    arguments: [
      ("null", .missing), ("true", .wrongKind(.true)), ("[1]", .wrongKind(.array)), ("-1", .outOfRange),
      ("0", .outOfRange),
      ("1357035420000000", .outOfRange), ("99999999999999999999999", .outOfRange), ("1e300", .outOfRange),
      ("\"yesterday\"", .notRFC3339), ("\"1357035420000\"", .notRFC3339), ("\"2013-01-01T10:17:00\"", .notRFC3339),
    ] as [(String, EventTime.Failure)])
  func refuses(json: String, failure: EventTime.Failure) {
    #expect(throws: failure) { try milliseconds(json) }
  }

  @Test(arguments: [
    "2013-02-29T00:00:00Z", "2013-13-01T00:00:00Z", "2013-00-01T00:00:00Z", "2013-01-01T24:00:00Z",
    "2013-01-01T00:60:00Z",
    "2013-01-01T00:00:61Z", "2013-01-01T00:00:00.Z", "2013-01-01T00:00:00", "2013-01-01T00:00:00Zx",
    "2013-1-1T00:00:00Z",
    "2013-01-01T00:00:00+0100", "2013-01-01T00:00:00+24:00", "", "T",
  ])
  func refusesOtherTimes(text: String) {
    #expect(RFC3339.milliseconds(Array(text.utf8).span) == nil)
  }

  /// Every day of ten thousand years, against counting.
  @Test func daysCountUp() {
    let monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var day: Int64 = -719_528
    for year in 0...9_999 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      for month in 1...12 {
        let count = monthDays[month - 1] + (month == 2 && isLeap ? 1 : 0)
        for date in [1, count] {
          let text = "\(pad(year, 4))-\(pad(month, 2))-\(pad(date, 2))"
          let expected = (day + Int64(date) - 1) * 86_400_000
          guard RFC3339.milliseconds(text) == expected, RFC3339.text(milliseconds: expected) == text + "T00:00:00Z"
          else {
            Issue.record("\(text): \(String(describing: RFC3339.milliseconds(text))), expected \(expected)")
            return
          }
        }
        day += Int64(count)
      }
    }
    #expect(RFC3339.milliseconds("1970-01-01") == 0)
  }

  @Test func textShowsMillisecondsOnlyWhereThereAreAny() {
    #expect(RFC3339.text(milliseconds: 1_357_035_420_125) == "2013-01-01T10:17:00.125Z")
    #expect(RFC3339.text(milliseconds: -1) == "1969-12-31T23:59:59.999Z")
  }

  private func pad(_ number: Int, _ width: Int) -> String {
    String(repeating: "0", count: width - String(number).count) + String(number)
  }
}
