internal import ArgumentParser
internal import Core

struct ModelsRolloutsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollouts", abstract: "What shadows, canaries and A/B tests under way have come to.",
    discussion: """
      Asks the server of a worker (/api/models). Figures are a view of the prediction topics, which the worker with \
      the first partition reads.
      """)

  @Option(
    help: ArgumentHelp(
      "The worker to ask. (HEADRACE_SERVER; default: 127.0.0.1:6566)", valueName: "host:port"))
  var server: String?
  @OptionGroup var login: TokenOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let address = server ?? Environment["SERVER"] ?? "127.0.0.1:6566"
    let bytes = try await ServerClient(address, token: try login.token()).get("/api/models")
    guard output == .table else { return try StandardOutput.writeAll(bytes + [UInt8(ascii: "\n")]) }
    let document = try JSONDocument(bytes, depthMax: 8)
    var table = Table([
      ("model", .left), ("kind", .left), ("version", .right), ("beside", .right), ("share", .right), ("n", .right),
      ("failures", .right), ("psi", .right), ("agrees", .right), ("mean |d|", .right), ("max |d|", .right),
      ("verdict", .left),
    ])
    for rollout in document["rollouts"]?.elements ?? [] {
      let arm = rollout["challenger_arm"]
      let difference = rollout["difference"]
      table.append([
        "\(text(rollout["model"]))@\(text(rollout["alias"]))", text(rollout["kind"]), text(rollout["version"]),
        text(rollout["champion"]), text(rollout["share_per_mille"]), text(arm?["predictions"]), text(arm?["failures"]),
        figure(rollout["score_psi"]), figure(difference?["agreement"]), figure(difference?["mean"]),
        figure(difference?["max"]), "\(text(rollout["verdict"])) \(rollout["reason"]?.string ?? "")",
      ])
    }
    try StandardOutput.writeAll(Array(table.text.utf8))
    if let trouble = document["trouble"]?.string { StandardError.write("error: \(trouble)") }
  }

  private func text(_ value: JSONDocument?) -> String {
    switch value?.content {
    case .string(let text), .number(let text): text
    default: "-"
    }
  }

  /// Four decimals.
  private func figure(_ value: JSONDocument?) -> String {
    guard case .number(let text) = value?.content, let number = Double(text) else { return "-" }
    return "\((number * 10_000).rounded() / 10_000)"
  }
}
