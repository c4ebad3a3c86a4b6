internal import ArgumentParser
internal import Contracts
internal import Core
internal import Kafka

struct GeneratePayments: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "payments",
    abstract: "Make up card payments, for topologies/payments.yaml.",
    discussion: """
      JSON objects of about 165 bytes, to a topic with the user as the key, or with --stdout as lines. Users and \
      merchants follow Zipf laws, amounts a log-normal law. A record's timestamp is when its event arrives; event \
      times (ts) lie up to 5 s before that, those of late events 10 s to 2 min more.

      The same settings, seed and --start give the same bytes on every machine. Event times follow the rate, not the \
      clock. With --rate 0 they are --event-rate a second and end now, unless --start says otherwise.

      Examples:
        headrace generate payments --rate 2k --count 100k
        headrace generate payments --rate 500 --drift 10m:1.5 --duplicate-share 0.01 --invalid-share 0.001
        headrace generate payments --rate 0 --count 1M --stdout > payments.jsonl

      A topic that does not exist is made, and keeps its records for ever (retention.ms=-1). Ctrl-C ends it; what was \
      acknowledged goes to stdout.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  @Option(help: "The topic to publish to.", transform: TopicName.parse) var topic = "payments"

  @Flag(help: "Write JSON Lines to stdout instead of publishing.") var stdout = false

  @Option(help: ArgumentHelp("Events a second, such as 500, 20k; 0 is as fast as possible.", valueName: "n/s"))
  var rate = EventRate(perSecond: 1_000)

  @Option(help: ArgumentHelp("How many events, such as 100k, 1M. Default: no end.", valueName: "n"))
  var count: EventCount?

  @Option(help: ArgumentHelp("Other seeds give other events.", valueName: "n")) var seed: UInt64 = 7

  @Option(help: ArgumentHelp("How many users there are, such as 100k.", valueName: "n"))
  var users = EventCount(count: 100_000)

  @Option(help: ArgumentHelp("How many merchants there are.", valueName: "n")) var merchants = EventCount(count: 5_000)

  @Option(help: ArgumentHelp("The share of events that arrive 10 s to 2 min late.", valueName: "0...1"))
  var lateShare = 0.01

  @Option(help: ArgumentHelp("The share of events that are an earlier one once more.", valueName: "0...1"))
  var duplicateShare = 0.0

  @Option(help: ArgumentHelp("The share of events that break their contract.", valueName: "0...1"))
  var invalidShare = 0.0

  @Option(
    help: ArgumentHelp(
      "Amounts so many times larger (default 1.3), more payments by web: after so many events or so much time.",
      valueName: "50k|10m[:factor]"))
  var drift: DriftOption?

  @Option(
    help: ArgumentHelp(
      "When the first event arrives: RFC 3339, a day, or epoch milliseconds. Default: now.", valueName: "time"))
  var start: StartTime?

  @Option(help: ArgumentHelp("With --rate 0: events a second of event time.", valueName: "n/s"))
  var eventRate = EventRate(perSecond: 1_000)

  @Option(help: "How many partitions a topic that is made gets. Default: 1.") var partitions: Int32?

  @Option(help: "How the result is printed: table or json.") var output = OutputFormat.table

  func validate() throws {
    for (name, share) in [("late", lateShare), ("duplicate", duplicateShare), ("invalid", invalidShare)]
    where !(0...1).contains(share) {
      throw ValidationError("--\(name)-share \(share): expected a number from 0 to 1")
    }
    if duplicateShare + invalidShare > 1 {
      throw ValidationError("--duplicate-share and --invalid-share are \(duplicateShare + invalidShare) together")
    }
    for (name, number) in [("users", users.count), ("merchants", merchants.count)]
    where !(1...10_000_000).contains(number) {
      throw ValidationError("--\(name) \(number): expected 1 to 10M")
    }
    if let partitions, partitions < 1 { throw ValidationError("--partitions \(partitions): expected at least 1") }
    if eventRate.perSecond == 0 { throw ValidationError("--event-rate 0: expected more") }
    if rate.perSecond == 0 && count == nil && start == nil {
      throw ValidationError("--rate 0 needs --count, so that event times end now, or --start")
    }
  }

  func run() async throws {
    let generator = PaymentsGenerator(settings(nowMilliseconds: WallClock.system.nowMilliseconds))
    let stop = try TerminationSignal.watch()
    let pace: Pacer.Pace = rate.perSecond > 0 ? .rate(recordsPerSecond: rate.perSecond) : .unlimited
    let thread = try BlockingThread(name: "generate")
    let status: ExitStatus
    if stdout {
      let lines = GeneratedLines(generator, count: count?.count, pace: pace, stop)
      status = try await thread.run { try lines.run() }
    } else {
      let plan = Publication.Plan(
        topic: topic, files: [], format: nil, key: nil, eventTime: nil, eventTimeUnit: .milliseconds, pace: pace,
        partitionCount: partitions, partitioner: .murmur2, compression: .lz4, skipsFaults: false, output: output)
      let client = try connection.clientConfiguration()
      let target = try await PublishTarget.prepare(plan, Admin(client))
      let count = count?.count
      status = try await thread.run { try GeneratedRecords(generator, count: count, plan, target, client, stop).run() }
    }
    guard status == .success else { throw Ended(status: status) }
  }

  func settings(nowMilliseconds: Int64) -> PaymentsGenerator.Settings {
    var settings = PaymentsGenerator.Settings()
    settings.seed = seed
    settings.users = Int(users.count)
    settings.merchants = Int(merchants.count)
    settings.lateShare = lateShare
    settings.duplicateShare = duplicateShare
    settings.invalidShare = invalidShare
    settings.drift = drift?.drift
    settings.eventsPerSecond = rate.perSecond > 0 ? rate.perSecond : eventRate.perSecond
    let length = rate.perSecond > 0 ? 0 : Double(count?.count ?? 0) / settings.eventsPerSecond * 1_000
    settings.startMilliseconds = start?.milliseconds ?? nowMilliseconds - Int64(min(length, Double(nowMilliseconds)))
    return settings
  }
}
