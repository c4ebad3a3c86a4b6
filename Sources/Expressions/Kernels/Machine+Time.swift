internal import Columns

extension Machine {
  func timestampDifference(_ operands: [Program.Operand], into result: inout Register) {
    map(operands, into: &result) { (a: Int64, b: Int64) -> (value: Int64, isFault: Bool) in
      let (difference, overflow) = a.subtractingReportingOverflow(b)
      return (floorDivide(difference, Microseconds.perMillisecond), overflow)
    }
  }

  func timestampShift(_ operands: [Program.Operand], isForward: Bool, into result: inout Register) {
    map(operands, into: &result) { (a: Int64, b: Int64) -> (value: Int64, isFault: Bool) in
      let (shift, overflowed) = b.multipliedReportingOverflow(by: Microseconds.perMillisecond)
      let (value, overflow) = isForward ? a.addingReportingOverflow(shift) : a.subtractingReportingOverflow(shift)
      return (value, overflowed || overflow)
    }
  }
}
