internal import FoundationEssentials

/// Checks OAUTHBEARER tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 by a secret that broker and issuer
/// share.
///
/// One algorithm only: a token that names another, `none` included, is refused whatever it says.
package struct TokenVerifier: Sendable {
  struct Refusal: Error { let reason: String }

  private struct Header: Decodable { let alg: String }

  private struct Claims: Decodable {
    let sub: String?
    let exp: Double?
    let nbf: Double?
    let iss: String?
    let aud: Audience?
  }

  /// RFC 7519 section 4.1.3: one string, or an array of them.
  private struct Audience: Decodable {
    let values: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      values = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
    }
  }

  private let secret: [UInt8]
  private let issuer: String?
  private let audience: String?

  package init(secret: [UInt8], issuer: String? = nil, audience: String? = nil) {
    self.secret = secret
    self.issuer = issuer
    self.audience = audience
  }

  /// - Returns: the token's subject.
  func verify(_ token: [UInt8], nowMilliseconds: Int64) -> Result<String, Refusal> {
    let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64.decode(parts[0]), let body = Base64.decode(parts[1]),
      let signature = Base64.decode(parts[2])
    else { return .failure(Refusal(reason: "the token is no signed JSON Web Token")) }
    guard let algorithm = try? JSONDecoder().decode(Header.self, from: Data(header)).alg, algorithm == "HS256" else {
      return .failure(Refusal(reason: "the token is not signed with HS256"))
    }
    let signed = Array(token.prefix(parts[0].count + 1 + parts[1].count))
    guard SecureBytes.areEqual(HashFunction.sha256.authenticationCode(key: secret, signed), signature) else {
      return .failure(Refusal(reason: "the token's signature is wrong"))
    }
    guard let claims = try? JSONDecoder().decode(Claims.self, from: Data(body)) else {
      return .failure(Refusal(reason: "the token's claims are not readable"))
    }
    return check(claims, nowSeconds: Double(nowMilliseconds) / 1_000)
  }

  private func check(_ claims: Claims, nowSeconds: Double) -> Result<String, Refusal> {
    guard let expiry = claims.exp, expiry > nowSeconds else {
      return .failure(Refusal(reason: "the token has expired, or says not when it does"))
    }
    if let notBefore = claims.nbf, notBefore > nowSeconds {
      return .failure(Refusal(reason: "the token is not valid yet"))
    }
    if let issuer, claims.iss != issuer { return .failure(Refusal(reason: "the token is of another issuer")) }
    if let audience, claims.aud?.values.contains(audience) != true {
      return .failure(Refusal(reason: "the token is for another audience"))
    }
    guard let subject = claims.sub, !subject.isEmpty else {
      return .failure(Refusal(reason: "the token names no subject"))
    }
    return .success(subject)
  }
}
