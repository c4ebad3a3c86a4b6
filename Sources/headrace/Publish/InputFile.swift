internal import Codecs
internal import Core
internal import Glibc

/// A file, or stdin as `-`, as its bytes are after decompression.
struct InputFile: ~Copyable {
  private static let pieceBytes = 256 << 10

  /// As messages name it.
  let name: String
  /// Bytes on disk; nil for a pipe.
  let sizeBytes: Int64?
  /// Bytes taken from disk so far.
  private(set) var readBytes: Int64 = 0
  private let descriptor: Int32
  private var piece: [UInt8]
  private var pieceCount = 0
  private let decompressor: ByteStreamDecompressor

  /// Opens the file and looks at its first bytes: gzip and Zstandard are known by them, whatever the name.
  init(path: String) throws(HeadraceError) {
    let name = path == "-" ? "stdin" : path
    let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path, "cannot be opened") }
    var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
    let count: Int
    do throws(HeadraceError) {
      count = try Self.read(descriptor, into: &piece, name: name, atLeast: 4)
    } catch {
      close(descriptor)
      throw error
    }
    let codec = unsafe piece.withUnsafeBytes { bytes in
      unsafe ByteStreamDecompressor.codec(
        forFileName: path, firstBytes: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
    self.name = name
    self.descriptor = descriptor
    self.piece = piece
    pieceCount = count
    sizeBytes = Self.sizeBytes(of: descriptor)
    // An empty file is an empty file, even when its name says gzip.
    decompressor = ByteStreamDecompressor(codec: count == 0 ? .none : codec)
  }

  /// - Throws: when the file cannot be read. Takes nothing from it: a pipe would lose that.
  static func check(_ path: String) throws(HeadraceError) {
    guard path != "-" else { return }
    guard unsafe access(path, R_OK) == 0 else { throw .file(path, "cannot be opened") }
    guard unsafe opendir(path).map({ unsafe closedir($0) }) == nil else {
      throw HeadraceError(
        .user, "FILE_ERROR", "is a folder", place: path, remedy: "name the files: headrace publish TOPIC FILE…")
    }
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// Appends the next piece of the file's content.
  ///
  /// - Returns: false at the end of the file.
  mutating func read(into output: inout [UInt8]) throws(HeadraceError) -> Bool {
    if readBytes > 0 || pieceCount == 0 {
      pieceCount = try Self.read(descriptor, into: &piece, name: name, atLeast: 1)
    }
    do throws(CodecError) {
      guard pieceCount > 0 else {
        try decompressor.finish()
        return false
      }
      try decompress(to: &output)
    } catch {
      throw HeadraceError(
        .user, "INPUT_DAMAGED", "cannot be decompressed: \(error)", place: name,
        remedy: "what came before is published; mend or fetch the file again")
    }
    readBytes += Int64(pieceCount)
    return true
  }

  private func decompress(to output: inout [UInt8]) throws(CodecError) {
    let result: Result<Void, CodecError> = unsafe piece.withUnsafeBytes { bytes in
      do throws(CodecError) {
        return .success(
          try unsafe decompressor.append(UnsafeRawBufferPointer(rebasing: bytes[..<pieceCount]), to: &output))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// nil for what is no regular file.
  private static func sizeBytes(of descriptor: Int32) -> Int64? {
    var status = stat()
    let isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    return isRegular ? Int64(status.st_size) : nil
  }

  private static func read(
    _ descriptor: Int32, into piece: inout [UInt8], name: String, atLeast: Int
  ) throws(HeadraceError) -> Int {
    var count = 0
    while count < atLeast {
      let taken = unsafe piece.withUnsafeMutableBytes { bytes in
        unsafe Glibc.read(descriptor, bytes.baseAddress.map { unsafe $0 + count }, bytes.count - count)
      }
      if taken < 0 && errno == EINTR { continue }
      guard taken >= 0 else { throw .file(name, "cannot be read") }
      if taken == 0 { break }
      count += taken
    }
    return count
  }
}
