internal import CSimdjson

/// One field of all documents of the last `read`, converted in one call of C.
///
/// - Parameters:
///   - count: how many documents; outputs have at least as many elements.
///   - bytes: those that were read.
/// - Returns: how many documents are in another state than `CellState.value`.
extension JSONFieldReader {
  func integers(
    field: Int, count: Int, in bytes: [UInt8], bits: Int, factor: Int64, into output: inout [Int64],
    states: inout [UInt8]
  ) -> Int {
    precondition(output.count >= count && states.count >= count && values.count >= count * columnCount)
    let range = bits == 32 ? Int64(Int32.min)...Int64(Int32.max) : Int64.min...Int64.max
    let rules = csimdjson_integer_rules(minimum: range.lowerBound, maximum: range.upperBound, factor: factor)
    return unsafe values.withUnsafeBufferPointer { values in
      guard let first = values.baseAddress else { return 0 }
      return unsafe csimdjson_integers(bytes, first + columns[field], columnCount, count, rules, &output, &states)
    }
  }

  func doubles(
    field: Int, count: Int, in bytes: [UInt8], isSingle: Bool, into output: inout [Double], states: inout [UInt8]
  ) -> Int {
    precondition(output.count >= count && states.count >= count && values.count >= count * columnCount)
    return unsafe values.withUnsafeBufferPointer { values in
      guard let first = values.baseAddress else { return 0 }
      return unsafe csimdjson_doubles(bytes, first + columns[field], columnCount, count, isSingle, &output, &states)
    }
  }

  func booleans(field: Int, count: Int, into output: inout [Int64], states: inout [UInt8]) -> Int {
    precondition(output.count >= count && states.count >= count && values.count >= count * columnCount)
    return unsafe values.withUnsafeBufferPointer { values in
      guard let first = values.baseAddress else { return 0 }
      return unsafe csimdjson_booleans(first + columns[field], columnCount, count, &output, &states)
    }
  }

  /// Where strings are that need no conversion; everything else is left to the caller.
  func texts(field: Int, count: Int, into cell: inout CellColumn) -> Int {
    var exceptions = 0
    var position = columns[field]
    for row in 0..<count {
      let value = values[position]
      position += columnCount
      if value.kind == UInt32(CSIMDJSON_STRING) {
        cell.set(row, start: Int(value.offset), count: Int(value.length))
      } else {
        cell.set(row, state: value.kind == UInt32(CSIMDJSON_MISSING) ? CellState.missing : CellState.wrongKind)
        exceptions += 1
      }
    }
    return exceptions
  }
}
