internal import Columns

/// The values of a chunk's dictionary page, converted to what they mean.
final class ChunkDictionary {
  let values: Column
  /// Bytes of the longest string.
  let largestValueBytes: Int
  /// The strings' bytes with slack behind them, so that short ones are copied as words.
  private let textBytes: PageBuffer
  private let indexes = PageBuffer(capacity: 4 * DictionaryDecoder.blockCount)

  init(_ values: Column) {
    self.values = values
    let textBytes = PageBuffer()
    unsafe values.text.bytes.withUnsafeBytes { unsafe textBytes.append($0) }
    self.textBytes = textBytes
    var largest = 0
    for row in values.text.ends.indices { largest = max(largest, values.text.range(row).count) }
    largestValueBytes = largest
  }

  var indexRoom: UnsafeMutablePointer<UInt32> { unsafe indexes.base.assumingMemoryBound(to: UInt32.self) }

  /// Appends the values that `indexes` name; all of them are below `values.count`.
  func gather(_ indexes: UnsafePointer<UInt32>, count: Int, into column: inout Column) {
    switch values.type.storage {
    case .integers:
      unsafe values.integers.withUnsafeBufferPointer { values in
        unsafe column.appendIntegers(count) { target in
          for index in 0..<count { unsafe target[index] = values[Int(indexes[index])] }
        }
      }
    case .doubles:
      unsafe values.doubles.withUnsafeBufferPointer { values in
        unsafe column.appendDoubles(count) { target in
          for index in 0..<count { unsafe target[index] = values[Int(indexes[index])] }
        }
      }
    case .decimals:
      unsafe values.decimals.withUnsafeBufferPointer { values in
        unsafe column.appendDecimals(count) { target in
          for index in 0..<count { unsafe target[index] = values[Int(indexes[index])] }
        }
      }
    case .text: unsafe gatherText(indexes, count: count, into: &column)
    }
  }

  private func gatherText(_ indexes: UnsafePointer<UInt32>, count: Int, into column: inout Column) {
    unsafe values.text.ends.withUnsafeBufferPointer { sourceEnds in
      var total = 0
      for index in 0..<count {
        let entry = unsafe Int(indexes[index])
        total &+= unsafe sourceEnds[entry] &- (entry == 0 ? 0 : sourceEnds[entry &- 1])
      }
      let source = unsafe UnsafeRawPointer(textBytes.base)
      unsafe column.appendText(count, maximumBytes: total) { bytes, ends, start in
        var written = 0
        for index in 0..<count {
          let entry = unsafe Int(indexes[index])
          let begin = unsafe entry == 0 ? 0 : sourceEnds[entry &- 1]
          let length = unsafe sourceEnds[entry] &- begin
          unsafe TextCopy.copy(source + begin, to: bytes + written, count: length)
          written &+= length
          unsafe ends[index] = start &+ written
        }
        return written
      }
    }
  }
}

/// Indexes into the chunk's dictionary, in runs.
struct DictionaryDecoder: ValueDecoder {
  static let blockCount = 1_024

  private var runs: HybridDecoder
  private let dictionary: ChunkDictionary

  /// - Parameter cursor: a byte with the width of indexes, and the runs.
  init(_ cursor: PageCursor, dictionary: ChunkDictionary) throws(ParquetFault) {
    var cursor = cursor
    // A page of nulls only may have no byte at all.
    let width = cursor.remaining == 0 ? 0 : Int(try cursor.byte())
    runs = try HybridDecoder(cursor, bitWidth: width)
    self.dictionary = dictionary
  }

  var largestValueBytes: Int { dictionary.largestValueBytes }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    var left = count
    let indexes = unsafe dictionary.indexRoom
    while left > 0 {
      let taken = min(left, Self.blockCount)
      try unsafe runs.decode(taken, into: indexes)
      var largest: UInt32 = 0
      for index in 0..<taken { unsafe largest = max(largest, indexes[index]) }
      guard Int(largest) < dictionary.values.count else {
        throw .corrupt("index \(largest) of a dictionary of \(dictionary.values.count) values")
      }
      unsafe dictionary.gather(indexes, count: taken, into: &column)
      left -= taken
    }
  }
}
