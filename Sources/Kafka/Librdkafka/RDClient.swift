internal import CRDKafka
internal import Core

/// One instance of the library: its handle, its callbacks, and the order in which they end.
///
/// The library's handle is thread-safe; what may be called when is up to the owner of this object.
@safe
final class RDClient: @unchecked Sendable {
  // Unchecked: the handle is thread-safe, `context` is constant while the handle lives.
  let handle: OpaquePointer
  let callbacks: RDCallbacks
  private let context: UnsafeMutablePointer<headrace_context_t>
  private let deliveries: RDDeliveries?
  private let type: rd_kafka_type_t

  /// - Parameter deliveries: the accounts of a producer.
  init(
    _ type: rd_kafka_type_t, _ settings: consuming RDSettings, _ configuration: ClientConfiguration,
    deliveries: RDDeliveries? = nil
  ) throws(HeadraceError) {
    let callbacks = RDCallbacks(configuration)
    let context = UnsafeMutablePointer<headrace_context_t>.allocate(capacity: 1)
    unsafe context.initialize(
      to: headrace_context_t(deliveries: deliveries?.pointer, callbacks: Unmanaged.passRetained(callbacks).toOpaque()))
    RDCallbacks.register(
      in: settings, isConsumer: type == RD_KAFKA_CONSUMER, hasTokenProvider: callbacks.tokenProvider != nil)
    unsafe settings.withPointer { pointer in
      unsafe rd_kafka_conf_set_opaque(pointer, context)
      if deliveries != nil { unsafe rd_kafka_conf_set_dr_msg_cb(pointer, headrace_on_delivery) }
    }
    do {
      unsafe handle = try settings.makeClient(type)
    } catch {
      unsafe Self.release(context)
      throw error
    }
    unsafe self.context = context
    self.callbacks = callbacks
    self.deliveries = deliveries
    self.type = type
    // Tokens are due before anybody polls, and while a call blocks: the library's own thread asks for them.
    if callbacks.tokenProvider != nil, let error = unsafe rd_kafka_sasl_background_callbacks_enable(handle) {
      throw unsafe HeadraceError(takingOwnershipOf: error, while: "start the token refresh")
    }
  }

  deinit {
    unsafe rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    unsafe Self.release(context)
  }

  private static func release(_ context: UnsafeMutablePointer<headrace_context_t>) {
    if let callbacks = unsafe context.pointee.callbacks {
      unsafe Unmanaged<RDCallbacks>.fromOpaque(callbacks).release()
    }
    unsafe context.deallocate()
  }

  /// The error that ended this instance for good, if one did.
  var fatalError: HeadraceError? {
    let (code, text) = unsafe CStrings.explained { unsafe rd_kafka_fatal_error(handle, $0, $1) }
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return HeadraceError(KafkaErrorCode(code), text, retry: .newInstance)
  }

  /// The error of a call that returned `code`, with the newest connection trouble where the code alone explains
  /// nothing.
  func error(_ code: KafkaErrorCode, while activity: String, place: String? = nil) -> HeadraceError {
    if code == .fatal, let fatalError { return fatalError }
    var error = HeadraceError(code, while: activity, place: place)
    guard code == .timedOut || code == .transport || code == .allBrokersDown else { return error }
    // What went wrong waits in the client's queue. A consumer's holds records too: its polls serve it.
    if type == RD_KAFKA_PRODUCER { _ = unsafe rd_kafka_poll(handle, 0) }
    guard let trouble = callbacks.newestTrouble else { return error }
    if trouble.code == .authentication || trouble.code == .saslAuthenticationFailed || trouble.code == .tls {
      // No passing trouble: the broker is there, and refuses.
      return HeadraceError(trouble.code, "\(activity): \(trouble.reason)", place: place)
    }
    error.message += "; newest trouble: \(trouble.reason)"
    return error
  }

  func check(_ code: rd_kafka_resp_err_t, while activity: String, place: String? = nil) throws(HeadraceError) {
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw error(KafkaErrorCode(code), while: activity, place: place) }
  }
}

extension HeadraceError {
  /// Takes over an error object of the library, with what it says about retries.
  init(takingOwnershipOf error: OpaquePointer, while activity: String) {
    let code = KafkaErrorCode(unsafe rd_kafka_error_code(error))
    let text = unsafe rd_kafka_error_string(error).map { unsafe String(cString: $0) } ?? code.explanation
    let retry: Retry? =
      unsafe rd_kafka_error_is_fatal(error) != 0
      ? .newInstance
      : unsafe rd_kafka_error_txn_requires_abort(error) != 0
        ? .abortTransaction : unsafe rd_kafka_error_is_retriable(error) != 0 ? .sameCall : nil
    unsafe rd_kafka_error_destroy(error)
    self.init(code, "\(activity): \(text)", retry: retry)
  }
}
