import Foundation
import Testing

/// A text file of the repository.
struct SourceFile {
  /// From the repository's root: `Sources/Core/Quantity.swift`.
  var path: String
  var lines: [String]
  /// Without comments and the text of strings; empty where it is no Swift.
  var code: [String]
  private let text: String

  init(path: String, text: String) {
    self.path = path
    self.text = text
    code = path.hasSuffix(".swift") ? SwiftCode(text).lines : []
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
  }

  var isSwift: Bool { path.hasSuffix(".swift") }
  var isCode: Bool { [".swift", ".c", ".h", ".cpp", ".hpp", ".py"].contains { path.hasSuffix($0) } }

  /// Whether the file has these characters anywhere: a quick look before a slow one.
  func mentions(_ word: String) -> Bool { unsafe strstr(text, word) != nil }

  /// `Broker` for `Sources/Broker/Log/Segment.swift`; nil outside of `Sources`.
  var module: String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
  }
}

/// Something that a rule does not allow.
struct Finding: CustomStringConvertible {
  var path: String
  var line: Int
  var message: String

  var description: String { "\(path):\(line): \(message)" }

  /// All of them in one message: whoever mends them wants the whole list.
  static func report(_ findings: [Finding]) {
    guard !findings.isEmpty else { return }
    Issue.record("\(findings.count) findings\n\(findings.map(\.description).joined(separator: "\n"))")
  }
}

enum Repository {
  private static let skipped: Set = [
    ".git", ".build", ".cache", "data", "__pycache__", ".pytest_cache", "Package.resolved",
  ]

  private static func isSkipped(_ name: String) -> Bool { skipped.contains(name) || name.hasPrefix(".venv") }

  static var root: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }

  /// Every text file that belongs to the repository.
  static func files() throws -> [SourceFile] { try read.get() }

  private static let read = Result {
    var files: [SourceFile] = []
    try collect(root, prefix: "", into: &files)
    return files.sorted { $0.path < $1.path }
  }

  private static func collect(_ folder: URL, prefix: String, into files: inout [SourceFile]) throws {
    let entries = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.isDirectoryKey])
    for entry in entries where !isSkipped(entry.lastPathComponent) {
      let path = prefix + entry.lastPathComponent
      if try entry.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
        try collect(entry, prefix: path + "/", into: &files)
      } else if let text = String(data: try Data(contentsOf: entry), encoding: .utf8) {
        files.append(SourceFile(path: path, text: text))
      }
    }
  }
}
