internal import Logging
internal import NIOCore

extension BrokerCore {
  private var offeredMechanisms: [SASLMechanism] { configuration.authentication?.mechanisms ?? [] }

  func handle(_ request: SaslHandshakeRequest, _ exchange: Exchange) {
    let names = offeredMechanisms.map(\.rawValue)
    guard let authentication = configuration.authentication, !exchange.connection.isAuthenticated else {
      exchange.reply(SaslHandshakeResponse(errorCode: .illegalSaslState, mechanisms: names))
      return
    }
    guard let mechanism = SASLMechanism(rawValue: request.mechanism), offeredMechanisms.contains(mechanism) else {
      exchange.reply(SaslHandshakeResponse(errorCode: .unsupportedSaslMechanism, mechanisms: names))
      return
    }
    let sasl = SASLExchange(mechanism, credentials: authentication.credentials)
    // Version 0 goes on with bare SASL messages, version 1 with SaslAuthenticate requests (KIP-152).
    exchange.connection.authentication = exchange.version == 0 ? .exchangingBare(sasl) : .exchanging(sasl)
    exchange.reply(SaslHandshakeResponse(mechanisms: names))
  }

  func handle(_ request: SaslAuthenticateRequest, _ exchange: Exchange) {
    let connection = exchange.connection
    guard case .exchanging(var sasl) = connection.authentication else {
      exchange.reply(
        SaslAuthenticateResponse(errorCode: .illegalSaslState, errorMessage: "SaslHandshake comes first"))
      return
    }
    switch sasl.receive(Array(request.authBytes.readableBytesView), nowMilliseconds: wallMilliseconds) {
    case .challenge(let bytes):
      connection.authentication = .exchanging(sasl)
      exchange.reply(SaslAuthenticateResponse(authBytes: ByteBuffer(bytes: bytes)))
    case .authenticated(let user, let bytes):
      connection.authentication = .done(user: user)
      exchange.reply(SaslAuthenticateResponse(authBytes: ByteBuffer(bytes: bytes)))
    case .refused(let reason):
      connection.authentication = .needed
      logger.notice("a login failed", metadata: ["peer": "\(connection.peerAddress)", "reason": "\(reason)"])
      exchange.reply(
        SaslAuthenticateResponse(errorCode: .saslAuthenticationFailed, errorMessage: "authentication failed: \(reason)")
      )
      connection.close(because: "the login failed")
    }
  }

  /// SaslHandshake version 0: each frame is a SASL message, and so is each answer.
  func receiveBareAuthentication(_ frame: ByteBuffer, exchange: SASLExchange, on connection: Connection) {
    var sasl = exchange
    func send(_ bytes: [UInt8]) {
      var answer = ByteBuffer()
      answer.writeInteger(Int32(clamping: bytes.count))
      answer.writeBytes(bytes)
      connection.complete(connection.reserveSlot(), with: [answer])
    }
    switch sasl.receive(Array(frame.readableBytesView), nowMilliseconds: wallMilliseconds) {
    case .challenge(let bytes):
      connection.authentication = .exchangingBare(sasl)
      send(bytes)
    case .authenticated(let user, let bytes):
      connection.authentication = .done(user: user)
      send(bytes)
    case .refused(let reason): connection.close(because: "the login failed: \(reason)")
    }
  }
}
