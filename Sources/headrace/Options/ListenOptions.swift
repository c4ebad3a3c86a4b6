internal import ArgumentParser
internal import Core
internal import Serving

/// Where a process serves HTTP, and to whom: the same flags on every command that does.
struct ListenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where HTTP and the console are served; port 0 takes a free one. (default: 127.0.0.1:6566)",
      valueName: "host:port"))
  var listen: String?
  @Option(help: ArgumentHelp("Write the HTTP server's HOST:PORT here once it serves.", valueName: "file"))
  var portFile: String?
  @Option(
    help: ArgumentHelp(
      """
      Who may decide over HTTP and in the console; read again when it changes. Without it only a server on 127.0.0.1 \
      decides. `headrace help access` describes it. (HEADRACE_ACCESS)
      """, valueName: "file"))
  var access: String?

  func validate() throws { _ = try address() }

  /// - Throws: what is wrong with the access file.
  func serving() throws -> ServingConfiguration {
    var configuration = try address()
    if let path = access ?? Environment["ACCESS"] {
      let file = try AccessFile(path)
      configuration.access = { file.list }
    }
    return configuration
  }

  /// Where it listens, whoever may do what.
  func address() throws -> ServingConfiguration {
    var configuration = ServingConfiguration()
    if let listen { (configuration.host, configuration.port) = try HostAndPort.parse(listen, flag: "--listen") }
    return configuration
  }

  /// Tells others where it listens, if somebody wants to know.
  func tell(_ address: String) throws {
    if let portFile { try TextFile.write("\(address)\n", to: portFile) }
  }
}
