internal import Core
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import Registry

/// A request that decides something, let in and read: who, why, and what.
struct Decision {
  var actor: String
  /// Empty when nobody said why.
  var reason: String
  /// The body, for what the decision is about.
  var body: JSONDocument

  /// - Throws: 422 when the body is no object, or says nothing where something is needed; 403 when it names another one
  ///   than the caller.
  init(_ bytes: [UInt8], caller: AccessGate.Caller, needsReason: Bool) throws(Problem) {
    guard let body = try? JSONDocument(bytes, depthMax: 4), case .object = body.content else {
      throw .invalidBody("json_invalid", [], "expected an object, as {\"by\": \"NAME\", \"reason\": \"TEXT\"}")
    }
    self.body = body
    let named = body["by"]?.string
    switch caller {
    case .principal(let name):
      guard named == nil || named == name else {
        throw Problem(
          403, "ACTOR_DIFFERS", "the token is of `\(name)`, and the body names somebody else",
          remedy: "leave `by` out")
      }
      actor = name
    case .local:
      guard let named, !named.isEmpty, named.utf8.count <= RegistryLimits.textBytes else {
        throw .invalidBody("missing", ["by"], "expected who decides, as {\"by\": \"NAME\", \"reason\": \"TEXT\"}")
      }
      actor = named
    }
    reason = body["reason"]?.string ?? ""
    guard reason.utf8.count <= RegistryLimits.textBytes, !needsReason || !reason.isEmpty else {
      throw .invalidBody("missing", ["reason"], "expected why, in at most \(RegistryLimits.textBytes) bytes")
    }
  }

  /// - Returns: nil where the body says nothing.
  /// - Throws: 422 when it is no whole number within `range`.
  func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
    guard let value = body[name], !value.isNull else { return nil }
    if let number = value.integer, range.contains(number) { return number }
    throw .invalidBody(
      "int_parsing", [name],
      "found \(value.kind), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
  }
}

extension AccessGate.Visitor {
  /// What proxies add to requests.
  private static let proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"]

  init(_ request: Request) {
    self.init(
      authority: request.head.authority, authorization: request.headers[.authorization],
      isForwarded: request.headers.contains { Self.proxyHeaders.contains($0.name.canonicalName) })
  }
}

extension FeatureServer {
  private static let decisionBytesMax = 16_384

  /// Lets a request decide, or says why not: what it is made of, where it comes from, whose it is.
  func decider(
    _ role: AccessList.Role, _ request: Request, contentType: Reply.ContentType = .json, bytesMaximum: Int? = nil
  ) throws(Problem) -> AccessGate.Caller {
    try checkHeaders(request, bodyBytes: bytesMaximum ?? Self.decisionBytesMax)
    // What a foreign page can send without asking first has another type.
    let given = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    guard given == contentType.rawValue else {
      throw Problem(
        415, "WRONG_CONTENT_TYPE", "found \(given ?? "no content type"), expected \(contentType.rawValue)",
        remedy: "send `Content-Type: \(contentType.rawValue)`")
    }
    try checkOrigin(request)
    return try access.decider(role, AccessGate.Visitor(request))
  }

  /// The whole of a decision, body and all.
  func decision(
    _ role: AccessList.Role, _ request: Request, needsReason: Bool = false
  ) async throws(Problem) -> Decision {
    let caller = try decider(role, request)
    let body = try await body(of: request, bytesMaximum: Self.decisionBytesMax)
    return try Decision(Array(body.readableBytesView), caller: caller, needsReason: needsReason)
  }
}
