import Core
import Glibc
import Rocks

/// A folder of its own for one test; removed with everything in it.
final class TestFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/headrace-store-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw HeadraceError(.external, "MKDTEMP", "no temporary folder") }
    path = unsafe template.withUnsafeBufferPointer { buffer in
      unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? ""
    }
  }

  deinit { Self.remove(path) }

  static func remove(_ path: String) {
    for name in (try? Folder.names(path)) ?? [] {
      let child = "\(path)/\(name)"
      if unsafe unlink(child) != 0 { remove(child) }
    }
    unsafe rmdir(path)
  }

  /// Files directly in `path` whose name ends like this.
  static func files(_ path: String, ending: String) throws -> [String] {
    try Folder.names(path).filter { $0.hasSuffix(ending) }.map { "\(path)/\($0)" }
  }

  static func contents(_ path: String) throws -> [UInt8] {
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

  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw HeadraceError(.external, "OPEN", path) }
    defer { close(file) }
    guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
      throw HeadraceError(.external, "WRITE", path)
    }
  }
}

/// The code of what `body` throws; nil when it throws nothing.
func codeThrown(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? HeadraceError)?.code ?? "\(error)"
  }
}

extension TestFolder {
  static func delete(_ path: String) throws {
    guard unsafe unlink(path) == 0 else { throw HeadraceError(.external, "UNLINK", path) }
  }
}

extension TestFolder {
  /// Copies the files of a store as a kill would leave them: taken again when one came or went meanwhile.
  static func copy(_ source: String, to target: String) throws {
    for _ in 0..<20 {
      remove(target)
      try Folder.create(target)
      let names = try Folder.names(source)
      let isComplete = names.allSatisfy { name in
        guard let bytes = try? contents("\(source)/\(name)") else { return false }
        return (try? write(bytes, to: "\(target)/\(name)")) != nil
      }
      if isComplete, try Folder.names(source) == names { return }
    }
    throw HeadraceError(.external, "COPY", "\(source) does not rest")
  }
}
