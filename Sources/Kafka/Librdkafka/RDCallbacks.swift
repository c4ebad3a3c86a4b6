internal import CRDKafka
internal import Core
internal import Synchronization

/// What the library tells a client outside of its calls. Some of it comes on threads of the library.
final class RDCallbacks: Sendable {
  private let log: @Sendable (LogLine) -> Void
  private let leastSevere: LogLine.Level
  let tokenProvider: (@Sendable () throws -> SecurityConfiguration.OAuthToken)?
  private let trouble = Mutex<Trouble?>(nil)
  private let rebalances = Mutex<[RebalanceEvent]>([])

  init(_ configuration: ClientConfiguration) {
    log = configuration.log
    leastSevere = configuration.logLevel
    if case .oauthBearer(.provider(let provider)) = configuration.security.authentication {
      tokenProvider = provider
    } else {
      tokenProvider = nil
    }
  }

  struct Trouble: Sendable {
    var code: KafkaErrorCode
    var reason: String
    var atMilliseconds: Int64
  }

  /// The newest trouble with connections or authentication, if it is recent: a time-out alone does not say why.
  var newestTrouble: Trouble? {
    let horizon = WallClock.monotonic.nowMilliseconds - 60_000
    return trouble.withLock { $0.flatMap { $0.atMilliseconds >= horizon ? $0 : nil } }
  }

  func note(_ code: KafkaErrorCode, _ reason: String) {
    // That all brokers are down is a summary: what made them so says more.
    if code != .allBrokersDown {
      // The library says the same refusal under two codes, and whichever comes last would decide.
      let isRefused = code == .transport && reason.contains("certificate verify failed")
      let new = Trouble(
        code: isRefused ? .tls : code, reason: reason, atMilliseconds: WallClock.monotonic.nowMilliseconds)
      trouble.withLock { $0 = new }
    }
    note(LogLine(level: .error, facility: code.name, message: reason))
  }

  func note(_ line: LogLine) { if line.level <= leastSevere { log(line) } }

  func note(_ event: RebalanceEvent) { rebalances.withLock { $0.append(event) } }

  func takeRebalances() -> [RebalanceEvent] {
    rebalances.withLock { events in
      guard !events.isEmpty else { return [] }
      defer { events.removeAll() }
      return events
    }
  }
}

/// What the group asks of a consumer. Recorded in the callback, acted upon after the poll that ran it.
enum RebalanceEvent: Sendable {
  case assign([TopicPartition])
  case revoke([TopicPartition], isLost: Bool)
  case failed(KafkaErrorCode)
}

extension RDCallbacks {
  /// The object behind a client's opaque pointer. The client keeps it alive until it is destroyed.
  private static func of(_ opaque: UnsafeMutableRawPointer?) -> RDCallbacks? {
    guard let context = unsafe opaque?.assumingMemoryBound(to: headrace_context_t.self).pointee,
      let callbacks = unsafe context.callbacks
    else { return nil }
    return unsafe Unmanaged<RDCallbacks>.fromOpaque(callbacks).takeUnretainedValue()
  }

  /// Registers everything but delivery reports, which are counted in C.
  static func register(in settings: borrowing RDSettings, isConsumer: Bool, hasTokenProvider: Bool) {
    unsafe settings.withPointer { pointer in
      unsafe rd_kafka_conf_set_log_cb(pointer) { client, level, facility, text in
        guard let callbacks = unsafe RDCallbacks.of(rd_kafka_opaque(client)) else { return }
        callbacks.note(
          LogLine(
            level: LogLine.Level(rawValue: level) ?? .debug,
            facility: unsafe facility.map { unsafe String(cString: $0) } ?? "",
            message: unsafe text.map { unsafe String(cString: $0) } ?? ""))
      }
      unsafe rd_kafka_conf_set_error_cb(pointer) { _, code, reason, opaque in
        guard let callbacks = unsafe RDCallbacks.of(opaque) else { return }
        callbacks.note(
          KafkaErrorCode(rawValue: code), unsafe reason.map { unsafe String(cString: $0) } ?? "")
      }
      if isConsumer {
        unsafe rd_kafka_conf_set_rebalance_cb(pointer) { client, code, partitions, opaque in
          guard let callbacks = unsafe RDCallbacks.of(opaque) else { return }
          unsafe callbacks.noteRebalance(client, KafkaErrorCode(code), partitions)
        }
      }
      if hasTokenProvider {
        unsafe rd_kafka_conf_enable_sasl_queue(pointer, 1)
        unsafe rd_kafka_conf_set_oauthbearer_token_refresh_cb(pointer) { client, _, opaque in
          guard let client = unsafe client, let callbacks = unsafe RDCallbacks.of(opaque) else { return }
          unsafe callbacks.refreshToken(of: client)
        }
      }
    }
  }

  private func noteRebalance(
    _ client: OpaquePointer?, _ code: KafkaErrorCode, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) {
    let partitions = unsafe RDPartitionList.partitions(of: list)
    // Ends the poll that runs this callback: it would wait on, and the group with it. Not rd_kafka_yield, which makes
    // the batch call of every version drop the next message unseen.
    if let queue = unsafe rd_kafka_queue_get_consumer(client) {
      unsafe rd_kafka_queue_yield(queue)
      unsafe rd_kafka_queue_destroy(queue)
    }
    switch code {
    case KafkaErrorCode(RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS): note(.assign(partitions))
    case KafkaErrorCode(RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS):
      note(.revoke(partitions, isLost: unsafe rd_kafka_assignment_lost(client) != 0))
    default: note(.failed(code))
    }
  }

  private func refreshToken(of client: OpaquePointer) {
    guard let tokenProvider else { return }
    do {
      let token = try tokenProvider()
      let pairs = token.extensions.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
      let code = unsafe CStrings.with(pairs) { extensions in
        unsafe CStrings.explained { text, capacity in
          unsafe rd_kafka_oauthbearer_set_token(
            client, token.value.value, token.expiresAtMilliseconds, token.principal, extensions.baseAddress,
            extensions.count, text, capacity)
        }.result
      }
      guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
      // The library's sentence may quote the token: only its code goes on.
      note(KafkaErrorCode(code), "the token of the provider was refused")
      unsafe rd_kafka_oauthbearer_set_token_failure(client, "the token of the provider was refused")
    } catch {
      note(.authentication, "the token provider failed")
      unsafe rd_kafka_oauthbearer_set_token_failure(client, "the token provider failed")
    }
  }
}
