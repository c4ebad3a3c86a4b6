/// Sequence numbers of a producer run from 0 to Int32.max and then from 0 again.
enum ProducerSequence {
  /// - Parameter delta: not negative.
  static func adding(_ delta: Int32, to base: Int32) -> Int32 {
    let (sum, overflows) = base.addingReportingOverflow(delta)
    return overflows ? sum &- Int32.min : sum
  }

  /// What follows `last`; 0 follows -1, "none yet".
  static func following(_ last: Int32) -> Int32 { last == Int32.max ? 0 : last + 1 }
}
