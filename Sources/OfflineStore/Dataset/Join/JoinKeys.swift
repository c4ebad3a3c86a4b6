internal import Columns
internal import Core

/// One row of either side, as far as matching goes.
struct JoinRow: Sendable {
  /// Stands for the key: equal codes, equal keys.
  var code: Int64
  /// Microseconds.
  var time: Int64
  var row: Int32
}

/// Gives each key a number: a whole number stands for itself, every other key for its place among those of the labels.
struct JoinKeys: Sendable {
  private let types: [ColumnType]
  /// Whether keys are numbers that stand for themselves.
  let isPlain: Bool
  private var entities = EntityTable()

  init(types: [ColumnType]) {
    self.types = types
    isPlain = types.count == 1 && types[0].storage == .integers
  }

  /// Of a label; nil of a null.
  mutating func insert(_ columns: borrowing [Column], row: Int) -> Int64? {
    if isPlain { return columns[0].isValid[row] ? columns[0].integers[row] : nil }
    let entity = entities.insert(columns, Array(types.indices), row: row)
    return entity < 0 ? nil : Int64(entity)
  }

  /// Of a feature row; nil when no label has it.
  mutating func find(_ columns: borrowing [Column], row: Int) -> Int64? {
    if isPlain { return columns[0].isValid[row] ? columns[0].integers[row] : nil }
    let entity = entities.find(columns, Array(types.indices), row: row)
    return entity < 0 ? nil : Int64(entity)
  }

  /// Microseconds of a time, by a column's type.
  ///
  /// - Throws: JOIN_COLUMN for a column that holds no times.
  static func microseconds(_ column: borrowing Column, place: String) throws(HeadraceError) -> [Int64] {
    switch column.type {
    case .timestamp: return column.integers
    case .integer: return column.integers.map { $0.multipliedReportingOverflow(by: 1_000).partialValue }
    case .date: return column.integers.map { $0.multipliedReportingOverflow(by: 86_400_000_000).partialValue }
    default:
      throw HeadraceError(
        .user, "JOIN_COLUMN", "a column of \(column.type) where a time is needed", place: place,
        remedy: "times are timestamps, dates or epoch milliseconds")
    }
  }
}

/// Rows of one piece, sorted by the partition of their key, each partition in the order of the rows.
struct JoinPiece: Sendable {
  private(set) var rows: [JoinRow] = []
  /// Where each partition begins; one more than there are.
  private(set) var starts: [Int]
  /// Rows of the piece, those without a key or a time included.
  let rowCount: Int

  static let partitionBits = 8
  static let partitionCount = 1 << partitionBits

  @inline(__always)
  private static func partition(_ code: Int64) -> Int {
    // Fibonacci hashing: the high bits of the product depend on all bits of the code.
    Int(truncatingIfNeeded: (UInt64(bitPattern: code) &* 0x9e37_79b9_7f4a_7c15) >> (64 - UInt64(partitionBits)))
  }

  init(_ unsorted: [JoinRow], rowCount: Int) {
    self.rowCount = rowCount
    var counts = [Int](repeating: 0, count: Self.partitionCount + 1)
    for row in unsorted { counts[Self.partition(row.code) + 1] += 1 }
    for index in 1...Self.partitionCount { counts[index] += counts[index - 1] }
    starts = counts
    var next = counts
    rows = unsafe [JoinRow](unsafeUninitializedCapacity: unsorted.count) { buffer, count in
      for row in unsorted {
        let partition = Self.partition(row.code)
        unsafe buffer.initializeElement(at: next[partition], to: row)
        next[partition] += 1
      }
      count = unsorted.count
    }
  }

  func rows(of partition: Int) -> ArraySlice<JoinRow> { rows[starts[partition]..<starts[partition + 1]] }
}
