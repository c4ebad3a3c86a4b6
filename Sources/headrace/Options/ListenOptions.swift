internal import ArgumentParser
internal import Serving

/// Where a process serves HTTP: the same flags on every command that does.
struct ListenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where HTTP is served; port 0 takes a free one. (default: 127.0.0.1:6566)", valueName: "host:port"))
  var listen: String?
  @Option(help: ArgumentHelp("Write the HTTP server's HOST:PORT here once it serves.", valueName: "file"))
  var portFile: String?

  func validate() throws { _ = try serving() }

  func serving() throws -> ServingConfiguration {
    var configuration = ServingConfiguration()
    if let listen { (configuration.host, configuration.port) = try HostAndPort.parse(listen, flag: "--listen") }
    return configuration
  }

  /// Tells others where it listens, if somebody wants to know.
  func tell(_ address: String) throws {
    if let portFile { try TextFile.write("\(address)\n", to: portFile) }
  }
}
