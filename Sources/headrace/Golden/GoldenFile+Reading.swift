internal import Contracts
internal import Core

extension GoldenFile {
  private static let depthMax = 32

  /// - Throws: with file and line, what was found and what was expected.
  init(path: String) throws(HeadraceError) { try self.init(path: path, text: TextFile.read(path)) }

  init(path: String, text: String) throws(HeadraceError) {
    self.path = path
    cases = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.drop(while: \.isWhitespace)
      guard !content.isEmpty, content.first != "#" else { continue }
      do throws(HeadraceError) {
        try append(Array(content.utf8), line: index + 1)
      } catch {
        throw error.at("\(path):\(index + 1):")
      }
    }
    guard !cases.isEmpty else {
      throw .golden("the file has no case", remedy: #"begin one by {"case": "what is tested"}"#).at("\(path):")
    }
  }

  private mutating func append(_ bytes: [UInt8], line: Int) throws(HeadraceError) {
    let object = try GoldenObject(bytes, depthMax: Self.depthMax)
    if let name = object.document["case"]?.string {
      try object.allow(["case", "about"])
      cases.append(GoldenCase(name: name, line: line))
      return
    }
    guard let last = cases.indices.last else {
      throw .golden("a step stands before the first case", remedy: #"begin a case by {"case": "what is tested"}"#)
    }
    cases[last].steps.append(GoldenStep(line: line, content: try Self.content(object)))
  }

  private static func content(_ object: GoldenObject) throws(HeadraceError) -> GoldenStep.Content {
    if object.document["source"] != nil { return .event(try object.event()) }
    if object.document["view"] != nil { return .expectation(try object.expectation()) }
    if object.document["counts"] != nil { return .counts(try object.counts()) }
    throw .golden("a line without case, source, view or counts", remedy: "see `headrace test --help`")
  }
}

/// One line, and what it may have.
private struct GoldenObject {
  let document: JSONDocument
  let bytes: [UInt8]

  init(_ bytes: [UInt8], depthMax: Int) throws(HeadraceError) {
    self.bytes = bytes
    do throws(JSONFault) {
      document = try JSONDocument(bytes, depthMax: depthMax)
    } catch {
      throw .golden("the line is no JSON document", remedy: "write one JSON object a line")
    }
    guard case .object = document.content else {
      throw .golden("found \(document.kind), expected an object", remedy: "write one JSON object a line")
    }
  }

  func allow(_ names: [String]) throws(HeadraceError) {
    guard case .object(let members) = document.content else { return }
    for member in members where !names.contains(member.name) {
      throw .golden("found the member \"\(member.name)\", expected some of \(names.joined(separator: ", "))")
    }
  }

  func event() throws(HeadraceError) -> GoldenEvent {
    try allow(["source", "event", "raw", "key", "timestamp"])
    let value: [UInt8]
    switch (document["event"], document["raw"]?.string) {
    case (let event?, nil): value = Array(bytes[event.range])
    case (nil, let raw?): value = Array(raw.utf8)
    default: throw .golden("an event needs either \"event\" or \"raw\"")
    }
    return GoldenEvent(
      source: try text("source"), key: document["key"].map { Array($0.plainText.utf8) }, value: value,
      timestampMilliseconds: try document["timestamp"].map { value throws(HeadraceError) in
        try Self.milliseconds(value, of: "timestamp")
      })
  }

  func expectation() throws(HeadraceError) -> GoldenExpectation {
    try allow(["view", "key", "at", "features", "status"])
    guard case .array(let key)? = document["key"]?.content, !key.isEmpty else {
      throw .golden("an expectation needs \"key\", a list with one value for each join key")
    }
    guard let at = document["at"] else { throw .golden("an expectation needs \"at\", the time of the read") }
    var features: [(name: String, value: GoldenValue)] = []
    if let wanted = document["features"] {
      guard case .object(let members) = wanted.content else {
        throw .golden("\"features\": found \(wanted.kind), expected an object of names and values")
      }
      for member in members { features.append((member.name, try GoldenValue(member.value))) }
    }
    guard document["status"] != nil || !features.isEmpty else {
      throw .golden("an expectation needs \"features\" or \"status\"")
    }
    return GoldenExpectation(
      view: try text("view"), key: key.map(\.plainText), atMilliseconds: try Self.milliseconds(at, of: "at"),
      status: document["status"]?.string, features: features)
  }

  func counts() throws(HeadraceError) -> [GoldenCounts] {
    try allow(["counts"])
    guard case .object(let sources)? = document["counts"]?.content else {
      throw .golden("\"counts\" must be an object: source → {outcome: number}")
    }
    var all: [GoldenCounts] = []
    for source in sources {
      guard case .object(let members) = source.value.content else {
        throw .golden("counts of \(source.name): found \(source.value.kind), expected an object")
      }
      var outcomes: [String: Int64] = [:]
      for member in members {
        guard let count = member.value.integer else {
          throw .golden("\(member.name): found \(member.value.kind), expected a whole number")
        }
        outcomes[member.name] = count
      }
      all.append(GoldenCounts(source: source.name, outcomes: outcomes))
    }
    return all
  }

  private func text(_ name: String) throws(HeadraceError) -> String {
    guard let value = document[name] else { throw .golden("\"\(name)\" is missing") }
    guard let text = value.string else { throw .golden("\"\(name)\": found \(value.kind), expected a text") }
    return text
  }

  static func milliseconds(_ value: JSONDocument, of name: String) throws(HeadraceError) -> Int64 {
    if let number = value.integer { return number }
    if let text = value.string, let milliseconds = RFC3339.milliseconds(text) { return milliseconds }
    throw .golden(
      "\"\(name)\": found \(value.kind), expected a time such as \"2013-01-31T23:59:59Z\" or epoch milliseconds")
  }
}

extension GoldenValue {
  fileprivate init(_ document: JSONDocument) throws(HeadraceError) {
    switch document.content {
    case .null: self = .null
    case .boolean(let value): self = .boolean(value)
    case .string(let text): self = .text(text)
    case .number(let text):
      if let integer = Int64(text) {
        self = .integer(integer)
      } else if let number = Double(text), number.isFinite {
        self = .number(number)
      } else {
        throw .golden("found \(text), which is beyond a double")
      }
    case .array(let items):
      var values: [GoldenValue] = []
      for item in items { values.append(try GoldenValue(item)) }
      self = .list(values)
    case .object:
      guard case .number(let about)? = document["about"]?.content,
        case .number(let within)? = document["within"]?.content,
        let about = Double(about), let within = Double(within), within >= 0
      else { throw .golden(#"found an object, expected {"about": NUMBER, "within": RELATIVE ERROR}"#) }
      self = .about(about, within: within)
    }
  }
}

extension JSONDocument {
  /// Text as it is, everything else as JSON: what a record's key is made of.
  fileprivate var plainText: String {
    switch content {
    case .string(let text): text
    case .number(let text): text
    default: kind
    }
  }
}

extension HeadraceError {
  static func golden(_ message: String, remedy: String? = nil) -> HeadraceError {
    HeadraceError(.user, "GOLDEN_INVALID", message, remedy: remedy)
  }
}
