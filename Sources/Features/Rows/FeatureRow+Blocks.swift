// The variable-size part of a row. A slot refers to a block by its offset, 0 being none; a block begins with its
// capacity and its length in bytes, and its payload follows.
extension FeatureRow {
  static let blockHeaderBytes = 8

  @inline(__always)
  func blockCapacity(_ block: UInt32) -> Int { Int(load(Int(block), as: UInt32.self)) }

  /// The payload's length; 0 when there is no block.
  @inline(__always)
  func blockLength(_ block: UInt32) -> Int { block == 0 ? 0 : Int(load(Int(block) + 4, as: UInt32.self)) }

  @inline(__always)
  func payload(_ block: UInt32) -> Int { Int(block) + Self.blockHeaderBytes }

  mutating func setBlockLength(_ block: UInt32, _ length: Int) {
    assert(length <= blockCapacity(block))
    store(UInt32(truncatingIfNeeded: length), at: Int(block) + 4)
  }

  /// A zeroed block at the end of the row.
  mutating func allocateBlock(length: Int, capacity: Int) -> UInt32 {
    let room = (max(length, capacity) + 7) & ~7
    let start = extend(by: Self.blockHeaderBytes + room)
    store(UInt32(truncatingIfNeeded: room), at: start)
    store(UInt32(truncatingIfNeeded: length), at: start + 4)
    return UInt32(truncatingIfNeeded: start)
  }

  mutating func releaseBlock(_ block: UInt32) {
    guard block != 0 else { return }
    wastedBytes += Self.blockHeaderBytes + blockCapacity(block)
  }

  /// Makes the block that a slot refers to `length` bytes long and keeps its content; makes one if there is none.
  ///
  /// - Parameter most: what the block will never exceed. Growth is by half, up to there.
  /// - Returns: where its payload is now.
  mutating func resizeBlock(referredFrom slot: Int, length: Int, most: Int = .max) -> Int {
    let block: UInt32 = load(slot)
    if block != 0, length <= blockCapacity(block) {
      setBlockLength(block, length)
      return payload(block)
    }
    let kept = blockLength(block)
    let grown = allocateBlock(length: length, capacity: block == 0 ? length : min(length + length / 2, most))
    move(from: payload(block), to: payload(grown), count: kept)
    releaseBlock(block)
    store(grown, at: slot)
    return payload(grown)
  }

  /// Makes the block that a slot refers to hold these bytes.
  mutating func setBlock(referredFrom slot: Int, to bytes: borrowing RawSpan) {
    let target = resizeBlock(referredFrom: slot, length: bytes.byteCount)
    write(bytes, at: target)
  }

}
