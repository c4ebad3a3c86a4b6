internal import ArgumentParser
internal import Core
internal import Serving

struct AccessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "access", abstract: "Who may decide over HTTP and in the console.",
    discussion: """
      `dev`, `run` and `serve` take --access FILE. Then approvals, promotions, rollbacks, models from outside and what \
      monitors are told need a token, and count as done by its principal:

        reading: open              # or token: whoever looks logs in too
        hosts: [headrace.example]  # names that browsers may know the server by, beside its addresses
        principals:
          - {name: ada, token_sha256: "…", roles: [operator]}
          - {name: bob, token_sha256: "…", roles: [approver], until: 2027-01-01}

      viewer looks; operator promotes, rolls back, acknowledges and silences; approver approves and rejects. The file \
      is read again when it changes. Without a file only a server on 127.0.0.1 decides.
      """,
    subcommands: [AccessTokenCommand.self, AccessCheckCommand.self])
}

struct AccessTokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Make a token, and the line of it for the access file.",
    discussion: """
      The token is shown once and kept nowhere: give it to its owner. The file holds its SHA-256 alone.
      """)

  @Argument(help: "Whose it is: the name that decisions are written down under.") var name: String
  @Option(help: ArgumentHelp("viewer, operator, approver; several with commas.", valueName: "roles"))
  var roles = "viewer"
  @Option(help: ArgumentHelp("The token ends at this time: a date, or RFC 3339.", valueName: "time"))
  var until: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard !name.isEmpty, name.utf8.count <= 128 else { throw ValidationError("expected a name of 1 to 128 bytes") }
    let known = AccessList.Role.allCases.map(\.rawValue)
    for role in names where !known.contains(role) {
      throw ValidationError("--roles \(role): expected one of \(known.joined(separator: ", "))")
    }
    if let until, RFC3339.milliseconds(until) == nil {
      throw ValidationError("--until \(until): expected a date, or an RFC 3339 time")
    }
  }

  private var names: [String] {
    roles.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
  }

  func run() async throws {
    let token = AccessToken.make()
    var line = JSONWriter()
    line.object { json in
      json.member("name", name)
      json.member("token_sha256", AccessToken.hash(token))
      json.key("roles")
      json.array { array in for role in names { array.string(role) } }
      if let until { json.member("until", until) }
    }
    let text = String(decoding: line.bytes, as: UTF8.self)
    // What does not read back is not given out.
    _ = try AccessList(yaml: "principals:\n  - \(text)\n", file: "principals")
    switch output {
    case .table:
      try StandardOutput.writeLine("token: \(token)")
      try StandardOutput.writeLine("line of the access file, below `principals:`")
      try StandardOutput.writeLine("  - \(text)")
    case .json:
      var writer = JSONWriter()
      writer.object { json in
        json.member("token", token)
        json.key("principal")
        json.raw(line.bytes)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}

struct AccessCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read an access file, and say who may do what.",
    discussion: "Exit codes: 0 it is good; 1 it is not; 2 wrong usage.")

  @Argument(help: ArgumentHelp("The access file.", valueName: "file")) var file: String

  func run() async throws {
    let list = try AccessFile.read(file)
    var table = Table([("principal", .left), ("roles", .left), ("until", .left)])
    for principal in list.principals {
      let roles = AccessList.Role.allCases.filter(principal.roles.contains).map(\.rawValue)
      table.append([
        principal.name, roles.joined(separator: ", "),
        principal.untilMilliseconds.map { RFC3339.text(milliseconds: $0) } ?? "",
      ])
    }
    let reading = list.reading == .open ? "whoever reaches the port may look" : "whoever looks logs in"
    try StandardOutput.writeAll(Array((table.text + "\(reading)\n").utf8))
  }
}
