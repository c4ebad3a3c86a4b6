internal import Glibc

/// Where the schemas of subjects are found: a folder of `<subject>.avsc` files, or texts that came with a plan.
package struct SchemaDirectory: Sendable {
  private enum Origin: Sendable {
    case folder(String)
    case texts([String: String])
  }

  package enum Lookup: Sendable, Equatable {
    case found(text: String, place: String)
    case missing(place: String)
    /// It is there and cannot be read.
    case unreadable(place: String, why: String)
  }

  /// Larger than any schema that people wrote.
  private static let fileBytesMax = 1 << 20

  private let origin: Origin

  /// - Parameter folder: `schemas` beside the topology's folder, by default of the command line.
  package init(folder: String) { origin = .folder(folder.hasSuffix("/") ? String(folder.dropLast()) : folder) }

  /// - Parameter texts: by subject.
  package init(texts: [String: String]) { origin = .texts(texts) }

  package func schema(of subject: String) -> Lookup {
    switch origin {
    case .texts(let texts):
      let place = "\(subject).avsc"
      return texts[subject].map { .found(text: $0, place: place) } ?? .missing(place: place)
    case .folder(let folder):
      // The subject is a valid topic name here: no slash.
      return Self.read("\(folder)/\(subject).avsc")
    }
  }

  /// All that have a schema, sorted: for suggestions.
  package var subjects: [String] {
    switch origin {
    case .texts(let texts): return texts.keys.sorted()
    case .folder(let folder):
      return Self.fileNames(in: folder).filter { $0.hasSuffix(".avsc") }.map { String($0.dropLast(5)) }.sorted()
    }
  }

  private static func read(_ path: String) -> Lookup {
    guard let file = unsafe fopen(path, "re") else {
      return errno == ENOENT ? .missing(place: path) : .unreadable(place: path, why: reason(errno))
    }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: fileBytesMax + 1)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    guard unsafe ferror(file) == 0 else { return .unreadable(place: path, why: reason(errno)) }
    guard count <= fileBytesMax else { return .unreadable(place: path, why: "it has more than \(fileBytesMax) bytes") }
    guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
      return .unreadable(place: path, why: "it is not UTF-8")
    }
    return .found(text: text, place: path)
  }

  private static func fileNames(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }

  private static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
