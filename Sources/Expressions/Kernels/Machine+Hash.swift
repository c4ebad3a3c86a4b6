internal import Columns

extension Machine {
  func hash(_ operands: [Program.Operand], _ types: [ColumnType], into result: inout Register) {
    combineValidity(operands, into: &result)
    for (index, operand) in operands.enumerated() {
      let isFirst = index == 0
      switch types[index].storage {
      case .integers: mix(operand, isFirst, into: &result) { (a: Int64) in StableHash.bits(UInt64(bitPattern: a)) }
      case .doubles: mix(operand, isFirst, into: &result) { (a: Double) in StableHash.double(a) }
      case .decimals: mix(operand, isFirst, into: &result) { (a: Int128) in StableHash.decimal(a) }
      case .text:
        unsafe texts(operand) { texts in
          for row in 0..<rowCount {
            result.integers[row] = unsafe Self.mixed(result.integers[row], StableHash.bytes(texts[row]), isFirst)
          }
        }
      }
    }
    clearNulls(of: &result, Int64.self)
  }

  @inline(__always)
  private func mix<A: LaneElement>(
    _ operand: Program.Operand, _ isFirst: Bool, into result: inout Register, _ hash: (A) -> UInt64
  ) {
    unsafe lanes(operand, A.self) { a in
      unsafe Int64.write(&result) { slots in
        for row in 0..<rowCount { unsafe slots[row] = unsafe Self.mixed(slots[row], hash(a[row]), isFirst) }
      }
    }
  }

  @inline(__always)
  private static func mixed(_ hash: Int64, _ next: UInt64, _ isFirst: Bool) -> Int64 {
    Int64(bitPattern: isFirst ? next : StableHash.combine(UInt64(bitPattern: hash), next))
  }

  /// A number of buckets that is not positive is a fault.
  func hashBucket(_ operands: [Program.Operand], into result: inout Register) {
    map(operands, into: &result) { (hash: Int64, buckets: Int64) -> (value: Int64, isFault: Bool) in
      guard buckets > 0 else { return (0, true) }
      return (Int64(truncatingIfNeeded: UInt64(bitPattern: hash) % UInt64(buckets)), false)
    }
  }
}
