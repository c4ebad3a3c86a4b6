internal import Registry

/// Which version of a model answers, and which ones did before it: what an alarm's evidence is held against.
///
/// A promotion changes what is said without any change of the world: windows that a former version has scored say
/// nothing of the one that answers, and neither do scores that are compared with those of a former version.
struct AnsweringVersion: Sendable, Equatable {
  let current: Int?
  /// Versions that answered before, and do no more. A version on trial is none of them.
  let superseded: Set<Int>

  init(current: Int?, superseded: Set<Int>) {
    self.current = current
    self.superseded = superseded
  }

  init(_ alias: RegisteredAlias?) {
    current = alias?.version
    superseded = Set(alias?.history.compactMap(\.version) ?? []).subtracting(alias?.version.map { [$0] } ?? [])
  }

  /// The feature that is a model's own answer.
  static let prediction = "prediction"

  /// Why a window asks for nothing; nil when it counts.
  ///
  /// A defect of the data counts whoever scored the rows: people have to know of it.
  func reason(against window: MonitorWindows.Window) -> String? {
    guard !window.hasDataBug else { return nil }
    let former = window.versions.intersection(superseded)
    if !former.isEmpty { return "its predictions come from \(Self.text(former)), and \(answers)" }
    guard window.alarms.allSatisfy(isOfFormerScores), let alarm = window.alarms.first else { return nil }
    let compared = alarm.referenceVersions.intersection(superseded)
    return "its predictions are compared with those of \(Self.text(compared)), and \(answers)"
  }

  /// The alarms of a window that counts.
  func alarms(of window: MonitorWindows.Window) -> [MonitorWindows.Alarm] {
    window.alarms.filter { $0.isDataBug || !isOfFormerScores($0) }
  }

  /// Whether all that rings in a window is that another version answers than the one that the reference knows.
  func isOnlyAnotherVersion(_ window: MonitorWindows.Window) -> Bool {
    !window.versions.isEmpty && window.versions.isDisjoint(with: superseded) && !window.alarms.isEmpty
      && window.alarms.allSatisfy { !$0.isDataBug && isOfFormerScores($0) }
  }

  private func isOfFormerScores(_ alarm: MonitorWindows.Alarm) -> Bool {
    alarm.feature == Self.prediction && !alarm.referenceVersions.isDisjoint(with: superseded)
  }

  private var answers: String { current.map { "version \($0) answers now" } ?? "none answers now" }

  private static func text(_ versions: Set<Int>) -> String {
    (versions.count == 1 ? "version " : "versions ") + versions.sorted().map { "\($0)" }.joined(separator: " and ")
  }
}
