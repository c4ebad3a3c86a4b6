internal import Core
internal import Logging
internal import NIOCore

/// From frames to handlers: who may ask, which version, which test switch.
extension BrokerCore {
  func receive(_ frame: ByteBuffer, on connection: Connection) {
    if case .exchangingBare(let exchange) = connection.authentication {
      receiveBareAuthentication(frame, exchange: exchange, on: connection)
      return
    }
    do throws(WireError) {
      let (header, request) = try RequestDecoder.decode(frame: frame)
      dispatch(request, Exchange(connection: connection, slot: connection.reserveSlot(), header: header))
    } catch {
      connection.close(because: "a request that cannot be read: \(error)")
    }
  }

  private func dispatch(_ request: Request, _ exchange: Exchange) {
    guard exchange.connection.isAuthenticated || request.isAllowedBeforeAuthentication else {
      exchange.connection.close(because: "a request before the login")
      return
    }
    var exchange = exchange
    switch faults.next(exchange.header.key) {
    case nil: handle(request, exchange)
    case .dropRequest: exchange.connection.close(because: "a test switch drops this request")
    case .dropResponse:
      exchange.dropsResponse = true
      handle(request, exchange)
    case .throttle(let milliseconds):
      exchange.throttleMilliseconds = milliseconds
      handle(request, exchange)
    case .error(let code):
      exchange.reply(request.failure(ErrorCode(rawValue: code) ?? .unknownServerError))
    case .delay(let milliseconds):
      loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) { [unowned self] in handle(request, exchange)
      }
    }
  }

  private func handle(_ request: Request, _ exchange: Exchange) {
    switch request {
    case .produce(let request): handle(request, exchange)
    case .fetch(let request): handle(request, exchange)
    case .listOffsets(let request): handle(request, exchange)
    case .metadata(let request): handle(request, exchange)
    case .offsetCommit(let request): handle(request, exchange)
    case .offsetFetch(let request): handle(request, exchange)
    case .findCoordinator(let request): handle(request, exchange)
    case .joinGroup(let request): handle(request, exchange)
    case .heartbeat(let request): handle(request, exchange)
    case .leaveGroup(let request): handle(request, exchange)
    case .syncGroup(let request): handle(request, exchange)
    case .describeGroups(let request): handle(request, exchange)
    case .listGroups(let request): handle(request, exchange)
    case .saslHandshake(let request): handle(request, exchange)
    case .apiVersions(let request): handle(request, exchange)
    case .createTopics(let request): handle(request, exchange)
    case .deleteTopics(let request): handle(request, exchange)
    case .deleteRecords(let request): handle(request, exchange)
    case .initProducerID(let request): handle(request, exchange)
    case .offsetForLeaderEpoch(let request): handle(request, exchange)
    case .addPartitionsToTxn(let request): handle(request, exchange)
    case .addOffsetsToTxn(let request): handle(request, exchange)
    case .endTxn(let request): handle(request, exchange)
    case .txnOffsetCommit(let request): handle(request, exchange)
    case .describeConfigs(let request): handle(request, exchange)
    case .alterConfigs(let request): handle(request, exchange)
    case .saslAuthenticate(let request): handle(request, exchange)
    case .createPartitions(let request): handle(request, exchange)
    case .deleteGroups(let request): handle(request, exchange)
    case .incrementalAlterConfigs(let request): handle(request, exchange)
    case .offsetDelete(let request): handle(request, exchange)
    case .describeCluster(let request): handle(request, exchange)
    case .describeProducers(let request): handle(request, exchange)
    case .describeTransactions(let request): handle(request, exchange)
    case .listTransactions(let request): handle(request, exchange)
    }
  }
}

extension Request {
  fileprivate var isAllowedBeforeAuthentication: Bool {
    switch self {
    case .apiVersions, .saslHandshake, .saslAuthenticate: true
    default: false
    }
  }
}
