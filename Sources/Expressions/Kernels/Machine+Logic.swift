internal import Columns

/// Three-valued logic, and the choices that null takes part in.
extension Machine {
  /// `and` (0 decides) and `or` (1 decides): an operand that decides does so beside a null, too.
  ///
  /// The slot of a null is 0, so `a & b` and `a | b` are right for every row: what is left is which rows are null.
  func logical(_ operands: [Program.Operand], deciding: Int64, into result: inout Register) {
    unsafe lanes(operands[0], Int64.self) { a in
      unsafe lanes(operands[1], Int64.self) { b in
        unsafe Int64.write(&result) { slots in
          if deciding == 0 {
            for row in 0..<rowCount { unsafe slots[row] = a[row] & b[row] }
          } else {
            for row in 0..<rowCount { unsafe slots[row] = a[row] | b[row] }
          }
        }
        guard isNullable(operands[0]) || isNullable(operands[1]) else { return }
        unsafe flags(operands[0]) { aValid in
          unsafe flags(operands[1]) { bValid in
            result.writeValidity(rowCount: rowCount) { row in
              let (x, y) = unsafe (a[row], b[row])
              let (isX, isY) = unsafe (aValid[row], bValid[row])
              let decides = (isX && x == deciding) || (isY && y == deciding)
              return decides || (isX && isY)
            }
          }
        }
      }
    }
  }

  func invert(_ operands: [Program.Operand], into result: inout Register) {
    map(operands[0], into: &result) { (a: Int64) -> Int64 in a ^ 1 }
  }

  func testNull(_ operand: Program.Operand, isNegated: Bool, into result: inout Register) {
    unsafe flags(operand) { valid in
      unsafe Int64.write(&result) { slots in
        for row in 0..<rowCount { unsafe slots[row] = unsafe valid[row] == isNegated ? 1 : 0 }
      }
    }
  }

  func select(_ operands: [Program.Operand], _ storage: ColumnType.Storage, into result: inout Register) {
    unsafe lanes(operands[0], Int64.self) { condition in
      // A null condition has the slot of a false one.
      if isNullable(operands[1]) || isNullable(operands[2]) {
        unsafe flags(operands[1]) { a in
          unsafe flags(operands[2]) { b in
            result.writeValidity(rowCount: rowCount) { row in
              let (yes, no) = unsafe (a[row], b[row])
              return unsafe condition[row] != 0 ? yes : no
            }
          }
        }
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
    unsafe flags(operands[0]) { first in
      if isNullable(operands[0]) && isNullable(operands[1]) {
        unsafe flags(operands[1]) { second in
          result.writeValidity(rowCount: rowCount) { row in
            let (a, b) = unsafe (first[row], second[row])
            return a || b
          }
        }
      }
      switch storage {
      case .integers: unsafe fallBack(first, operands, Int64.self, into: &result)
      case .doubles: unsafe fallBack(first, operands, Double.self, into: &result)
      case .decimals: unsafe fallBack(first, operands, Int128.self, into: &result)
      case .text:
        unsafe texts(operands[0]) { a in
          unsafe texts(operands[1]) { b in
            for row in 0..<rowCount { unsafe result.append(first[row] ? a[row] : b[row]) }
          }
        }
      }
    }
  }

  @inline(__always)
  private func fallBack<Element: LaneElement>(
    _ valid: Lanes<Bool>, _ operands: [Program.Operand], _ type: Element.Type, into result: inout Register
  ) {
    unsafe lanes(operands[0], Element.self) { a in
      unsafe lanes(operands[1], Element.self) { b in
        unsafe Element.write(&result) { slots in
          for row in 0..<rowCount {
            let (first, second) = unsafe (a[row], b[row])
            unsafe slots[row] = unsafe valid[row] ? first : second
          }
        }
      }
    }
  }

  private func isNullable(_ operand: Program.Operand) -> Bool {
    if case .all = validity(operand) { false } else { true }
  }

  /// Gives the body an operand's validity, row by row.
  @inline(__always)
  private func flags(_ operand: Program.Operand, _ body: (Lanes<Bool>) -> Void) {
    switch validity(operand) {
    case .all: unsafe body(.constant(true))
    case .none: unsafe body(.constant(false))
    case .some(let values):
      unsafe values.withUnsafeBufferPointer { if let base = $0.baseAddress { unsafe body(.vector(base)) } }
    }
  }
}

extension Register {
  @inline(__always)
  mutating func append(_ bytes: Text.Bytes) {
    unsafe text.append(RawSpan(_unsafeElements: bytes))
  }
}
