internal import Columns

/// One operand of a kernel, row by row: a buffer, or one value for all rows.
@unsafe
enum Lanes<Element> {
  case vector(UnsafePointer<Element>)
  case constant(Element)

  @inline(__always)
  subscript(row: Int) -> Element {
    switch unsafe self {
    case .vector(let pointer): unsafe pointer[row]
    case .constant(let value): value
    }
  }
}

/// A type that columns, registers and constants hold in a buffer of its own.
protocol LaneElement: BitwiseCopyable {
  static var zero: Self { get }
  static func values(of column: borrowing Column) -> [Self]
  static func values(of register: borrowing Register) -> [Self]
  static func value(of constant: borrowing Constant) -> Self
  /// Gives the body the register's buffer, which has a slot for every row.
  static func write(_ register: inout Register, _ body: (UnsafeMutablePointer<Self>) -> Void)
}

extension Int64: LaneElement {
  static func values(of column: borrowing Column) -> [Int64] { column.integers }
  static func values(of register: borrowing Register) -> [Int64] { register.integers }
  static func value(of constant: borrowing Constant) -> Int64 { constant.integer }
  @inline(__always)
  static func write(_ register: inout Register, _ body: (UnsafeMutablePointer<Int64>) -> Void) {
    unsafe register.integers.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { unsafe body(base) }
    }
  }
}

extension Double: LaneElement {
  static func values(of column: borrowing Column) -> [Double] { column.doubles }
  static func values(of register: borrowing Register) -> [Double] { register.doubles }
  static func value(of constant: borrowing Constant) -> Double { constant.double }
  @inline(__always)
  static func write(_ register: inout Register, _ body: (UnsafeMutablePointer<Double>) -> Void) {
    unsafe register.doubles.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { unsafe body(base) } }
  }
}

extension Int128: LaneElement {
  static func values(of column: borrowing Column) -> [Int128] { column.decimals }
  static func values(of register: borrowing Register) -> [Int128] { register.decimals }
  static func value(of constant: borrowing Constant) -> Int128 { constant.decimal }
  @inline(__always)
  static func write(_ register: inout Register, _ body: (UnsafeMutablePointer<Int128>) -> Void) {
    unsafe register.decimals.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { unsafe body(base) }
    }
  }
}
