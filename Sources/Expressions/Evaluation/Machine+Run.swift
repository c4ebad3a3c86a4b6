internal import Core
internal import Columns

extension Machine {
  /// Computes one instruction for all rows.
  func run(_ instruction: Program.Instruction, into result: inout Register) {
    let operands = instruction.operands
    let storage = instruction.type.storage
    result.prepare(storage, rowCount: rowCount)
    switch instruction.operation {
    case .and: logical(operands, deciding: 0, into: &result)
    case .or: logical(operands, deciding: 1, into: &result)
    case .not: invert(operands, into: &result)
    case .isNull(let isNegated): testNull(operands[0], isNegated: isNegated, into: &result)
    case .select: select(operands, storage, into: &result)
    case .coalesce: coalesce(operands, storage, into: &result)
    case .compare(let comparison, let storage): compare(comparison, storage, operands, into: &result)
    case .extreme(let isGreatest, let storage): extreme(isGreatest, storage, operands, into: &result)
    case .membership(let set): membership(operands[0], set, into: &result)
    case .cast(let from, let to): cast(operands[0], from: from, to: to, into: &result)
    case .hash(let types): hash(operands, types, into: &result)
    case .hashBucket: hashBucket(operands, into: &result)
    default:
      if !runNumbers(instruction.operation, operands, into: &result),
        !runTexts(instruction.operation, operands, into: &result)
      {
        runTimes(instruction.operation, operands, into: &result)
      }
    }
  }

  private func runNumbers(
    _ operation: Operation, _ operands: [Program.Operand], into result: inout Register
  ) -> Bool {
    switch operation {
    case .arithmetic(let operation, .integer): integers(operation, operands, into: &result)
    case .arithmetic(let operation, .double): doubles(operation, operands, into: &result)
    case .arithmetic(let operation, .decimal): decimals(operation, operands, into: &result)
    case .negate(let kind): negate(kind, operands[0], into: &result)
    case .absolute(let kind): absolute(kind, operands[0], into: &result)
    case .sign(let kind): sign(kind, operands[0], into: &result)
    case .math(let function): math(function, operands[0], into: &result)
    case .binaryMath(let function): binaryMath(function, operands, into: &result)
    case .round(let places): round(operands[0], places: places, into: &result)
    case .isNaN: map(operands[0], into: &result) { (a: Double) -> Int64 in a.isNaN ? 1 : 0 }
    case .haversine: haversine(operands, into: &result)
    case .bucket(let kind): bucket(kind, operands, into: &result)
    default: return false
    }
    return true
  }

  private func runTexts(
    _ operation: Operation, _ operands: [Program.Operand], into result: inout Register
  ) -> Bool {
    switch operation {
    case .textMap(let map): mapText(map, operands[0], into: &result)
    case .textTest(let test): self.test(test, operands, into: &result)
    case .length(let inBytes): length(operands[0], inBytes: inBytes, into: &result)
    case .substring: substring(operands, into: &result)
    case .concatenate: concatenate(operands, into: &result)
    case .replace: replace(operands, into: &result)
    case .splitPart: splitPart(operands, into: &result)
    case .like(let pattern): like(operands[0], pattern, into: &result)
    default: return false
    }
    return true
  }

  private func runTimes(_ operation: Operation, _ operands: [Program.Operand], into result: inout Register) {
    switch operation {
    case .timePart(let part, let zone): timePart(part, zone, operands[0], into: &result)
    case .truncate(let unit, let zone): truncate(unit, zone, operands[0], into: &result)
    case .epochMilliseconds:
      map(operands[0], into: &result) { (a: Int64) -> Int64 in floorDivide(a, Microseconds.perMillisecond) }
    case .timestampOfMilliseconds: timestampOfMilliseconds(operands[0], into: &result)
    case .timestampDifference: timestampDifference(operands, into: &result)
    case .timestampShift(let isForward): timestampShift(operands, isForward: isForward, into: &result)
    default: assertionFailure("an operation without a kernel")
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
