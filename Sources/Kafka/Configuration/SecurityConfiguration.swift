/// How a client proves itself to the broker, and the broker to the client.
package struct SecurityConfiguration: Sendable {
  package var transport: Transport
  package var authentication: Authentication

  /// - Parameters:
  ///   - transport: plain TCP by default, which is right for a broker on the loopback interface.
  ///   - authentication: none by default.
  package init(transport: Transport = .plaintext, authentication: Authentication = .none) {
    self.transport = transport
    self.authentication = authentication
  }

  package enum Transport: Sendable {
    case plaintext
    case tls(TLS)
  }

  package struct TLS: Sendable {
    /// The authorities whose certificates are trusted; nil: those of the operating system.
    package var authority: Material?
    /// The client's own certificate, for mutual TLS.
    package var identity: Identity?
    /// Whether the certificate must name the host that was dialled. Turn off for tests only.
    package var verifiesHostName = true

    package init(authority: Material? = nil, identity: Identity? = nil, verifiesHostName: Bool = true) {
      self.authority = authority
      self.identity = identity
      self.verifiesHostName = verifiesHostName
    }
  }

  /// A certificate with its private key.
  package struct Identity: Sendable {
    package var certificateChain: Material
    package var privateKey: Material
    package var privateKeyPassword: Secret?

    package init(certificateChain: Material, privateKey: Material, privateKeyPassword: Secret? = nil) {
      self.certificateChain = certificateChain
      self.privateKey = privateKey
      self.privateKeyPassword = privateKeyPassword
    }
  }

  /// Where PEM text comes from.
  package enum Material: Sendable {
    case file(String)
    case pem(Secret)
  }

  package enum Authentication: Sendable {
    case none
    /// SASL PLAIN sends the password itself: use it under TLS.
    case plain(username: String, password: Secret)
    case scramSHA256(username: String, password: Secret)
    case scramSHA512(username: String, password: Secret)
    case oauthBearer(TokenSource)
  }

  /// Where OAUTHBEARER tokens come from.
  package enum TokenSource: Sendable {
    /// Called on a thread of the library whenever a token is due; it may block, but not for longer than a token lives.
    case provider(@Sendable () throws -> OAuthToken)
    /// The library's own OpenID Connect client (client credentials grant, RFC 6749 section 4.4).
    case openIDConnect(tokenEndpoint: String, clientID: String, clientSecret: Secret, scope: String?)
  }

  package struct OAuthToken: Sendable {
    package var value: Secret
    package var principal: String
    /// The end of the token's life, in milliseconds since 1970.
    package var expiresAtMilliseconds: Int64
    /// SASL extensions (RFC 7628 section 3.1): keys of letters, printable values.
    package var extensions: [String: String]

    package init(
      value: Secret, principal: String, expiresAtMilliseconds: Int64, extensions: [String: String] = [:]
    ) {
      self.value = value
      self.principal = principal
      self.expiresAtMilliseconds = expiresAtMilliseconds
      self.extensions = extensions
    }
  }
}
