internal import Columns

/// Differences of numbers, bit-packed in blocks (Encodings.md, DELTA_BINARY_PACKED).
@safe struct DeltaBinaryDecoder: ValueDecoder {
  /// Writers take 128 (parquet-mr, Arrow) to 2048 (DuckDB).
  private static let maximumBlockCount: UInt64 = 1 << 16
  private static let groupCount = 32

  private var cursor: PageCursor
  private let miniblockCount: Int
  private let miniblocksInBlock: Int
  /// 32-bit numbers wrap around at 32 bits.
  private let is32Bit: Bool
  private let isUnsigned: Bool
  /// Numbers that the header promises and that were not handed out.
  private(set) var count: Int

  private var value: Int64
  private var isFirst = true
  private var minimumDelta: Int64 = 0
  private var widths: PageCursor
  private var miniblocksLeft = 0
  private var width = 0
  private var leftInMiniblock = 0
  /// Deltas that are left of the current miniblock; `packed` moves by whole groups, `inGroup` within one.
  private var packed: UnsafeRawPointer
  private var inGroup = 0

  init(_ cursor: PageCursor, is32Bit: Bool, isUnsigned: Bool = false) throws(ParquetFault) {
    var cursor = cursor
    let blockCount = try cursor.varint()
    let miniblocks = try cursor.varint()
    let total = try cursor.varint()
    guard blockCount > 0, blockCount <= Self.maximumBlockCount, miniblocks > 0, blockCount % miniblocks == 0,
      (blockCount / miniblocks) % UInt64(Self.groupCount) == 0
    else { throw .corrupt("delta blocks of \(blockCount) numbers in \(miniblocks) parts") }
    guard total <= UInt64(Int32.max) else { throw .corrupt("\(total) delta-encoded numbers") }
    let first = try cursor.zigzag()
    value = isUnsigned && is32Bit ? Int64(UInt32(truncatingIfNeeded: first)) : first
    miniblocksInBlock = Int(miniblocks)
    miniblockCount = Int(blockCount / miniblocks)
    count = Int(total)
    self.is32Bit = is32Bit
    self.isUnsigned = isUnsigned
    self.cursor = cursor
    widths = cursor
    unsafe packed = cursor.position
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    var copy = self
    try unsafe column.appendIntegers(count) { (target) throws(ParquetFault) in
      try unsafe copy.decode(count, into: target)
    }
    self = copy
  }

  /// The next `wanted` numbers.
  mutating func decode(_ wanted: Int, into target: UnsafeMutablePointer<Int64>) throws(ParquetFault) {
    guard wanted <= count else { throw .corrupt("\(wanted) more numbers where \(count) are left") }
    var done = 0
    if isFirst, wanted > 0 {
      isFirst = false
      unsafe target[0] = value
      done = 1
    }
    while done < wanted {
      if leftInMiniblock == 0 { try beginMiniblock() }
      let taken = min(wanted - done, leftInMiniblock)
      unsafe unpack(taken, into: target + done)
      leftInMiniblock -= taken
      done += taken
    }
    count -= wanted
  }

  private mutating func beginMiniblock() throws(ParquetFault) {
    if miniblocksLeft == 0 {
      minimumDelta = try cursor.zigzag()
      widths = try cursor.slice(miniblocksInBlock)
      miniblocksLeft = miniblocksInBlock
    }
    miniblocksLeft -= 1
    width = Int(try widths.byte())
    guard width <= 64 else { throw .corrupt("deltas of \(width) bits") }
    unsafe packed = cursor.position
    try cursor.advance(miniblockCount * width / 8)
    leftInMiniblock = miniblockCount
    inGroup = 0
  }

  private mutating func unpack(_ count: Int, into target: UnsafeMutablePointer<Int64>) {
    var done = 0
    if width <= 32 {
      unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.groupCount) { group in
        guard let room = group.baseAddress else { return }
        while done < count {
          unsafe BitUnpacking.unpack32(width: width, from: packed, into: room)
          let taken = min(count &- done, Self.groupCount &- inGroup)
          for index in 0..<taken {
            unsafe step(UInt64(room[inGroup &+ index]), into: target + (done &+ index))
          }
          done &+= taken
          move(taken)
        }
      }
    } else {
      while done < count {
        let delta = unsafe BitUnpacking.wideNumber(width: width, atBit: inGroup &* width, of: packed)
        unsafe step(delta, into: target + done)
        done &+= 1
        move(1)
      }
    }
  }

  @inline(__always)
  private mutating func step(_ delta: UInt64, into target: UnsafeMutablePointer<Int64>) {
    value = value &+ minimumDelta &+ Int64(bitPattern: delta)
    if is32Bit {
      value = isUnsigned ? Int64(UInt32(truncatingIfNeeded: value)) : Int64(Int32(truncatingIfNeeded: value))
    }
    unsafe target.pointee = value
  }

  @inline(__always)
  private mutating func move(_ count: Int) {
    inGroup &+= count
    guard inGroup == Self.groupCount else { return }
    inGroup = 0
    unsafe packed += 4 &* width
  }

  /// Where the numbers end, without decoding them: what follows them in the page begins there.
  func rest() throws(ParquetFault) -> PageCursor {
    var copy = self
    var left = max(count - 1, 0)
    while left > 0 {
      try copy.beginMiniblock()
      left -= copy.miniblockCount
    }
    return copy.cursor
  }
}
