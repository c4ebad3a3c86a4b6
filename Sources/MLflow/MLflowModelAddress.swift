/// A version in MLflow's registry: `models:/NAME@ALIAS` or `models:/NAME/VERSION`.
package struct MLflowModelAddress: Sendable, Hashable, CustomStringConvertible {
  package enum Selector: Sendable, Hashable {
    case alias(String)
    case version(Int)
  }

  package var name: String
  package var selector: Selector

  /// Whether a text is meant to be one.
  package static func isMeant(by text: String) -> Bool { text.hasPrefix("models:/") }

  /// nil: it is none.
  package init?(_ text: String) {
    guard Self.isMeant(by: text) else { return nil }
    let rest = text.dropFirst("models:/".count)
    if let at = rest.lastIndex(of: "@") {
      (name, selector) = (String(rest[..<at]), .alias(String(rest[rest.index(after: at)...])))
    } else if let slash = rest.lastIndex(of: "/"), let number = Int(rest[rest.index(after: slash)...]), number > 0 {
      (name, selector) = (String(rest[..<slash]), .version(number))
    } else {
      return nil
    }
    guard !name.isEmpty, !name.contains("/"), selector != .alias("") else { return nil }
  }

  package var description: String {
    switch selector {
    case .alias(let alias): "models:/\(name)@\(alias)"
    case .version(let number): "models:/\(name)/\(number)"
    }
  }
}
