internal import Columns

/// How the inputs of one event lie in memory while it is applied: words of flags, then values.
struct RecordPlan: Sendable {
  /// A bit of an event's flags.
  struct Flag: Sendable, Hashable {
    var input: Int
    /// True: the input is a filter, and the bit says that it is true. False: the bit says that the input is not null.
    var isFilter: Bool
  }

  /// A value of an event.
  struct Lane: Sendable, Hashable {
    var input: Int
    var representation: Representation
  }

  private(set) var flags: [Flag] = []
  private(set) var lanes: [Lane] = []
  /// The offset of each lane, before the words of flags are counted in.
  private var laneOffsets: [Int] = []
  private var lanesBytes = 0

  var wordCount: Int { (flags.count + 63) / 64 }
  var recordBytes: Int { wordCount * 8 + lanesBytes }

  /// - Returns: the word and the mask of a flag.
  mutating func flag(_ flag: Flag) -> (word: Int, mask: UInt64) {
    let index = flags.firstIndex(of: flag) ?? flags.count
    if index == flags.count { flags.append(flag) }
    return (index / 64, 1 << UInt64(index % 64))
  }

  mutating func addLane(_ lane: Lane) {
    guard !lanes.contains(lane) else { return }
    lanes.append(lane)
    laneOffsets.append(lanesBytes)
    lanesBytes += lane.representation.sizeBytes
  }

  /// Where a lane's value lies in a record. Only right once all flags are known.
  func offset(of lane: Lane) -> Int? {
    lanes.firstIndex(of: lane).map { wordCount * 8 + laneOffsets[$0] }
  }
}
