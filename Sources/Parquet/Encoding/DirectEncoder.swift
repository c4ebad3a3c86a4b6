internal import Codecs
internal import Columns

/// Writes values as they are stored, without a dictionary.
enum DirectEncoder {
  /// - Parameter values: as they are stored, without nulls.
  static func append(
    _ rows: Range<Int>, of values: borrowing Column, _ leaf: ParquetLeaf, _ encoding: ParquetEncoding,
    to page: PageBuffer
  ) {
    switch values.type.storage {
    case .integers:
      unsafe values.integers.withUnsafeBufferPointer { all in
        let slice = unsafe UnsafeBufferPointer(rebasing: all[rows])
        if encoding == .deltaBinaryPacked {
          unsafe DeltaBinaryEncoder.append(slice, is32Bit: leaf.physicalType == .int32, to: page)
        } else {
          unsafe appendIntegers(slice, leaf.physicalType, to: page)
        }
      }
    case .doubles:
      unsafe values.doubles.withUnsafeBufferPointer { all in
        let slice = unsafe UnsafeBufferPointer(rebasing: all[rows])
        unsafe appendDoubles(slice, leaf.physicalType, encoding, to: page)
      }
    case .text: appendText(rows, of: values, hasLengths: leaf.physicalType == .byteArray, to: page)
    case .decimals: break
    }
  }

  private static func appendIntegers(
    _ values: UnsafeBufferPointer<Int64>, _ type: ParquetPhysicalType, to page: PageBuffer
  ) {
    switch type {
    case .boolean:
      let bytes = (values.count + 7) / 8
      let room = unsafe page.room(bytes)
      if let source = values.baseAddress {
        _ = unsafe BitPacking.pack(source, count: values.count, width: 1, into: room)
      }
      page.count += bytes
    case .int32:
      let room = unsafe page.room(4 * values.count).assumingMemoryBound(to: Int32.self)
      for index in 0..<values.count { unsafe room[index] = Int32(truncatingIfNeeded: values[index]) }
      page.count += 4 * values.count
    default: unsafe page.append(UnsafeRawBufferPointer(values))
    }
  }

  private static func appendDoubles(
    _ values: UnsafeBufferPointer<Double>, _ type: ParquetPhysicalType, _ encoding: ParquetEncoding,
    to page: PageBuffer
  ) {
    let isSplit = encoding == .byteStreamSplit
    let count = values.count
    switch type {
    case .float:
      let room = unsafe page.room(4 * count)
      for index in 0..<count {
        let bits = unsafe Float(values[index]).bitPattern
        if isSplit {
          for stream in 0..<4 {
            unsafe room.storeBytes(
              of: UInt8(truncatingIfNeeded: bits >> UInt32(8 &* stream)), toByteOffset: stream &* count &+ index,
              as: UInt8.self)
          }
        } else {
          unsafe room.storeBytes(of: bits, toByteOffset: 4 &* index, as: UInt32.self)
        }
      }
      page.count += 4 * count
    default:
      guard isSplit, let source = values.baseAddress else { return unsafe page.append(UnsafeRawBufferPointer(values)) }
      unsafe ByteStreams.split(source, count: count, into: page.room(8 * count))
      page.count += 8 * count
    }
  }

  private static func appendText(_ rows: Range<Int>, of values: borrowing Column, hasLengths: Bool, to page: PageBuffer)
  {
    guard !rows.isEmpty else { return }
    let start = rows.lowerBound == 0 ? 0 : values.text.ends[rows.lowerBound - 1]
    let end = values.text.ends[rows.upperBound - 1]
    unsafe values.text.bytes.withUnsafeBytes { bytes in
      guard hasLengths else { return unsafe page.append(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
      let room = unsafe page.room(end - start + 4 * rows.count + 16)
      guard let source = bytes.baseAddress else {
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0, count: 4 * rows.count)
        return page.count += 4 * rows.count
      }
      // Words may be copied where 16 bytes are readable behind a string's start.
      let lastWord = bytes.count - 16
      unsafe values.text.ends.withUnsafeBufferPointer { ends in
        var from = start
        var offset = 0
        for row in rows {
          let length = unsafe ends[row] &- from
          unsafe room.storeBytes(
            of: UInt32(truncatingIfNeeded: length).littleEndian, toByteOffset: offset, as: UInt32.self)
          let target = unsafe room + (offset &+ 4)
          if from <= lastWord {
            unsafe TextCopy.copy(source + from, to: target.assumingMemoryBound(to: UInt8.self), count: length)
          } else {
            unsafe target.copyMemory(from: source + from, byteCount: length)
          }
          offset &+= 4 &+ length
          from &+= length
        }
      }
      page.count += end - start + 4 * rows.count
    }
  }
}
