package import Core
internal import Glibc

/// A folder of its own for one test; removed with everything in it.
package final class TestFolder {
  package let path: String

  package init() throws(HeadraceError) {
    var template = Array("/tmp/headrace-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw HeadraceError(.external, "MKDTEMP", "no temporary folder") }
    path = unsafe template.withUnsafeBufferPointer { buffer in
      unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? ""
    }
  }

  deinit { Self.remove(path) }

  /// What is directly in `path`, in order; nothing when there is no such folder.
  package static func names(_ path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Files directly in `path` whose name ends like this.
  package static func files(_ path: String, ending: String) -> [String] {
    names(path).filter { $0.hasSuffix(ending) }.map { "\(path)/\($0)" }
  }

  package static func contents(_ path: String) throws(HeadraceError) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { throw HeadraceError(.external, "OPEN", path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe read(file, &buffer, buffer.count)
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
  }

  package static func write(_ bytes: [UInt8], to path: String) throws(HeadraceError) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw HeadraceError(.external, "OPEN", path) }
    defer { close(file) }
    guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
      throw HeadraceError(.external, "WRITE", path)
    }
  }

  /// Removes a folder with everything in it.
  package static func remove(_ path: String) {
    for name in names(path) {
      let child = "\(path)/\(name)"
      if unsafe unlink(child) != 0 { remove(child) }
    }
    unsafe rmdir(path)
  }

  /// Removes a file.
  package static func delete(_ path: String) throws(HeadraceError) {
    guard unsafe unlink(path) == 0 else { throw HeadraceError(.external, "UNLINK", path) }
  }

  /// Copies the files of a folder as a kill would leave them: taken again when one came or went meanwhile.
  package static func copy(_ source: String, to target: String) throws(HeadraceError) {
    for _ in 0..<20 {
      remove(target)
      guard unsafe mkdir(target, 0o755) == 0 else { throw HeadraceError(.external, "MKDIR", target) }
      let names = names(source)
      let isComplete = names.allSatisfy { name in
        guard let bytes = try? contents("\(source)/\(name)") else { return false }
        return (try? write(bytes, to: "\(target)/\(name)")) != nil
      }
      if isComplete, self.names(source) == names { return }
    }
    throw HeadraceError(.external, "COPY", "\(source) does not rest")
  }
}
