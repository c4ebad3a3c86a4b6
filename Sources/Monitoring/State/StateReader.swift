internal import Core

/// What the bytes of a monitor's state are made of.
extension ByteReader {
  @_lifetime(self: copy self)
  mutating func double() throws(HeadraceError) -> Double { Double(bitPattern: try number(UInt64.self)) }

  @_lifetime(self: copy self)
  mutating func flag() throws(HeadraceError) -> Bool { try number(UInt8.self) != 0 }

  /// A count that nothing is allocated by.
  @_lifetime(self: copy self)
  mutating func count() throws(HeadraceError) -> Int {
    let value = try number(UInt64.self)
    guard value <= 1 << 56 else { throw broken("a count of \(value)") }
    return Int(value)
  }

  /// How many things of at least `size` bytes follow.
  @_lifetime(self: copy self)
  mutating func elements(ofSize size: Int) throws(HeadraceError) -> Int { try count(ofSize: size) }
}
