internal import ArgumentParser
internal import Contracts
internal import Core
internal import Cost
internal import OfflineStore

/// Where usage comes from: a worker that runs, or what workers have written down.
struct UsageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A worker's HTTP server: what it used since it started. (HEADRACE_SERVER; default: 127.0.0.1:6566)",
      valueName: "host:port"))
  var server: String?
  @OptionGroup var login: TokenOptions
  @OptionGroup var place: TableOptions
  @Option(
    help: ArgumentHelp(
      "With --data or --tables: what was used since: a date, an RFC 3339 time, or a duration such as 24h.",
      valueName: "time"))
  var since: String?

  private static let timeoutMilliseconds: Int64 = 10_000

  func validate() throws {
    guard server == nil || !place.isGiven else { throw ValidationError("--server and --data: expected one of both") }
    if let since {
      guard place.isGiven else { throw ValidationError("--since needs --data or --tables: a worker knows no past") }
      guard Self.milliseconds(since, now: 0) != nil else {
        throw ValidationError("--since \(since): expected a date, an RFC 3339 time, or a duration such as 24h")
      }
    }
  }

  /// Spans of usage, each of one process.
  func spans() async throws -> (spans: [UsageReport], curve: BatchCurve, features: [FeatureUse]) {
    guard place.isGiven else {
      let address = server ?? Environment["SERVER"] ?? "127.0.0.1:6566"
      let client = ServerClient(
        address, token: try login.token(), timeoutMilliseconds: Self.timeoutMilliseconds)
      let answer = try CostAnswer(json: try await client.get("/api/cost"), place: address)
      return ([answer.usage], answer.curve, answer.features)
    }
    let since = since.flatMap { Self.milliseconds($0, now: WallClock.system.nowMilliseconds) }
    let spans = try UsageTable.read(try place.store(), sinceMilliseconds: since)
    guard !spans.isEmpty else {
      throw HeadraceError(
        .user, "USAGE_MISSING", "nothing is written down of that time", place: UsageTable.name,
        remedy: "workers with tables write it once a minute (--usage-interval)")
    }
    return (spans, BatchCurve(points: []), [])
  }

  private static func milliseconds(_ text: String, now: Int64) -> Int64? {
    RFC3339.milliseconds(text) ?? Quantity.milliseconds(text).map { now - $0 }
  }
}
