/// The windows of one monitor that are over, as far as policies ask for them: which rang in a row, why, and since when
/// the data is broken.
///
/// A value: told the same events it says the same, so a reader that begins anew comes to where the last one was.
struct MonitorWindows: Sendable {
  struct Alarm: Sendable, Equatable {
    var eventID: String
    var feature: String
    var cause: String
    var isDataBug: Bool
    var referenceVersions: Set<Int> = []
  }

  struct Window: Sendable, Equatable {
    var startMilliseconds: Int64
    var endMilliseconds: Int64
    var versions: Set<Int> = []
    /// Alarms that are still to come; they follow their window.
    var expected: Int
    var alarms: [Alarm] = []

    var hasDataBug: Bool { alarms.contains(where: \.isDataBug) }
  }

  /// Windows that rang in a row, from the first one with a defect of the data on.
  struct DataBug: Sendable, Equatable {
    var sinceMilliseconds: Int64
    var untilMilliseconds: Int64
    /// Of the newest window that has some.
    var alarms: [Alarm]
  }

  enum Lane: String { case drift, performance }

  /// Oldest first; one that does not ring empties them.
  private var drift: [Window] = []
  private var performance: [Window] = []
  /// The end of the newest window that did not ring, in each lane.
  private var cleanDriftEnd = Int64.min
  private var cleanPerformanceEnd = Int64.min
  private(set) var firstStart = Int64.max
  private(set) var newestEnd = Int64.min
  /// Those that are over, oldest first: what performance was comes to be known later.
  private var pastBugs: [DataBug] = []

  /// More windows in a row than a policy can ask for.
  private static let windowsMax = 1_000
  private static let pastBugsMax = 100

  mutating func take(_ event: DriftEvent) {
    if case .ignored = event.content { return }
    firstStart = min(firstStart, event.startMilliseconds)
    newestEnd = max(newestEnd, event.endMilliseconds)
    switch event.content {
    case .ignored: return
    case .window(let alarms):
      settle()
      // Told again: what is known of it already counts.
      guard event.endMilliseconds > drift.last?.endMilliseconds ?? .min, event.endMilliseconds > cleanDriftEnd else {
        return
      }
      drift.append(Window(event, expected: alarms))
      if alarms == 0 { settle() }
    case .alarm(let feature, let cause, let isDataBug, let isMuted, let referenceVersions):
      guard let last = drift.indices.last, drift[last].endMilliseconds == event.endMilliseconds else { return }
      guard !drift[last].alarms.contains(where: { $0.eventID == event.id }) else { return }
      drift[last].expected -= 1
      if !isMuted {
        drift[last].alarms.append(
          Alarm(
            eventID: event.id, feature: feature, cause: cause, isDataBug: isDataBug,
            referenceVersions: referenceVersions))
      }
      if drift[last].expected <= 0 { settle() }
    case .performance(let bounds):
      guard event.endMilliseconds > max(performance.last?.endMilliseconds ?? .min, cleanPerformanceEnd) else { return }
      if bounds.isEmpty {
        performance = []
        cleanPerformanceEnd = event.endMilliseconds
        return
      }
      var window = Window(event, expected: 0)
      window.alarms = bounds.map { Alarm(eventID: event.id, feature: $0, cause: "performance", isDataBug: false) }
      performance.append(window)
    }
    if drift.count > Self.windowsMax { drift.removeFirst(drift.count - Self.windowsMax) }
    if performance.count > Self.windowsMax { performance.removeFirst(performance.count - Self.windowsMax) }
  }

  /// Everything that is there was read: no more alarms of the newest window are on their way.
  mutating func settle() {
    guard let last = drift.last else { return }
    guard last.alarms.isEmpty else {
      drift[drift.count - 1].expected = 0
      return
    }
    if let bug = presentBug {
      pastBugs.append(bug)
      if pastBugs.count > Self.pastBugsMax { pastBugs.removeFirst() }
    }
    cleanDriftEnd = max(cleanDriftEnd, last.endMilliseconds)
    drift = []
  }

  /// The windows that rang in a row and end last, those aside that end at `after` or earlier.
  func ringing(_ lane: Lane, after: Int64) -> [Window] {
    let windows = lane == .drift ? drift : performance
    return windows.filter { $0.endMilliseconds > after && $0.expected <= 0 && !$0.alarms.isEmpty }
  }

  /// The defect that is there until a window is clean; whatever rings beside it may come from it.
  var presentBug: DataBug? {
    guard let first = drift.first(where: \.hasDataBug), let newest = drift.last(where: \.hasDataBug) else { return nil }
    // A window that is clean ends it, and is none of it.
    let last = drift.last { !$0.alarms.isEmpty } ?? newest
    return DataBug(
      sinceMilliseconds: first.startMilliseconds, untilMilliseconds: last.endMilliseconds,
      alarms: newest.alarms.filter(\.isDataBug))
  }

  /// The newest defect that falls into some time.
  func bug(from start: Int64, to end: Int64) -> DataBug? {
    (pastBugs + (presentBug.map { [$0] } ?? [])).last { $0.sinceMilliseconds < end && $0.untilMilliseconds > start }
  }
}

extension MonitorWindows.Window {
  fileprivate init(_ event: DriftEvent, expected: Int) {
    self.init(
      startMilliseconds: event.startMilliseconds, endMilliseconds: event.endMilliseconds, versions: event.versions,
      expected: expected)
  }
}
