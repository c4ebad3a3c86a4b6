/// Strings as C's lists of them, for one call.
enum CStringList {
  static func with<Result>(_ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result)
    -> Result
  {
    var flat = strings.flatMap { Array($0.utf8CString) }
    var offsets: [Int] = []
    var offset = 0
    for string in strings {
      offsets.append(offset)
      offset += string.utf8.count + 1
    }
    return unsafe flat.withUnsafeMutableBufferPointer { flat in
      unsafe withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<CChar>?.self, capacity: strings.count + 1) { list in
        for (index, offset) in offsets.enumerated() {
          unsafe list.initializeElement(at: index, to: flat.baseAddress.map { unsafe $0 + offset })
        }
        unsafe list.initializeElement(at: strings.count, to: nil)
        return unsafe body(list.baseAddress.unsafelyUnwrapped)
      }
    }
  }

  /// The same list for functions that promise to leave the strings alone.
  static func constant(
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) -> UnsafeMutablePointer<UnsafePointer<CChar>?> {
    unsafe UnsafeMutableRawPointer(list).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
  }
}
