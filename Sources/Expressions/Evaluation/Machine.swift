internal import Columns

/// Runs a program's instructions over the rows of one batch.
///
/// An instruction reads other registers than the one that it writes: the one to write is taken out of `registers`.
struct Machine {
  let columns: [Column]
  let constants: [Constant]
  let rowCount: Int
  var registers: [Register] = []

  /// Gives the body an operand's values.
  @inline(__always)
  func lanes<Element: LaneElement>(
    _ operand: Program.Operand, _ type: Element.Type, _ body: (Lanes<Element>) -> Void
  ) {
    let values: [Element]
    switch operand {
    case .constant(let index):
      unsafe body(.constant(Element.value(of: constants[index])))
      return
    case .field(let position): values = Element.values(of: columns[position])
    case .register(let index): values = Element.values(of: registers[index])
    }
    unsafe values.withUnsafeBufferPointer { if let base = $0.baseAddress { unsafe body(.vector(base)) } }
  }

  /// Which rows of an operand are not null.
  enum Validity {
    case all
    case none
    case some([Bool])
  }

  func validity(_ operand: Program.Operand) -> Validity {
    switch operand {
    case .constant(let index): constants[index].isValid ? .all : .none
    case .field(let position): columns[position].nullCount == 0 ? .all : .some(columns[position].isValid)
    case .register(let index): registers[index].hasNulls ? .some(registers[index].validity) : .all
    }
  }

  /// Null in, null out: a row of the result is null where one of the operands is.
  func combineValidity(_ operands: [Program.Operand], into result: inout Register) {
    for operand in operands {
      switch validity(operand) {
      case .all: continue
      case .none:
        result.startValidity(rowCount: rowCount)
        for row in 0..<rowCount { result.validity[row] = false }
      case .some(let flags):
        result.intersectValidity(with: flags, rowCount: rowCount)
      }
    }
  }

  /// Makes the slots of nulls zero, as columns promise.
  func clearNulls<Element: LaneElement>(of result: inout Register, _ type: Element.Type) {
    guard result.hasNulls else { return }
    let flags = result.validity
    unsafe flags.withUnsafeBytes { flags in
      unsafe Element.write(&result) { slots in
        for row in 0..<rowCount {
          let value = unsafe slots[row]
          unsafe slots[row] = unsafe flags[row] != 0 ? value : Element.zero
        }
      }
    }
  }
}

extension Program {
  /// - Precondition: the columns that are read have the types of the scope and `rowCount` rows.
  func evaluate(columns: [Column], rowCount: Int, into column: inout Column, scratch: inout ExpressionScratch) {
    for input in inputs {
      precondition(
        columns[input.position].type == input.type && columns[input.position].count == rowCount,
        "the batch is not of the scope that the expression was typed in")
    }
    if column.type != type { column = Column(type) }
    guard rowCount > 0 else { return column.removeAll() }
    var output = Register()
    swap(&output, &scratch.output)
    output.takeBuffers(of: &column)
    if case .field(let position) = result {
      copy(columns[position], through: &output, into: &column)
    } else {
      run(columns, rowCount, &output, &scratch)
      output.finish(as: type, rowCount: rowCount, into: &column)
    }
    swap(&output, &scratch.output)
  }

  private func run(_ columns: [Column], _ rowCount: Int, _ output: inout Register, _ scratch: inout ExpressionScratch) {
    var machine = Machine(columns: columns, constants: constants, rowCount: rowCount)
    swap(&machine.registers, &scratch.registers)
    while machine.registers.count < instructions.count { machine.registers.append(Register()) }
    for (index, instruction) in instructions.enumerated().dropLast() {
      var register = Register()
      swap(&register, &machine.registers[index])
      machine.run(instruction, into: &register)
      swap(&register, &machine.registers[index])
    }
    if let last = instructions.last {
      machine.run(last, into: &output)
    } else if case .constant(let index) = result {
      machine.fill(constants[index], type.storage, into: &output)
    }
    swap(&machine.registers, &scratch.registers)
  }

  /// An expression that is a field alone: its values in buffers of their own, since the batch's are reused.
  private func copy(_ source: Column, through output: inout Register, into column: inout Column) {
    switch type.storage {
    case .integers, .doubles:
      output.copy(source)
      output.finish(as: type, rowCount: source.count, into: &column)
    case .text, .decimals:
      for row in 0..<source.count { column.append(row, of: source) }
    }
  }
}
