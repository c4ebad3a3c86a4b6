internal import ArgumentParser
internal import Core

/// Who asks a server that wants to know: the same flag on every command that talks to one over HTTP.
struct TokenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "File with the token for the server; else the environment's HEADRACE_TOKEN.", valueName: "file"))
  var tokenFile: String?

  /// - Returns: nil when nobody gave one.
  func token() throws(HeadraceError) -> String? {
    if let tokenFile { return try TextFile.readLine(tokenFile) }
    return Environment["TOKEN"]
  }
}
