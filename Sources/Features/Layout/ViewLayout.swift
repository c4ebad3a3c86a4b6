package import Core
internal import Expressions

/// What a view's rows look like, and all that is done to them. Immutable and shared by all threads; a row is confined
/// to one thread at a time by its owner.
package final class ViewLayout: Sendable {
  package let definition: ViewDefinition
  /// Equal for views whose rows hold the same state: inputs, aggregates, windows, lateness and ttl, not names or order.
  package let fingerprint: UInt64
  let regions: [RegionPlan]
  let tails: [WindowTail]
  let groups: [GroupPlan]
  let slots: [SlotPlan]
  let features: [FeaturePlan]
  let record: RecordPlan
  /// What the fingerprint is of.
  let canonicalText: String
  let lateness: Int64
  /// How long after its newest event a row counts; nil is for ever.
  let retention: Int64?

  /// - Throws: `FEATURE_INVALID`, with the feature's name as place, when a function does not fit its argument or its
  ///   window.
  package init(_ definition: ViewDefinition) throws(HeadraceError) {
    let planner = try LayoutPlanner(definition)
    self.definition = definition
    regions = planner.regions
    tails = planner.tails
    groups = planner.groups
    slots = planner.slots
    features = planner.features
    record = planner.record
    canonicalText = planner.canonicalText
    fingerprint = ValueHash.hash(text: planner.canonicalText)
    lateness = definition.latenessMilliseconds
    retention = Self.retention(definition)
  }

  /// `max(ttl, window + hop + lateness)` of the longest window.
  private static func retention(_ definition: ViewDefinition) -> Int64? {
    var longest = definition.ttlMilliseconds ?? 0
    for feature in definition.features {
      guard let reach = feature.window.reachMilliseconds else { return nil }
      longest = max(longest, reach.addingSaturating(definition.latenessMilliseconds))
    }
    return longest
  }

  /// How long after an event a read can still depend on it; nil is for ever, and for sessions, which have any length.
  package var reachMilliseconds: Int64? {
    let hasSessions = definition.features.contains { feature in
      if case .session = feature.window { true } else { false }
    }
    return hasSessions ? nil : retention
  }

  var layoutTag: UInt32 { UInt32(truncatingIfNeeded: fingerprint) }

  /// The name and type of every feature, in order; what is derived comes last.
  package var featureTypes: [(name: String, type: FeatureType)] {
    zip(definition.features, features).map { ($0.name, $1.type) }
      + definition.derived.map { ($0.name, FeatureType($0.expression.type)) }
  }

  /// The position of a feature for `read`.
  package func index(ofFeature name: String) -> Int? {
    if let index = definition.features.firstIndex(where: { $0.name == name }) { return index }
    return definition.derived.firstIndex { $0.name == name }.map { features.count + $0 }
  }
}

extension FeatureRow {
  /// A row without events, with room for one cell of each region.
  package init(_ layout: ViewLayout) {
    let header = Self.headerBytes(regionCount: layout.regions.count)
    let cells = layout.regions.reduce(0) { $0 + $1.cellBytes }
    self.init(layout, capacity: header + cells)
  }

  /// A row without events, with room for so many bytes.
  init(_ layout: ViewLayout, capacity: Int) {
    self.init(layoutTag: layout.layoutTag, regionCount: layout.regions.count, capacity: capacity)
  }

  /// Back to a row without events; its memory stays.
  package mutating func removeAll(_ layout: ViewLayout) {
    truncate(to: Self.headerBytes(regionCount: layout.regions.count))
    clear(at: 0, count: byteCount)
    writeHeader(layoutTag: layout.layoutTag, regionCount: layout.regions.count)
  }
}
