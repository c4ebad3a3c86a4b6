/// Runs of equal numbers and runs of bit-packed ones, mixed (Encodings.md, RLE): levels, dictionary indexes, booleans.
@safe struct HybridDecoder {
  private var cursor: PageCursor
  private let bitWidth: Int
  /// Numbers that are left of the current run.
  private(set) var runCount = 0
  /// The number that the current run repeats; nil in a bit-packed run.
  private(set) var repeated: UInt32?
  private var packed: UnsafeRawPointer
  private var packedIndex = 0

  init(_ cursor: PageCursor, bitWidth: Int) throws(ParquetFault) {
    guard (0...32).contains(bitWidth) else { throw .corrupt("numbers of \(bitWidth) bits") }
    self.cursor = cursor
    self.bitWidth = bitWidth
    unsafe packed = cursor.position
  }

  /// The deprecated BIT_PACKED encoding of levels puts the highest bit first.
  ///
  /// - Returns: numbers of one byte each.
  static func oldBitPacked(_ cursor: PageCursor, bitWidth: Int, count: Int) -> [UInt8] {
    (0..<count).map { index in
      var value: UInt8 = 0
      for bit in index * bitWidth..<(index + 1) * bitWidth {
        let byte = unsafe cursor.position.load(fromByteOffset: bit >> 3, as: UInt8.self)
        value = value << 1 | (byte >> UInt8(7 - bit & 7)) & 1
      }
      return value
    }
  }

  /// Makes sure that the current run has numbers left.
  mutating func beginRun() throws(ParquetFault) {
    while runCount == 0 {
      let head = try cursor.varint()
      let (count, isPacked) = (head >> 1, head & 1 == 1)
      guard count <= UInt64(Int32.max) else { throw .corrupt("a run of \(count) numbers") }
      if isPacked {
        // Writers may leave out the last group's padding.
        let bytes = min(Int(count) * bitWidth, cursor.remaining)
        repeated = nil
        packedIndex = 0
        unsafe packed = cursor.position
        runCount = bitWidth == 0 ? Int(count) * 8 : min(Int(count) * 8, bytes * 8 / bitWidth)
        try cursor.advance(bytes)
        guard runCount > 0 || count == 0 else { throw .corrupt("a run without its numbers") }
      } else {
        var value: UInt32 = 0
        for byte in 0..<(bitWidth + 7) / 8 { value |= UInt32(try cursor.byte()) << UInt32(8 * byte) }
        guard bitWidth == 32 || value >> UInt32(bitWidth) == 0 else {
          throw .corrupt("a run of \(value) where numbers have \(bitWidth) bits")
        }
        repeated = value
        runCount = Int(count)
      }
    }
  }

  /// Takes `count` numbers of the current run without looking at them.
  ///
  /// - Precondition: `count` ≤ `runCount`.
  mutating func pass(_ count: Int) {
    runCount -= count
    packedIndex += count
  }

  mutating func decode(_ count: Int, into target: UnsafeMutablePointer<UInt32>) throws(ParquetFault) {
    var done = 0
    while done < count {
      try beginRun()
      let taken = min(count - done, runCount)
      if let repeated {
        unsafe (target + done).update(repeating: repeated, count: taken)
      } else {
        unsafe unpack(taken, into: target + done)
      }
      pass(taken)
      done += taken
    }
  }

  /// Levels: numbers below 256.
  ///
  /// - Precondition: the current run is bit-packed, `bitWidth` ≤ 8 and `count` ≤ `runCount`.
  mutating func decodeLevels(_ count: Int, into target: UnsafeMutablePointer<UInt8>) {
    for index in 0..<count {
      unsafe target[index] = UInt8(
        truncatingIfNeeded: BitUnpacking.number(width: bitWidth, atBit: (packedIndex &+ index) &* bitWidth, of: packed))
    }
    pass(count)
  }

  private func unpack(_ count: Int, into target: UnsafeMutablePointer<UInt32>) {
    var done = 0
    // Whole blocks begin at a byte only where a multiple of eight numbers was taken.
    while done < count, (packedIndex &+ done) & 7 != 0 {
      unsafe target[done] = BitUnpacking.number(width: bitWidth, atBit: (packedIndex &+ done) &* bitWidth, of: packed)
      done &+= 1
    }
    while count - done >= 32 {
      let start = unsafe packed + ((packedIndex &+ done) &* bitWidth) >> 3
      unsafe BitUnpacking.unpack32(width: bitWidth, from: start, into: target + done)
      done &+= 32
    }
    while done < count {
      unsafe target[done] = BitUnpacking.number(width: bitWidth, atBit: (packedIndex &+ done) &* bitWidth, of: packed)
      done &+= 1
    }
  }
}
