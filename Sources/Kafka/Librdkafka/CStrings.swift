internal import Glibc

/// Text on its way to the library and back.
enum CStrings {
  /// Calls something that explains itself in a buffer.
  static func explained<Result>(
    _ body: (UnsafeMutablePointer<CChar>, Int) -> Result
  ) -> (result: Result, text: String) {
    let capacity = 512
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
    defer { unsafe buffer.deallocate() }
    unsafe buffer.initialize(repeating: 0, count: capacity)
    let result = unsafe body(buffer, capacity)
    return unsafe (result, String(cString: buffer))
  }

  /// A copy; empty for null.
  static func string(_ pointer: UnsafePointer<CChar>?) -> String {
    unsafe pointer.map { unsafe String(cString: $0) } ?? ""
  }

  /// An array of C strings for the length of one call.
  static func with<Result>(
    _ strings: [String], _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    var pointers = unsafe copies.map { unsafe UnsafePointer($0) }
    return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0) }
  }
}
