internal import Core
internal import Glibc

/// Whole files of plain numbers.
enum Files {
  static func read(_ path: String) throws -> [UInt8] {
    let file = unsafe fopen(path, "rb")
    guard let file = unsafe file else { throw HeadraceError(.user, "FILE", "cannot open \(path)") }
    defer { unsafe fclose(file) }
    unsafe fseek(file, 0, SEEK_END)
    let size = unsafe ftell(file)
    unsafe rewind(file)
    return try unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = unsafe fread(buffer.baseAddress, 1, size, file)
      guard count == size else { throw HeadraceError(.external, "FILE", "cannot read \(path)") }
    }
  }

  static func floats(_ path: String) throws -> [Float] {
    let bytes = try read(path)
    return unsafe [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
      count = bytes.count / 4
      unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes.prefix(count * 4))
    }
  }

  static func write(_ numbers: [Double], to path: String) throws {
    let file = unsafe fopen(path, "wb")
    guard let file = unsafe file else { throw HeadraceError(.user, "FILE", "cannot write \(path)") }
    defer { unsafe fclose(file) }
    let written = unsafe numbers.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
    guard written == numbers.count * 8 else { throw HeadraceError(.external, "FILE", "cannot write \(path)") }
  }
}
