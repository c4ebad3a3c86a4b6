internal import Core
internal import Glibc

/// The folder of the monitors' state.
enum MonitorFolder {
  static func make(_ path: String) throws(HeadraceError) {
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
      throw HeadraceError(.external, "MONITOR_STATE", "the folder cannot be made: error \(errno)", place: path)
    }
  }

  /// Who this process is in the group, over restarts: else a group would wait for a member that was killed.
  static func identity(_ folder: String) throws(HeadraceError) -> String {
    let path = "\(folder)/instance"
    var bytes = [UInt8](repeating: 0, count: 64)
    let known = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if known >= 0 {
      defer { close(known) }
      let count = unsafe read(known, &bytes, bytes.count)
      if count > 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
    }
    var random = SystemRandomNumberGenerator()
    let name = "monitors-\(String(random.next(), radix: 16))"
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw HeadraceError(.external, "MONITOR_STATE", "cannot be written: error \(errno)", place: path)
    }
    defer { close(file) }
    let text = Array(name.utf8)
    guard unsafe write(file, text, text.count) == text.count else {
      throw HeadraceError(.external, "MONITOR_STATE", "cannot be written: error \(errno)", place: path)
    }
    return name
  }
}
