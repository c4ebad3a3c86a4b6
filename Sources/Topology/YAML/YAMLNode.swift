/// A value of a YAML document, with aliases already resolved and every bound already checked.
struct YAMLNode: Sendable {
  enum Content: Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    case mapping([YAMLEntry])
  }

  var content: Content
  var position: SourcePosition
  /// This node and all below it, aliases counted as often as they are used.
  var nodeCount: Int
  /// Levels below and with this one.
  var depth: Int
  /// Stands for a value that was already reported: nobody says more about it.
  var isBroken = false

  /// What a person would call it.
  var kindName: String {
    switch content {
    case .scalar(let scalar): scalar.isNull ? "nothing" : "`\(scalar.shortText)`"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  /// How many characters of its line it is shown by.
  var shownLength: Int {
    if case .scalar(let scalar) = content { scalar.shownLength } else { 1 }
  }
}

struct YAMLEntry: Sendable {
  var key: YAMLScalar
  var value: YAMLNode
}

/// A text with its place and its style.
struct YAMLScalar: Sendable {
  var text: String
  /// Written without quotes and not as a block.
  var isPlain: Bool
  var position: SourcePosition

  var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

  /// Runs of white space as one space.
  var oneLine: String { text.split { $0.isWhitespace }.joined(separator: " ") }

  var shortText: String { text.count <= 60 ? text : "\(text.prefix(57))..." }

  var shownLength: Int {
    let isOneLine = !text.unicodeScalars.contains("\n")
    return max(1, isOneLine ? text.unicodeScalars.count + (isPlain ? 0 : 2) : 1)
  }
}
