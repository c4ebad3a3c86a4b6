internal import Core
internal import Glibc

/// A token that is sent and never shown.
struct Secret: Sendable, CustomStringConvertible {
  private let text: String
  private let header: String

  var description: String { "***" }

  /// The header to send.
  var field: (name: String, value: String) { (header, header == "authorization" ? "Bearer \(text)" : text) }

  private static let bytesMax = 16 << 10

  /// Reads it from where it is kept.
  ///
  /// - Throws: `CREDENTIALS_MISSING` or `CREDENTIALS_INVALID`, with the place and never the secret.
  init(_ source: CredentialSource) throws(HeadraceError) {
    let (found, place) = Self.read(source.place)
    guard var found else {
      throw HeadraceError(
        .user, "CREDENTIALS_MISSING", "there are no credentials for the remote model", place: place,
        remedy: "set the variable, or make the file readable, before Headrace starts")
    }
    while let last = found.last, last == 0x0a || last == 0x0d || last == 0x20 { found.removeLast() }
    guard !found.isEmpty, found.count <= Self.bytesMax, found.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw HeadraceError(
        .user, "CREDENTIALS_INVALID",
        "the credentials of the remote model are \(found.count) bytes that cannot all stand in a header", place: place,
        remedy: "store the token alone, in one line")
    }
    text = String(decoding: found, as: UTF8.self)
    header = source.header.lowercased()
  }

  private static func read(_ place: CredentialSource.Place) -> (bytes: [UInt8]?, place: String) {
    switch place {
    case .environment(let name):
      guard let value = unsafe getenv(name) else { return (nil, "environment variable \(name)") }
      return (unsafe Array(String(cString: value).utf8), "environment variable \(name)")
    case .file(let path):
      guard let file = unsafe fopen(path, "re") else { return (nil, path) }
      defer { unsafe fclose(file) }
      var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
      let count = unsafe fread(&bytes, 1, bytes.count, file)
      return (Array(bytes[..<count]), path)
    }
  }
}
