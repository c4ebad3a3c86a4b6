import Foundation
import Testing

/// What the documents say about the code, held against the code.
@Suite struct DocumentationTests {
  @Test func linksAndPathsLeadSomewhere() throws {
    let files = try Repository.files()
    let documents = files.filter { $0.path.hasSuffix(".md") }
    #expect(documents.contains { $0.path == "README.md" } && documents.contains { $0.path == "ARCHITECTURE.md" })
    Finding.report(documents.flatMap { Documentation.deadPaths(in: $0, among: files.map(\.path)) })
  }

  @Test func everyKillPointIsExplained() throws {
    let files = try Repository.files()
    let sources = files.filter {
      [
        "Sources/Broker/Faults/KillPoint.swift", "Sources/Runtime/RuntimeKillPoint.swift",
        "Sources/Delta/DeltaKillPoint.swift", "Sources/OfflineStore/Dataset/Build/DatasetKillPoint.swift",
        "Sources/Registry/RegistryKillPoint.swift", "Sources/Training/Trainers/TrainingKillPoint.swift",
        "Sources/headrace/Retrain/RetrainingKillPoint.swift",
      ].contains($0.path)
    }
    let names = sources.flatMap(\.lines).compactMap { line in
      line.firstMatch(of: #/case \w+ = "([\w.-]+)"/#).map { String($0.1) }
    }
    #expect(sources.count == 7 && names.count >= 75)
    let rows = try #require(files.first { $0.path == "ARCHITECTURE.md" }).lines
    for name in names {
      #expect(rows.filter { $0.hasPrefix("| `\(name)` |") }.count == 1, "\(name) has no row in ARCHITECTURE.md")
    }
  }

  @Test func everyModuleIsInTheDrawnTable() throws {
    let text = try #require(try Repository.files().first { $0.path == "ARCHITECTURE.md" }).lines.joined(separator: "\n")
    for layer in Layer.table {
      #expect(text.contains("`\(layer.module)`"), "\(layer.module) is not in ARCHITECTURE.md")
    }
  }

  @Test func catchesADeadPath() {
    let text = "see [a](Sources/A.swift), [b](B.md#x), [web](https://example.org/C) and `Sources/D/E.swift`, `a/b`\n"
    let file = SourceFile(path: "README.md", text: text)
    let found = Documentation.deadPaths(in: file, among: ["README.md", "Sources/A.swift"])
    #expect(found.map(\.message) == ["B.md leads nowhere", "Sources/D/E.swift leads nowhere"])
  }
}

enum Documentation {
  /// Links, and paths in code spans that begin with a folder of the repository, which lead to no file and no folder.
  static func deadPaths(in document: SourceFile, among paths: [String]) -> [Finding] {
    var known = Set(paths)
    for path in paths {
      let parts = path.split(separator: "/")
      for count in 1..<max(parts.count, 1) { known.insert(parts.prefix(count).joined(separator: "/")) }
    }
    let folder = document.path.split(separator: "/").dropLast().joined(separator: "/")
    return document.lines.enumerated().flatMap { index, line in
      mentions(in: line, folder: folder).filter { !known.contains($0) }.map {
        Finding(path: document.path, line: index + 1, message: "\($0) leads nowhere")
      }
    }
  }

  private static func mentions(in line: String, folder: String) -> [String] {
    let links = line.matches(of: #/\]\(([^)#\s]+)(?:#[^)]*)?\)/#).map { String($0.1) }
      .filter { !$0.contains("://") }.map { normalized(folder.isEmpty ? $0 : "\(folder)/\($0)") }
    let spans = line.matches(of: #/`((?:Sources|Tests|Benchmarks|samples|schemas|scripts)\/[\w.+\/-]+)`/#)
      .map { normalized(String($0.1)) }
    return links + spans
  }

  private static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts.joined(separator: "/")
  }
}
