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
    var alarms: [Alarm]

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
      // An alarm that goes on counts in each of its windows, though somebody was told of it once.
      let ringing = alarms.filter { !$0.isMuted }.map {
        Alarm(
          eventID: $0.id, feature: $0.feature, cause: $0.cause, isDataBug: $0.isDataBug,
          referenceVersions: $0.referenceVersions)
      }
      if ringing.isEmpty, event.endMilliseconds > max(drift.last?.endMilliseconds ?? .min, cleanDriftEnd),
        let bug = presentBug
      {
        pastBugs.append(bug)
        if pastBugs.count > Self.pastBugsMax { pastBugs.removeFirst() }
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
      Window(
        startMilliseconds: event.startMilliseconds, endMilliseconds: event.endMilliseconds, versions: event.versions,
        alarms: alarms))
    if windows.count > windowsMax { windows.removeFirst(windows.count - windowsMax) }
  }

  /// The windows that rang in a row and end last, those aside that end at `after` or earlier.
  func ringing(_ lane: Lane, after: Int64) -> [Window] {
    (lane == .drift ? drift : performance).filter { $0.endMilliseconds > after }
  }

  /// The defect that is there until a window is clean; whatever rings beside it may come from it.
  var presentBug: DataBug? {
    guard let first = drift.first(where: \.hasDataBug), let newest = drift.last(where: \.hasDataBug) else { return nil }
    return DataBug(
      sinceMilliseconds: first.startMilliseconds,
      untilMilliseconds: drift.last?.endMilliseconds ?? newest.endMilliseconds,
      alarms: newest.alarms.filter(\.isDataBug))
  }

  /// The newest defect that falls into some time.
  func bug(from start: Int64, to end: Int64) -> DataBug? {
    (pastBugs + (presentBug.map { [$0] } ?? [])).last { $0.sinceMilliseconds < end && $0.untilMilliseconds > start }
  }
}
