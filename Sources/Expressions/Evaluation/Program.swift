internal import Columns

/// A typed tree as a list of instructions. Equal parts of the tree are computed once.
struct Program: Sendable {
  /// What an instruction reads.
  enum Operand: Hashable, Sendable {
    case field(Int)
    case register(Int)
    case constant(Int)
  }

  struct Instruction: Hashable, Sendable {
    var operation: Operation
    var operands: [Operand]
    var type: ColumnType
  }

  /// Instruction k writes register k; the last one writes the result.
  private(set) var instructions: [Instruction] = []
  private(set) var constants: [Constant] = []
  private(set) var result: Operand = .constant(0)
  let type: ColumnType
  /// Scope positions that are read, ascending, with the types that they must have.
  private(set) var inputs: [(position: Int, type: ColumnType)] = []

  private var known: [Instruction: Int] = [:]
  private var knownConstants: [ConstantKey: Int] = [:]

  private struct ConstantKey: Hashable {
    var value: Value
    var type: ColumnType
    /// Equal doubles need not be the same: the sign of zero, NaN.
    var bits: UInt64
  }

  init(_ root: TypedNode) {
    type = root.type ?? .boolean
    result = add(root)
    inputs.sort { $0.position < $1.position }
    known = [:]
    knownConstants = [:]
  }

  private mutating func add(_ node: TypedNode) -> Operand {
    let type = node.type ?? .boolean
    switch node.kind {
    case .field(let position, _):
      if !inputs.contains(where: { $0.position == position }) { inputs.append((position, type)) }
      return .field(position)
    case .constant(let value):
      let bits: UInt64 = if case .double(let double) = value { double.bitPattern } else { 0 }
      let key = ConstantKey(value: value, type: type, bits: bits)
      if let index = knownConstants[key] { return .constant(index) }
      constants.append(Constant(value))
      knownConstants[key] = constants.count - 1
      return .constant(constants.count - 1)
    case .operation(let operation, let operands):
      let instruction = Instruction(operation: operation, operands: operands.map { add($0) }, type: type)
      if let index = known[instruction] { return .register(index) }
      instructions.append(instruction)
      known[instruction] = instructions.count - 1
      return .register(instructions.count - 1)
    }
  }
}

/// A value that stands for every row, in each form that a kernel may read.
struct Constant: Sendable {
  var isValid = true
  var integer: Int64 = 0
  var double = 0.0
  var decimal: Int128 = 0
  var text: [UInt8] = []

  init(_ value: Value) {
    switch value {
    case .null, .list: isValid = false
    case .boolean(let value): integer = value ? 1 : 0
    case .integer(let value), .timestamp(let value), .date(let value): integer = value
    case .double(let value): double = value
    case .decimal(let unscaled, _): decimal = unscaled
    case .string(let value): text = Array(value.utf8)
    case .bytes(let value): text = value
    }
  }
}

extension Program {
  /// The value of a program that reads no field.
  func evaluateConstant() -> Value {
    var scratch = ExpressionScratch()
    var column = Column(type)
    evaluate(columns: [], rowCount: 1, into: &column, scratch: &scratch)
    return column.value(0)
  }
}
