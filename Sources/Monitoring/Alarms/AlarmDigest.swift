internal import Core
internal import Drift

/// What became of an alarm in a window.
package enum AlarmChange: Sendable, Equatable {
  case opened
  /// Outside its limits as it was.
  case ongoing
  /// Another cause, more severe, or no longer muted.
  case escalated(String)

  package var name: String {
    switch self {
    case .opened: "opened"
    case .ongoing: "ongoing"
    case .escalated: "escalated"
    }
  }

  /// Of an event's id: an alarm may be opened and told anew in one window each.
  var suffix: String { if case .escalated = self { "/escalated" } else { "" } }
}

/// An alarm that is over, and why.
package struct ResolvedAlarm: Sendable, Equatable {
  package var life: AlarmLife
  package var reason: String
  package var isOfLabels = false
}

/// What somebody who comes to work wants to know of a day.
package struct AlarmDigest: Sendable, Equatable {
  /// Windows that were judged.
  package var windowCount: Int
  /// At the end of the day, the worst one first.
  package var open: [AlarmLife]
  /// Of alarms that were opened and escalated during the day.
  package var openedIDs: [String]
  package var escalatedIDs: [String]
  package var resolved: [ResolvedAlarm]
  package var commonCause: CommonCause?
  package var isOfLabels = false
}

/// What most of the alarms that are open have in common: where to look first.
package struct CommonCause: Sendable, Equatable {
  /// From what explains most to what explains least.
  package enum Kind: String, Sendable, CaseIterable {
    /// One sender of events accounts for most of them.
    case producer
    /// They are the same defect of the data: the name is its class.
    case defect
    /// They are made from another source than the model's events.
    case source
    /// One part of the rows accounts for most of them.
    case segment
    /// They are made from the same field.
    case field
  }

  package var kind: Kind
  package var name: String
  package var features: [String]

  /// A part of the rows explains an alarm when it accounts for at least so much of it.
  private static let leastShare = 0.5

  /// - Returns: nil unless it is common to at least two alarms, and to more than half of them.
  init?(of lives: [AlarmLife], _ definition: MonitorDefinition) {
    // A prediction is made from everything, and says nothing about where a change begins.
    let roots = lives.filter { $0.feature != MonitorDefinition.predictionColumn }
    var features: [Kind: [String: [String]]] = [:]
    for life in roots {
      for (kind, name) in Self.traits(of: life, definition) {
        features[kind, default: [:]][name, default: []].append(life.feature)
      }
    }
    var best: CommonCause?
    for kind in Kind.allCases {
      for (name, found) in (features[kind] ?? [:]).sorted(by: { $0.key < $1.key })
      where found.count >= 2 && found.count * 2 > roots.count && found.count > best?.features.count ?? 0 {
        best = CommonCause(kind: kind, name: name, features: found.sorted())
      }
    }
    guard let best else { return nil }
    self = best
  }

  private init(kind: Kind, name: String, features: [String]) {
    self.kind = kind
    self.name = name
    self.features = features
  }

  private static func traits(of life: AlarmLife, _ definition: MonitorDefinition) -> [(Kind, String)] {
    var traits: [(Kind, String)] = []
    for (kind, parts) in [(Kind.producer, life.newest.producers), (.segment, life.newest.segments)] {
      traits += parts.filter { $0.share >= leastShare }.map { (kind, $0.name) }
    }
    if life.newest.isDataBug { traits.append((.defect, life.newest.cause)) }
    guard let origin = definition.origin(of: life.feature) else { return traits }
    if let source = origin.otherSource { traits.append((.source, source)) }
    return traits + origin.fields.map { (.field, $0) }
  }

  /// `8 features are made from departed.dep_delay`.
  package var text: String {
    let count = "\(features.count) features"
    return switch kind {
    case .producer: "\(name) accounts for most of \(count)"
    case .defect: "\(count) have the same defect of the data: \(name)"
    case .source: "\(count) are made from source \(name)"
    case .segment: "\(name) accounts for most of \(count)"
    case .field: "\(count) are made from \(name)"
    }
  }
}
