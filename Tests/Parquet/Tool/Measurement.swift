internal import Columns
internal import Core
internal import Glibc
internal import Parquet

/// Times on the wall and of the processor, for `Benchmarks/Parquet/compare.py`.
enum Measurement {
  static func write(_ arguments: Arguments) throws(HeadraceError) {
    let source = try ParquetFileSource(path: arguments.words[1])
    let file = try ParquetFile(source, place: arguments.words[1])
    let reader = try ParquetReader(file, source: source)
    let schema = try ParquetSchema(
      file.schema.leaves.map { .column($0.name, $0.columnType ?? .bytes, isNullable: $0.maximumDefinitionLevel > 0) })
    var batches: [ColumnBatch] = []
    var batch = ColumnBatch(reader.types)
    while try reader.next(into: &batch) { batches.append(batch) }
    for _ in 0...(Int(arguments.words[3]) ?? 3) {
      let begun = now()
      let output = try OutputFile(arguments.words[2])
      let writer = try ParquetWriter(schema: schema, configuration: arguments.configuration)
      for batch in batches {
        try writer.append(batch)
        try output.write(writer)
      }
      try writer.finish()
      try output.write(writer)
      report("write", begun, rows: file.rowCount, bytes: writer.writtenBytes)
    }
  }

  static func read(_ arguments: Arguments) throws(HeadraceError) {
    let source = try ParquetFileSource(path: arguments.words[1])
    for _ in 0...(Int(arguments.words[2]) ?? 3) {
      let begun = now()
      let file = try ParquetFile(source, place: arguments.words[1])
      let reader = try ParquetReader(file, source: source, columns: arguments.list("--columns"))
      var batch = ColumnBatch(reader.types)
      var rows = 0
      while try reader.next(into: &batch) { rows += batch.rowCount }
      report("read", begun, rows: rows, bytes: source.sizeBytes)
    }
  }

  private static func report(_ what: String, _ begun: (wall: Double, cpu: Double), rows: Int, bytes: Int) {
    let ended = now()
    print(what, ended.wall - begun.wall, ended.cpu - begun.cpu, rows, bytes)
  }

  private static func now() -> (wall: Double, cpu: Double) {
    func seconds(_ clock: clockid_t) -> Double {
      var time = timespec()
      unsafe clock_gettime(clock, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    return (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
  }
}
