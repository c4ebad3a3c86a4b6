/// One typed column of a batch: a value or null for each row.
///
/// Only the buffer that `type.storage` names is in use. It has a slot for every row; the slot of a null holds zero or
/// no bytes, so that loops may run over a buffer without looking at `isValid`. Buffers keep their capacity in
/// `removeAll()`: a column that is reused for one batch after the other stops allocating.
package struct Column: Sendable {
  package let type: ColumnType
  /// A flag for each row: false is null.
  package internal(set) var isValid: [Bool] = []
  /// Booleans (0 or 1), integers, microseconds of timestamps, days of dates.
  package internal(set) var integers: [Int64] = []
  package internal(set) var doubles: [Double] = []
  package internal(set) var text = TextBuffer()
  package internal(set) var decimals: [Int128] = []
  package internal(set) var nullCount = 0

  package init(_ type: ColumnType) { self.type = type }

  package var count: Int { isValid.count }

  package mutating func reserveCapacity(_ rows: Int) {
    isValid.reserveCapacity(rows)
    switch type.storage {
    case .integers: integers.reserveCapacity(rows)
    case .doubles: doubles.reserveCapacity(rows)
    case .text: text.reserveCapacity(rows)
    case .decimals: decimals.reserveCapacity(rows)
    }
  }

  package mutating func removeAll() {
    isValid.removeAll(keepingCapacity: true)
    integers.removeAll(keepingCapacity: true)
    doubles.removeAll(keepingCapacity: true)
    text.removeAll()
    decimals.removeAll(keepingCapacity: true)
    nullCount = 0
  }
}

extension Column {
  @inline(__always)
  package mutating func appendNull() {
    isValid.append(false)
    nullCount += 1
    switch type.storage {
    case .integers: integers.append(0)
    case .doubles: doubles.append(0)
    case .text: text.appendEmpty()
    case .decimals: decimals.append(0)
    }
  }

  /// - Precondition: `type.storage` is `.integers`.
  @inline(__always)
  package mutating func append(_ value: Int64) {
    assert(type.storage == .integers)
    isValid.append(true)
    integers.append(value)
  }

  /// - Precondition: `type` is `.boolean`.
  @inline(__always)
  package mutating func append(_ value: Bool) { append(value ? 1 : 0 as Int64) }

  /// - Precondition: `type` is `.double`.
  @inline(__always)
  package mutating func append(_ value: Double) {
    assert(type.storage == .doubles)
    isValid.append(true)
    doubles.append(value)
  }

  /// - Precondition: `type.storage` is `.text`; of a string, UTF-8.
  @inline(__always)
  package mutating func append(_ bytes: borrowing RawSpan) {
    assert(type.storage == .text)
    isValid.append(true)
    text.append(bytes)
  }

  package mutating func append(_ string: String) {
    assert(type.storage == .text)
    isValid.append(true)
    text.append(string)
  }

  /// - Precondition: `type` is a decimal.
  package mutating func append(_ unscaled: Int128) {
    assert(type.storage == .decimals)
    isValid.append(true)
    decimals.append(unscaled)
  }

  /// Appends the row `row` of a column of the same type.
  package mutating func append(_ row: Int, of other: borrowing Column) {
    assert(type == other.type)
    guard other.isValid[row] else { return appendNull() }
    isValid.append(true)
    switch type.storage {
    case .integers: integers.append(other.integers[row])
    case .doubles: doubles.append(other.doubles[row])
    case .text: text.append(other.text[row])
    case .decimals: decimals.append(other.decimals[row])
    }
  }
}

extension Column {
  /// Takes whole buffers at once, as kernels produce them.
  ///
  /// - Precondition: both have as many elements; slots of nulls hold 0.
  package init(_ type: ColumnType, integers: [Int64], isValid: [Bool]) {
    precondition(type.storage == .integers && integers.count == isValid.count)
    self.type = type
    self.integers = integers
    self.isValid = isValid
    nullCount = isValid.count { !$0 }
  }

  package init(doubles: [Double], isValid: [Bool]) {
    precondition(doubles.count == isValid.count)
    type = .double
    self.doubles = doubles
    self.isValid = isValid
    nullCount = isValid.count { !$0 }
  }
}
