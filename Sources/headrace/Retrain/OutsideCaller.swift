internal import Core
internal import Glibc
internal import HTTPClient
internal import Logging
internal import Storage
internal import Training

/// Calls addresses that a topology names: only public ones unless the configuration says otherwise, at the very address
/// that was checked, signed, and without following anybody elsewhere. Blocks; belongs to one thread.
///
/// `HEADRACE_WEBHOOK_ALLOW` names networks that may be called although they are private: `127.0.0.1,10.0.0.0/8`.
/// Signatures are those of Standard Webhooks: HMAC-SHA-256 of `id.timestamp.body`, by a key out of the environment.
final class OutsideCaller {
  private let logger: Logger
  private let rule: AddressRule

  init(logger: Logger) {
    self.logger = logger
    let allowed = Environment["WEBHOOK_ALLOW"] ?? ""
    if let rule = AddressRule(allowing: allowed) {
      self.rule = rule
    } else {
      logger.error("HEADRACE_WEBHOOK_ALLOW is no list of networks: none is allowed", metadata: ["value": "\(allowed)"])
      rule = AddressRule()
    }
  }

  func post(_ body: [UInt8], to url: String, id: String, secretVariable: String?) throws(HeadraceError) {
    let headers = ["content-type": "application/json", "user-agent": "headrace"]
    let response = try call(
      url, body, id: id, headers: headers, token: nil, secret: secretVariable, isRepeatable: true)
    // A redirect is an answer like any other: nobody goes there.
    guard (200..<300).contains(response.status) else {
      throw Self.refusal("the answer is \(response.status)", url)
    }
  }

  func send(_ request: OrchestratorRequest, id: String) throws(HeadraceError) {
    let response = try call(
      request.url, Array(request.body.utf8), id: id, headers: request.headers, token: request.tokenVariable,
      secret: request.secretVariable, isRepeatable: request.isRepeatable)
    if let reason = request.refusal(status: response.status, body: response.body) {
      throw Self.refusal(reason, request.url)
    }
  }

  private static func refusal(_ reason: String, _ url: String) -> HeadraceError {
    HeadraceError(
      .external, "WEBHOOK_REFUSED", reason, place: url, remedy: "see what the receiver has to say")
  }

  private func call(
    _ url: String, _ body: [UInt8], id: String, headers: [String: String], token: String?, secret: String?,
    isRepeatable: Bool
  ) throws(HeadraceError) -> HTTPResponse {
    guard let address = WebhookAddress(url) else { throw Self.refused(url, "it is no http or https address") }
    let connected = try resolve(address, url)
    var request = HTTPRequest("POST", url, body: body, isRepeatable: isRepeatable)
    request.headers = headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    if let token {
      request.headers.append((name: "authorization", value: "Bearer \(try Self.variable(token))"))
    }
    let seconds = WallClock.system.nowMilliseconds / 1_000
    request.headers.append((name: "webhook-id", value: id))
    request.headers.append((name: "webhook-timestamp", value: "\(seconds)"))
    if let secret {
      let code = try WebhookSignature.code(id: id, seconds: seconds, body: body, secret: try Self.variable(secret))
      request.headers.append((name: "webhook-signature", value: "v1,\(Base64.encode(code))"))
    }
    var configuration = HTTPClientConfiguration()
    configuration.responseBytesMax = 1 << 20
    configuration.deadlineMilliseconds = 15_000
    // However the client spells the name.
    configuration.addressOverrides = [address.host: connected]
    configuration.addressOverrides[address.host.lowercased()] = connected
    let client = WebClient(configuration)
    let ready = request
    let outcome: Result<HTTPResponse, HeadraceError>
    do throws(HeadraceError) {
      outcome = .success(try BlockingCall.result { () throws(HeadraceError) in try await client.send(ready) })
    } catch {
      outcome = .failure(error)
    }
    try? BlockingCall.result { () throws(HeadraceError) in await client.close() }
    return try outcome.get()
  }

  /// The address to connect to: every address of the name has to be allowed, so that a name cannot be public at one
  /// look and private at the next.
  private func resolve(_ address: WebhookAddress, _ url: String) throws(HeadraceError) -> String {
    if let literal = AddressRule.parse(address.host) {
      guard rule.allows(literal) else { throw Self.refused(url, "\(address.host) is not public") }
      return address.host
    }
    let found = try NameLookup.addresses(of: address.host, place: url)
    for candidate in found where !rule.allows(candidate.bytes) {
      throw Self.refused(url, "\(address.host) is \(candidate.text), which is not public")
    }
    guard let first = found.first else { throw Self.refused(url, "\(address.host) has no address") }
    return first.text
  }

  private static func refused(_ url: String, _ why: String) -> HeadraceError {
    HeadraceError(
      .user, "WEBHOOK_ADDRESS", "is not called: \(why)", place: url,
      remedy: "name a public address, or allow its network with HEADRACE_WEBHOOK_ALLOW")
  }

  private static func variable(_ name: String) throws(HeadraceError) -> String {
    guard let value = Environment.all[name], !value.isEmpty else {
      throw HeadraceError(
        .user, "SECRET_MISSING", "the environment has no \(name)", place: name,
        remedy: "set it where `headrace run` is started")
    }
    return value
  }
}

/// Names to addresses.
enum NameLookup {
  static func addresses(of host: String, place: String) throws(HeadraceError) -> [(bytes: [UInt8], text: String)] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else {
      throw HeadraceError(.external, "HTTP_UNREACHABLE", "\(host) has no address", retry: .sameCall, place: place)
    }
    defer { unsafe freeaddrinfo(list) }
    var found: [(bytes: [UInt8], text: String)] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let address = unsafe Self.address(entry.pointee) { found.append(address) }
      unsafe next = entry.pointee.ai_next
    }
    return found
  }

  private static func address(_ entry: addrinfo) -> (bytes: [UInt8], text: String)? {
    guard let raw = unsafe UnsafeRawPointer(entry.ai_addr) else { return nil }
    switch unsafe entry.ai_family {
    case AF_INET:
      let bytes = unsafe withUnsafeBytes(of: raw.loadUnaligned(as: sockaddr_in.self).sin_addr) { unsafe Array($0) }
      return (bytes, bytes.map { "\($0)" }.joined(separator: "."))
    case AF_INET6:
      let bytes = unsafe withUnsafeBytes(of: raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr) { unsafe Array($0) }
      let groups = stride(from: 0, to: 16, by: 2).map {
        String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
      }
      return (bytes, groups.joined(separator: ":"))
    default: return nil
    }
  }
}
