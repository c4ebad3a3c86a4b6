/// A chained hash over what became of each record of an input partition: two lives of a task that read the same records
/// and decided the same have the same digest, wherever they cut their batches.
package struct InputDigest: Sendable, Equatable {
  package private(set) var value: UInt64

  package init(_ value: UInt64 = 0x6865_6164_7261_6365) { self.value = value }

  /// - Parameter keyHash: of the record's key bytes; 0 without key.
  @inline(__always)
  package mutating func add(offset: Int64, outcome: Outcome, keyHash: UInt64) {
    // Multiply and fold (as in wyhash): a bijection of `value` for every record, so that no difference is ever lost.
    let word = UInt64(bitPattern: offset) &* 0x9e37_79b9_7f4a_7c15 ^ keyHash ^ UInt64(outcome.rawValue) << 56
    var mixed = (value ^ word) &* 0xbf58_476d_1ce4_e5b9
    mixed ^= mixed >> 32
    value = mixed &* 0x94d0_49bb_1331_11eb
  }
}
