internal import Core

/// Where the events of a replay come from, in the order of their times.
protocol LoopFeed: AnyObject {
  /// Hands over all events that are known before a time and were not handed over yet.
  func append(before endMilliseconds: Int64, to sink: LoopSink) throws
  /// Hands over what is left: labels of the last events.
  func appendRest(to sink: LoopSink) throws
}

/// Payments of the generator, and their outcomes when they are known.
final class LoopPayments: LoopFeed {
  private let generator: PaymentsGenerator
  private let count: Int64
  private var next: Int64 = 0
  /// Outcomes that are not known yet.
  private var pending: [PaymentOutcome] = []
  private var bytes: [UInt8] = []

  static let paymentsPerDay: Double = 2_400

  init(_ scenario: LoopScenario, seed: UInt64) {
    let milliseconds = Double(scenario.range.upperBound - scenario.range.lowerBound)
    var settings = PaymentsGenerator.Settings()
    settings.seed = seed
    settings.users = 400
    settings.merchants = 200
    settings.startMilliseconds = scenario.range.lowerBound
    settings.eventsPerSecond = Self.paymentsPerDay / 86_400
    settings.drift = .init(
      beginning: .milliseconds(scenario.comparedFrom - scenario.range.lowerBound), amountFactor: 3)
    settings.outcomes = .init()
    generator = PaymentsGenerator(settings)
    count = Int64(milliseconds / 1_000 * settings.eventsPerSecond)
  }

  func append(before endMilliseconds: Int64, to sink: LoopSink) throws {
    while next < count, generator.arrivalMilliseconds(next) < endMilliseconds {
      bytes.removeAll(keepingCapacity: true)
      let event = generator.append(next, to: &bytes)
      try sink.append(
        to: "payments", bytes, key: event.key, value: bytes.indices, timestampMilliseconds: event.arrivalMilliseconds)
      if let outcome = generator.outcome(next) { pending.append(outcome) }
      next += 1
    }
    let known = pending.filter { $0.timeMilliseconds < endMilliseconds }
    pending.removeAll { $0.timeMilliseconds < endMilliseconds }
    for outcome in known.sorted(by: { ($0.timeMilliseconds, $0.number) < ($1.timeMilliseconds, $1.number) }) {
      bytes.removeAll(keepingCapacity: true)
      let key = outcome.append(to: &bytes)
      try sink.append(
        to: "payments.outcomes", bytes, key: key, value: bytes.indices,
        timestampMilliseconds: outcome.timeMilliseconds)
    }
  }

  func appendRest(to sink: LoopSink) throws { try append(before: .max, to: sink) }
}

/// Flights out of files of events, JSON Lines that are packed or not.
final class LoopFlights: LoopFeed {
  private let files: [LoopEventFile]

  /// - Parameter folder: holds `departures.jsonl.gz` and `arrivals.jsonl.gz`.
  init(_ scenario: LoopScenario, folder: String) throws(HeadraceError) {
    let paths = Self.paths(folder: folder)
    let end = scenario.range.upperBound
    files = [
      try LoopEventFile(path: paths[0], topic: "flights.departures", key: "carrier", time: "ts", endMilliseconds: end),
      // Who left on the last day lands on the next one.
      try LoopEventFile(
        path: paths[1], topic: "flights.arrivals", key: "carrier", time: "ts",
        endMilliseconds: end + LoopScenario.dayMilliseconds),
    ]
  }

  static func paths(folder: String) -> [String] {
    ["departures", "arrivals"].map { "\(folder)/\($0).jsonl.gz" }
  }

  func append(before endMilliseconds: Int64, to sink: LoopSink) throws {
    for file in files { try file.append(before: endMilliseconds, to: sink) }
  }

  func appendRest(to sink: LoopSink) throws { try append(before: .max, to: sink) }
}
