internal import Columns
internal import Glibc

/// Texts as kernels read them.
enum Text {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// Negative, zero or positive, as `memcmp`; a beginning is less than the whole.
  @inline(__always)
  static func order(_ a: Bytes, _ b: Bytes) -> Int {
    let common = min(a.count, b.count)
    if common > 0, let left = a.baseAddress, let right = b.baseAddress {
      let order = unsafe memcmp(left, right, common)
      if order != 0 { return Int(order) }
    }
    return a.count - b.count
  }

  /// One text operand, row by row.
  @unsafe
  enum Lanes {
    case vector(bytes: UnsafePointer<UInt8>?, ends: UnsafePointer<Int>)
    case constant(Bytes)

    @inline(__always)
    subscript(row: Int) -> Bytes {
      switch unsafe self {
      case .vector(let bytes, let ends):
        let start = unsafe row == 0 ? 0 : ends[row - 1]
        return unsafe Bytes(start: bytes.map { unsafe $0 + start }, count: ends[row] - start)
      case .constant(let bytes): return unsafe bytes
      }
    }
  }
}

extension Machine {
  /// Gives the body an operand's texts.
  @inline(__always)
  func texts(_ operand: Program.Operand, _ body: (Text.Lanes) -> Void) {
    let buffer: TextBuffer
    switch operand {
    case .constant(let index):
      unsafe constants[index].text.withUnsafeBufferPointer { unsafe body(.constant($0)) }
      return
    case .field(let position): buffer = columns[position].text
    case .register(let index): buffer = registers[index].text
    }
    unsafe buffer.bytes.withUnsafeBufferPointer { bytes in
      unsafe buffer.ends.withUnsafeBufferPointer { ends in
        if let base = ends.baseAddress { unsafe body(.vector(bytes: bytes.baseAddress, ends: base)) }
      }
    }
  }
}
