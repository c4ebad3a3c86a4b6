internal import Columns

/// What happened to one field of one record: the numbers that C uses.
enum CellState {
  static let missing: UInt8 = 0
  static let null: UInt8 = 1
  static let value: UInt8 = 2
  static let wrongKind: UInt8 = 3
  static let outOfRange: UInt8 = 4
  static let notIntegral: UInt8 = 5
}

/// The values of one field while a batch is decoded: typed arrays that are reused from batch to batch and become a
/// column when all faults are known.
struct CellColumn {
  let field: Int
  let type: ContractField
  private(set) var states: [UInt8] = []
  private(set) var integers: [Int64] = []
  private(set) var doubles: [Double] = []
  private(set) var decimals: [Int128] = []
  /// Where texts are: in the payloads, or behind them in the side buffer.
  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  var textRules: TextRules?

  init(_ contract: Contract, field: Int) {
    self.field = field
    type = contract.fields[field]
    textRules = TextRules(type)
  }

  mutating func reserve(_ rows: Int) {
    let missing = rows - states.count
    guard missing > 0 else { return }
    states += repeatElement(0, count: missing)
    switch type.type.storage {
    case .integers: integers += repeatElement(0, count: missing)
    case .doubles: doubles += repeatElement(0, count: missing)
    case .decimals: decimals += repeatElement(0, count: missing)
    case .text:
      starts += repeatElement(0, count: missing)
      counts += repeatElement(0, count: missing)
    }
  }

  /// As if no record had the field.
  mutating func clear(_ rows: Int) {
    reserve(rows)
    for row in 0..<rows { states[row] = CellState.missing }
  }

  @inline(__always)
  mutating func set(_ row: Int, _ value: Int64) {
    integers[row] = value
    states[row] = CellState.value
  }

  @inline(__always)
  mutating func set(_ row: Int, _ value: Double) {
    doubles[row] = value
    states[row] = CellState.value
  }

  @inline(__always)
  mutating func set(_ row: Int, _ unscaled: Int128) {
    decimals[row] = unscaled
    states[row] = CellState.value
  }

  @inline(__always)
  mutating func set(_ row: Int, start: Int, count: Int) {
    starts[row] = start
    counts[row] = count
    states[row] = CellState.value
  }

  @inline(__always)
  mutating func set(_ row: Int, state: UInt8) { states[row] = state }

  /// A whole array at once, as C fills them; the capacity is there.
  mutating func withIntegers<Result>(_ body: (inout [Int64], inout [UInt8]) -> Result) -> Result {
    body(&integers, &states)
  }

  mutating func withDoubles<Result>(_ body: (inout [Double], inout [UInt8]) -> Result) -> Result {
    body(&doubles, &states)
  }
}

extension CellColumn {
  /// The rows as a column: null where there is no value, and where the record is faulty.
  func write(rows: Int, isFaulty: [Bool], text: borrowing CellText, to column: inout Column) {
    switch type.type.storage {
    case .integers:
      let isValid = isValid(rows: rows, isFaulty: isFaulty)
      column = Column(column.type, integers: Self.zeroed(integers, isValid), isValid: isValid)
    case .doubles:
      let isValid = isValid(rows: rows, isFaulty: isFaulty)
      column = Column(doubles: Self.zeroed(doubles, isValid), isValid: isValid)
    case .decimals:
      column.removeAll()
      for row in 0..<rows {
        if states[row] == CellState.value && !isFaulty[row] {
          column.append(decimals[row])
        } else {
          column.appendNull()
        }
      }
    case .text:
      column.removeAll()
      column.reserveCapacity(rows)
      for row in 0..<rows {
        if states[row] == CellState.value && !isFaulty[row] {
          unsafe column.append(text.span(starts[row], counts[row]).bytes)
        } else {
          column.appendNull()
        }
      }
    }
  }

  private func isValid(rows: Int, isFaulty: [Bool]) -> [Bool] {
    [Bool](capacity: rows) { span in
      for row in 0..<rows { span.append(states[row] == CellState.value && !isFaulty[row]) }
    }
  }

  /// Slots of nulls hold zero; what a batch before left in them does not count.
  private static func zeroed<Number: Numeric>(_ values: [Number], _ isValid: [Bool]) -> [Number] {
    [Number](capacity: isValid.count) { span in
      for row in isValid.indices { span.append(isValid[row] ? values[row] : .zero) }
    }
  }
}

/// Where texts of cells lie: the payloads as they came, and what had to be written anew.
struct CellText {
  /// The payloads, one after the other.
  var payloads: [UInt8] = []
  /// Texts without escapes, defaults, canonical JSON.
  var side: [UInt8] = []

  /// Positions behind the payloads are positions in `side`.
  @inline(__always)
  @_lifetime(borrow self)
  func span(_ start: Int, _ count: Int) -> Span<UInt8> {
    guard start >= payloads.count else { return payloads.span.extracting(start..<(start + count)) }
    let position = start - payloads.count
    return side.span.extracting(position..<(position + count))
  }

  /// Appends a text to `side`.
  ///
  /// - Returns: its position.
  mutating func add(_ bytes: [UInt8]) -> Int {
    side += bytes
    return payloads.count + side.count - bytes.count
  }

  mutating func removeAll() {
    payloads.removeAll(keepingCapacity: true)
    side.removeAll(keepingCapacity: true)
  }
}
