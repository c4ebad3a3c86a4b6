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
    /// Alarms that are still to come; they follow their window.
    var expected: Int
    var alarms: [Alarm] = []
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
      settle()
      // Told again: what is known of it already counts.
      guard event.endMilliseconds > drift.last?.endMilliseconds ?? .min, event.endMilliseconds > cleanDriftEnd else {
        return
      }
      drift.append(
        Window(
          startMilliseconds: event.startMilliseconds, endMilliseconds: event.endMilliseconds, expected: alarms))
      if alarms == 0 { settle() }
    case .alarm(let feature, let cause, let isDataBug, let isMuted):
      guard let last = drift.indices.last, drift[last].endMilliseconds == event.endMilliseconds else { return }
      guard !drift[last].alarms.contains(where: { $0.eventID == event.id }) else { return }
      drift[last].expected -= 1
      if !isMuted {
        drift[last].alarms.append(Alarm(eventID: event.id, feature: feature, cause: cause, isDataBug: isDataBug))
      }
      if drift[last].expected <= 0 { settle() }
    case .performance(let bounds):
      guard event.endMilliseconds > max(performance.last?.endMilliseconds ?? .min, cleanPerformanceEnd) else { return }
      if bounds.isEmpty {
        performance = []
        cleanPerformanceEnd = event.endMilliseconds
        return
      }
      var window = Window(
        startMilliseconds: event.startMilliseconds, endMilliseconds: event.endMilliseconds, expected: 0)
      window.alarms = bounds.map {
        Alarm(eventID: event.id, feature: $0, cause: "performance", isDataBug: false)
      }
      performance.append(window)
    }
    if drift.count > Self.windowsMax { drift.removeFirst(drift.count - Self.windowsMax) }
    if performance.count > Self.windowsMax { performance.removeFirst(performance.count - Self.windowsMax) }
  }

  /// Everything that is there was read: no more alarms of the newest window are on their way.
  mutating func settle() {
    guard let last = drift.last else { return }
    if last.alarms.isEmpty {
      cleanDriftEnd = max(cleanDriftEnd, last.endMilliseconds)
      drift = []
    } else {
      drift[drift.count - 1].expected = 0
    }
  }

  /// The windows that rang in a row and end last, those aside that end at `after` or earlier.
  func ringing(_ lane: Lane, after: Int64) -> [Window] {
    let windows = lane == .drift ? drift : performance
    return windows.filter { $0.endMilliseconds > after && $0.expected <= 0 && !$0.alarms.isEmpty }
  }

  func cleanEnd(_ lane: Lane) -> Int64 { lane == .drift ? cleanDriftEnd : cleanPerformanceEnd }

  enum Lane { case drift, performance }
}
