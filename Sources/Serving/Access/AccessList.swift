package import Core
internal import Storage
internal import Topology

/// Who may look and who may decide, as the file of `--access` says it.
///
/// Roles do not contain one another: who promotes versions does not approve them unless the file says both. Every role
/// may look.
package struct AccessList: Sendable, Equatable {
  package enum Role: String, Sendable, CaseIterable {
    case viewer
    /// Promotes and rolls back, acknowledges and silences alarms, brings models of retrainings.
    case `operator`
    /// Approves and rejects.
    case approver
  }

  package enum Reading: String, Sendable, CaseIterable {
    /// Whoever reaches the port may look.
    case open
    case token
  }

  package struct Principal: Sendable, Equatable {
    package var name: String
    package var roles: Set<Role>
    /// From this time on the token is refused; epoch milliseconds, nil: never.
    package var untilMilliseconds: Int64?
    /// SHA-256 of the token, in small hexadecimal.
    fileprivate var tokenHash: [UInt8]
  }

  package var principals: [Principal] = []
  package var reading = Reading.open
  /// Names, beside addresses and `localhost`, by which browsers may know the server; small letters.
  package var hosts: Set<String> = []

  /// Whose token it is; the time that it takes does not depend on how much of a token is right, or on whose it is.
  package func principal(token: String) -> Principal? {
    let hash = Array(ContentHash.sha256(Array(token.utf8)).utf8)
    var found: Principal?
    for principal in principals {
      var difference: UInt8 = 0
      for (left, right) in zip(principal.tokenHash, hash) { difference |= left ^ right }
      if difference == 0 { found = principal }
    }
    return found
  }
}

// The file.
extension AccessList {
  private static let principalsMax = 1_000
  private static let nameBytesMax = 128
  private static let hashBytes = 64

  /// - Parameters:
  ///   - yaml: `reading`, `hosts`, and `principals` with `name`, `token_sha256`, `roles` and perhaps `until`.
  ///   - file: for errors.
  /// - Throws: `YAML_INVALID`, `ACCESS_INVALID`.
  package init(yaml: String, file: String) throws(HeadraceError) {
    let document = try? JSONDocument(YAMLDocument.json(yaml, file: file), depthMax: 16)
    guard let document, case .object(let members) = document.content else {
      // What is wrong with the YAML is told with its line.
      _ = try YAMLDocument.json(yaml, file: file)
      throw Self.invalid("expected `principals`, and perhaps `reading` and `hosts`", file)
    }
    try Self.checkNames(of: members, ["reading", "hosts", "principals"], file)
    if let text = document["reading"] {
      reading = try Self.choice(text, Reading.self, place: "\(file): reading")
    }
    for host in try Self.elements(document["hosts"], place: "\(file): hosts") {
      guard let name = host.string, !name.isEmpty, !name.contains("/"), !name.contains(":") else {
        throw Self.invalid("found \(host.kind), expected a host name without a port", "\(file): hosts")
      }
      hosts.insert(name.lowercased())
    }
    let elements = try Self.elements(document["principals"], place: "\(file): principals")
    guard elements.count <= Self.principalsMax else {
      throw Self.invalid("found \(elements.count) principals, expected at most \(Self.principalsMax)", file)
    }
    for (index, element) in elements.enumerated() {
      let place = "\(file): principals[\(index)]"
      let principal = try Principal(element, place: place)
      // Two names with one token would let one person ask and approve.
      if let other = principals.first(where: {
        $0.name == principal.name || $0.tokenHash == principal.tokenHash
      }) {
        let what = other.name == principal.name ? "the name" : "the token of"
        throw Self.invalid("\(what) `\(other.name)` comes twice", place)
      }
      principals.append(principal)
    }
  }

  fileprivate static func checkNames(
    of members: [JSONDocument.Member], _ known: [String], _ place: String
  ) throws(HeadraceError) {
    guard let strange = members.first(where: { !known.contains($0.name) }) else { return }
    let nearest = NearestName.of(strange.name, in: known).map { "; did you mean `\($0)`?" } ?? ""
    throw invalid("found `\(strange.name)`, expected \(known.joined(separator: ", "))\(nearest)", place)
  }

  fileprivate static func choice<Choice: RawRepresentable & CaseIterable>(
    _ document: JSONDocument, _ type: Choice.Type, place: String
  ) throws(HeadraceError) -> Choice where Choice.RawValue == String {
    if let choice = document.string.flatMap(Choice.init(rawValue:)) { return choice }
    let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    throw invalid("found \(document.kind), expected one of \(known)", place)
  }

  fileprivate static func elements(
    _ document: JSONDocument?, place: String
  ) throws(HeadraceError) -> [JSONDocument] {
    guard let document, !document.isNull else { return [] }
    guard case .array(let elements) = document.content else {
      throw invalid("found \(document.kind), expected a list", place)
    }
    return elements
  }

  fileprivate static func invalid(_ message: String, _ place: String) -> HeadraceError {
    HeadraceError(
      .user, "ACCESS_INVALID", message, place: place,
      remedy: "`headrace access token NAME` prints a line for the file, `headrace access check FILE` reads it")
  }
}

extension AccessList.Principal {
  fileprivate init(_ document: JSONDocument, place: String) throws(HeadraceError) {
    guard case .object(let members) = document.content else {
      throw AccessList.invalid("found \(document.kind), expected name, token_sha256 and roles", place)
    }
    try AccessList.checkNames(of: members, ["name", "token_sha256", "roles", "until"], place)
    guard let name = document["name"]?.string, !name.isEmpty, name.utf8.count <= AccessList.nameBytesMax else {
      throw AccessList.invalid("expected `name`, of 1 to \(AccessList.nameBytesMax) bytes", place)
    }
    // Sixty-four digits of which none is a letter are a number to YAML.
    let digits: String? = if case .number(let text) = document["token_sha256"]?.content { text } else { nil }
    let hash = Array((document["token_sha256"]?.string ?? digits ?? "").lowercased().utf8)
    let isHexadecimal = hash.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    guard hash.count == AccessList.hashBytes, isHexadecimal else {
      throw AccessList.invalid("expected `token_sha256`: the SHA-256 of \(name)'s token, in hexadecimal", place)
    }
    var roles: Set<AccessList.Role> = []
    for role in try AccessList.elements(document["roles"], place: "\(place).roles") {
      roles.insert(try AccessList.choice(role, AccessList.Role.self, place: "\(place).roles"))
    }
    guard !roles.isEmpty else { throw AccessList.invalid("expected at least one of `roles`", place) }
    var until: Int64?
    if let text = document["until"] {
      guard let time = text.string.flatMap({ RFC3339.milliseconds($0) }) else {
        throw AccessList.invalid("found \(text.kind), expected a date or an RFC 3339 time", "\(place).until")
      }
      until = time
    }
    self.init(name: name, roles: roles, untilMilliseconds: until, tokenHash: hash)
  }
}

/// What somebody proves themselves by.
package enum AccessToken {
  /// Easy to find in text where it should not stand.
  private static let prefix = "hr_"
  private static let randomWords = 4

  /// 256 bits of the system's randomness.
  package static func make() -> String {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    for _ in 0..<randomWords {
      let word = generator.next() as UInt64
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
    return prefix + ContentHash.hexadecimal(bytes)
  }

  /// What the file holds of it.
  package static func hash(_ token: String) -> String { ContentHash.sha256(Array(token.utf8)) }
}
