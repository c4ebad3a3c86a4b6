import Columns
import Contracts
import Core
import Testing

@Suite struct EventTimeReaderTests {
  private static func read(
    _ type: ColumnType, _ values: [Value], _ unit: EventTime.Unit, faults: [RecordFault] = []
  ) -> ([Int64], [RecordFault]) {
    var batch = ColumnBatch([type])
    for value in values {
      let isTaken = batch.columns[0].append(value)
      #expect(isTaken)
    }
    batch.rowCount = values.count
    var (times, faults) = ([Int64](), faults)
    EventTimeReader(column: 0, path: "ts", unit: unit).read(batch, into: &times, faults: &faults)
    return (times, faults)
  }

  @Test func `units are read and rounded down`() {
    #expect(Self.read(.integer, [.integer(1_357_035_420)], .seconds).0 == [1_357_035_420_000])
    #expect(Self.read(.integer, [.integer(1_357_035_420_123)], .milliseconds).0 == [1_357_035_420_123])
    #expect(Self.read(.integer, [.integer(1_357_035_420_123_999)], .microseconds).0 == [1_357_035_420_123])
    #expect(Self.read(.timestamp, [.timestamp(1_357_035_420_123_999)], .seconds).0 == [1_357_035_420_123])
    #expect(Self.read(.date, [.date(1)], .seconds).0 == [86_400_000])
    #expect(Self.read(.double, [.double(1_357_035_420.5)], .seconds).0 == [1_357_035_420_500])
    #expect(Self.read(.string, [.string("2013-01-01T10:17:00Z")], .seconds).0 == [1_357_035_420_000])
  }

  /// Row 63 of the fault catalogue: zero, negative, the far future, and what does not fit at all.
  @Test func `times that cannot be are faults, in order`() {
    let old = [RecordFault(row: 2, code: .notJSON)]
    let (times, faults) = Self.read(
      .integer, [.integer(0), .integer(5), .null, .integer(-1), .null, .integer(.max), .integer(.min)], .seconds,
      faults: old)
    #expect(times == [0, 5_000, 0, 0, 0, 0, 0])
    #expect(faults.map(\.row) == [0, 2, 3, 4, 5, 6])
    #expect(
      faults.map(\.code)
        == [
          .eventTimeOutOfRange, .notJSON, .eventTimeOutOfRange, .eventTimeMissing, .eventTimeOutOfRange,
          .eventTimeOutOfRange,
        ])
    for value in [Double.nan, .infinity, -1, 1e300] {
      #expect(Self.read(.double, [.double(value)], .milliseconds).1.map(\.code) == [.eventTimeOutOfRange])
    }
    #expect(Self.read(.string, [.string("yesterday")], .seconds).1.map(\.code) == [.notTime])
  }
}
