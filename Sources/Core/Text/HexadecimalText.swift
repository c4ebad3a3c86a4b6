extension UInt64 {
  /// Sixteen small digits: names and ids have the same length whatever they say.
  package var hexadecimal: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
