internal import Core

/// What a row says in words: a text with features in it.
struct RowText: Sendable {
  private enum Piece: Sendable {
    case text(String)
    case feature(Int)
  }

  private var pieces: [Piece] = []

  /// - Parameter template: `{name}` stands for a feature, `{{` for a brace; nil: a line `name: value` for each feature.
  /// - Throws: `REMOTE_MODEL_INVALID` for a name that is none.
  init(_ template: String?, featureNames: [String]) throws(HeadraceError) {
    guard let template else {
      for (index, name) in featureNames.enumerated() {
        pieces += [.text("\(index == 0 ? "" : "\n")\(name): "), .feature(index)]
      }
      return
    }
    var text = ""
    var rest = template[...]
    while let brace = rest.firstIndex(of: "{") {
      text += rest[..<brace]
      rest = rest[rest.index(after: brace)...]
      if rest.first == "{" {
        text.append("{")
        rest = rest.dropFirst()
        continue
      }
      guard let end = rest.firstIndex(of: "}") else {
        throw Self.invalid("`{\(rest.prefix(40))` without its brace", featureNames)
      }
      let name = String(rest[..<end])
      guard let feature = featureNames.firstIndex(of: name) else {
        throw Self.invalid("`{\(name.prefix(60))}`", featureNames)
      }
      pieces += [.text(text), .feature(feature)]
      text = ""
      rest = rest[rest.index(after: end)...]
    }
    pieces.append(.text(text + rest))
  }

  func text(_ row: ArraySlice<Float>) -> String {
    pieces.reduce(into: "") { text, piece in
      switch piece {
      case .text(let more): text += more
      case .feature(let index):
        let value = row[row.startIndex + index]
        text += value.isNaN ? "unknown" : value.description
      }
    }
  }

  private static func invalid(_ found: String, _ names: [String]) -> HeadraceError {
    HeadraceError(
      .user, "REMOTE_MODEL_INVALID",
      "the prompt has \(found), expected one of \(names.prefix(12).joined(separator: ", ")) in braces",
      remedy: "name a feature of the service, or write `{{` for a brace")
  }
}
