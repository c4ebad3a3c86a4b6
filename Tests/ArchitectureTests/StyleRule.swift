import Testing

/// One thing that the style asks of every file, with an offence that proves that the check works.
struct StyleRule: Sendable, CustomTestStringConvertible {
  var name: String
  var check: @Sendable (SourceFile) -> [Finding]
  /// A file that offends once.
  var planted: @Sendable () -> SourceFile
  /// A file that comes close and is fine.
  var fine: @Sendable () -> SourceFile

  var testDescription: String { name }

  static let all: [StyleRule] =
    [
      fileLength, lineLength, functionLength, machinePaths, packageRegistries, uncheckedNeedsReason,
      printOutsideOfTheCLI,
    ] + bannedWords
}

extension StyleRule {
  private static let fileLinesMax = 450
  private static let lineColumnsMax = 120
  /// Python's formatter does not break the long messages of checks.
  private static let pythonLineColumnsMax = 140
  private static let functionLinesMax = 70

  static let fileLength = StyleRule(
    name: "a file has at most \(fileLinesMax) lines",
    check: { file in
      guard file.isCode, file.lines.count > fileLinesMax else { return [] }
      return [.init(path: file.path, line: file.lines.count, message: "\(file.lines.count) lines: one idea per file")]
    },
    planted: { .init(path: "Sources/Core/A.swift", text: String(repeating: "x\n", count: 451)) },
    fine: { .init(path: "Sources/Core/A.swift", text: String(repeating: "x\n", count: 450)) })

  static let lineLength = StyleRule(
    name: "a line has at most \(lineColumnsMax) columns",
    check: { file in
      guard file.isCode else { return [] }
      let limit = file.path.hasSuffix(".py") ? pythonLineColumnsMax : lineColumnsMax
      return file.lines.enumerated().filter { $0.element.utf8.count > limit && $0.element.count > limit }.map {
        index, line in
        .init(path: file.path, line: index + 1, message: "\(line.count) columns")
      }
    },
    planted: { .init(path: "Tests/A.py", text: String(repeating: "é", count: 141)) },
    fine: { .init(path: "Tests/A.swift", text: String(repeating: "é", count: 120)) })

  static let functionLength = StyleRule(
    name: "a function has at most \(functionLinesMax) lines",
    check: { file in
      guard file.isSwift else { return [] }
      return FunctionExtent.all(in: file.code).compactMap { extent in
        let length = extent.lastLine - extent.firstLine + 1
        guard length > functionLinesMax else { return nil }
        return .init(path: file.path, line: extent.firstLine, message: "a function of \(length) lines")
      }
    },
    planted: { .init(path: "Sources/Core/A.swift", text: function(lines: 71)) },
    fine: { .init(path: "Sources/Core/A.swift", text: function(lines: 70)) })

  private static func function(lines: Int) -> String {
    "func f(\n  a: Int = { 1 }()\n) -> String {\n"
      + String(repeating: "  \"}\\(g { \"{\" })\" // }\n", count: lines - 4) + "}\n"
  }

  static let uncheckedNeedsReason = StyleRule(
    name: "what the compiler cannot check has its reason directly above",
    check: { file in
      guard file.isSwift, file.module != nil, file.mentions("@unchecked") || file.mentions("(unsafe)") else {
        return []
      }
      let lines = file.code
      return lines.enumerated().compactMap { index, line in
        guard line.contains(#/@unchecked\s+Sendable|nonisolated\(unsafe\)/#) else { return nil }
        var above = index - 1
        while above >= 0, file.lines[above].contains(#/^\s*@/#) { above -= 1 }
        guard above < 0 || !file.lines[above].contains(#/^\s*\/\//#) else { return nil }
        return .init(path: file.path, line: index + 1, message: "say in a comment above why this is safe")
      }
    },
    planted: { .init(path: "Sources/Core/A.swift", text: "// why\n\nfinal class A: @unchecked Sendable {}") },
    fine: {
      .init(path: "Sources/Core/A.swift", text: "// One thread owns it.\n@safe\nfinal class A: @unchecked Sendable {}")
    })

  static let printOutsideOfTheCLI = StyleRule(
    name: "only the command line prints",
    check: { file in
      guard file.isSwift, let module = file.module, module != "headrace", file.mentions("print(") else { return [] }
      return occurrences(of: #/(?:^|[^.\w])print\(/#, in: file, message: "log or throw; only the command line prints")
    },
    planted: { .init(path: "Sources/Core/A.swift", text: "print(1)") },
    fine: { .init(path: "Sources/headrace/A.swift", text: "print(1)") })

  static func occurrences(of pattern: some RegexComponent, in file: SourceFile, message: String) -> [Finding] {
    file.code.enumerated().filter { $0.element.contains(pattern) }.map { index, _ in
      .init(path: file.path, line: index + 1, message: message)
    }
  }
}
