internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsApprovalsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approvals", abstract: "Which versions wait for a person, and who decided what.",
    discussion: "Of the cluster, or with --data of a folder. JSON has the evidence of each.")

  @OptionGroup var place: RegistryOptions
  @Option(help: ArgumentHelp("Of this model only.", valueName: "name")) var model: String?
  @Flag(help: "Only those that wait.") var pending = false
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let approvals = try await place.snapshot().registry.approvals(model: model).filter { !pending || $0.isPending }
    switch output {
    case .json:
      for approval in approvals {
        var writer = JSONWriter()
        approval.write(to: &writer)
        try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
      }
    case .table: try StandardOutput.writeAll(Array(ApprovalTable.text(approvals).utf8))
    }
  }
}

enum ApprovalTable {
  static func text(_ approvals: [RegisteredApproval]) -> String {
    var table = Table([
      ("approval", .left), ("for", .left), ("status", .left), ("asked by", .left), ("until", .left),
      ("decided by", .left), ("reason", .left),
    ])
    for approval in approvals {
      let question = approval.approval
      table.append([
        question.id, "\(question.model):\(question.version) as @\(question.alias)", approval.status,
        question.requestedBy, RFC3339.text(milliseconds: question.expiresAtMilliseconds),
        approval.decided?.actor ?? "", approval.decided?.reason ?? question.reason,
      ])
    }
    return table.text
  }
}

struct ModelsApproveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Say that a version may have its alias.",
    discussion: """
      Whoever asked cannot approve: somebody else has to. What has waited for longer than it was to wait is not \
      approved any more.
      """)

  @OptionGroup var decision: ApprovalDecision
  @Option(help: ArgumentHelp("Why; kept with the decision.", valueName: "text")) var reason = ""

  func run() async throws { try await decision.send(.approved, reason: reason) }
}

struct ModelsRejectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Say that a version may not have its alias, and why.",
    discussion: "Whoever asked cannot reject either: somebody else has to.")

  @OptionGroup var decision: ApprovalDecision
  @Option(help: ArgumentHelp("Why; kept with the decision.", valueName: "text")) var reason: String

  func run() async throws { try await decision.send(.rejected, reason: reason) }
}

/// Which approval, and who decides: the same on both commands.
struct ApprovalDecision: ParsableArguments {
  @OptionGroup var place: RegistryOptions
  @OptionGroup var actor: ActorOptions
  @Argument(help: ArgumentHelp("Its id (`headrace models approvals`).", valueName: "approval")) var id: String
  @Option(help: "table or json.") var output = OutputFormat.table

  func send(_ verdict: ApprovalVerdict, reason: String) async throws {
    try await place.send(.decideApproval(id: id, verdict: verdict), actor: actor.actor, reason: reason, place: id)
    switch output {
    case .table: try StandardOutput.writeLine("\(id): \(verdict.rawValue) by \(actor.actor)")
    case .json:
      var writer = JSONWriter()
      writer.object { json in
        json.member("approval", id)
        json.member("status", verdict.rawValue)
        json.member("by", actor.actor)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}
