package import Core
internal import CRDKafka

/// Creates, describes, changes and deletes what a cluster keeps.
///
/// Every call blocks until the cluster answered: call it from a thread of your own, or through `run` from async code.
package final class Admin: Sendable {
  let configuration: ClientConfiguration
  let client: RDClient
  private let thread: BlockingThread

  package init(_ configuration: ClientConfiguration) throws(HeadraceError) {
    self.configuration = configuration
    let settings = RDSettings()
    try configuration.apply(to: settings)
    try configuration.applyProperties(to: settings)
    client = try RDClient(RD_KAFKA_PRODUCER, settings, configuration)
    thread = try BlockingThread(name: "kafka-admin")
  }

  deinit {
    thread.stop()
    Retirement.end(client)
  }

  /// Calls from async code: `try await admin.run { try $0.describeTopics() }`.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable (Admin) throws -> Value
  ) async throws -> Value {
    try await thread.run { [self] in try body(self) }
  }

  /// Makes a request and waits for its answer.
  ///
  /// - Parameter request: queues the request with its options; the answer goes to the queue.
  func perform(
    _ operation: rd_kafka_admin_op_t, while activity: String,
    _ request: (_ options: OpaquePointer, _ answers: OpaquePointer) -> Void
  ) throws(HeadraceError) -> RDEvent {
    let timeout = configuration.requestTimeoutMilliseconds
    guard let options = unsafe rd_kafka_AdminOptions_new(client.handle, operation) else {
      throw HeadraceError(.invalidArgument, while: activity)
    }
    defer { unsafe rd_kafka_AdminOptions_destroy(options) }
    // The text buffers are optional; both values lie in the ranges that the library documents.
    unsafe rd_kafka_AdminOptions_set_request_timeout(options, timeout, nil, 0)
    if Self.operationsOfTheController.contains(operation.rawValue) {
      unsafe rd_kafka_AdminOptions_set_operation_timeout(options, timeout, nil, 0)
    }
    let answers = RDQueue(of: client)
    unsafe request(options, answers.handle)
    let event = unsafe rd_kafka_queue_poll(answers.handle, timeout &+ 1_000)
    // Serves log lines and errors of the client, which nobody else polls.
    _ = unsafe rd_kafka_poll(client.handle, 0)
    guard let event = unsafe event else { throw client.error(.timedOut, while: activity) }
    let answer = unsafe RDEvent(takingOwnershipOf: event)
    try answer.check(client, while: activity)
    return answer
  }

  /// Those that wait until the change took effect everywhere.
  private static let operationsOfTheController: Set<UInt32> = [
    RD_KAFKA_ADMIN_OP_CREATETOPICS.rawValue, RD_KAFKA_ADMIN_OP_DELETETOPICS.rawValue,
    RD_KAFKA_ADMIN_OP_CREATEPARTITIONS.rawValue, RD_KAFKA_ADMIN_OP_DELETERECORDS.rawValue,
  ]
}

/// One answer of the library.
@safe
struct RDEvent: ~Copyable {
  let pointer: OpaquePointer

  init(takingOwnershipOf pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe rd_kafka_event_destroy(pointer) }

  func check(_ client: RDClient, while activity: String) throws(HeadraceError) {
    let code = KafkaErrorCode(unsafe rd_kafka_event_error(pointer))
    guard code != .none else { return }
    var error = client.error(code, while: activity)
    if let text = unsafe rd_kafka_event_error_string(pointer) { error.message += ": \(unsafe String(cString: text))" }
    throw error
  }
}

extension Admin {
  /// Calls a C function that takes an array of objects, and frees the objects afterwards.
  static func withObjects<Result>(
    _ objects: [OpaquePointer], destroy: (OpaquePointer) -> Void,
    _ body: (UnsafeMutablePointer<OpaquePointer?>, Int) -> Result
  ) -> Result {
    var array = unsafe objects.map { unsafe Optional($0) }
    defer { unsafe objects.forEach { unsafe destroy($0) } }
    // One more element, so that the array has an address even when it is empty.
    unsafe array.append(nil)
    return unsafe array.withUnsafeMutableBufferPointer { buffer in
      unsafe body(buffer.baseAddress.unsafelyUnwrapped, buffer.count - 1)
    }
  }

  /// The errors of results that carry a name each.
  static func failures(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, while activity: String,
    _ read: (OpaquePointer) -> (name: UnsafePointer<CChar>?, code: rd_kafka_resp_err_t, text: UnsafePointer<CChar>?)
  ) -> [String: HeadraceError] {
    var failures: [String: HeadraceError] = [:]
    for index in 0..<count {
      guard let result = unsafe results?[index] else { continue }
      let (name, code, text) = unsafe read(result)
      guard code != RD_KAFKA_RESP_ERR_NO_ERROR, let name = unsafe name else { continue }
      let place = unsafe String(cString: name)
      let kafkaCode = KafkaErrorCode(code)
      let message = unsafe text.map { unsafe String(cString: $0) } ?? kafkaCode.explanation
      failures[place] = HeadraceError(kafkaCode, "\(activity): \(message)", place: place)
    }
    return failures
  }
}
