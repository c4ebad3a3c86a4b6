import Columns
import Core
import TestSupport
import Testing

@testable import OfflineStore

@Suite struct FeatureJoinTests {
  /// Rows in memory, in pieces.
  private struct MemoryColumns: ColumnSource {
    let place = "memory"
    let fields: [(name: String, type: ColumnType)]
    let pieces: [ColumnBatch]
    var pieceCount: Int { pieces.count }

    func forEachBatch(
      of piece: Int, columns: [String], _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
    ) throws(HeadraceError) {
      let wanted = columns.compactMap { name in fields.firstIndex { $0.name == name } }
      // Batches are cut anywhere.
      var start = 0
      while start < pieces[piece].rowCount {
        let end = min(start + 3, pieces[piece].rowCount)
        var batch = ColumnBatch(wanted.map { fields[$0].type })
        for (index, column) in wanted.enumerated() {
          batch.columns[index].append(start..<end, of: pieces[piece].columns[column])
        }
        batch.rowCount = end - start
        try body(batch)
        start = end
      }
    }
  }

  private struct Row {
    var key: String?
    var time: Int64?
    var known: Int64
    var value: Int64?
  }

  private static func source(_ rows: [Row], hasTextKeys: Bool, _ random: inout SplitMix64) -> MemoryColumns {
    let fields: [(name: String, type: ColumnType)] = [
      ("key", hasTextKeys ? .string : .integer), ("time", .timestamp), ("known", .timestamp), ("value", .integer),
      ("name", .string),
    ]
    var pieces: [ColumnBatch] = []
    var next = 0
    while next < rows.count {
      let end = min(rows.count, next + 1 + Int(random.next() % 40))
      var batch = ColumnBatch(fields.map(\.type))
      for row in rows[next..<end] {
        let key: Value = row.key.map { hasTextKeys ? .string($0) : .integer(Int64($0) ?? 0) } ?? .null
        _ = batch.columns[0].append(key)
        _ = batch.columns[1].append(row.time.map { .timestamp($0) } ?? .null)
        batch.columns[2].append(row.known)
        _ = batch.columns[3].append(row.value.map { .integer($0) } ?? .null)
        _ = batch.columns[4].append(row.value.map { .string("value \($0)") } ?? .null)
        batch.rowCount += 1
      }
      pieces.append(batch)
      next = end
    }
    return MemoryColumns(fields: fields, pieces: pieces)
  }

  @Test func `Every label finds the newest row that it may see`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for round in 0..<200 {
      func rows(_ count: Int) -> [Row] {
        (0..<count).map { number in
          Row(
            key: random.next() % 20 == 0 ? nil : "\(random.next() % 7)",
            time: random.next() % 20 == 0 ? nil : Int64(random.next() % 100) * 1_000,
            known: Int64(random.next() % 120) * 1_000, value: random.next() % 9 == 0 ? nil : Int64(number))
        }
      }
      let (features, labels) = (rows(Int(random.next() % 150)), rows(Int(random.next() % 150)))
      var configuration = FeatureJoin.Configuration(keys: ["key"], labelTime: "time", featureTime: "time")
      let (usesKnown, hasTTL) = (round % 2 == 0, round % 3 == 0)
      if usesKnown { configuration.knownTime = "known" }
      if hasTTL { configuration.maximumAgeMilliseconds = 20 }
      configuration.columns = ["value", "name"]
      configuration.threadCount = 1 + round % 3
      let hasTextKeys = round % 4 < 2
      let found = try FeatureJoin(configuration).columns(
        Self.source(features, hasTextKeys: hasTextKeys, &random),
        for: Self.source(labels, hasTextKeys: hasTextKeys, &random))
      for (row, label) in labels.enumerated() {
        var best: Row?
        for feature in features where feature.key != nil && feature.key == label.key {
          guard let time = feature.time, let at = label.time, time <= at, !usesKnown || feature.known <= at else {
            continue
          }
          if best.flatMap(\.time).map({ $0 <= time }) ?? true { best = feature }
        }
        if hasTTL, let time = best?.time, let at = label.time, at - time > 20_000 { best = nil }
        #expect(found.columns[0].value(row) == (best?.value.map { .integer($0) } ?? .null), "seed \(seed)")
        #expect(found.columns[1].value(row) == (best?.value.map { .string("value \($0)") } ?? .null), "seed \(seed)")
      }
    }
  }
}
