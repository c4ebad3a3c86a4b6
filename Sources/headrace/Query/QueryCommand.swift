internal import ArgumentParser
internal import Contracts
internal import Core

struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Read features of a view from a running Headrace.",
    discussion: """
      Windows end at the wall clock, as for an application. --as-of reads at another time: an RFC 3339 time, a date, \
      epoch milliseconds, or latest: the time of the newest event. Values of a past time are exact where no newer \
      event lies in the same tile; a note on stderr says when one does, and when the newest event is long gone.

      A key of several parts has commas between them (JFK,LAX), or is a JSON list (["a,b","c"]). --output json prints \
      one object a line, one line a key. Exit codes: 0 done; 1 refused; 2 wrong usage; 3 the server is unreachable.
      """)

  @Argument(help: "The view.") var view: String
  @Argument(help: ArgumentHelp("Keys of its entity.", valueName: "key")) var keys: [String]
  @Option(
    help: ArgumentHelp("The time to read at: RFC 3339, a date, epoch milliseconds, now or latest.", valueName: "time"))
  var asOf = ReadPosition.now
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Only these features. Default: all.", valueName: "feature"))
  var features: [String] = []
  @Option(
    help: ArgumentHelp("The HTTP server. (HEADRACE_SERVER; default: 127.0.0.1:6566)", valueName: "host:port"))
  var server: String?
  @OptionGroup var login: TokenOptions
  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "duration")) var timeout = "10s"
  @Option(help: "table or json.") var output = OutputFormat.table

  private var address: String { server ?? Environment["SERVER"] ?? "127.0.0.1:6566" }

  func validate() throws {
    _ = try HostAndPort.parse(address, flag: "--server")
    guard let milliseconds = Quantity.milliseconds(timeout), milliseconds > 0 else {
      throw ValidationError("--timeout \(timeout): expected a duration such as 500ms or 10s")
    }
    guard !keys.isEmpty else { throw ValidationError("a key is missing: headrace query \(view) KEY") }
  }

  func run() async throws {
    let client = ServerClient(
      address, token: try login.token(), timeoutMilliseconds: Quantity.milliseconds(timeout) ?? 10_000)
    let catalog = try ViewCatalog(try await client.get("/api/views"))
    let known = try catalog.view(named: view)
    let wanted = features.isEmpty ? known.features : features
    if let wrong = wanted.first(where: { !known.features.contains($0) }) {
      throw HeadraceError(
        .user, "NO_SUCH_FEATURE", "there is no feature \(wrong)", place: view,
        remedy: "one of \(known.features.joined(separator: ", "))")
    }
    let entities = try keys.map { try EntityArgument.parse($0, joinKeys: known.joinKeys) }
    let body = Self.request(view: view, features: wanted, joinKeys: known.joinKeys, entities, at: asOf)
    let answer = try QueryAnswer(
      try await client.post("/get-online-features", body), keys: entities, view: view, features: wanted)
    switch output {
    case .table: try StandardOutput.writeAll(Array(answer.table.utf8))
    case .json: try StandardOutput.writeAll(answer.json(view: view, joinKeys: known.joinKeys))
    }
    var notes = answer.notes
    if asOf == .latest, let note = answer.noteOnLatest(nowMilliseconds: WallClock.system.nowMilliseconds) {
      notes.append(note)
    }
    for note in notes { StandardError.write("note: \(note)") }
  }

  static func request(
    view: String, features: [String], joinKeys: [String], _ entities: [[String]], at position: ReadPosition
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("features")
      writer.array { writer in for feature in features { writer.string("\(view):\(feature)") } }
      writer.key("entities")
      writer.object { writer in
        for (index, name) in joinKeys.enumerated() {
          writer.key(name)
          writer.array { writer in for entity in entities { writer.string(entity[index]) } }
        }
      }
      writer.key("full_feature_names")
      writer.boolean(true)
      writer.key("as_of")
      switch position {
      case .now: writer.string("now")
      case .latest: writer.string("latest")
      case .time(let milliseconds): writer.number(milliseconds)
      }
    }
    return writer.bytes
  }
}

/// When a view is read.
enum ReadPosition: ExpressibleByArgument, Equatable, Sendable {
  case now
  case latest
  /// Epoch milliseconds.
  case time(Int64)

  init?(argument: String) {
    switch argument {
    case "now": self = .now
    case "latest": self = .latest
    default:
      guard let milliseconds = Int64(argument) ?? RFC3339.milliseconds(argument), milliseconds > 0 else { return nil }
      self = .time(milliseconds)
    }
  }

  var defaultValueDescription: String {
    switch self {
    case .now: "now"
    case .latest: "latest"
    case .time(let milliseconds): RFC3339.text(milliseconds: milliseconds)
    }
  }
}
