/// What every event of a batch has besides its columns, by row: its time, its place in the log, and the watermark of
/// the partition that it is judged by. Watermarks do not go back from row to row.
package struct EventHeaders: Sendable {
  package var partition: Int32
  package var offsets: [Int64] = []
  package var eventTimesMilliseconds: [Int64] = []
  package var watermarksMilliseconds: [Int64] = []

  package init(partition: Int32) { self.partition = partition }

  package var count: Int { offsets.count }

  package mutating func append(offset: Int64, eventTimeMilliseconds: Int64, watermarkMilliseconds: Int64) {
    offsets.append(offset)
    eventTimesMilliseconds.append(eventTimeMilliseconds)
    watermarksMilliseconds.append(watermarkMilliseconds)
  }

  /// Empties it; buffers keep their capacity.
  package mutating func removeAll() {
    offsets.removeAll(keepingCapacity: true)
    eventTimesMilliseconds.removeAll(keepingCapacity: true)
    watermarksMilliseconds.removeAll(keepingCapacity: true)
  }
}
