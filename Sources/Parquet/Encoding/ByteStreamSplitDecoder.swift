internal import Codecs
internal import Columns

/// The first bytes of all values, then the second ones, and so on (Encodings.md, BYTE_STREAM_SPLIT).
struct ByteStreamSplitDecoder: ValueDecoder {
  private let cursor: PageCursor
  private let type: ParquetPhysicalType
  private let width: Int
  private let isUnsigned: Bool
  private let total: Int
  private var index = 0

  init(_ cursor: PageCursor, type: ParquetPhysicalType, width: Int, isUnsigned: Bool) throws(ParquetFault) {
    guard width > 0, cursor.remaining % width == 0 else {
      throw .corrupt("\(cursor.remaining) bytes split into \(width) streams")
    }
    self.cursor = cursor
    self.type = type
    self.width = width
    self.isUnsigned = isUnsigned
    total = cursor.remaining / width
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard count <= total - index else { throw .valuesMissing(count, total - index) }
    let source = unsafe cursor.position
    let (first, total) = (index, total)
    switch type {
    case .double:
      unsafe column.appendDoubles(count) {
        unsafe ByteStreams.join(
          source, streamBytes: total, first: first, count: count, into: UnsafeMutableRawPointer($0))
      }
    case .int64:
      unsafe column.appendIntegers(count) {
        unsafe ByteStreams.join(
          source, streamBytes: total, first: first, count: count, into: UnsafeMutableRawPointer($0))
      }
    case .float:
      unsafe column.appendDoubles(count) { target in
        for offset in 0..<count {
          unsafe target[offset] = Double(Float(bitPattern: word(first &+ offset)))
        }
      }
    case .int32:
      unsafe column.appendIntegers(count) { target in
        for offset in 0..<count {
          let bits = word(first &+ offset)
          unsafe target[offset] = isUnsigned ? Int64(bits) : Int64(Int32(bitPattern: bits))
        }
      }
    default:
      let width = width
      unsafe column.appendText(count, maximumBytes: count * width) { bytes, ends, start in
        for offset in 0..<count {
          for stream in 0..<width {
            unsafe bytes[offset &* width &+ stream] = source.load(
              fromByteOffset: stream &* total &+ first &+ offset, as: UInt8.self)
          }
          unsafe ends[offset] = start &+ (offset &+ 1) &* width
        }
        return count &* width
      }
    }
    index += count
  }

  @inline(__always)
  private func word(_ index: Int) -> UInt32 {
    var value: UInt32 = 0
    for stream in 0..<4 {
      let byte = unsafe cursor.position.load(fromByteOffset: stream &* total &+ index, as: UInt8.self)
      value |= UInt32(byte) << UInt32(8 &* stream)
    }
    return value
  }
}
