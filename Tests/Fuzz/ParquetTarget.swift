internal import Columns
internal import Core
internal import Parquet

/// Parquet files: footers, page headers, levels and every encoding. What is read is rows, or an error that names its
/// place.
struct ParquetTarget: FuzzTarget {
  static let name = "parquet"

  private static let maximumBatches = 16
  private static let maximumTextBytes = 1 << 20

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    var signature = Signature()
    let source = ParquetBytes(input)
    do throws(HeadraceError) {
      let file = try ParquetFile(source, place: "fuzz")
      signature.add(sizeClassOf: file.schema.leaves.count)
      signature.add(file.rowGroups.count)
      for leaf in file.schema.leaves {
        signature.add(Int(leaf.physicalType.rawValue))
        for group in file.rowGroups { signature.add(group.statistics(leaf)?.minimum == nil ? 0 : 1) }
      }
      try readBatches(file, source, &signature)
      try readRows(file, source, &signature)
    } catch {
      try check(error)
      signature.add("\(error.code) \(error.message)".filter { !$0.isNumber })
    }
    return signature
  }

  private func check(_ error: HeadraceError) throws(Violation) {
    guard error.code.hasPrefix("PARQUET_"), error.place != nil || error.message.contains("byte") else {
      throw Violation("an error without a place: \(error)")
    }
  }

  private func readBatches(
    _ file: ParquetFile, _ source: ParquetBytes, _ signature: inout Signature
  ) throws(HeadraceError) {
    var configuration = ParquetReaderConfiguration()
    configuration.batchRows = 1_024
    configuration.maximumBatchBytes = Self.maximumTextBytes
    // A damaged column must not hide the others.
    for leaf in file.schema.leaves where leaf.maximumRepetitionLevel == 0 {
      do throws(HeadraceError) {
        let reader = try ParquetReader(file, source: source, columns: [leaf.name], configuration: configuration)
        var batch = ColumnBatch(reader.types)
        for _ in 0..<Self.maximumBatches {
          guard try reader.next(into: &batch) else { break }
          signature.add(sizeClassOf: batch.columns[0].nullCount)
        }
      } catch {
        signature.add("\(error.code) \(error.message)".filter { !$0.isNumber })
      }
    }
  }

  private func readRows(
    _ file: ParquetFile, _ source: ParquetBytes, _ signature: inout Signature
  ) throws(HeadraceError) {
    var configuration = ParquetReaderConfiguration()
    configuration.maximumRowValues = 1 << 14
    configuration.maximumBatchBytes = Self.maximumTextBytes
    let reader = try ParquetRowReader(file, source: source, configuration: configuration)
    for _ in 0..<Self.maximumBatches {
      let rows = try reader.next(maximumRows: 64)
      signature.add(rows.count)
      guard !rows.isEmpty else { break }
    }
  }

  func seeds() throws -> [Seed] {
    var seeds: [Seed] = []
    for codec in ParquetCodec.allCases {
      for version in [ParquetWriterConfiguration.PageVersion.v1, .v2] {
        var configuration = ParquetWriterConfiguration()
        configuration.codec = codec
        configuration.pageVersion = version
        configuration.pageRows = 20
        // A checksum would stop nearly every mutation at the door.
        configuration.writesChecksums = false
        configuration.bloomFilters = ["key"]
        seeds.append(Seed(name: "flat-\(codec)-\(version)", bytes: try flat(configuration)))
        seeds.append(Seed(name: "nested-\(codec)-\(version)", bytes: try nested(configuration)))
      }
    }
    return seeds
  }

  private func flat(_ configuration: ParquetWriterConfiguration) throws(HeadraceError) -> [UInt8] {
    let schema = try ParquetSchema([
      .column("key", .string), .column("count", .integer), .column("mean", .double, isNullable: false),
      .column("flag", .boolean), .column("at", .timestamp), .column("amount", .decimal(scale: 2)),
      .column("day", .date),
      .column("raw", .bytes), .float("narrow"),
    ])
    var batch = ColumnBatch(schema.leaves.map { $0.columnType ?? .bytes })
    for row in 0..<50 {
      if row % 7 == 3 {
        for index in batch.columns.indices where index != 2 { batch.columns[index].appendNull() }
      } else {
        batch.columns[0].append("user_\(row % 5)")
        batch.columns[1].append(Int64(row * row))
        batch.columns[3].append(row % 2 == 0)
        batch.columns[4].append(1_700_000_000_000_000 + Int64(row) * 1_000)
        batch.columns[5].append(Int128(row) * 1_000_003 - 9)
        batch.columns[6].append(Int64(row))
        batch.columns[7].append("\u{1}\(row)")
        batch.columns[8].append(Double(row) / 2)
      }
      batch.columns[2].append(Double(row) * 1.1)
    }
    batch.rowCount = 50
    let writer = try ParquetWriter(schema: schema, configuration: configuration)
    try writer.append(batch)
    try writer.finish()
    return writer.takeOutput()
  }

  private func nested(_ configuration: ParquetWriterConfiguration) throws(HeadraceError) -> [UInt8] {
    let text = ParquetField.column("x", .string)
    let schema = try ParquetSchema([
      .structure(
        "add", [.column("path", .string), .map("values", key: text, value: text), .list("tags", element: text)]),
      .column("version", .integer),
    ])
    let writer = try ParquetWriter(schema: schema, configuration: configuration)
    for row in 0..<30 {
      let entries = (0..<row % 3).map { ParquetEntry(.string("k\($0)"), row % 2 == 0 ? .null : .string("v")) }
      let add = ParquetValue.structure([.string("part-\(row)"), .map(entries), row % 4 == 0 ? .null : .list([.null])])
      try writer.append(rows: [.structure([row % 5 == 0 ? .null : add, .integer(Int64(row))])])
    }
    try writer.finish()
    return writer.takeOutput()
  }
}
