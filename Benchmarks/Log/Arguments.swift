internal import Core

/// The few flags of this program: `--name value`.
struct Arguments {
  private var values: [String: String] = [:]
  private var words: [String] = []

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        words.append(word)
        continue
      }
      values[word] = rest.popFirst() ?? ""
    }
  }

  mutating func takeCommand() -> String { words.isEmpty ? "" : words.removeFirst() }

  mutating func required(_ name: String) throws -> String {
    guard let value = values.removeValue(forKey: name) else {
      throw HeadraceError(.user, "USAGE", "\(name) is missing")
    }
    return value
  }

  mutating func integer(_ name: String) throws -> Int? {
    guard let text = values.removeValue(forKey: name) else { return nil }
    guard let value = Int(text), value > 0 else {
      throw HeadraceError(.user, "USAGE", "\(name) wants a number above 0, not \(text)")
    }
    return value
  }

  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws -> Choice? {
    guard let text = values.removeValue(forKey: name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw HeadraceError(.user, "USAGE", "\(name) is one of \(names), not \(text)")
    }
    return choice
  }

  func finish() throws {
    guard let unknown = (values.keys.sorted() + words).first else { return }
    throw HeadraceError(.user, "USAGE", "\(unknown) is not known")
  }
}
