internal import Columns

extension DecodingRows {
  /// Stores a scalar.
  ///
  /// - Returns: the fault that it is.
  mutating func set(_ scalar: JSONScalar.Cell, _ row: Int, _ cell: Int) -> FaultCode? {
    switch scalar {
    case .integer(let value): cells[cell].set(row, value)
    case .double(let value): cells[cell].set(row, value)
    case .decimal(let value): cells[cell].set(row, value)
    case .text(let bytes): cells[cell].set(row, start: text.add(bytes), count: bytes.count)
    case .fault(let code): return code
    }
    return nil
  }

  /// Stores what a field says that is not there.
  ///
  /// - Parameter level: how far up the way to the field the first thing is that is missing.
  mutating func setMissing(_ row: Int, _ cell: Int, level: Int, _ faults: inout [RecordFault]) {
    let type = cells[cell].type
    guard let value = type.steps[level].valueWhenMissing else {
      let path = Array(type.steps[...level]).path
      return report(RecordFault(row: row, code: .missingField, path: path, field: cells[cell].field), &faults)
    }
    set(value, row, cell)
  }

  /// Stores a default.
  mutating func set(_ value: Value, _ row: Int, _ cell: Int) {
    guard let scalar = JSONScalar.Cell(value) else { return cells[cell].set(row, state: CellState.null) }
    _ = set(scalar, row, cell)
  }

  /// Holds the values of a field against its constraints.
  mutating func check(_ cell: Int, _ faults: inout [RecordFault]) {
    let type = cells[cell].type
    switch type.type.storage {
    case .integers where type.constraints.checksValues: checkIntegers(cell, &faults)
    case .doubles: checkDoubles(cell, &faults)
    case .decimals where type.constraints.checksValues: checkDecimals(cell, &faults)
    case .text: checkTexts(cell, &faults)
    default: break
    }
  }

  private func hasValue(_ row: Int, _ cell: Int) -> Bool {
    cells[cell].states[row] == CellState.value && !isFaulty[row]
  }

  private mutating func checkIntegers(_ cell: Int, _ faults: inout [RecordFault]) {
    let constraints = cells[cell].type.constraints
    let minimum = constraints.minimum?.storedInteger ?? .min
    let maximum = constraints.maximum?.storedInteger ?? .max
    for row in 0..<count where hasValue(row, cell) {
      let value = cells[cell].integers[row]
      let found = RecordFault.Found.integer(value)
      if value < minimum { report(row, .belowMinimum, cell: cell, found: found, &faults) }
      if value > maximum { report(row, .aboveMaximum, cell: cell, found: found, &faults) }
      if !constraints.contains(value) { report(row, .notAllowed, cell: cell, found: found, &faults) }
    }
  }

  /// Finite values only, whatever the contract says else: a NaN in an aggregate stays there.
  private mutating func checkDoubles(_ cell: Int, _ faults: inout [RecordFault]) {
    let constraints = cells[cell].type.constraints
    let minimum = constraints.minimum?.storedDouble ?? -.infinity
    let maximum = constraints.maximum?.storedDouble ?? .infinity
    for row in 0..<count where hasValue(row, cell) {
      let value = cells[cell].doubles[row]
      let found = RecordFault.Found.double(value)
      if !value.isFinite && !constraints.allowsNaN { report(row, .notFinite, cell: cell, found: found, &faults) }
      if value < minimum { report(row, .belowMinimum, cell: cell, found: found, &faults) }
      if value > maximum { report(row, .aboveMaximum, cell: cell, found: found, &faults) }
    }
  }

  private mutating func checkDecimals(_ cell: Int, _ faults: inout [RecordFault]) {
    let constraints = cells[cell].type.constraints
    for row in 0..<count where hasValue(row, cell) {
      let value = cells[cell].decimals[row]
      if case .decimal(let minimum, _) = constraints.minimum, value < minimum {
        report(row, .belowMinimum, cell: cell, &faults)
      }
      if case .decimal(let maximum, _) = constraints.maximum, value > maximum {
        report(row, .aboveMaximum, cell: cell, &faults)
      }
    }
  }

  private mutating func checkTexts(_ cell: Int, _ faults: inout [RecordFault]) {
    // Taken out and put back: its memory of texts is changed, and never copied.
    guard var rules = cells[cell].textRules.take() else { return }
    let broken = rules.broken(cells[cell], text, rowCount: count, isFaulty: isFaulty)
    cells[cell].textRules = rules
    for (row, code) in broken { report(row, code, cell: cell, found: foundText(row, cell), &faults) }
  }

  /// A text as a place in the record's value; nothing when it was written anew.
  private func foundText(_ row: Int, _ cell: Int) -> RecordFault.Found {
    let (start, count) = (cells[cell].starts[row], cells[cell].counts[row])
    guard start < text.payloads.count else { return .nothing }
    let base = range(of: row).lowerBound
    return .bytes((start - base)..<(start - base + count))
  }
}

extension Value {
  /// Of the types that a column stores as integers.
  fileprivate var storedInteger: Int64? {
    switch self {
    case .integer(let value), .timestamp(let value), .date(let value): value
    default: nil
    }
  }

  fileprivate var storedDouble: Double? {
    if case .double(let value) = self { value } else { nil }
  }
}
