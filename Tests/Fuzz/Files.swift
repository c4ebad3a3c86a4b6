internal import Glibc

/// What went wrong around the fuzzing: a file, a flag.
struct FuzzError: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

enum Files {
  static func read(_ path: String) throws(FuzzError) -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { throw FuzzError("cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe fread(&piece, 1, piece.count, file)
      bytes += piece[..<count]
      guard count == piece.count else { return bytes }
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws(FuzzError) {
    guard let file = unsafe fopen(path, "wb") else { throw FuzzError("cannot write \(path)") }
    let count = unsafe fwrite(bytes, 1, bytes.count, file)
    guard unsafe fclose(file) == 0, count == bytes.count else { throw FuzzError("cannot write \(path)") }
  }

  static func makeFolder(_ path: String) throws(FuzzError) {
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FuzzError("cannot make the folder \(path)") }
  }

  /// The names of the files in a folder, in order; none when it does not exist. Hidden ones are left out.
  static func names(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}
