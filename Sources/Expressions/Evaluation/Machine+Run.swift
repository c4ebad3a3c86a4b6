internal import Columns

extension Machine {
  /// Computes one instruction for all rows.
  mutating func run(_ instruction: Program.Instruction, into result: inout Register) {
    let operands = instruction.operands
    result.prepare(instruction.type.storage, rowCount: rowCount)
    switch instruction.operation {
    case .arithmetic(let operation, .integer): integers(operation, operands, into: &result)
    case .arithmetic(let operation, .double): doubles(operation, operands, into: &result)
    case .arithmetic(let operation, .decimal): decimals(operation, operands, into: &result)
    case .negate(let kind): negate(kind, operands, into: &result)
    case .compare(let comparison, let storage): compare(comparison, storage, operands, into: &result)
    case .and: logical(operands, deciding: 0, into: &result)
    case .or: logical(operands, deciding: 1, into: &result)
    case .not: invert(operands, into: &result)
    case .isNull(let isNegated): testNull(operands[0], isNegated: isNegated, into: &result)
    case .select: select(operands, instruction.type.storage, into: &result)
    case .coalesce: coalesce(operands, instruction.type.storage, into: &result)
    case .cast(let from, let to): cast(operands[0], from: from, to: to, into: &result)
    case .timestampDifference: timestampDifference(operands, into: &result)
    case .timestampShift(let isForward): timestampShift(operands, isForward: isForward, into: &result)
    }
  }

  /// One value for every row, where the whole expression is a constant.
  func fill(_ constant: Constant, _ storage: ColumnType.Storage, into result: inout Register) {
    result.prepare(storage, rowCount: rowCount)
    if !constant.isValid {
      result.startValidity(rowCount: rowCount)
      for row in 0..<rowCount { result.validity[row] = false }
    }
    for row in 0..<rowCount {
      switch storage {
      case .integers: result.integers[row] = constant.integer
      case .doubles: result.doubles[row] = constant.double
      case .decimals: result.decimals[row] = constant.decimal
      case .text: unsafe result.text.append(constant.text.span.bytes)
      }
    }
  }
}
