import Columns
import Core
import Testing

@testable import Parquet

/// What is written is what is read, for random schemas, values, nulls, page sizes, codecs and batch sizes.
struct RoundTripTests {
  private func write(
    _ schema: ParquetSchema, _ columns: [Column], rows: Int, _ random: inout RandomBatch
  ) throws -> [UInt8] {
    let writer = try ParquetWriter(schema: schema, configuration: random.configuration())
    var bytes: [UInt8] = []
    var next = 0
    while next < rows {
      let end = min(rows, next + random.pick([1, 30, 900, 20_000]))
      var batch = ColumnBatch(columns.map(\.type))
      for index in columns.indices { batch.columns[index].append(next..<end, of: columns[index]) }
      batch.rowCount = end - next
      try writer.append(batch)
      if random.below(2) == 0 { bytes += writer.takeOutput() }
      next = end
    }
    try writer.finish()
    #expect(writer.rowCount == rows)
    bytes += writer.takeOutput()
    #expect(writer.writtenBytes == bytes.count)
    return bytes
  }

  private func read(_ file: ParquetFile, _ source: ParquetBytes, _ random: inout RandomBatch) throws -> [Column] {
    var configuration = ParquetReaderConfiguration()
    configuration.batchRows = random.pick([1, 77, 1_000, 65_536])
    configuration.maximumBatchBytes = random.pick([1, 1_000, 64 << 20])
    let reader = try ParquetReader(file, source: source, configuration: configuration)
    var found = reader.types.map { Column($0) }
    var batch = ColumnBatch(reader.types)
    while try reader.next(into: &batch) {
      #expect(batch.rowCount <= configuration.batchRows)
      for index in found.indices {
        #expect(batch.columns[index].count == batch.rowCount)
        found[index].append(0..<batch.rowCount, of: batch.columns[index])
      }
    }
    return found
  }

  @Test(arguments: 0..<12)
  func `random batches come back`(part: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = RandomBatch(seed: seed)
    for round in 0..<15 {
      let schema = try ParquetSchema(random.fields())
      let rows = random.pick([0, 1, 2, 31, 500, 3_000])
      let columns = schema.leaves.map { random.column($0, rows: rows) }
      let bytes = try write(schema, columns, rows: rows, &random)
      let source = ParquetBytes(bytes)
      let file = try ParquetFile(source, place: "test")
      #expect(file.schema == schema)
      #expect(file.rowCount == rows)
      let found = try read(file, source, &random)
      for (index, leaf) in schema.leaves.enumerated() {
        #expect(found[index].isSame(as: columns[index]), "\(leaf.name) of round \(round), seed \(seed)")
        checkStatistics(file, leaf, columns[index], seed)
      }
      let ranges = file.byteRanges(rowGroups: Array(file.rowGroups.indices), leaves: schema.leaves.map(\.index))
      let pieces = ranges.map { ParquetRanges.Piece(offset: $0.lowerBound, bytes: Array(bytes[$0])) }
      let fetched = ParquetRanges(sizeBytes: bytes.count, pieces)
      let reader = try ParquetReader(file, source: fetched)
      var batch = ColumnBatch(reader.types)
      var count = 0
      while try reader.next(into: &batch) { count += batch.rowCount }
      #expect(count == rows, "read from ranges, seed \(seed)")
    }
  }

  /// Null counts add up, and no value lies outside of its row group's bounds.
  private func checkStatistics(_ file: ParquetFile, _ leaf: ParquetLeaf, _ column: Column, _ seed: UInt64) {
    var row = 0
    for group in file.rowGroups {
      let rows = row..<row + group.rowCount
      row = rows.upperBound
      guard let statistics = group.statistics(leaf) else { continue }
      #expect(statistics.nullCount == column.isValid[rows].count { !$0 }, "\(leaf.name), seed \(seed)")
      for row in rows where column.isValid[row] {
        let value = column.value(row)
        if case .double(let number) = value, number.isNaN { continue }
        let isInside =
          statistics.minimum.map { !isLess(value, $0) } ?? true && statistics.maximum.map { !isLess($0, value) } ?? true
        #expect(isInside, "\(leaf.name): \(value) outside of \(statistics), seed \(seed)")
      }
    }
  }

  private func isLess(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)), (.timestamp(let left), .timestamp(let right)),
      (.date(let left), .date(let right)):
      left < right
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.double(let left), .double(let right)): left < right
    case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    case (.decimal(let left, _), .decimal(let right, _)): left < right
    default: true
    }
  }

  @Test func `a value larger than every limit comes back`() throws {
    let schema = try ParquetSchema([.column("s", .string), .column("i", .integer)])
    let huge = String(repeating: "0123456789", count: 400_000)
    var batch = ColumnBatch([.string, .integer])
    for row in 0..<6 {
      batch.columns[0].append(row % 2 == 0 ? huge : "small")
      batch.columns[1].append(Int64(row))
    }
    batch.rowCount = 6
    let writer = try ParquetWriter(schema: schema)
    try writer.append(batch)
    try writer.finish()
    let source = ParquetBytes(writer.takeOutput())
    var configuration = ParquetReaderConfiguration()
    configuration.maximumBatchBytes = 1 << 20
    let reader = try ParquetReader(
      try ParquetFile(source, place: "test"), source: source, configuration: configuration)
    var rows: [Int64] = []
    var found = ColumnBatch(reader.types)
    while try reader.next(into: &found) {
      rows += found.columns[1].integers
      #expect(found.columns[0].text.bytes.count <= 9 << 20)
    }
    #expect(rows == [0, 1, 2, 3, 4, 5])
  }

  @Test func `values that do not fit are refused with their column`() throws {
    func append(_ field: ParquetField, _ value: Value) -> HeadraceError? {
      #expect(throws: HeadraceError.self) {
        let schema = try ParquetSchema([field])
        let writer = try ParquetWriter(schema: schema)
        var batch = ColumnBatch([schema.leaves[0].columnType ?? .bytes])
        _ = batch.columns[0].append(value)
        batch.rowCount = 1
        try writer.append(batch)
        try writer.finish()
      }
    }
    for (field, value) in [
      (ParquetField.integer32("x"), Value.integer(1 << 31)), (.column("x", .integer, isNullable: false), .null),
      (.column("x", .decimal(scale: 0), decimalPrecision: 3), .decimal(unscaled: 1_000, scale: 0)),
    ] {
      let error = append(field, value)
      #expect(error?.code == "PARQUET_VALUE" && error?.place == "column x")
    }
  }

  @Test func `memory is that of a row group, not of the file`() throws {
    var configuration = ParquetWriterConfiguration()
    configuration.rowGroupBytes = 1 << 20
    let writer = try ParquetWriter(schema: try ParquetSchema([.column("x", .double)]), configuration: configuration)
    var generator = SplitMix64(seed: 5)
    var bytes: [UInt8] = []
    for _ in 0..<64 {
      var batch = ColumnBatch([.double])
      for _ in 0..<16_384 { batch.columns[0].append(Double(bitPattern: generator.next())) }
      batch.rowCount = 16_384
      try writer.append(batch)
      #expect(writer.bufferedBytes + writer.outputBytes < 4 << 20)
      bytes += writer.takeOutput()
    }
    try writer.finish()
    bytes += writer.takeOutput()
    #expect(try ParquetFile(ParquetBytes(bytes), place: "test").rowGroups.count >= 7)
  }
}
