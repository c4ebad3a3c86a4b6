import Columns
import Core
import Testing

@testable import Parquet

/// Damaged and hostile files: an error with its place or a result, never a trap, and no memory that the file does not
/// justify.
struct MalformedTests {
  /// Reads everything there is; what comes out of a damaged file does not matter.
  static func readAll(_ bytes: [UInt8]) throws(HeadraceError) {
    let source = ParquetBytes(bytes)
    let file = try ParquetFile(source, place: "damaged")
    var configuration = ParquetReaderConfiguration()
    configuration.maximumBatchBytes = 1 << 20
    configuration.maximumRowValues = 1 << 16
    configuration.batchRows = 4_096
    for leaf in file.schema.leaves {
      for group in file.rowGroups {
        _ = group.statistics(leaf)
        _ = try? file.bloomFilter(of: leaf, rowGroup: group.index, source: source)
      }
    }
    var failure: HeadraceError?
    let flat = file.schema.leaves.filter { $0.maximumRepetitionLevel == 0 }.map(\.name)
    do throws(HeadraceError) {
      let reader = try ParquetReader(file, source: source, columns: flat, configuration: configuration)
      var batch = ColumnBatch(reader.types)
      for _ in 0..<64 { guard try reader.next(into: &batch) else { break } }
    } catch {
      failure = error
    }
    let rows = try ParquetRowReader(file, source: source, configuration: configuration)
    for _ in 0..<64 { guard try !rows.next(maximumRows: 512).isEmpty else { break } }
    if let failure { throw failure }
  }

  private func file(_ random: inout RandomBatch) throws -> [UInt8] {
    var fields = random.fields()
    let isNested = random.below(3) == 0
    if isNested {
      fields.append(.list("tags", element: .map("m", key: .column("k", .string), value: .column("v", .integer))))
    }
    let schema = try ParquetSchema(fields)
    var configuration = random.configuration()
    configuration.writesChecksums = random.below(4) == 0
    configuration.rowGroupRows = 1_000
    configuration.pageRows = 100
    let writer = try ParquetWriter(schema: schema, configuration: configuration)
    let rows = random.pick([1, 40, 300])
    let columns = schema.leaves.prefix(fields.count - (isNested ? 1 : 0)).map { random.column($0, rows: rows) }
    if isNested {
      try writer.append(
        rows: (0..<rows).map { row in
          let tags = (0..<random.below(3)).map { _ in ParquetValue.map([ParquetEntry(.string("k"), .integer(1))]) }
          return .structure(columns.map { ($0.isValid[row] ? .scalar($0.value(row)) : .null) } + [.list(tags)])
        })
    } else {
      try writer.append(ColumnBatch(columns: columns, rowCount: rows))
    }
    try writer.finish()
    return writer.takeOutput()
  }

  @Test(arguments: 0..<8)
  func `damaged files give an error or a result`(part: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = RandomBatch(seed: seed)
    var refused = 0
    for _ in 0..<12 {
      let whole = try file(&random)
      try Self.readAll(whole)
      for _ in 0..<40 {
        var bytes = whole
        switch random.below(4) {
        case 0: bytes.removeLast(1 + random.below(bytes.count))
        case 1: bytes.removeSubrange(0..<random.below(bytes.count))
        case 2: for _ in 0...random.below(4) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
        default: for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = random.pick([0, 0x7f, 0x80, 0xff]) }
        }
        do throws(HeadraceError) {
          try Self.readAll(bytes)
        } catch {
          refused += 1
          #expect(error.code.hasPrefix("PARQUET_"), "\(error), seed \(seed)")
          #expect(error.place != nil || error.code == "PARQUET_CORRUPT", "\(error), seed \(seed)")
        }
      }
    }
    #expect(refused > 0, "seed \(seed)")
  }

  @Test func `every cut of a file is refused`() throws {
    var random = RandomBatch(seed: 3)
    let whole = try file(&random)
    for length in 0..<whole.count {
      #expect(throws: HeadraceError.self) { try ParquetFile(ParquetBytes(Array(whole[..<length])), place: "cut") }
    }
  }

  @Test func `a run of a thousand million nulls takes no memory`() throws {
    let schema = try ParquetSchema([.column("x", .string)])
    var metadata = FileMetadata()
    metadata.schema = SchemaElement.flattened(schema)
    metadata.rowCount = 1_000_000_000
    var bytes = ParquetLimits.magic
    var page = CompactWriter()
    var header = PageHeader()
    header.kind = .data
    let body: [UInt8] = [6, 0, 0, 0] + Naive.varint(1_000_000_000 << 1) + [0]
    header.valueCount = 1_000_000_000
    header.uncompressedBytes = body.count
    header.compressedBytes = body.count
    header.write(to: &page)
    var column = ColumnMetadata()
    column.type = ParquetPhysicalType.byteArray.rawValue
    column.path = ["x"]
    column.valueCount = 1_000_000_000
    column.dataPageOffset = 4
    column.compressedBytes = page.bytes.count + body.count
    bytes += page.bytes + body
    var group = RowGroupMetadata()
    group.rowCount = 1_000_000_000
    group.columns = [column]
    metadata.rowGroups = [group]
    let footer = metadata.encoded()
    bytes += footer + (0..<4).map { UInt8(truncatingIfNeeded: footer.count >> (8 * $0)) } + ParquetLimits.magic
    let source = ParquetBytes(bytes)
    let reader = try ParquetReader(try ParquetFile(source, place: "nulls"), source: source)
    var batch = ColumnBatch(reader.types)
    for _ in 0..<3 {
      #expect(try reader.next(into: &batch))
      #expect(batch.rowCount == 65_536 && batch.columns[0].nullCount == 65_536)
    }
  }

  @Test func `metadata that nests without end is refused`() {
    let bytes = [UInt8](repeating: 0x1c, count: 100_000)
    #expect(throws: ParquetFault.self) {
      var reader = unsafe CompactReader(bytes.span.bytes)
      try reader.skip(.structure)
    }
  }
}
