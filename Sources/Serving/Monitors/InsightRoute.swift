/// The addresses of monitors and of explanations.
enum InsightRoute: Equatable {
  case monitors
  case history(String)
  case acknowledge(String)
  case silence(String)
  /// Of the features of one key.
  case explain(ExplainQuestion)
  case costReport

  /// - Parameter path: with whatever query; nil for what is none of them.
  init?(path: String) {
    let parts = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(
      String.init)
    guard parts.first == "api" else { return nil }
    switch Array(parts.dropFirst()) {
    case ["monitors"]: self = .monitors
    case ["cost", "report"]: self = .costReport
    case let rest where rest.count == 2 && rest[0] == "monitors": self = .history(rest[1])
    case let rest where rest.count == 3 && rest[0] == "monitors" && rest[2] == "acknowledge":
      self = .acknowledge(rest[1])
    case let rest where rest.count == 3 && rest[0] == "monitors" && rest[2] == "silence": self = .silence(rest[1])
    case let rest where rest.count == 2 && rest[0] == "explain":
      self = .explain(ExplainQuestion(view: rest[1], query: QueryItems(path)))
    default: return nil
    }
  }

  var isPost: Bool {
    switch self {
    case .acknowledge, .silence: true
    default: false
    }
  }

  /// Every address, with names for what differs.
  static let templates: [(path: String, isPost: Bool)] = [
    ("/api/monitors", false), ("/api/monitors/{monitor}", false), ("/api/monitors/{monitor}/acknowledge", true),
    ("/api/monitors/{monitor}/silence", true), ("/api/explain/{view}", false), ("/api/cost/report", false),
  ]
}

/// Whose features are to be explained, and as of when; as it was asked, unchecked.
struct ExplainQuestion: Equatable {
  var view: String
  /// A part for each join key.
  var key: [String]
  var at: String?
  /// Empty: all.
  var features: [String]

  init(view: String, query: QueryItems) {
    self.view = view
    key = query["key"]
    at = query["at"].last
    features = query["feature"]
  }
}

/// The names and values behind an address's `?`, decoded as forms are (https://url.spec.whatwg.org, 5.1).
struct QueryItems: Equatable {
  private var items: [(name: String, value: String)] = []

  init(_ path: String) {
    guard let start = path.firstIndex(of: "?") else { return }
    for pair in path[path.index(after: start)...].split(separator: "&") {
      let end = pair.firstIndex(of: "=") ?? pair.endIndex
      items.append((Self.decoded(pair[..<end]), Self.decoded(pair[end...].dropFirst())))
    }
  }

  /// In the order in which they stand there.
  subscript(name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

  static func == (left: QueryItems, right: QueryItems) -> Bool {
    left.items.elementsEqual(right.items) { $0 == $1 }
  }

  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let high = digit(rest.first), let low = digit(rest.dropFirst().first) {
        bytes.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8?) -> UInt8? {
    byte.flatMap { Character(Unicode.Scalar($0)).hexDigitValue }.map { UInt8($0) }
  }
}
