package import Core
internal import Glibc

/// Who this process is in its group: kept in the data directory, so that a restart is the same member (KIP-345) and
/// gets its tasks back, whose state lies in the same directory.
package enum InstanceIdentity {
  package static func load(directory: String) throws(HeadraceError) -> String {
    try Folders.make(directory)
    let path = "\(directory)/instance"
    if let known = read(path) { return known }
    var generator = SystemRandomNumberGenerator()
    let identity = (generator.next() as UInt64).hexadecimal
    try write(identity, to: path)
    return identity
  }

  private static func read(_ path: String) -> String? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 16)
    guard unsafe Glibc.read(file, &bytes, 16) == 16 else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return UInt64(text, radix: 16) == nil ? nil : text
  }

  /// Under another name first: a torn identity would be another member.
  private static func write(_ identity: String, to path: String) throws(HeadraceError) {
    let temporary = "\(path).new"
    let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    let bytes = Array(identity.utf8)
    guard file >= 0, unsafe Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0, close(file) == 0,
      unsafe rename(temporary, path) == 0
    else {
      throw HeadraceError(
        .external, "DATA_DIRECTORY", "the identity of this instance cannot be written (errno \(errno))", place: path,
        remedy: "check that the data directory can be written and its disk is not full")
    }
  }
}

enum Folders {
  /// Makes a folder and those that it lies in.
  static func make(_ path: String) throws(HeadraceError) {
    var prefix = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      prefix += "/\(part)"
      guard unsafe mkdir(prefix, 0o755) != 0, errno != EEXIST else { continue }
      throw HeadraceError(
        .external, "DATA_DIRECTORY", "the folder cannot be made (errno \(errno))", place: prefix,
        remedy: "check that the data directory can be written and its disk is not full")
    }
  }
}
