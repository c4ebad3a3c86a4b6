import Columns
import Core
import Storage

@testable import Delta

/// A row of the test table.
struct TestRow: Hashable, Comparable {
  var id: Int64
  var name: String?
  var day: Int64?

  private var key: (Int64, String, Int64) { (id, name ?? "", day ?? -1) }

  static func < (left: TestRow, right: TestRow) -> Bool { left.key < right.key }

  static func random(count: Int, using random: inout SplitMix64) -> [TestRow] {
    let names = [nil, "a", "b c", "d/e=f", "é%41", "z" + String(repeating: "y", count: 40)]
    return (0..<count).map { _ in
      TestRow(
        id: Int64.random(in: -50...50, using: &random), name: names[Int.random(in: 0..<names.count, using: &random)],
        day: Int.random(in: 0..<5, using: &random) == 0 ? nil : 15_700 + Int64.random(in: 0..<4, using: &random))
    }
  }

  static func batch(_ rows: [TestRow]) -> ColumnBatch {
    var batch = ColumnBatch([.integer, .string, .date])
    for row in rows {
      batch.columns[0].append(row.id)
      if let name = row.name { batch.columns[1].append(name) } else { batch.columns[1].appendNull() }
      if let day = row.day { batch.columns[2].append(day) } else { batch.columns[2].appendNull() }
      batch.rowCount += 1
    }
    return batch
  }
}

extension DeltaTable {
  /// Writes rows and commits them, as an application if one is named.
  mutating func append(
    _ rows: [TestRow], application: String? = nil, to version: Int64 = 0, nowMilliseconds: Int64 = 1
  ) throws {
    let writer = try TableWriter(self)
    try writer.append(TestRow.batch(rows), nowMilliseconds: nowMilliseconds)
    let files = try writer.finish(nowMilliseconds: nowMilliseconds)
    let moves = application.map { name in
      [TransactionMove(applicationID: name, from: snapshot.transactionVersion(name), to: version)]
    }
    guard case .committed = try commit(.append(files, moves: moves ?? []), nowMilliseconds: nowMilliseconds) else {
      throw CommitTests.TestFailure()
    }
  }

  /// All rows of the files that conditions leave, in order.
  func rows(where conditions: [ColumnCondition] = []) throws -> [TestRow] {
    let scan = try TableScan(self, columns: ["id", "name", "day"], where: conditions)
    var rows: [TestRow] = []
    var batch = ColumnBatch([])
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount {
        let (id, name, day) = (batch.columns[0], batch.columns[1], batch.columns[2])
        rows.append(
          TestRow(
            id: id.integers[row], name: name.isValid[row] ? name.text.string(row) : nil,
            day: day.isValid[row] ? day.integers[row] : nil))
      }
    }
    return rows.sorted()
  }
}
