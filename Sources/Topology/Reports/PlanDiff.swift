internal import Contracts
internal import Core

/// What changes when a plan takes the place of another, and whether that may happen.
///
/// A change is refused when somebody who relies on what runs would get something else without asking for it: a service
/// keeps its promise as long as its name lives, and state is never read under a key that it was not built for.
package struct PlanDiff: Sendable {
  package enum Kind: String, Sendable { case added, changed, removed }

  package enum Verdict: String, Sendable, Comparable {
    /// Takes effect at the switch; nothing is rebuilt.
    case safe
    /// State is built from the log, or the archive, beside what runs; then it splices in.
    case builds
    /// State is dropped after the switch.
    case drops
    /// Not while what runs is in use.
    case refused

    package static func < (left: Verdict, right: Verdict) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .safe: 0
      case .builds: 1
      case .drops: 2
      case .refused: 3
      }
    }
  }

  package struct Change: Sendable, Equatable {
    package var kind: Kind
    /// ``view `carrier_departures` ``.
    package var subject: String
    package var verdict: Verdict
    /// What is different, and why the verdict is what it is.
    package var reason: String
    package var remedy: String?
  }

  /// Sources, views, services, then the rest; refused ones are among them.
  package let changes: [Change]

  package var isEmpty: Bool { changes.isEmpty }
  package var isRefused: Bool { changes.contains { $0.verdict == .refused } }

  /// Names of views whose state is built anew.
  package let building: [String]

  /// - Parameters:
  ///   - old: what runs; nil when nothing does.
  ///   - retired: services that nobody uses any more, as somebody said explicitly.
  package init(old: Plan?, new: Plan, retired: Set<String> = []) {
    guard let old else {
      changes = Self.everythingNew(new)
      building = new.views.map(\.name)
      return
    }
    var comparison = PlanComparison(old: old, new: new, retired: retired)
    comparison.compare()
    changes = comparison.changes
    building = comparison.building
  }

  private static func everythingNew(_ plan: Plan) -> [Change] {
    plan.sources.map {
      Change(kind: .added, subject: "source `\($0.name)`", verdict: .safe, reason: "reads \($0.topic)")
    }
      + plan.views.map {
        Change(
          kind: .added, subject: "view `\($0.name)`", verdict: .builds, reason: "builds from the beginning of the log")
      }
      + plan.services.map {
        Change(
          kind: .added, subject: "service `\($0.name)`", verdict: .safe,
          reason: "\($0.features.count) features; they are frozen from now on")
      }
  }
}
