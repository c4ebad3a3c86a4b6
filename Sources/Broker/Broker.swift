internal import Core
internal import Glibc
package import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The embedded single-node log: a broker of the Kafka protocol in this process.
///
/// One event loop owns the sockets, the logs and the coordinators, as in Redis: requests are handled one after the
/// other, in the order in which they came, without a lock. A second thread does what may take long and changes nothing
/// a request can see until it is done: fsync, compaction, deletion of files.
package final class Broker: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let core: NIOLoopBound<BrokerCore>
  private let listener: any Channel
  /// Where it listens.
  package let host: String
  package let port: Int

  /// Recovers the data folder, binds, and serves until `stop`.
  ///
  /// - Throws: when the configuration is not sound, the folder is damaged or in use, or the address is taken.
  package static func start(
    _ configuration: BrokerConfiguration, logger: Logger
  ) async throws -> Broker {
    try configuration.validate()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      return try await Broker(configuration, logger: logger, group: group)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  private init(_ configuration: BrokerConfiguration, logger: Logger, group: MultiThreadedEventLoopGroup) async throws {
    let loop = group.next()
    let tls = try configuration.transport.serverContext()
    let core = try await loop.submit {
      NIOLoopBound(try BrokerCore(configuration, logger: logger, loop: loop), eventLoop: loop)
    }.get()
    do {
      listener = try await Self.bind(configuration, group: group, core: core, tls: tls)
    } catch {
      try? await loop.submit { core.value.abandon() }.get()
      let text = unsafe (error as? IOError).flatMap { unsafe strerror($0.errnoCode) }
      let reason = unsafe text.map { unsafe String(cString: $0) } ?? "\(error)"
      throw HeadraceError(
        .user, "CANNOT_LISTEN", "cannot listen on \(configuration.host):\(configuration.port): \(reason)",
        remedy: "is another broker running there? --listen HOST:0 takes a free port")
    }
    self.group = group
    self.core = core
    host = configuration.host
    port = listener.localAddress?.port ?? configuration.port
    let advertised = (configuration.advertisedHost ?? configuration.host, configuration.advertisedPort ?? port)
    try await loop.submit {
      core.value.beginServing(advertisedHost: advertised.0, advertisedPort: Int32(advertised.1))
    }.get()
    try await listener.setOption(.autoRead, value: true).get()
  }

  private static func bind(
    _ configuration: BrokerConfiguration, group: MultiThreadedEventLoopGroup, core: NIOLoopBound<BrokerCore>,
    tls: NIOSSLContext?
  ) async throws -> any Channel {
    try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      // Connections wait in the backlog until `beginServing`: a client must not be told an address that is not known
      // yet, nor overtake the transactions that are still to be finished.
      .serverChannelOption(.autoRead, value: false)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 16_384, maximum: 1_048_576)
      )
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 1_048_576, high: 4_194_304))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let connection = core.value.admit(peerAddress: channel.remoteAddress?.ipAddress ?? "unknown") else {
            throw ChannelError.connectTimeout(.zero)
          }
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandler(connection)
        }
      }
      .bind(host: configuration.host, port: configuration.port)
      .get()
  }

  /// Stops taking requests, flushes every log, and leaves a folder that opens without recovery.
  package func stop() async throws {
    try await listener.close().get()
    let core = core
    try await core.eventLoop.flatSubmit { core.value.drain() }.get()
    try await group.shutdownGracefully()
  }
}

extension BrokerConfiguration.TransportSecurity {
  fileprivate func serverContext() throws(HeadraceError) -> NIOSSLContext? {
    guard case .tls(let certificateFile, let keyFile, let clientAuthorityFile) = self else { return nil }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificateFile).map { NIOSSLCertificateSource.certificate($0) }
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      if let clientAuthorityFile {
        configuration.trustRoots = .file(clientAuthorityFile)
        configuration.certificateVerification = .noHostnameVerification
      }
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw HeadraceError(
        .user, "BAD_CERTIFICATE", "TLS cannot be set up: \(error)", place: "\(certificateFile), \(keyFile)",
        remedy: "give a PEM certificate chain and the PEM key that belongs to it")
    }
  }
}
