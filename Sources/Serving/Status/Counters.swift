internal import Synchronization

/// A number that threads add to.
final class Counter: Sendable {
  private let number = Atomic<Int64>(0)

  var value: Int64 { number.load(ordering: .relaxed) }

  func add(_ amount: Int64 = 1) { number.add(amount, ordering: .relaxed) }
}

/// How long things took: a count for each range of durations, and their sum.
final class DurationHistogram: Sendable {
  /// Upper bounds in microseconds; one more bucket takes what is above.
  static let boundsMicroseconds: [Int64] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
  ]

  private let buckets = (0...DurationHistogram.boundsMicroseconds.count).map { _ in Counter() }
  private let sumNanoseconds = Counter()

  func record(nanoseconds: Int64) {
    let microseconds = nanoseconds / 1_000
    var bucket = 0
    while bucket < Self.boundsMicroseconds.count, microseconds > Self.boundsMicroseconds[bucket] { bucket += 1 }
    buckets[bucket].add()
    sumNanoseconds.add(nanoseconds)
  }

  /// Counts from the lowest range up, not yet summed.
  var counts: [Int64] { buckets.map(\.value) }
  var sumSeconds: Double { Double(sumNanoseconds.value) / 1e9 }
}

/// What the server counts about itself.
final class ServerCounters: Sendable {
  /// What answers are counted under, so that nobody outside can make up a new label.
  enum Outcome: Int, CaseIterable, Sendable {
    case ok, clientError, tooMany, serverError, overloaded

    init(status: Int) {
      switch status {
      case 429: self = .tooMany
      case 503: self = .overloaded
      case ..<400: self = .ok
      case ..<500: self = .clientError
      default: self = .serverError
      }
    }

    var label: String {
      switch self {
      case .ok: "ok"
      case .clientError: "client_error"
      case .tooMany: "too_many_requests"
      case .serverError: "server_error"
      case .overloaded: "unavailable"
      }
    }
  }

  struct OfRoute: Sendable {
    let byOutcome = Outcome.allCases.map { _ in Counter() }
    let duration = DurationHistogram()

    func count(_ outcome: Outcome) -> Int64 { byOutcome[outcome.rawValue].value }
  }

  /// In the order of `Route.allCases`.
  private let routes = Route.allCases.map { _ in OfRoute() }
  /// Requests for addresses or methods that there are not.
  let unrouted = Counter()
  let entityRows = Counter()
  let presentValues = Counter()
  let nullValues = Counter()
  let notFoundValues = Counter()
  let expiredValues = Counter()
  let pushedEvents = Counter()
  let refusedEvents = Counter()

  func of(_ route: Route) -> OfRoute { routes[route.rawValue] }

  func answered(_ route: Route?, status: Int, nanoseconds: Int64) {
    guard let route else { return unrouted.add() }
    let counters = of(route)
    counters.byOutcome[Outcome(status: status).rawValue].add()
    counters.duration.record(nanoseconds: nanoseconds)
  }

  func add(_ counts: StatusCounts, rows: Int) {
    entityRows.add(Int64(rows))
    presentValues.add(Int64(counts.present))
    if counts.nullValue > 0 { nullValues.add(Int64(counts.nullValue)) }
    if counts.notFound > 0 { notFoundValues.add(Int64(counts.notFound)) }
    if counts.outsideMaxAge > 0 { expiredValues.add(Int64(counts.outsideMaxAge)) }
  }
}
