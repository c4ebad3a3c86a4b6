import Columns
import Core
import TestSupport
import Testing

@testable import Parquet

@Suite struct ParallelWriterTests {
  @Test func `The bytes of a file do not depend on how many threads encode it`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    var batch = ColumnBatch([.integer, .double, .string])
    for row in 0..<100_000 {
      batch.columns[0].append(Int64(row) * 7)
      if random.next() % 10 == 0 {
        batch.columns[1].appendNull()
      } else {
        batch.columns[1].append(Double(random.next()))
      }
      batch.columns[2].append("name \(random.next() % 100)")
    }
    batch.rowCount = 100_000
    let schema = try ParquetSchema([.column("a", .integer), .column("b", .double), .column("c", .string)])
    let files = try [1, 2, 5].map { threadCount in
      var configuration = ParquetWriterConfiguration()
      configuration.threadCount = threadCount
      configuration.rowGroupRows = 30_000
      let writer = try ParquetWriter(schema: schema, configuration: configuration)
      try writer.append(batch)
      try writer.finish()
      return writer.takeOutput()
    }
    #expect(files[0] == files[1] && files[0] == files[2], "seed \(seed)")
  }
}
