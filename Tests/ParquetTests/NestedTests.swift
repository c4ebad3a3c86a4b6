import Columns
import Core
import Testing

@testable import Parquet

/// Structures, lists and maps through shredding and assembly.
struct NestedTests {
  private let text = ParquetField.column("x", .string)

  private func roundTrip(_ fields: [ParquetField], _ rows: [ParquetValue], pageRows: Int = 1 << 17) throws
    -> [ParquetValue]
  {
    var configuration = ParquetWriterConfiguration()
    configuration.pageRows = pageRows
    let writer = try ParquetWriter(schema: try ParquetSchema(fields), configuration: configuration)
    for row in rows { try writer.append(rows: [row]) }
    try writer.finish()
    let source = ParquetBytes(writer.takeOutput())
    let reader = try ParquetRowReader(try ParquetFile(source, place: "test"), source: source)
    var found: [ParquetValue] = []
    while true {
      let next = try reader.next(maximumRows: 7)
      if next.isEmpty { return found }
      found += next
    }
  }

  @Test func `the checkpoint of a Delta table comes back`() throws {
    let fields: [ParquetField] = [
      .structure(
        "add",
        [
          .column("path", .string),
          .map("partitionValues", key: text, value: text), .column("size", .integer), .column("dataChange", .boolean),
          .column("stats", .string),
        ]),
      .structure("metaData", [.column("id", .string), .list("partitionColumns", element: text)]),
      .structure("txn", [.column("appId", .string), .column("version", .integer)]),
    ]
    let rows: [ParquetValue] = [
      .structure([
        .structure([
          .string("part-0.parquet"),
          .map([ParquetEntry(.string("day"), .string("1")), ParquetEntry(.string("x"), .null)]),
          .integer(10), .boolean(true), .null,
        ]), .null, .null,
      ]),
      .structure([.null, .structure([.string("id"), .list([.string("day"), .null])]), .null]),
      .structure([.null, .structure([.null, .list([])]), .null]),
      .structure([.null, .null, .structure([.string("app"), .integer(7)])]),
      .structure([.structure([.null, .null, .null, .null, .string("{}")]), .null, .null]),
      .structure([.null, .null, .null]),
    ]
    for pageRows in [1, 2, 100] { #expect(try roundTrip(fields, rows, pageRows: pageRows) == rows) }
  }

  private func value(_ field: ParquetField, _ random: inout RandomBatch) -> ParquetValue {
    if field.repetition == .optional, random.below(4) == 0 { return .null }
    guard case .group(let children) = field.content else { return .integer(Int64(random.below(1_000))) }
    switch field.logicalType {
    case .list, .map:
      guard case .group(let inner) = children[0].content else { return .null }
      let count = random.pick([0, 0, 1, 2, 5])
      if field.logicalType == .list { return .list((0..<count).map { _ in value(inner[0], &random) }) }
      return .map((0..<count).map { _ in ParquetEntry(value(inner[0], &random), value(inner[1], &random)) })
    default: return .structure(children.map { value($0, &random) })
    }
  }

  private func field(_ name: String, depth: Int, _ random: inout RandomBatch) -> ParquetField {
    let isNullable = random.below(3) > 0
    let leaf = ParquetField.column(name, .integer, isNullable: isNullable)
    guard depth > 0 else { return leaf }
    switch random.below(4) {
    case 0: return leaf
    case 1: return .list(name, isNullable: isNullable, element: field("e", depth: depth - 1, &random))
    case 2:
      return .map(
        name, isNullable: isNullable, key: .column("k", .integer), value: field("v", depth: depth - 1, &random))
    default:
      return .structure(
        name, isNullable: isNullable, (0...random.below(3)).map { field("f\($0)", depth: depth - 1, &random) })
    }
  }

  @Test func `random trees come back`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = RandomBatch(seed: seed)
    for round in 0..<80 {
      let fields = (0...random.below(3)).map { field("top\($0)", depth: 4, &random) }
      let rows = (0..<random.pick([0, 1, 9, 60])).map { _ in
        ParquetValue.structure(fields.map { value($0, &random) })
      }
      #expect(
        try roundTrip(fields, rows, pageRows: random.pick([1, 3, 1_000])) == rows, "round \(round), seed \(seed)")
    }
  }

  @Test func `leaves inside of structures are flat columns`() throws {
    let fields = [
      ParquetField.structure("add", [.column("path", .string, isNullable: false), .column("size", .integer)])
    ]
    let writer = try ParquetWriter(schema: try ParquetSchema(fields))
    try writer.append(rows: [
      .structure([.null]), .structure([.structure([.string("a"), .null])]),
      .structure([.structure([.string("b"), .integer(3)])]),
    ])
    try writer.finish()
    let source = ParquetBytes(writer.takeOutput())
    let reader = try ParquetReader(
      try ParquetFile(source, place: "test"), source: source, columns: ["add.size", "add.path"])
    var batch = ColumnBatch([])
    #expect(try reader.next(into: &batch))
    #expect((0..<3).map { batch.columns[0].value($0) } == [.null, .null, .integer(3)])
    #expect((0..<3).map { batch.columns[1].value($0) } == [.null, .string("a"), .string("b")])
    #expect(try !reader.next(into: &batch))
  }

  @Test func `rows of another shape are refused with their place`() throws {
    let fields = [ParquetField.structure("add", isNullable: false, [.list("tags", element: text)])]
    let rows: [ParquetValue] = [
      .structure([]), .structure([.null]), .structure([.structure([.list([.integer(1)])])]),
      .structure([.structure([.map([])])]), .string("x"),
    ]
    for row in rows {
      let writer = try ParquetWriter(schema: try ParquetSchema(fields))
      let error = #expect(throws: HeadraceError.self) { try writer.append(rows: [row]) }
      #expect(error?.code == "PARQUET_VALUE" && error?.place?.hasPrefix("row 0") == true)
      #expect(throws: HeadraceError.self) { try writer.finish() }
    }
  }
}
