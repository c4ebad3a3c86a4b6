import Broker
import Core
import Glibc
import Logging

@testable import Kafka

/// The embedded broker on a free port, with a folder of its own that goes away with it.
struct Node: Sendable {
  let broker: Broker
  let folder: String

  var bootstrap: String { "127.0.0.1:\(broker.port)" }
  var client: ClientConfiguration { ClientConfiguration(bootstrapServers: bootstrap) }

  static func start(_ change: (inout BrokerConfiguration) throws -> Void = { _ in }) async throws -> Node {
    let folder = try temporaryFolder()
    var configuration = BrokerConfiguration(dataDirectory: folder)
    configuration.port = 0
    try change(&configuration)
    var logger = Logger(label: "broker") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return Node(broker: try await Broker.start(configuration, logger: logger), folder: folder)
  }

  func stop() async throws {
    try await broker.stop()
    removeFolder(folder)
  }

  static func temporaryFolder() throws -> String {
    var template = Array("/tmp/headrace-kafka-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw HeadraceError(.external, "MKDTEMP", "no temporary folder") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Runs a test's body, on a thread that may block, against a broker of its own.
func withNode(
  _ change: (inout BrokerConfiguration) throws -> Void = { _ in }, _ body: @escaping @Sendable (Node) throws -> Void
) async throws {
  let node = try await Node.start(change)
  do {
    try await onThread { try body(node) }
  } catch {
    try await node.stop()
    throw error
  }
  try await node.stop()
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
