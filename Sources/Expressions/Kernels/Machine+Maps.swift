internal import Columns

/// The loops that kernels are made of. Each is specialised for its operation and for which operands are constants, so
/// that the compiler sees plain loops over buffers.
///
/// `map` is never inlined: of a function with many kernels the optimiser leaves the later closures as calls, one a row.
extension Machine {
  /// `result[row] = operation(a[row])`, null where the operand is.
  @inline(never)
  func map<A: LaneElement, R: LaneElement>(
    _ operand: Program.Operand, into result: inout Register, _ operation: (A) -> R
  ) {
    combineValidity([operand], into: &result)
    unsafe lanes(operand, A.self) { a in
      unsafe R.write(&result) { slots in
        for row in 0..<rowCount { unsafe slots[row] = operation(a[row]) }
      }
    }
    clearNulls(of: &result, R.self)
  }

  /// `result[row] = operation(a[row], b[row])`, null where one of the operands is.
  @inline(never)
  func map<A: LaneElement, B: LaneElement, R: LaneElement>(
    _ operands: [Program.Operand], into result: inout Register, _ operation: (A, B) -> R
  ) {
    combineValidity(operands, into: &result)
    unsafe lanes(operands[0], A.self) { a in
      unsafe lanes(operands[1], B.self) { b in
        unsafe R.write(&result) { slots in
          unsafe Self.loop(a, b, slots, rowCount, operation)
        }
      }
    }
    clearNulls(of: &result, R.self)
  }

  /// As `map`, but an operation may also fail, which makes its row null.
  ///
  /// `isFault` is only called once more for every row in the rare batch that has a fault.
  @inline(never)
  func map<A: LaneElement, B: LaneElement, R: LaneElement>(
    _ operands: [Program.Operand], into result: inout Register, _ operation: (A, B) -> (value: R, isFault: Bool)
  ) {
    combineValidity(operands, into: &result)
    unsafe lanes(operands[0], A.self) { a in
      unsafe lanes(operands[1], B.self) { b in
        var faults: UInt64 = 0
        unsafe R.write(&result) { slots in
          unsafe Self.loop(a, b, slots, rowCount) { a, b in
            let (value, isFault) = operation(a, b)
            faults |= isFault ? 1 : 0
            return value
          }
        }
        guard faults != 0 else { return }
        result.startValidity(rowCount: rowCount)
        for row in 0..<rowCount where unsafe operation(a[row], b[row]).isFault { result.validity[row] = false }
      }
    }
    clearNulls(of: &result, R.self)
  }

  /// As `map` of one operand, but an operation may also fail, which makes its row null.
  @inline(never)
  func map<A: LaneElement, R: LaneElement>(
    _ operand: Program.Operand, into result: inout Register, _ operation: (A) -> (value: R, isFault: Bool)
  ) {
    combineValidity([operand], into: &result)
    unsafe lanes(operand, A.self) { a in
      var faults: UInt64 = 0
      unsafe R.write(&result) { slots in
        for row in 0..<rowCount {
          let (value, isFault) = unsafe operation(a[row])
          faults |= isFault ? 1 : 0
          unsafe slots[row] = value
        }
      }
      guard faults != 0 else { return }
      result.startValidity(rowCount: rowCount)
      for row in 0..<rowCount where unsafe operation(a[row]).isFault { result.validity[row] = false }
    }
    clearNulls(of: &result, R.self)
  }

  @inline(__always)
  private static func loop<A, B, R>(
    _ a: Lanes<A>, _ b: Lanes<B>, _ slots: UnsafeMutablePointer<R>, _ rowCount: Int, _ operation: (A, B) -> R
  ) {
    switch unsafe (a, b) {
    case (.vector(let a), .vector(let b)):
      for row in 0..<rowCount { unsafe slots[row] = operation(a[row], b[row]) }
    case (.vector(let a), .constant(let b)):
      for row in 0..<rowCount { unsafe slots[row] = operation(a[row], b) }
    case (.constant(let a), .vector(let b)):
      for row in 0..<rowCount { unsafe slots[row] = operation(a, b[row]) }
    case (.constant(let a), .constant(let b)):
      for row in 0..<rowCount { unsafe slots[row] = operation(a, b) }
    }
  }
}
