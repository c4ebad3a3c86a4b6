internal import Columns

/// The result of one instruction for all rows of a batch.
///
/// Its arrays only grow: they may be longer than the batch. As in a `Column`, the slot of a null is zero.
struct Register: Sendable {
  var integers: [Int64] = []
  var doubles: [Double] = []
  var decimals: [Int128] = []
  var text = TextBuffer()
  /// Where a text is put together before it becomes a row.
  var bytes: [UInt8] = []
  /// Of no meaning while `hasNulls` is false.
  var validity: [Bool] = []
  var hasNulls = false

  mutating func prepare(_ storage: ColumnType.Storage, rowCount: Int) {
    hasNulls = false
    switch storage {
    case .integers: Self.grow(&integers, to: rowCount, with: 0)
    case .doubles: Self.grow(&doubles, to: rowCount, with: 0)
    case .decimals: Self.grow(&decimals, to: rowCount, with: 0)
    case .text: text.removeAll()
    }
  }

  /// Makes `validity` true for every row, unless it already has a meaning.
  mutating func startValidity(rowCount: Int) {
    guard !hasNulls else { return }
    hasNulls = true
    Self.grow(&validity, to: rowCount, with: true)
    unsafe validity.withUnsafeMutableBufferPointer { valid in
      for row in 0..<rowCount { unsafe valid[row] = true }
    }
  }

  /// Makes the rows null that are so in `flags`, which has a flag for every row.
  mutating func intersectValidity(with flags: [Bool], rowCount: Int) {
    let isFirst = !hasNulls
    hasNulls = true
    Self.grow(&validity, to: rowCount, with: true)
    // As bytes: weighing flags one by one would branch, and keep the loop from becoming vectors.
    unsafe flags.withUnsafeBytes { flags in
      unsafe validity.withUnsafeMutableBytes { valid in
        for row in 0..<rowCount { unsafe valid[row] = unsafe isFirst ? flags[row] : valid[row] & flags[row] }
      }
    }
  }

  /// Says of every row whether it is valid.
  @inline(__always)
  mutating func writeValidity(rowCount: Int, _ isValid: (Int) -> Bool) {
    hasNulls = true
    Self.grow(&validity, to: rowCount, with: true)
    unsafe validity.withUnsafeMutableBufferPointer { flags in
      for row in 0..<rowCount { unsafe flags[row] = isValid(row) }
    }
  }

  private static func grow<Element>(_ array: inout [Element], to count: Int, with value: Element) {
    guard array.count < count else { return }
    array.append(contentsOf: repeatElement(value, count: count - array.count))
  }
}

extension Register {
  /// Takes the buffers of a column of numbers that is about to be overwritten, so that they are used again.
  mutating func takeBuffers(of column: inout Column) {
    switch column.type.storage {
    case .integers: integers = column.integers
    case .doubles: doubles = column.doubles
    case .text, .decimals: return column.removeAll()
    }
    validity = column.isValid
    // The column lets go of the arrays: they have one owner again and may grow in place.
    column = Column(column.type)
  }

  /// Hands the numbers' buffers to the column; texts and decimals are copied.
  mutating func finish(as type: ColumnType, rowCount: Int, into column: inout Column) {
    if hasNulls {
      validity.removeLast(validity.count - rowCount)
    } else {
      validity.removeAll(keepingCapacity: true)
      validity.append(contentsOf: repeatElement(true, count: rowCount))
    }
    switch type.storage {
    case .integers:
      integers.removeLast(integers.count - rowCount)
      column = Column(type, integers: integers, isValid: validity)
      (integers, validity) = ([], [])
    case .doubles:
      doubles.removeLast(doubles.count - rowCount)
      column = Column(doubles: doubles, isValid: validity)
      (doubles, validity) = ([], [])
    case .decimals:
      for row in 0..<rowCount {
        if validity[row] { column.append(decimals[row]) } else { column.appendNull() }
      }
    case .text:
      for row in 0..<rowCount {
        if validity[row] { column.append(text[row]) } else { column.appendNull() }
      }
    }
  }

  /// The same rows as a column that stays in use.
  mutating func copy(_ source: Column) {
    hasNulls = source.nullCount > 0
    validity.removeAll(keepingCapacity: true)
    validity.append(contentsOf: source.isValid)
    integers.removeAll(keepingCapacity: true)
    integers.append(contentsOf: source.integers)
    doubles.removeAll(keepingCapacity: true)
    doubles.append(contentsOf: source.doubles)
  }
}
