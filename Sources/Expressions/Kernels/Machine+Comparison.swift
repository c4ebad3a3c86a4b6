internal import Columns

/// Comparison. Doubles have a total order, as in SQL engines: NaN equals itself and is greater than everything else,
/// and both zeros are equal. Texts compare byte by byte.
extension Machine {
  func compare(
    _ comparison: Comparison, _ storage: ColumnType.Storage, _ operands: [Program.Operand], into result: inout Register
  ) {
    switch (storage, comparison) {
    case (.integers, .equal): test(operands, into: &result) { (a: Int64, b: Int64) in a == b }
    case (.integers, .notEqual): test(operands, into: &result) { (a: Int64, b: Int64) in a != b }
    case (.integers, .less): test(operands, into: &result) { (a: Int64, b: Int64) in a < b }
    case (.integers, .lessOrEqual): test(operands, into: &result) { (a: Int64, b: Int64) in a <= b }
    case (.doubles, .equal): map(operands, into: &result) { TotalOrder.equal($0, $1) }
    case (.doubles, .notEqual): map(operands, into: &result) { TotalOrder.equal($0, $1) ^ 1 }
    case (.doubles, .less): map(operands, into: &result) { TotalOrder.less($0, $1) }
    case (.doubles, .lessOrEqual): map(operands, into: &result) { TotalOrder.less($1, $0) ^ 1 }
    case (.decimals, .equal): test(operands, into: &result) { (a: Int128, b: Int128) in a == b }
    case (.decimals, .notEqual): test(operands, into: &result) { (a: Int128, b: Int128) in a != b }
    case (.decimals, .less): test(operands, into: &result) { (a: Int128, b: Int128) in a < b }
    case (.decimals, .lessOrEqual): test(operands, into: &result) { (a: Int128, b: Int128) in a <= b }
    case (.text, .equal): unsafe testTexts(operands, into: &result) { unsafe Text.order($0, $1) == 0 }
    case (.text, .notEqual): unsafe testTexts(operands, into: &result) { unsafe Text.order($0, $1) != 0 }
    case (.text, .less): unsafe testTexts(operands, into: &result) { unsafe Text.order($0, $1) < 0 }
    case (.text, .lessOrEqual): unsafe testTexts(operands, into: &result) { unsafe Text.order($0, $1) <= 0 }
    }
  }

  @inline(__always)
  private func test<A: LaneElement>(
    _ operands: [Program.Operand], into result: inout Register, _ predicate: (A, A) -> Bool
  ) {
    map(operands, into: &result) { (a: A, b: A) -> Int64 in predicate(a, b) ? 1 : 0 }
  }

  @inline(__always)
  func testTexts(
    _ operands: [Program.Operand], into result: inout Register, _ predicate: (Text.Bytes, Text.Bytes) -> Bool
  ) {
    combineValidity(operands, into: &result)
    unsafe texts(operands[0]) { a in
      unsafe texts(operands[1]) { b in
        unsafe Int64.write(&result) { slots in
          for row in 0..<rowCount { unsafe slots[row] = predicate(a[row], b[row]) ? 1 : 0 }
        }
      }
    }
    clearNulls(of: &result, Int64.self)
  }
}

extension Machine {
  func extreme(
    _ isGreatest: Bool, _ storage: ColumnType.Storage, _ operands: [Program.Operand], into result: inout Register
  ) {
    switch storage {
    case .integers: map(operands, into: &result) { (a: Int64, b: Int64) in (b < a) == isGreatest ? a : b }
    case .doubles:
      map(operands, into: &result) { (a: Double, b: Double) in (TotalOrder.less(b, a) == 1) == isGreatest ? a : b }
    case .decimals: map(operands, into: &result) { (a: Int128, b: Int128) in (b < a) == isGreatest ? a : b }
    case .text:
      combineValidity(operands, into: &result)
      unsafe texts(operands[0]) { a in
        unsafe texts(operands[1]) { b in
          for row in 0..<rowCount {
            if result.hasNulls, !result.validity[row] {
              result.text.appendEmpty()
            } else {
              unsafe result.append((Text.order(b[row], a[row]) < 0) == isGreatest ? a[row] : b[row])
            }
          }
        }
      }
    }
  }

  /// Unknown where the value is not found and the list has a null.
  func membership(_ operand: Program.Operand, _ set: ConstantSet, into result: inout Register) {
    switch self.storage(of: set) {
    case .integers: search(operand, set, into: &result) { (a: Int64) in ConstantSet.contains(a, in: set.integers) }
    case .doubles: search(operand, set, into: &result) { (a: Double) in ConstantSet.contains(a, in: set.doubles) }
    case .decimals: search(operand, set, into: &result) { (a: Int128) in ConstantSet.contains(a, in: set.decimals) }
    case .text:
      combineValidity([operand], into: &result)
      unsafe texts(operand) { texts in
        for row in 0..<rowCount { result.integers[row] = unsafe set.contains(texts[row]) ? 1 : 0 }
      }
      if set.hasNull { forgetMisses(of: &result) }
      clearNulls(of: &result, Int64.self)
    }
  }

  /// Of a list of nulls any: nothing is found.
  private func storage(of set: ConstantSet) -> ColumnType.Storage {
    if !set.texts.isEmpty { return .text }
    if !set.doubles.isEmpty { return .doubles }
    return set.decimals.isEmpty ? .integers : .decimals
  }

  @inline(__always)
  private func search<A: LaneElement>(
    _ operand: Program.Operand, _ set: ConstantSet, into result: inout Register, _ contains: (A) -> Bool
  ) {
    map(operand, into: &result) { (a: A) -> (value: Int64, isFault: Bool) in
      let isFound = contains(a)
      return (isFound ? 1 : 0, !isFound && set.hasNull)
    }
  }

  private func forgetMisses(of result: inout Register) {
    result.startValidity(rowCount: rowCount)
    for row in 0..<rowCount where result.integers[row] == 0 { result.validity[row] = false }
  }
}

/// The order of doubles. 1 is true; without branches, so that loops over it become vectors.
enum TotalOrder {
  @inline(__always)
  static func equal(_ a: Double, _ b: Double) -> Int64 { (a == b ? 1 : 0) | (isNaN(a) & isNaN(b)) }

  @inline(__always)
  static func less(_ a: Double, _ b: Double) -> Int64 { (a < b ? 1 : 0) | (isNaN(b) & (isNaN(a) ^ 1)) }

  @inline(__always)
  private static func isNaN(_ value: Double) -> Int64 { value != value ? 1 : 0 }
}
