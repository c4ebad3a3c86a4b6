// The plan of a view in small constant structs: what the loops over events and cells read.

/// One array of cells in a row.
struct RegionPlan: Sendable {
  enum Kind: UInt8, Sendable {
    /// Aligned spans of event time. The cell begins with the tile's start.
    case tiles
    /// One cell for all events.
    case lifetime
    /// Intervals whose neighbours are further apart than the gap. The cell begins with the first and the last event
    /// time.
    case sessions
    /// Single events. The cell begins with event time, offset and partition.
    case events
  }

  var kind: Kind
  /// The length of a tile; the gap between sessions; how many events are kept.
  var span: Int64
  var keyBytes: Int
  var cellBytes: Int
  var groups: Range<Int>
  /// Which of the layout's windows decide how long a tile lives.
  var windows: Range<Int>
  /// The number of cells of a busy key.
  var usualCount: Int
  /// Whether slots may refer to blocks.
  var hasBlocks: Bool
}

/// The tail of a window: it covers tiles that end after `floor(t, hop) - length`.
struct WindowTail: Hashable, Sendable {
  var length: Int64
  var hop: Int64

  /// The start of the window at a time.
  @inline(__always)
  func start(at time: Int64) -> Int64 { time.flooredSaturating(hop).subtractingSaturating(length) }
}

/// The slots of one argument under one filter. A cell holds how many values there were, then the slots.
struct GroupPlan: Sendable {
  /// The words of an event's flags that tell whether the filter is true and the argument is there, with the bits that
  /// must be set. A mask of 0 asks for nothing.
  var filterWord: Int
  var filterMask: UInt64
  var argumentWord: Int
  var argumentMask: UInt64
  /// Relative to the cell, as every offset of a slot.
  var countOffset: Int
  var slots: Range<Int>
}

/// One slot of a group.
struct SlotPlan: Sendable {
  var kind: SlotKind
  var representation: Representation
  var offset: Int
  /// Where the value lies in the record of an event.
  var valueOffset: Int
  /// k of `lastK`, the half-life of `decayed` in milliseconds.
  var parameter: Int64
}

/// How a feature is read.
struct FeaturePlan: Sendable {
  var function: AggregateFunction
  var window: Window
  var region: Int
  var tail: WindowTail
  var countOffset: Int
  /// The slot of the function; nil when the count is enough.
  var slot: SlotPlan?
  /// The squares of `variance`.
  var squares: SlotPlan?
  var type: FeatureType
  /// The scale of a decimal argument.
  var scale: Int
}

extension FeaturePlan {
  var slotOffset: Int { slot?.offset ?? 0 }
}

extension Int64 {
  /// The largest multiple of `step` that is not greater. Does not overflow.
  @inline(__always)
  func flooredSaturating(_ step: Int64) -> Int64 {
    let remainder = self % step
    return remainder < 0 ? subtractingSaturating(remainder &+ step) : self &- remainder
  }

  @inline(__always)
  func subtractingSaturating(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? .min : .max) : difference
  }

  @inline(__always)
  func addingSaturating(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}
