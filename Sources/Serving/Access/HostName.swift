/// What a request says that it talks to (`Host`, RFC 9110, 7.2), or listens on.
struct HostName: Equatable {
  /// In small letters, without the port and without brackets.
  let name: String
  private let hasBrackets: Bool

  /// - Parameter authority: `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
  init(_ authority: String) {
    let text = authority.lowercased()
    hasBrackets = text.hasPrefix("[")
    if hasBrackets {
      name = String(text.dropFirst().prefix { $0 != "]" })
    } else if text.count(where: { $0 == ":" }) == 1 {
      name = String(text.prefix { $0 != ":" })
    } else {
      name = text
    }
  }

  /// An address in digits. Nobody can have a name of their own resolve to another server under it, so a page cannot
  /// reach a server by rebinding such a name.
  var isAddress: Bool {
    if hasBrackets || name.contains(":") {
      return !name.isEmpty && name.utf8.allSatisfy { "0123456789abcdef:.%".utf8.contains($0) }
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { $0.count <= 3 && UInt8($0) != nil }
  }

  /// Whether only programs of this machine reach it.
  var isLoopback: Bool {
    name == "localhost" || name == "::1" || (isAddress && !hasBrackets && name.hasPrefix("127."))
  }
}
