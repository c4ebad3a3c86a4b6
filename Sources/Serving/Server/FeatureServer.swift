package import Core
package import Cost
internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import Synchronization

/// The HTTP server: features as Feast serves them, pushes, and how things are going.
///
///     let server = FeatureServer(catalog: catalog, features: reader, events: producer, status: engine)
///     try await server.start()
///     …
///     await server.stop()
package final class FeatureServer: Sendable {
  let status: any StatusSource
  let registry: (any RegistrySource)?
  let insights: (any InsightSource)?
  let access: AccessGate
  /// Whom to ask for rows of other workers' keys; nil: nobody.
  let peers: PeerReads?
  let configuration: ServingConfiguration
  let clock: WallClock
  let logger: Logger
  let admission: AdmissionControl
  let counters = ServerCounters()
  let date = DateHeader()
  private let meters: MeterTable
  private let offered: Mutex<Offer>
  private let running = Mutex<Running?>(nil)
  private let boundPort = Atomic<Int>(0)

  /// What `stop` needs.
  private struct Running {
    var server: Server<ConnectionChannel>
    var task: Task<Void, any Error>
  }

  /// - Parameters:
  ///   - events: nil for a server that only reads: pushes are refused.
  ///   - models: what inference requests are answered with.
  ///   - registry: what it tells of runs and approvals; nil: nothing.
  ///   - insights: what monitors have found, and why values are what they are; nil: nothing.
  ///   - peers: whom to ask for rows that are another process's; nil: such requests are refused.
  ///   - meters: of the process: what is served is counted there.
  package init(
    catalog: ServingCatalog, features: any OnlineFeatureSource, events: (any EventSink)?, status: any StatusSource,
    models: ServedModels = .none, registry: (any RegistrySource)? = nil, insights: (any InsightSource)? = nil,
    peers: PeerReads? = nil, configuration: ServingConfiguration = ServingConfiguration(),
    meters: MeterTable = MeterTable(), clock: WallClock = .system, logger: Logger
  ) {
    self.status = status
    self.registry = registry
    self.insights = insights
    self.peers = peers
    access = AccessGate(configuration.access, host: configuration.host, clock: clock)
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    admission = AdmissionControl(configuration.admission)
    self.meters = meters
    offered = Mutex(Offer(catalog, features, events, models, configuration.limits, clock, meters))
  }

  /// What a request that comes now is answered from.
  var offer: Offer { offered.withLock { $0 } }

  /// Answers from another plan from the next request on.
  package func replace(
    catalog: ServingCatalog, features: any OnlineFeatureSource, events: (any EventSink)?, models: ServedModels = .none
  ) {
    let next = Offer(catalog, features, events, models, configuration.limits, clock, meters)
    offered.withLock { $0 = next }
  }

  /// Answers inference requests by other models from the next request on; features stay as they are.
  package func replace(models: ServedModels) {
    offered.withLock { $0 = Offer($0, models: models) }
  }

  /// The port that is listened on; 0 before `start`.
  package var port: Int { boundPort.load(ordering: .acquiring) }

  /// Returns when connections are accepted.
  ///
  /// - Throws: `CANNOT_LISTEN` when the address is taken or is none of this machine.
  package func start() async throws(HeadraceError) {
    let (listening, whenListening) = AsyncStream<Int>.makeStream()
    let server = Server(
      childChannelSetup: ConnectionChannel(self),
      configuration: ServerConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: nil, backlog: 1_024),
      onServerRunning: { channel in
        whenListening.yield(channel.localAddress?.port ?? 0)
        whenListening.finish()
      },
      eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup, logger: logger)
    let task = Task {
      defer { whenListening.finish() }
      try await server.run()
    }
    var port: Int?
    for await bound in listening { port = bound }
    guard let port else { throw await failure(of: task) }
    boundPort.store(port, ordering: .releasing)
    running.withLock { $0 = Running(server: server, task: task) }
  }

  /// Serves until `stop` is called; then returns when the last answer is out.
  package func run() async throws(HeadraceError) {
    try await start()
    await waitUntilStopped()
  }

  package func waitUntilStopped() async {
    guard let task = running.withLock({ $0?.task }) else { return }
    _ = await task.result
  }

  /// Takes no new connections, lets requests under way end, and closes what is still open after `drainMilliseconds`.
  package func stop() async {
    guard let running = running.withLock({ $0 }) else { return }
    let limit = Task { [configuration] in
      try await Task.sleep(for: .milliseconds(configuration.drainMilliseconds))
      running.task.cancel()
    }
    try? await running.server.shutdownGracefully()
    _ = await running.task.result
    limit.cancel()
  }

  private func failure(of task: Task<Void, any Error>) async -> HeadraceError {
    var reason = "the server ended"
    if case .failure(let error) = await task.result {
      let text = unsafe (error as? IOError).flatMap { unsafe strerror($0.errnoCode) }
      reason = unsafe text.map { unsafe String(cString: $0) } ?? "\(error)"
    }
    return HeadraceError(
      .user, "CANNOT_LISTEN", "cannot listen: \(reason)", place: "\(configuration.host):\(configuration.port)",
      remedy: "choose another address with --listen HOST:PORT, or stop what listens there")
  }
}
