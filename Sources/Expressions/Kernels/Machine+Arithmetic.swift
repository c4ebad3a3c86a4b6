internal import Core
internal import Columns

/// Arithmetic. What does not fit gives null: an integer that overflows, a division by zero, a decimal of more than 38
/// digits, and every result of doubles that would be infinite or NaN.
extension Machine {
  func integers(_ operation: ArithmeticOperator, _ operands: [Program.Operand], into result: inout Register) {
    switch operation {
    case .add: overflowing(operands, into: &result) { $0.addingReportingOverflow($1) }
    case .subtract: overflowing(operands, into: &result) { $0.subtractingReportingOverflow($1) }
    case .multiply: overflowing(operands, into: &result) { $0.multipliedReportingOverflow(by: $1) }
    case .divide, .divideWhole:
      overflowing(operands, into: &result) { $1 == 0 ? (0, true) : $0.dividedReportingOverflow(by: $1) }
    case .remainder:
      // The remainder of the least integer by -1 is 0, though the quotient overflows.
      overflowing(operands, into: &result) { $1 == 0 ? (0, true) : $1 == -1 ? (0, false) : ($0 % $1, false) }
    }
  }

  @inline(__always)
  private func overflowing(
    _ operands: [Program.Operand], into result: inout Register, _ operation: (Int64, Int64) -> (Int64, Bool)
  ) {
    map(operands, into: &result) { (a: Int64, b: Int64) -> (value: Int64, isFault: Bool) in operation(a, b) }
  }

  func doubles(_ operation: ArithmeticOperator, _ operands: [Program.Operand], into result: inout Register) {
    switch operation {
    case .add: finite(operands, into: &result) { $0 + $1 }
    case .subtract: finite(operands, into: &result) { $0 - $1 }
    case .multiply: finite(operands, into: &result) { $0 * $1 }
    case .divide, .divideWhole: finite(operands, into: &result) { $0 / $1 }
    case .remainder: finite(operands, into: &result) { $0.truncatingRemainder(dividingBy: $1) }
    }
  }

  @inline(__always)
  func finite(_ operands: [Program.Operand], into result: inout Register, _ operation: (Double, Double) -> Double) {
    map(operands, into: &result) { (a: Double, b: Double) -> (value: Double, isFault: Bool) in
      let value = operation(a, b)
      return (value, !value.isFinite)
    }
  }

  @inline(__always)
  func finite(_ operand: Program.Operand, into result: inout Register, _ operation: (Double) -> Double) {
    map(operand, into: &result) { (a: Double) -> (value: Double, isFault: Bool) in
      let value = operation(a)
      return (value, !value.isFinite)
    }
  }

  func decimals(_ operation: ArithmeticOperator, _ operands: [Program.Operand], into result: inout Register) {
    switch operation {
    case .multiply: bounded(operands, into: &result) { $0.multipliedReportingOverflow(by: $1) }
    case .subtract: bounded(operands, into: &result) { $0.subtractingReportingOverflow($1) }
    default: bounded(operands, into: &result) { $0.addingReportingOverflow($1) }
    }
  }

  @inline(__always)
  private func bounded(
    _ operands: [Program.Operand], into result: inout Register,
    _ operation: (Int128, Int128) -> (partialValue: Int128, overflow: Bool)
  ) {
    map(operands, into: &result) { (a: Int128, b: Int128) -> (value: Int128, isFault: Bool) in
      let (value, overflow) = operation(a, b)
      return (value, overflow || !Decimal128.fits(value))
    }
  }

  func negate(_ kind: NumberKind, _ operand: Program.Operand, into result: inout Register) {
    switch kind {
    case .integer:
      map(operand, into: &result) { (a: Int64) -> (value: Int64, isFault: Bool) in
        let (value, overflow) = Int64(0).subtractingReportingOverflow(a)
        return (value, overflow)
      }
    case .double: map(operand, into: &result) { (a: Double) -> Double in -a }
    case .decimal: map(operand, into: &result) { (a: Int128) -> Int128 in -a }
    }
  }
}

extension Machine {
  func absolute(_ kind: NumberKind, _ operand: Program.Operand, into result: inout Register) {
    switch kind {
    case .integer:
      map(operand, into: &result) { (a: Int64) -> (value: Int64, isFault: Bool) in
        a == .min ? (0, true) : (abs(a), false)
      }
    case .double: map(operand, into: &result) { (a: Double) -> Double in abs(a) }
    case .decimal: map(operand, into: &result) { (a: Int128) -> Int128 in abs(a) }
    }
  }

  func sign(_ kind: NumberKind, _ operand: Program.Operand, into result: inout Register) {
    switch kind {
    case .integer: map(operand, into: &result) { (a: Int64) -> Int64 in a.signum() }
    case .double:
      map(operand, into: &result) { (a: Double) -> (value: Int64, isFault: Bool) in
        (a > 0 ? 1 : a < 0 ? -1 : 0, a.isNaN)
      }
    case .decimal: map(operand, into: &result) { (a: Int128) -> Int64 in Int64(a.signum()) }
    }
  }

  /// Multiples of a width that is not positive do not exist: null.
  func bucket(_ kind: NumberKind, _ operands: [Program.Operand], into result: inout Register) {
    guard kind == .integer else {
      return map(operands, into: &result) { (a: Double, width: Double) -> (value: Double, isFault: Bool) in
        let value = (a / width).rounded(.down) * width
        return (value, !(width > 0) || !value.isFinite)
      }
    }
    map(operands, into: &result) { (a: Int64, width: Int64) -> (value: Int64, isFault: Bool) in
      guard width > 0 else { return (0, true) }
      let (value, overflow) = a.subtractingReportingOverflow(floorRemainder(a, width))
      return (value, overflow)
    }
  }
}
