package import Registry
internal import Topology

// What is passed over, and what monitors are told.
extension PolicyWatch {
  /// A window whose alarms say nothing of the version that answers.
  package struct Ignored: Sendable, Equatable {
    package var id: String
    package var policy: Int
    package var monitor: String
    package var startMilliseconds: Int64
    package var endMilliseconds: Int64
    package var alarms: [String]
    package var reason: String
  }

  /// What triggers passed over and nobody was told of.
  package func ignored(_ registry: RegistryState) -> [Ignored] {
    plan.policies.indices.flatMap { index in
      let policy = plan.policies[index]
      let (past, answering) = (past(policy, registry), answering(policy, registry))
      return policy.triggers.flatMap { trigger -> [Ignored] in
        let lane: MonitorWindows.Lane
        let monitor: Int
        switch trigger {
        case .drift(let found, _): (lane, monitor) = (.drift, found)
        case .performance(let found, _): (lane, monitor) = (.performance, found)
        case .every, .rows, .newVersion, .contractBreach, .byHand: return []
        }
        let name = plan.monitors[monitor].name
        return (monitors[name]?.ringing(lane, after: past.coveredUntil) ?? []).compactMap { window in
          guard let reason = answering.reason(against: window) else { return nil }
          let id = "\(topology).\(policy.name)/ignored/\(name)/\(lane.rawValue)/\(window.endMilliseconds)"
          guard !ignoredIDs.contains(id) else { return nil }
          return Ignored(
            id: id, policy: index, monitor: name, startMilliseconds: window.startMilliseconds,
            endMilliseconds: window.endMilliseconds, alarms: window.alarms.map(\.eventID), reason: reason)
        }
      }
    }
  }

  /// A monitor whose reference knows the scores of a former version only.
  package struct Settlement: Sendable, Equatable {
    package var monitor: String
    package var atMilliseconds: Int64
  }

  /// Where the newest window of a monitor rings for nothing but what another version says, the monitor begins anew
  /// behind it. Told again it changes nothing.
  package func settlements(_ registry: RegistryState) -> [Settlement] {
    plan.monitors.compactMap { monitor in
      guard let policy = plan.policies.first(where: { $0.model == monitor.model }),
        let last = monitors[monitor.name]?.ringing(.drift, after: .min).last,
        answering(policy, registry).isOnlyAnotherVersion(last)
      else { return nil }
      return Settlement(monitor: monitor.name, atMilliseconds: last.endMilliseconds)
    }
  }
}
