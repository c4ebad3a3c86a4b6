import Core
import Testing

@testable import Columns

@Suite struct ColumnTests {
  @Test(arguments: [
    (ColumnType.boolean, Value.boolean(true)), (.integer, .integer(.min)), (.double, .double(-0.0)),
    (.string, .string("zażółć")), (.bytes, .bytes([0, 255])), (.timestamp, .timestamp(1)), (.date, .date(-1)),
    (.decimal(scale: 2), .decimal(unscaled: 12345, scale: 2)),
  ])
  func `values come back as they were, nulls beside them`(type: ColumnType, value: Value) {
    var column = Column(type)
    for round in 0..<2 {
      column.removeAll()
      let stored = [column.append(.null), column.append(value), column.append(.null)]
      #expect(stored == [true, true, true], "round \(round)")
      #expect((0..<column.count).map { column.value($0) } == [.null, value, .null])
      #expect(column.nullCount == 2)
    }
    var copy = Column(type)
    for row in 0..<3 { copy.append(row, of: column) }
    #expect((0..<3).map { copy.value($0) } == [.null, value, .null])
  }

  @Test func `a value of another type is refused and leaves no trace`() {
    var column = Column(.integer)
    let stored = column.append(.string("7"))
    #expect(!stored && column.count == 0)
  }
}
