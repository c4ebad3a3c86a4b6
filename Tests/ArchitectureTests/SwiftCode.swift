/// The code of a Swift file: comments and the text of strings become spaces, so that a search finds code only.
///
/// Lines stay what they were. Code inside of `\(…)` stays code.
struct SwiftCode {
  private(set) var lines: [String]

  init(_ text: String) {
    var reader = Reader(bytes: Array(text.utf8))
    reader.run()
    lines = String(decoding: reader.output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  private enum Context {
    /// Code, with the count of parentheses that are open since an interpolation began; nil outside of any.
    case code(openParentheses: Int?)
    case string(hashes: Int, isMultiline: Bool)
    case lineComment
    case blockComment(depth: Int)
  }

  private struct Reader {
    let bytes: [UInt8]
    var output: [UInt8] = []
    var at = 0
    var contexts: [Context] = [.code(openParentheses: nil)]

    private static let lineFeed = UInt8(ascii: "\n")
    private static let openParenthesis = UInt8(ascii: "(")
    private static let closeParenthesis = UInt8(ascii: ")")

    func starts(_ text: String, at position: Int? = nil) -> Bool {
      bytes[min(position ?? at, bytes.count)...].starts(with: text.utf8)
    }

    mutating func take(_ count: Int, isCode: Bool) {
      for byte in bytes[at..<min(at + count, bytes.count)] {
        output.append(isCode || byte == Self.lineFeed ? byte : UInt8(ascii: " "))
      }
      at += count
    }

    mutating func run() {
      while at < bytes.count, let context = contexts.last {
        switch context {
        case .code(let open): code(open)
        case .string(let hashes, let isMultiline): string(hashes, isMultiline)
        case .lineComment:
          if bytes[at] == Self.lineFeed { contexts.removeLast() }
          take(1, isCode: false)
        case .blockComment(let depth): blockComment(depth)
        }
      }
    }

    private mutating func code(_ open: Int?) {
      let byte = bytes[at]
      let hashes = byte == UInt8(ascii: "#") ? bytes[at...].prefix { $0 == byte }.count : 0
      if byte == UInt8(ascii: "/"), starts("//") {
        contexts.append(.lineComment)
        take(2, isCode: false)
      } else if byte == UInt8(ascii: "/"), starts("/*") {
        contexts.append(.blockComment(depth: 1))
        take(2, isCode: false)
      } else if hashes > 0 || byte == UInt8(ascii: "\""), starts("\"", at: at + hashes) {
        let isMultiline = starts("\"\"\"", at: at + hashes)
        contexts.append(.string(hashes: hashes, isMultiline: isMultiline))
        take(hashes + (isMultiline ? 3 : 1), isCode: false)
      } else if let open, byte == Self.openParenthesis || byte == Self.closeParenthesis {
        let left = open + (byte == Self.openParenthesis ? 1 : -1)
        contexts.removeLast()
        if left > 0 { contexts.append(.code(openParentheses: left)) }
        take(1, isCode: true)
      } else {
        take(1, isCode: true)
      }
    }

    private mutating func string(_ hashes: Int, _ isMultiline: Bool) {
      let marks = String(repeating: "#", count: hashes)
      let end = (isMultiline ? "\"\"\"" : "\"") + marks
      if starts("\\" + marks + "(") {
        take(1 + hashes, isCode: false)
        contexts.append(.code(openParentheses: 1))
        take(1, isCode: true)
      } else if starts("\\" + marks) {
        take(2 + hashes, isCode: false)
      } else if starts(end) || (!isMultiline && bytes[at] == Self.lineFeed) {
        contexts.removeLast()
        take(bytes[at] == Self.lineFeed ? 1 : end.utf8.count, isCode: false)
      } else {
        take(1, isCode: false)
      }
    }

    private mutating func blockComment(_ depth: Int) {
      let isOpening = starts("/*")
      guard isOpening || starts("*/") else { return take(1, isCode: false) }
      contexts.removeLast()
      let left = depth + (isOpening ? 1 : -1)
      if left > 0 { contexts.append(.blockComment(depth: left)) }
      take(2, isCode: false)
    }
  }
}

/// A function, initialiser or deinitialiser with a body.
struct FunctionExtent: Equatable {
  var firstLine: Int
  var lastLine: Int

  /// Finds them by counting braces; `code` must be free of strings and comments.
  static func all(in code: [String]) -> [FunctionExtent] {
    var extents: [FunctionExtent] = []
    /// For each open brace the line of the declaration that it belongs to, if that is a function.
    var braces: [Int?] = []
    var declared: Int?
    var parentheses = 0
    for (index, line) in code.enumerated() {
      for token in tokens(of: line) {
        switch token {
        case "(": parentheses += 1
        case ")": parentheses -= 1
        case "{" where parentheses > 0: braces.append(nil)
        case "{":
          braces.append(declared)
          declared = nil
        case "}":
          if let first = braces.popLast() ?? nil { extents.append(.init(firstLine: first, lastLine: index + 1)) }
          if parentheses == 0 { declared = nil }
        case "func", "init", "deinit": if parentheses == 0 { declared = index + 1 }
        case "var", "let", "case", "struct", "class", "enum", "protocol": if parentheses == 0 { declared = nil }
        default: break
        }
      }
    }
    return extents
  }

  /// Words, but for those behind a dot, and brackets. By bytes, because this goes over every line of the repository.
  private static func tokens(of line: String) -> [String] {
    var tokens: [String] = []
    var word: [UInt8] = []
    var isMember = false
    for byte in Array(line.utf8) + [0x20] {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x80...: word.append(byte)
      default:
        if !word.isEmpty && !isMember { tokens.append(String(decoding: word, as: UTF8.self)) }
        word.removeAll(keepingCapacity: true)
        isMember = byte == UInt8(ascii: ".")
        if "{}()".utf8.contains(byte) { tokens.append(String(Unicode.Scalar(byte))) }
      }
    }
    return tokens
  }
}
