/// The windows of one monitor that are over, as far as policies ask for them: which rang in a row, and why.
///
/// A value: told the same events it says the same, so a reader that begins anew comes to where the last one was.
struct MonitorWindows: Sendable {
  struct Alarm: Sendable, Equatable {
    var eventID: String
    var feature: String
    var cause: String
    var isDataBug: Bool
  }

  struct Window: Sendable, Equatable {
    var startMilliseconds: Int64
    var endMilliseconds: Int64
    var alarms: [Alarm]
  }

  /// Oldest first; one that does not ring empties them.
  private var drift: [Window] = []
  private var performance: [Window] = []
  /// The end of the newest window that did not ring, in each lane.
  private(set) var cleanDriftEnd = Int64.min
  private(set) var cleanPerformanceEnd = Int64.min
  private(set) var firstStart = Int64.max
  private(set) var newestEnd = Int64.min

  /// More windows in a row than a policy can ask for.
  private static let windowsMax = 1_000

  mutating func take(_ event: DriftEvent) {
    firstStart = min(firstStart, event.startMilliseconds)
    newestEnd = max(newestEnd, event.endMilliseconds)
    switch event.content {
    case .window(let alarms):
      // An alarm that goes on counts in each of its windows, though somebody was told of it once.
      let ringing = alarms.filter { !$0.isMuted }.map {
        Alarm(eventID: $0.id, feature: $0.feature, cause: $0.cause, isDataBug: $0.isDataBug)
      }
      Self.take(event, ringing, &drift, cleanEnd: &cleanDriftEnd)
    case .performance(let bounds):
      let broken = bounds.map { Alarm(eventID: event.id, feature: $0, cause: "performance", isDataBug: false) }
      Self.take(event, broken, &performance, cleanEnd: &cleanPerformanceEnd)
    }
  }

  private static func take(_ event: DriftEvent, _ alarms: [Alarm], _ windows: inout [Window], cleanEnd: inout Int64) {
    // Told again: what is known of it already counts.
    guard event.endMilliseconds > max(windows.last?.endMilliseconds ?? .min, cleanEnd) else { return }
    guard !alarms.isEmpty else {
      windows = []
      cleanEnd = event.endMilliseconds
      return
    }
    windows.append(
      Window(startMilliseconds: event.startMilliseconds, endMilliseconds: event.endMilliseconds, alarms: alarms))
    if windows.count > windowsMax { windows.removeFirst(windows.count - windowsMax) }
  }

  /// The windows that rang in a row and end last, those aside that end at `after` or earlier.
  func ringing(_ lane: Lane, after: Int64) -> [Window] {
    (lane == .drift ? drift : performance).filter { $0.endMilliseconds > after }
  }

  func cleanEnd(_ lane: Lane) -> Int64 { lane == .drift ? cleanDriftEnd : cleanPerformanceEnd }

  enum Lane { case drift, performance }
}
