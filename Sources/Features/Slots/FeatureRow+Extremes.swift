/// Doubles as integers of the same order: -∞ < … < -0 < +0 < … < +∞ < NaN. All NaN are one.
enum OrderedDouble {
  @inline(__always)
  static func key(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: value.isNaN ? Double.nan.bitPattern : value.bitPattern)
    return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
  }

  @inline(__always)
  static func value(_ key: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: key ^ Int64(bitPattern: UInt64(bitPattern: key >> 63) >> 1)))
  }
}

// Minima and maxima. A slot that is `first` holds nothing yet.
extension FeatureRow {
  @inline(__always)
  mutating func keepLess<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at slot: Int, isFirst: Bool) {
    if isFirst || value < load(slot, as: Number.self) { store(value, at: slot) }
  }

  @inline(__always)
  mutating func keepGreater<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at slot: Int, isFirst: Bool) {
    if isFirst || value > load(slot, as: Number.self) { store(value, at: slot) }
  }

  /// Texts are in the order of their bytes.
  mutating func keepText(_ text: borrowing RawSpan, at slot: Int, isFirst: Bool, wantsGreater: Bool) {
    if !isFirst {
      let order = ByteOrder.compare(text, blockBytes(load(slot)))
      guard wantsGreater ? order > 0 : order < 0 else { return }
    }
    setBlock(referredFrom: slot, to: text)
  }

  /// The payload of a block.
  @_lifetime(borrow self)
  borrowing func blockBytes(_ block: UInt32) -> RawSpan { span(at: payload(block), count: blockLength(block)) }
}

enum ByteOrder {
  /// Negative, zero or positive, as `memcmp`; the shorter of two that are equal so far comes first.
  static func compare(_ left: borrowing RawSpan, _ right: borrowing RawSpan) -> Int {
    let shared = min(left.byteCount, right.byteCount)
    for index in 0..<shared {
      let (one, two) = unsafe (
        left.unsafeLoad(fromByteOffset: index, as: UInt8.self), right.unsafeLoad(fromByteOffset: index, as: UInt8.self)
      )
      if one != two { return one < two ? -1 : 1 }
    }
    return left.byteCount - right.byteCount
  }
}

/// The total order of events.
struct EventOrder: Comparable {
  var time: Int64
  var partition: Int32
  var offset: Int64

  static func < (left: EventOrder, right: EventOrder) -> Bool {
    (left.time, left.partition, left.offset) < (right.time, right.partition, right.offset)
  }
}

extension EventOrder {
  init(_ event: AppliedEvent) {
    self.init(time: event.time, partition: event.position.partition, offset: event.position.offset)
  }
}

// `first` and `last`.
extension FeatureRow {
  func order(at slot: Int) -> EventOrder {
    EventOrder(
      time: load(slot + PositionedSlot.time), partition: load(slot + PositionedSlot.partition),
      offset: load(slot + PositionedSlot.offset))
  }

  mutating func setPosition(_ event: AppliedEvent, at slot: Int) { setOrder(EventOrder(event), at: slot) }

  mutating func setOrder(_ order: EventOrder, at slot: Int) {
    store(order.time, at: slot + PositionedSlot.time)
    store(order.offset, at: slot + PositionedSlot.offset)
    store(order.partition, at: slot + PositionedSlot.partition)
  }
}
