import Columns
import Core
import Testing

@testable import Delta

/// Names of files, partition values and statistics.
@Suite struct FileTests {
  @Test func `paths survive being a URI`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    let characters = Array("aZ09 %/:?#[]@!$&'()*+,;=é漢\u{10FFFF}\"\\<>^`{|}~_-.")
    for _ in 0..<500 {
      let text = String((0..<12).map { _ in characters[Int.random(in: 0..<characters.count, using: &random)] })
      let encoded = URIText.encode(text)
      #expect(URIText.decode(encoded) == text, "seed \(seed)")
      #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "seed \(seed)")
    }
    #expect(URIText.decode("a%2Fb%20c") == "a/b c")
    #expect(URIText.decode("%ff") == nil && URIText.decode("%zz") == nil && URIText.decode("a%4") == nil)
  }

  @Test(arguments: [
    (Value.integer(-7), "-7"), (.boolean(true), "true"), (.double(0.1), "0.1"), (.string("x y"), "x y"),
    (.date(15_706), "2013-01-01"), (.date(-1), "1969-12-31"), (.timestamp(1_500_001), "1970-01-01T00:00:01.500001Z"),
    (.timestamp(-1), "1969-12-31T23:59:59.999999Z"), (.decimal(unscaled: -5, scale: 2), "-0.05"),
    (.decimal(unscaled: 12_345, scale: 2), "123.45"), (.decimal(unscaled: 7, scale: 0), "7"),
  ])
  func `partition values are written as the protocol says, and read back`(value: Value, text: String) throws {
    #expect(PartitionValue.text(value) == text)
    let types: [ColumnType] = [
      .integer, .boolean, .double, .string, .date, .timestamp, .decimal(scale: 2), .decimal(scale: 0),
    ]
    #expect(types.contains { PartitionValue.value(text, $0) == value })
  }

  @Test func `null and the empty text are null, and other forms of a timestamp are read`() {
    #expect(PartitionValue.text(.null) == nil && PartitionValue.text(.string("")) == nil)
    #expect(PartitionValue.value(nil, .integer) == .null && PartitionValue.value("", .string) == .null)
    #expect(PartitionValue.value("1970-01-01 00:00:01", .timestamp) == .timestamp(1_000_000))
    #expect(PartitionValue.value("1970-01-01 00:00:01.000002", .timestamp) == .timestamp(1_000_002))
    #expect(PartitionValue.value("x", .integer) == nil && PartitionValue.value("2013-13-01", .date) == nil)
  }

  @Test func `folders are named as Hive names them`() {
    #expect(
      PartitionValue.folders(["a", "b"], ["a": "x/y:z%é", "b": nil])
        == "a=x%2Fy%3Az%25é/b=__HIVE_DEFAULT_PARTITION__")
    #expect(PartitionValue.folders([], [:]).isEmpty)
  }

  @Test func `a shortened text is no less than the whole one`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    let scalars: [Unicode.Scalar] = ["a", "é", "漢", "\u{10FFFF}", "\u{1F600}"]
    for _ in 0..<500 {
      let text = String(
        String.UnicodeScalarView(
          (0..<Int.random(in: 0...40, using: &random)).map { _ in
            scalars[Int.random(in: 0..<scalars.count, using: &random)]
          }))
      let upper = FileStatisticsWriter.textNotLess(than: text)
      #expect(!upper.utf8.lexicographicallyPrecedes(text.utf8), "seed \(seed)")
    }
  }

  @Test func `statistics are read back, and bound what they were made of`() throws {
    let json = FileStatisticsWriter.json(
      rowCount: 9,
      [
        .init(name: "i", nullCount: 1, minimum: .integer(-5), maximum: .integer(Int64.max)),
        .init(name: "t", nullCount: 0, minimum: .timestamp(1_999), maximum: .timestamp(1_999)),
        .init(name: "d", nullCount: 9, minimum: nil, maximum: nil),
        .init(name: "n", nullCount: 0, minimum: .decimal(unscaled: -150, scale: 2), maximum: .double(.infinity)),
      ])
    let statistics = try #require(FileStatistics(try TestTable.file("a", statistics: json)))
    #expect(statistics.rowCount == 9 && statistics.nullCount("i") == 1 && statistics.nullCount("x") == nil)
    #expect(statistics.minimum("i", .integer) == .integer(-5))
    #expect(statistics.maximum("i", .integer) == .integer(Int64.max))
    #expect(statistics.minimum("t", .timestamp) == .timestamp(1_000))
    #expect(statistics.maximum("t", .timestamp) == .timestamp(2_999))
    #expect(statistics.minimum("d", .double) == nil)
    #expect(statistics.minimum("n", .decimal(scale: 2)) == .decimal(unscaled: -150, scale: 2))
    #expect(statistics.maximum("n", .double) == nil)
  }

  @Test(arguments: [
    ("interval 30 days", 30 * 86_400_000), ("INTERVAL 1 week 2 hours", 604_800_000 + 7_200_000), ("5 minutes", 300_000),
    ("interval 0 seconds", 0),
  ])
  func `lengths of time are read as Spark writes them`(text: String, milliseconds: Int) {
    #expect(IntervalText.milliseconds(text) == Int64(milliseconds))
  }

  @Test(arguments: ["", "interval", "30", "interval -1 days", "interval 9223372036854775807 weeks", "3 moons"])
  func `other texts are no lengths of time`(text: String) {
    #expect(IntervalText.milliseconds(text) == nil)
  }
}
