internal import Glibc

/// The input being executed, in a mapped file: whatever ends the process, the kernel keeps the file.
///
/// Layout: the length in 8 bytes, in the machine's order, and then the input. A clean end removes the file.
@safe final class LastInput {
  private static let lengthBytes = 8

  private let path: String
  private let mapping: UnsafeMutableRawBufferPointer

  init(path: String, maximumInputBytes: Int) throws(FuzzError) {
    self.path = path
    let sizeBytes = Self.lengthBytes + maximumInputBytes
    let file = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0, ftruncate(file, sizeBytes) == 0 else { throw FuzzError("cannot write \(path)") }
    defer { close(file) }
    let mapped = unsafe mmap(nil, sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw FuzzError("cannot map \(path)") }
    unsafe mapping = UnsafeMutableRawBufferPointer(start: mapped, count: sizeBytes)
  }

  deinit {
    unsafe munmap(mapping.baseAddress, mapping.count)
  }

  func remember(_ input: [UInt8]) {
    let count = unsafe min(input.count, mapping.count - Self.lengthBytes)
    unsafe mapping.storeBytes(of: UInt64(count), as: UInt64.self)
    unsafe UnsafeMutableRawBufferPointer(rebasing: mapping[Self.lengthBytes...]).copyBytes(from: input.prefix(count))
  }

  func remove() {
    unsafe unlink(path)
  }

  /// What a process that died had been executing; nil when the file does not exist or is no such file.
  static func left(at path: String) -> [UInt8]? {
    guard let bytes = try? Files.read(path), bytes.count >= lengthBytes else { return nil }
    let count = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt64.self) }
    guard count > 0, count <= UInt64(bytes.count - lengthBytes) else { return nil }
    return Array(bytes[lengthBytes..<lengthBytes + Int(count)])
  }
}
