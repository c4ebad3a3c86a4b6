internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Hummingbird's HTTP/1.1 connection with a guard in its pipeline, handled on its own event loop.
final class ConnectionChannel: ServerChildChannel {
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

  private let server: FeatureServer
  private let plain: HTTP1Channel.Configuration
  private let workspaces = Mutex<[ObjectIdentifier: NIOLoopBound<ReadWorkspace>]>([:])

  init(_ server: FeatureServer) {
    self.server = server
    let limits = server.configuration.limits
    // The guard knows more about idle peers than the timer of the plain channel.
    plain = HTTP1Channel.Configuration(
      idleTimeout: nil,
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: limits.headerFieldBytes, maxHeaderListSize: limits.headerBytes,
        maxHeaderFieldCount: limits.headerCount))
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
    let address = channel.remoteAddress?.ipAddress ?? ""
    // Refused in `handle`: in here the socket does not take any bytes yet.
    let admission = server.admission
    guard admission.opened(address: address) else {
      return channel.eventLoop.makeSucceededFuture(Connection(channel: channel))
    }
    channel.closeFuture.whenComplete { _ in admission.closed(address: address) }
    return HTTP1Channel(responder: { _, _, _ in }, configuration: plain).setup(channel: channel, logger: logger)
      .flatMapThrowing { [self] http in
        let connectionGuard = try install(on: channel)
        let bound = NIOLoopBound(connectionGuard, eventLoop: channel.eventLoop)
        return Connection(channel: channel, admitted: Admitted(http: http, connectionGuard: bound))
      }
  }

  /// Puts our handlers around the parser of HTTP/1.1.
  func install(on channel: any Channel) throws -> ConnectionGuard {
    let connectionGuard = ConnectionGuard(admission: server.admission, pace: server.configuration.pace)
    let bytes = ByteWatch(connectionGuard)
    let shortcut = ReadShortcut(server, workspace(of: channel.eventLoop), connectionGuard, bytes)
    let pipeline = channel.pipeline.syncOperations
    let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
    try pipeline.addHandlers([connectionGuard, shortcut], position: .after(parser))
    try pipeline.addHandler(bytes, position: .first)
    return connectionGuard
  }

  /// On the loop that is asked for.
  private func workspace(of eventLoop: any EventLoop) -> ReadWorkspace {
    workspaces.withLock { workspaces in
      if let known = workspaces[ObjectIdentifier(eventLoop)] { return known }
      let workspace = ReadWorkspace(server.offer)
      let bound = NIOLoopBound(workspace, eventLoop: eventLoop)
      workspaces[ObjectIdentifier(eventLoop)] = bound
      return bound
    }.value
  }

  func handle(value: Connection, logger: Logger) async {
    guard let admitted = value.admitted else { return await refuse(value.channel) }
    let server = server
    let http = HTTP1Channel(
      responder: { request, writer, _ in try await server.answer(request, writer, admitted.connectionGuard) },
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
