import Columns
import Core
import TestSupport
import Testing

@testable import OfflineStore

@Suite struct SpillTableTests {
  @Test(arguments: [0, 4_096, 1 << 30]) func `Partitions hold what was appended, wherever it waits`(
    limitBytes: Int
  ) throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    let budget = SpillBudget(limitBytes: limitBytes)
    let table = SpillTable([.integer, .string, .double], partitionCount: 2, budget: budget)
    var expected: [[[Value]]] = []
    for _ in 0..<60 {
      var batch = ColumnBatch([.integer, .string, .double])
      var partitions: [Int] = []
      for _ in 0..<random.next() % 50 {
        let row: [Value] = [
          .integer(Int64(truncatingIfNeeded: random.next())),
          random.next() % 5 == 0 ? .null : .string("\(random.next())"),
          random.next() % 5 == 0 ? .null : .double(Double(random.next())),
        ]
        for column in row.indices { _ = batch.columns[column].append(row[column]) }
        batch.rowCount += 1
        let partition = Int(random.next() % 6) - 1
        partitions.append(partition)
        while expected.count <= max(partition, 0) { expected.append([]) }
        if partition >= 0 { expected[partition].append(row) }
      }
      try table.append(batch, partitions: partitions)
    }
    for (partition, rows) in expected.enumerated() {
      let found = try table.read(partition)
      #expect((0..<found.rowCount).map { row in found.columns.map { $0.value(row) } } == rows, "seed \(seed)")
    }
    #expect((budget.spilledBytes > 0) == (limitBytes < 1 << 30))
  }
}
