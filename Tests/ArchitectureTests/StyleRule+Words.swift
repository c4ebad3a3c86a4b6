extension StyleRule {
  /// Words that no source file may have, each with what to do instead.
  static let bannedWords: [StyleRule] = [
    code("fatalError(", instead: "throw for what comes from outside, precondition with a sentence for a fault of ours"),
    code("try!", instead: "handle the error"),
    code("as!", instead: "cast with as? and handle nil"),
    code("DispatchQueue", instead: "use the thread that owns the state"),
    code("Thread.sleep", instead: "wait for the event"),
    code("usleep(", instead: "wait for the event"),
    anywhere("TO" + "DO", instead: "do it, or open an issue"),
    anywhere("FIX" + "ME", instead: "mend it, or open an issue"),
  ]

  private static func code(_ word: String, instead: String) -> StyleRule {
    StyleRule(
      name: "no \(word)",
      check: { file in
        guard file.isSwift, file.module != nil, file.mentions(word) else { return [] }
        return file.code.enumerated().filter { isWord(word, in: $0.element) }.map { index, _ in
          .init(path: file.path, line: index + 1, message: "\(word): \(instead)")
        }
      },
      planted: { .init(path: "Sources/Core/A.swift", text: "let a = \(word) x)") },
      fine: { .init(path: "Sources/Core/A.swift", text: "let a = \"\(word)\" // \(word)") })
  }

  private static func anywhere(_ word: String, instead: String) -> StyleRule {
    StyleRule(
      name: "no \(word)",
      check: { file in
        guard file.isCode, file.mentions(word) else { return [] }
        return file.lines.enumerated().filter { isWord(word, in: $0.element) }.map { index, _ in
          .init(path: file.path, line: index + 1, message: "\(word): \(instead)")
        }
      },
      planted: { .init(path: "Sources/CCodecs/a.c", text: "int x; // \(word): more") },
      fine: { .init(path: "Sources/CCodecs/a.c", text: "int MAS\(word)N;") })
  }

  /// Not as a part of a longer name.
  private static func isWord(_ word: String, in line: String) -> Bool {
    line.ranges(of: word).contains { range in
      let before = range.lowerBound == line.startIndex ? " " : line[line.index(before: range.lowerBound)]
      let after = range.upperBound == line.endIndex ? " " : line[range.upperBound]
      let endsInLetter = word.last?.isLetter == true
      return !(before.isLetter || before == "_") && !(endsInLetter && (after.isLetter || after == "_"))
    }
  }

  /// The words are put together here, so that this file is not a finding.
  private static let homes = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", "/opt/sw" + "ift"]
  private static let registries = [
    "py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "proxy.go" + "lang.org",
    "crates" + ".io",
    "repo1.ma" + "ven.org", "deb.deb" + "ian.org", "index" + "-url", "GO" + "PROXY=", "docker" + ".io/",
  ]

  static let machinePaths = mention(
    of: homes, name: "no path of one machine", near: "/work", message: "a path of one machine")
  static let packageRegistries = mention(
    of: registries, name: "no host of a package registry", near: "https://github.com/apple/swift-nio",
    message: "the host of a package registry: whoever builds chooses it")

  private static func mention(of words: [String], name: String, near: String, message: String) -> StyleRule {
    StyleRule(
      name: name,
      check: { file in
        words.filter { file.mentions($0) }.flatMap { word in
          file.lines.enumerated().filter { $0.element.contains(word) }.map { index, _ in
            .init(path: file.path, line: index + 1, message: "\(word): \(message)")
          }
        }
      },
      planted: { .init(path: "README.md", text: "see \(words[0])x") },
      fine: { .init(path: "README.md", text: "see \(near)") })
  }
}
