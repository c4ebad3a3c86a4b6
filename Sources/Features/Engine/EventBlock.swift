package import Columns
internal import Glibc

/// The inputs of a batch of events for one view, event by event.
///
/// Filled column by column once for a batch, so that applying an event reads one short record that lies in one place
/// and touches no array. Reuse one block for all batches of a view: it keeps its memory.
@safe package struct EventBlock: ~Copyable {
  private let plan: RecordPlan
  private let recordBytes: Int
  private let wordCount: Int
  private var base: UnsafeMutableRawPointer
  private var capacityBytes: Int
  private var text: [UInt8] = []
  package private(set) var rowCount = 0

  package init(_ layout: ViewLayout) {
    plan = layout.record
    recordBytes = plan.recordBytes
    wordCount = plan.wordCount
    capacityBytes = 0
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
  }

  deinit { unsafe base.deallocate() }

  /// Takes the inputs of a batch.
  ///
  /// - Parameter inputs: the view's inputs in order, `rowCount` rows each.
  package mutating func load(_ inputs: borrowing [Column], rowCount: Int) {
    reserve(rowCount * recordBytes)
    self.rowCount = rowCount
    unsafe memset(base, 0, rowCount * recordBytes)
    text.removeAll(keepingCapacity: true)
    for index in plan.flags.indices { loadFlag(index, inputs[plan.flags[index].input]) }
    for lane in plan.lanes {
      guard let offset = plan.offset(of: lane) else { continue }
      loadLane(lane.representation, inputs[lane.input], offset)
    }
  }

  private mutating func reserve(_ bytes: Int) {
    guard bytes > capacityBytes else { return }
    unsafe base.deallocate()
    capacityBytes = bytes + bytes / 4
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: capacityBytes, alignment: 16)
  }

  private mutating func loadFlag(_ index: Int, _ column: borrowing Column) {
    let (word, shift) = (index / 64, UInt64(index % 64))
    let isFilter = plan.flags[index].isFilter
    for row in 0..<rowCount {
      let isSet = column.isValid[row] && (!isFilter || column.integers[row] != 0)
      let place = row * recordBytes + word * 8
      let flags = unsafe base.load(fromByteOffset: place, as: UInt64.self)
      unsafe base.storeBytes(of: flags | (isSet ? 1 : 0) << shift, toByteOffset: place, as: UInt64.self)
    }
  }

  private mutating func loadLane(_ representation: Representation, _ column: borrowing Column, _ offset: Int) {
    switch representation {
    case .integer:
      for row in 0..<rowCount { write(column.integers[row], row, offset) }
    case .double:
      loadDoubles(column, offset)
    case .decimal:
      for row in 0..<rowCount { write(column.decimals[row], row, offset) }
    case .text:
      let start = text.count
      text.append(contentsOf: column.text.bytes)
      var from = start
      for row in 0..<rowCount {
        let end = start + column.text.ends[row]
        write(
          UInt64(UInt32(truncatingIfNeeded: from)) | UInt64(UInt32(truncatingIfNeeded: end - from)) << 32, row, offset)
        from = end
      }
    }
  }

  private mutating func loadDoubles(_ column: borrowing Column, _ offset: Int) {
    switch column.type {
    case .double:
      for row in 0..<rowCount { write(column.doubles[row].bitPattern, row, offset) }
    case .decimal(let scale):
      let divisor = DecimalScale.power(scale)
      for row in 0..<rowCount { write((Double(column.decimals[row]) / divisor).bitPattern, row, offset) }
    default:
      for row in 0..<rowCount { write(Double(column.integers[row]).bitPattern, row, offset) }
    }
  }

  @inline(__always)
  private mutating func write<Number: BitwiseCopyable>(_ value: Number, _ row: Int, _ offset: Int) {
    unsafe base.storeBytes(of: value, toByteOffset: row * recordBytes + offset, as: Number.self)
  }
}

// What the slots read. A record is the offset of an event's first byte.
extension EventBlock {
  @inline(__always)
  func record(_ row: Int) -> Int {
    assert(row >= 0 && row < rowCount)
    return row * recordBytes
  }

  @inline(__always)
  func flags(_ record: Int, word: Int) -> UInt64 {
    unsafe base.load(fromByteOffset: record + word * 8, as: UInt64.self)
  }

  @inline(__always)
  func integer(_ place: Int) -> Int64 { unsafe base.load(fromByteOffset: place, as: Int64.self) }

  @inline(__always)
  func double(_ place: Int) -> Double { unsafe base.load(fromByteOffset: place, as: Double.self) }

  @inline(__always)
  func decimal(_ place: Int) -> Int128 { unsafe base.loadUnaligned(fromByteOffset: place, as: Int128.self) }

  @_lifetime(borrow self)
  borrowing func text(_ place: Int) -> RawSpan {
    let reference = unsafe base.load(fromByteOffset: place, as: UInt64.self)
    let start = Int(UInt32(truncatingIfNeeded: reference))
    return unsafe text.span.bytes.extracting(start..<start + Int(reference >> 32))
  }
}

/// Powers of ten as doubles, exact up to 10^22 and correctly rounded beyond.
enum DecimalScale {
  private static let powers: [Double] = (0...38).map { exponent in Double("1e\(exponent)") ?? 1 }

  static func power(_ scale: Int) -> Double { powers[min(max(scale, 0), 38)] }
}
