import Columns
import Core

@testable import Parquet

/// Random schemas, batches and settings.
struct RandomBatch {
  var generator: SplitMix64

  init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  mutating func below(_ limit: Int) -> Int { Int(generator.next() % UInt64(max(limit, 1))) }

  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

  mutating func fields() -> [ParquetField] {
    (0...below(6)).map { index in
      let isNullable = below(3) > 0
      let name = "c\(index)"
      let precision = pick([1, 9, 10, 18, 19, 38])
      switch below(12) {
      case 0: return .column(name, .boolean, isNullable: isNullable)
      case 1: return .column(name, .integer, isNullable: isNullable)
      case 2: return .integer32(name, isNullable: isNullable)
      case 3: return .column(name, .double, isNullable: isNullable)
      case 4: return .float(name, isNullable: isNullable)
      case 5: return .column(name, .bytes, isNullable: isNullable)
      case 6: return .column(name, .timestamp, isNullable: isNullable)
      case 7: return .column(name, .date, isNullable: isNullable)
      case 8, 9:
        return .column(name, .decimal(scale: min(2, precision)), isNullable: isNullable, decimalPrecision: precision)
      default: return .column(name, .string, isNullable: isNullable)
      }
    }
  }

  mutating func column(_ leaf: ParquetLeaf, rows: Int) -> Column {
    var column = Column(leaf.columnType ?? .bytes)
    let nulls = leaf.maximumDefinitionLevel == 0 ? 0 : pick([0, 0, 1, 50, 100])
    let kind = below(4)
    for row in 0..<rows {
      if below(100) < nulls {
        column.appendNull()
        continue
      }
      switch column.type.storage {
      case .integers: column.append(integer(leaf, row, kind))
      case .doubles: column.append(double(leaf, kind))
      case .decimals: column.append(decimal(leaf, kind))
      case .text: unsafe column.append(text(kind, isString: column.type == .string).span.bytes)
      }
    }
    return column
  }

  private mutating func integer(_ leaf: ParquetLeaf, _ row: Int, _ kind: Int) -> Int64 {
    if leaf.physicalType == .boolean { return Int64(below(2)) }
    let isNarrow = leaf.physicalType == .int32
    let value: Int64 =
      switch kind {
      case 0: Int64(bitPattern: generator.next())
      case 1: pick([.min, .max, 0, -1, .max - 1, Int64(Int32.min), Int64(Int32.max)])
      case 2: Int64(row) * 1_000 + Int64(below(50))
      default: Int64(below(9))
      }
    return isNarrow ? Int64(Int32(truncatingIfNeeded: value)) : value
  }

  private mutating func double(_ leaf: ParquetLeaf, _ kind: Int) -> Double {
    let value: Double =
      switch kind {
      case 0: Double(Int64(bitPattern: generator.next())) / 1e15
      case 1: pick([0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
      default: Double(below(20))
      }
    return leaf.physicalType == .float ? Double(Float(value)) : value
  }

  private mutating func decimal(_ leaf: ParquetLeaf, _ kind: Int) -> Int128 {
    guard case .decimal(let precision, _) = leaf.logicalType else { return 0 }
    let limit = (0..<precision).reduce(Int128(1)) { product, _ in product * 10 } - 1
    if kind == 1 { return pick([limit, -limit, 0, -1]) }
    let wide = Int128(truncatingIfNeeded: UInt128(generator.next()) << 64 | UInt128(generator.next()))
    return wide % (limit + 1)
  }

  private mutating func text(_ kind: Int, isString: Bool) -> [UInt8] {
    switch kind {
    case 0: return Array("user_\(below(40))".utf8)
    case 1: return Array(String(repeating: "é😀", count: below(20)).utf8)
    case 2: return Array(repeating: 0x78, count: pick([0, 1, 7, 8, 15, 16, 17, 63, 64, 65, 3_000]))
    default: return isString ? Array("\(generator.next())".utf8) : (0..<below(40)).map { _ in UInt8(below(256)) }
    }
  }

  mutating func configuration() -> ParquetWriterConfiguration {
    var configuration = ParquetWriterConfiguration()
    configuration.codec = pick(ParquetCodec.allCases)
    configuration.pageVersion = pick([.v1, .v2])
    configuration.rowGroupRows = pick([1, 100, 5_000, 1 << 20])
    configuration.rowGroupBytes = pick([1_000, 64 << 20])
    configuration.pageRows = pick([1, 50, 1 << 17])
    configuration.pageBytes = pick([1, 500, 1 << 20])
    configuration.dictionaryBytes = pick([0, 100, 4 << 20])
    configuration.choosesEncodings = pick([true, true, false])
    configuration.writesChecksums = pick([true, false])
    configuration.writesPageIndex = pick([true, false])
    if below(3) == 0 { configuration.bloomFilters = ["c0", "c1"] }
    return configuration
  }
}

extension Column {
  /// Equal types, nulls and values; NaN and zeros by their bits.
  func isSame(as other: Column) -> Bool {
    type == other.type && isValid == other.isValid && integers == other.integers && decimals == other.decimals
      && doubles.map(\.bitPattern) == other.doubles.map(\.bitPattern) && text.ends == other.text.ends
      && text.bytes == other.text.bytes && nullCount == other.nullCount
  }
}
