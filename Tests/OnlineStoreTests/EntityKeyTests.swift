import Columns
import Core
import Testing

@testable import OnlineStore

@Suite struct EntityKeyTests {
  private static func bytes(_ keys: EntityKeys, _ row: Int) -> [UInt8] { Array(keys.text.bytes[keys.text.range(row)]) }

  @Test func `columns and values give the same keys`() throws {
    var random = SplitMix64(seed: 5)
    let types: [ColumnType] = [.string, .integer, .boolean, .bytes, .double, .timestamp, .date, .decimal(scale: 2)]
    var batch = ColumnBatch(types)
    for _ in 0..<200 {
      for (index, type) in types.enumerated() {
        let stored = batch.columns[index].append(Self.value(type, &random))
        #expect(stored)
      }
      batch.rowCount += 1
    }
    var keys = EntityKeys()
    for parts in [[0], [1], [3], [4], [0, 1], [2, 0, 7], [5, 6, 3], [1, 1], Array(0..<8)] {
      keys.encode(batch.columns, parts: parts, rowCount: batch.rowCount)
      #expect(keys.count == batch.rowCount)
      for row in 0..<batch.rowCount {
        let key = EntityKey.encode(parts.map { batch.columns[$0].value(row) })
        #expect(keys.isValid[row] == (key != nil))
        guard let key else { continue }
        #expect(Self.bytes(keys, row) == key.bytes)
        #expect(keys.hashes[row] == key.hash)
      }
    }
  }

  private static func value(_ type: ColumnType, _ random: inout SplitMix64) -> Value {
    guard Int.random(in: 0..<8, using: &random) > 0 else { return .null }
    let number = Int64.random(in: -1_000...1_000, using: &random)
    return switch type {
    case .boolean: .boolean(number > 0)
    case .integer: .integer(number == 7 ? .min : number)
    case .double: .double(Double(number) / 8)
    case .string: .string(String(repeating: "x", count: Int(abs(number) % 300)))
    case .bytes: .bytes([UInt8](repeating: 255, count: Int(abs(number) % 20)))
    case .timestamp: .timestamp(number)
    case .date: .date(number)
    case .decimal(let scale): .decimal(unscaled: Int128(number), scale: scale)
    }
  }

  @Test func `a single part is its text, as a Kafka key is`() {
    #expect(EntityKey.encode([.string("JFK")])?.bytes == Array("JFK".utf8))
    #expect(EntityKey.encode([.integer(-42)])?.bytes == Array("-42".utf8))
    #expect(EntityKey.encode([.string("")])?.bytes == [])
    #expect(EntityKey.encode([.double(0)]) == EntityKey.encode([.double(-0.0)]))
    #expect(EntityKey.encode([.null]) == nil)
    #expect(EntityKey.encode([.string("a"), .null]) == nil)
  }

  @Test func `where one part ends counts`() {
    let keys = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", "")].map {
      EntityKey.encode([.string($0), .string($1)])
    }
    #expect(Set(keys).count == 4)
    let long = String(repeating: "y", count: 300)
    #expect(EntityKey.encode([.string(long), .string("z")])?.bytes.count == 2 + 300 + 1 + 1)
  }
}
