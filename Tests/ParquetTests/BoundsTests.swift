import Columns
import Core
import Testing

@testable import Parquet

struct BoundsTests {
  private func bounds(_ column: Column, signed: Bool = false) -> ValueBounds {
    var bounds = ValueBounds()
    bounds.include(0..<column.count, of: column, isSignedBytes: signed)
    return bounds
  }

  private func leaf(_ type: ColumnType) throws -> ParquetLeaf { try ParquetSchema([.column("x", type)]).leaves[0] }

  @Test func `NaN bounds nothing, and zeros have both signs`() throws {
    let leaf = try leaf(.double)
    var column = Column(.double)
    for _ in 0..<5 { column.append(Double.nan) }
    #expect(bounds(column).storedMinimum(leaf) == nil)
    column.append(0.0)
    let stored = bounds(column)
    #expect(stored.storedMinimum(leaf)?.bytes == [0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(stored.storedMaximum(leaf)?.bytes == [0, 0, 0, 0, 0, 0, 0, 0])
    column.append(-Double.infinity)
    #expect(bounds(column).values(leaf).minimum == .double(-.infinity))
  }

  @Test func `strings are compared by their bytes`() throws {
    let leaf = try leaf(.string)
    var generator = SplitMix64(seed: 11)
    for round in 0..<300 {
      var column = Column(.string)
      var texts: [[UInt8]] = []
      for _ in 0..<1 + round % 20 {
        let shared = Array("user_0000000000000000".utf8).prefix(Int(generator.next() % 22))
        let tail = (0..<Int(generator.next() % 4)).map { _ in UInt8([0, 1, 0x61, 0xff][Int(generator.next() % 4)]) }
        let text = Array(shared) + tail
        texts.append(text)
        unsafe column.append(text.span.bytes)
      }
      let found = bounds(column)
      #expect(found.lowerText == texts.min { $0.lexicographicallyPrecedes($1) })
      #expect(found.upperText == texts.max { $0.lexicographicallyPrecedes($1) })
    }
    #expect(bounds(Column(.string)).storedMinimum(leaf) == nil)
  }

  @Test func `a cut bound is still a bound, and still text`() throws {
    let leaf = try leaf(.string)
    for character in ["a", "é", "€", "😀", "\u{d7ff}", "\u{10ffff}", "\u{7f}"] {
      for lead in 0...4 {
        let text = String(repeating: "x", count: lead) + String(repeating: character, count: 70)
        var column = Column(.string)
        column.append(text)
        let found = bounds(column)
        let low = try #require(found.storedMinimum(leaf))
        #expect(low.bytes.count <= 64 && !low.isExact)
        #expect(String(validating: low.bytes, as: UTF8.self) != nil)
        #expect(!Array(text.utf8).lexicographicallyPrecedes(low.bytes))
        guard let high = found.storedMaximum(leaf) else {
          #expect(character == "\u{10ffff}" && lead == 0)
          continue
        }
        #expect(String(validating: high.bytes, as: UTF8.self) != nil)
        #expect(Array(text.utf8).lexicographicallyPrecedes(high.bytes), "\(character) behind \(lead)")
      }
    }
  }

  @Test func `decimals in bytes are compared as numbers`() throws {
    let schema = try ParquetSchema([.column("x", .decimal(scale: 2))])
    let writer = try ParquetWriter(schema: schema)
    var batch = ColumnBatch([.decimal(scale: 2)])
    for value in [5, -7, 0, 3] as [Int128] { batch.columns[0].append(value) }
    batch.rowCount = 4
    try writer.append(batch)
    try writer.finish()
    let summary = writer.columnSummaries()[0]
    #expect(summary.minimum == .decimal(unscaled: -7, scale: 2))
    #expect(summary.maximum == .decimal(unscaled: 5, scale: 2))
    let file = try ParquetFile(ParquetBytes(writer.takeOutput()), place: "test")
    #expect(file.rowGroups[0].statistics(file.schema.leaves[0])?.minimum == .decimal(unscaled: -7, scale: 2))
  }
}
