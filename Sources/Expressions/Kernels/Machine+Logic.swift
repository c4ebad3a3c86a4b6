internal import Columns

/// Three-valued logic, and the choices that null takes part in.
extension Machine {
  /// `and` (0 decides) and `or` (1 decides): an operand that decides does so beside a null, too.
  func logical(_ operands: [Program.Operand], deciding: Int64, into result: inout Register) {
    combineValidity(operands, into: &result)
    unsafe lanes(operands[0], Int64.self) { a in
      unsafe lanes(operands[1], Int64.self) { b in
        unsafe Int64.write(&result) { slots in
          if deciding == 0 {
            for row in 0..<rowCount { unsafe slots[row] = a[row] & b[row] }
          } else {
            for row in 0..<rowCount { unsafe slots[row] = a[row] | b[row] }
          }
        }
        guard result.hasNulls else { return }
        let (aValid, bValid) = (flags(operands[0]), flags(operands[1]))
        for row in 0..<rowCount {
          let decides = unsafe (aValid[row] && a[row] == deciding) || (bValid[row] && b[row] == deciding)
          if decides {
            result.validity[row] = true
            result.integers[row] = deciding
          }
        }
      }
    }
    clearNulls(of: &result, Int64.self)
  }

  func invert(_ operands: [Program.Operand], into result: inout Register) {
    map(operands[0], into: &result) { (a: Int64) -> Int64 in a ^ 1 }
  }

  func testNull(_ operand: Program.Operand, isNegated: Bool, into result: inout Register) {
    let valid = flags(operand)
    for row in 0..<rowCount { result.integers[row] = valid[row] == isNegated ? 1 : 0 }
  }

  func select(_ operands: [Program.Operand], _ storage: ColumnType.Storage, into result: inout Register) {
    unsafe lanes(operands[0], Int64.self) { condition in
      // A null condition has the slot of a false one.
      let (a, b) = (flags(operands[1]), flags(operands[2]))
      if !(a.isAll && b.isAll) {
        result.startValidity(rowCount: rowCount)
        for row in 0..<rowCount { result.validity[row] = unsafe condition[row] != 0 ? a[row] : b[row] }
      }
      switch storage {
      case .integers: unsafe choose(condition, operands, Int64.self, into: &result)
      case .doubles: unsafe choose(condition, operands, Double.self, into: &result)
      case .decimals: unsafe choose(condition, operands, Int128.self, into: &result)
      case .text:
        unsafe texts(operands[1]) { a in
          unsafe texts(operands[2]) { b in
            for row in 0..<rowCount { unsafe result.append(condition[row] != 0 ? a[row] : b[row]) }
          }
        }
      }
    }
  }

  @inline(__always)
  private func choose<Element: LaneElement>(
    _ condition: Lanes<Int64>, _ operands: [Program.Operand], _ type: Element.Type, into result: inout Register
  ) {
    unsafe lanes(operands[1], Element.self) { a in
      unsafe lanes(operands[2], Element.self) { b in
        unsafe Element.write(&result) { slots in
          for row in 0..<rowCount {
            let (yes, no) = unsafe (a[row], b[row])
            unsafe slots[row] = unsafe condition[row] != 0 ? yes : no
          }
        }
      }
    }
  }

  /// The first operand that is not null. Of two operands: longer lists are nested.
  func coalesce(_ operands: [Program.Operand], _ storage: ColumnType.Storage, into result: inout Register) {
    let (a, b) = (flags(operands[0]), flags(operands[1]))
    if !(a.isAll || b.isAll) {
      result.startValidity(rowCount: rowCount)
      for row in 0..<rowCount { result.validity[row] = a[row] || b[row] }
    }
    switch storage {
    case .integers: fallBack(a, operands, Int64.self, into: &result)
    case .doubles: fallBack(a, operands, Double.self, into: &result)
    case .decimals: fallBack(a, operands, Int128.self, into: &result)
    case .text:
      unsafe texts(operands[0]) { first in
        unsafe texts(operands[1]) { second in
          for row in 0..<rowCount { unsafe result.append(a[row] ? first[row] : second[row]) }
        }
      }
    }
  }

  @inline(__always)
  private func fallBack<Element: LaneElement>(
    _ valid: Flags, _ operands: [Program.Operand], _ type: Element.Type, into result: inout Register
  ) {
    unsafe lanes(operands[0], Element.self) { a in
      unsafe lanes(operands[1], Element.self) { b in
        unsafe Element.write(&result) { slots in
          for row in 0..<rowCount {
            let (first, second) = unsafe (a[row], b[row])
            unsafe slots[row] = valid[row] ? first : second
          }
        }
      }
    }
  }

  /// An operand's validity, row by row.
  struct Flags {
    fileprivate let values: [Bool]
    fileprivate let constant: Bool
    /// No row is null.
    var isAll: Bool { values.isEmpty && constant }

    @inline(__always)
    subscript(row: Int) -> Bool { values.isEmpty ? constant : values[row] }
  }

  func flags(_ operand: Program.Operand) -> Flags {
    switch validity(operand) {
    case .all: Flags(values: [], constant: true)
    case .none: Flags(values: [], constant: false)
    case .some(let values): Flags(values: values, constant: true)
    }
  }
}

extension Register {
  @inline(__always)
  mutating func append(_ bytes: Text.Bytes) {
    unsafe text.append(RawSpan(_unsafeElements: bytes))
  }
}
