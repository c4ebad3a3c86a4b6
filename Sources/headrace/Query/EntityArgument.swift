internal import Core
internal import ArgumentParser
internal import Contracts

/// A key as a person writes it: `AA`, `JFK,LAX` for two join keys, or a JSON list where a value has a comma.
enum EntityArgument {
  /// - Throws: `ValidationError` when there is not one value for each join key.
  static func parse(_ text: String, joinKeys: [String]) throws -> [String] {
    let parts: [String]
    if joinKeys.count == 1 && !text.hasPrefix("[\"") {
      parts = [text]
    } else if text.hasPrefix("["), let elements = (try? JSONDocument(Array(text.utf8), depthMax: 4))?.elements {
      parts = elements.map { $0.string ?? $0.kind }
    } else {
      parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard parts.count == joinKeys.count else {
      let names = joinKeys.joined(separator: ",")
      throw ValidationError(
        "'\(text)': found \(parts.count) values, expected \(joinKeys.count): \(names)"
          + (joinKeys.count > 1 ? " (separated by commas, or as a JSON list of texts)" : ""))
    }
    return parts
  }
}
