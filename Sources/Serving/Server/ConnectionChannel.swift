internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Hummingbird's HTTP/1.1 connection with a guard in its pipeline, handled on its own event loop.
struct ConnectionChannel: ServerChildChannel {
  /// What a connection's task works with.
  struct Connection: ServerChildChannelValue {
    let channel: any Channel
    /// Nil for a connection that there is no place for.
    var admitted: Admitted?
  }

  struct Admitted {
    let http: HTTP1Channel.Value
    let connectionGuard: NIOLoopBound<ConnectionGuard>
  }

  /// Answers one request of the connection that the guard belongs to.
  typealias Answer = @Sendable (Request, consuming ResponseWriter, NIOLoopBound<ConnectionGuard>) async throws -> Void

  private let answer: Answer
  private let configuration: ServingConfiguration
  private let admission: AdmissionControl
  private let plain: HTTP1Channel.Configuration

  init(configuration: ServingConfiguration, admission: AdmissionControl, answer: @escaping Answer) {
    self.answer = answer
    self.configuration = configuration
    self.admission = admission
    // The guard knows more about idle peers than the timer of the plain channel.
    plain = HTTP1Channel.Configuration(
      idleTimeout: nil,
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: configuration.limits.headerFieldBytes, maxHeaderListSize: configuration.limits.headerBytes,
        maxHeaderFieldCount: configuration.limits.headerCount))
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
    let address = channel.remoteAddress?.ipAddress ?? ""
    // Refused in `handle`: in here the socket does not take any bytes yet.
    guard admission.opened(address: address) else {
      return channel.eventLoop.makeSucceededFuture(Connection(channel: channel))
    }
    let admission = admission
    channel.closeFuture.whenComplete { _ in admission.closed(address: address) }
    return HTTP1Channel(responder: { _, _, _ in }, configuration: plain).setup(channel: channel, logger: logger)
      .flatMapThrowing { http in
        let connectionGuard = ConnectionGuard(admission: admission, pace: configuration.pace)
        let pipeline = channel.pipeline.syncOperations
        let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(connectionGuard, position: .after(parser))
        try pipeline.addHandler(ByteWatch(connectionGuard), position: .first)
        let bound = NIOLoopBound(connectionGuard, eventLoop: channel.eventLoop)
        return Connection(channel: channel, admitted: Admitted(http: http, connectionGuard: bound))
      }
  }

  func handle(value: Connection, logger: Logger) async {
    guard let admitted = value.admitted else { return await refuse(value.channel) }
    let answer = answer
    let http = HTTP1Channel(
      responder: { request, writer, _ in try await answer(request, writer, admitted.connectionGuard) },
      configuration: plain)
    await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
      await http.handle(value: admitted.http, logger: logger)
    }
  }

  /// Says in one write that there is no place, which costs less than to let a caller wait for nothing.
  private func refuse(_ channel: any Channel) async {
    let answer = ByteBuffer(
      string: "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    try? await channel.writeAndFlush(answer)
    try? await channel.close()
  }
}
