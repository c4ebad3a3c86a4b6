import Broker
import Core
import Glibc
import Kafka
import Logging

/// The embedded broker on a free port, and a folder for it and for the engines of one test.
struct Node: Sendable {
  let broker: Broker
  let folder: String

  var client: ClientConfiguration {
    var client = ClientConfiguration(bootstrapServers: "127.0.0.1:\(broker.port)")
    client.requestTimeoutMilliseconds = 10_000
    return client
  }

  /// Runs a test's body against a broker of its own.
  static func run(
    _ change: (inout BrokerConfiguration) throws -> Void = { _ in }, _ body: (Node) async throws -> Void
  ) async throws {
    var template = Array("/tmp/headrace-runtime-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw HeadraceError(.external, "MKDTEMP", "no temporary folder") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeFolder(folder) }
    var configuration = BrokerConfiguration(dataDirectory: "\(folder)/broker")
    configuration.port = 0
    configuration.topics.isAutoCreated = false
    try change(&configuration)
    let node = Node(broker: try await Broker.start(configuration, logger: .quiet), folder: folder)
    do {
      try await body(node)
    } catch {
      try await node.broker.stop()
      throw error
    }
    try await node.broker.stop()
  }
}

extension Logger {
  /// `HEADRACE_TEST_LOG=1` shows what the engines of a test say.
  static var quiet: Logger {
    guard unsafe getenv("HEADRACE_TEST_LOG") != nil else {
      return Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    }
    return Logger(label: "test")
  }
}

/// Runs a body on a thread that may block.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  let thread = try BlockingThread(name: "runtime-test")
  defer { thread.stop() }
  return try await thread.run(body)
}

/// Removes a folder with everything in it.
func removeFolder(_ path: String) {
  guard let stream = unsafe opendir(path) else { return }
  while let entry = unsafe readdir(stream) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    guard name != ".", name != ".." else { continue }
    let child = "\(path)/\(name)"
    if unsafe entry.pointee.d_type == UInt8(DT_DIR) { removeFolder(child) } else { unsafe unlink(child) }
  }
  unsafe closedir(stream)
  unsafe rmdir(path)
}

extension Optional where Wrapped == RawSpan {
  var text: String? {
    guard let span = self else { return nil }
    return unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
