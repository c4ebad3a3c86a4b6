package import Features

/// Why a feature has the value that it has: its window, the records in it, and the proof that they are the ones.
package struct FeatureExplanation: Sendable {
  package var name: String
  package var value: ServedValue
  package var status: FeatureStatus
  /// `sliding(6h, hop 30m)`; nil of a feature that is computed of others.
  package var window: String?
  /// Event times that the window has; nil of windows without an end. Epoch milliseconds.
  package var fromMilliseconds: Int64?
  package var toMilliseconds: Int64?
  /// The records that count, in the order of partition and offset.
  package var contributing: [EventPosition] = []
  /// Among these: they came behind the lateness, and count all the same.
  package var repaired: [EventPosition] = []
  /// In the window by their time, and not in the value: they came too late.
  package var late: [EventPosition] = []
  /// The window's last tile has records that are newer than the time of the read, and they count.
  package var hasNewerRecords = false
  /// Applying the contributing records alone gives the same bits.
  package var isVerified = false
}

/// The row of one entity at one time.
package struct RowExplanation: Sendable {
  package var view: String
  package var atMilliseconds: Int64
  package var topic: String
  /// Records of the entity that the row is made of.
  package var recordCount = 0
  package var features: [FeatureExplanation] = []
  /// Of the archive that was read.
  package var tableVersion: Int64
}

/// Which records a row is made of.
package enum ExplainedPrefix: Sendable, Hashable {
  /// All that had happened and were known at the time of the read, as a training set has it.
  case known
  /// Those of one partition below an offset, as the stream has it.
  case below(offset: Int64, partition: Int32)
}

/// Offsets as people read them: `0:17,19-24 3:5`, by partition.
package enum OffsetRanges {
  /// - Parameter positions: in the order of partition and offset.
  package static func text(_ positions: [EventPosition]) -> String {
    var text = ""
    var last: EventPosition?
    var start: Int64 = 0
    func close() -> String { last.map { $0.offset > start ? "-\($0.offset)" : "" } ?? "" }
    for position in positions {
      if let former = last, former.partition == position.partition {
        if position.offset == former.offset + 1 {
          last = position
          continue
        }
        text += close() + ",\(position.offset)"
      } else {
        text += close() + (text.isEmpty ? "" : " ") + "\(position.partition):\(position.offset)"
      }
      start = position.offset
      last = position
    }
    return text + close()
  }
}
