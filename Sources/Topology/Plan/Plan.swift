package import Columns

/// A topology after validation: every name resolved, every expression typed and compiled, everything fingerprinted.
///
/// A value that threads share without locks. Things refer to each other by their position in these arrays, which are in
/// the order of the file.
package struct Plan: Sendable {
  /// Also the consumer group, and the beginning of the topics that Headrace makes.
  package var name: String
  package var about: About
  /// Who pays for what says nothing else; nil: nobody in particular.
  package var tenant: String?
  package var sources: [SourcePlan]
  package var entities: [EntityPlan]
  package var views: [ViewPlan]
  /// Values that come with a request, by name, with their types: declared under `request:` or inferred from a contract.
  package var requestFields: [RequestFieldPlan]
  package var onDemand: [OnDemandPlan]
  package var services: [ServicePlan]
  package var models: [ModelPlan]
  package var monitors: [MonitorPlan]
  package var policies: [PolicyPlan]
  /// Every topic that is read or written, inputs first.
  package var topics: [TopicPlan]
  /// Of everything above that changes what is computed; descriptions and owners do not count.
  package var fingerprint: Fingerprint
  /// What somebody should know; a plan with warnings runs.
  package var warnings: [Diagnostic]
  /// What this plan was made of: it rebuilds the same plan anywhere.
  package var document: PlanDocument

  package func source(named name: String) -> Int? { sources.firstIndex { $0.name == name } }
  package func view(named name: String) -> Int? { views.firstIndex { $0.name == name } }
  package func service(named name: String) -> Int? { services.firstIndex { $0.name == name } }

  /// `view:feature` → positions of both.
  package func feature(named name: String) -> FeatureReference? {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let view = view(named: String(parts[0])),
      let feature = views[view].features.firstIndex(where: { $0.name == parts[1] })
    else { return nil }
    return FeatureReference(view: view, feature: feature)
  }

  /// Records that broke their contract, with their original bytes.
  package var deadLetterTopic: String { "\(name).dlq" }
  /// Records that came behind the last ring of lateness.
  package var lateTopic: String { "\(name).late" }
}

/// One feature of one view, by position.
package struct FeatureReference: Hashable, Sendable {
  package var view: Int
  package var feature: Int

  package init(view: Int, feature: Int) {
    self.view = view
    self.feature = feature
  }
}

/// What features describe.
package struct EntityPlan: Sendable, Equatable {
  package var name: String
  /// Join keys, in the order of the encoded key.
  package var keys: [String]
  /// Of the join keys; the same in every source that has a view of this entity. Empty when no view uses the entity.
  package var types: [ColumnType]
}

/// A topic and what this plan does with it.
package struct TopicPlan: Sendable, Hashable {
  package enum Role: String, Sendable, CaseIterable {
    case input, repartition, deadLetter = "dead-letter", late, output, request, response
  }

  package var name: String
  package var role: Role
  /// The sources, view or model that it belongs to; empty for those of the whole topology.
  package var owners: [String]

  /// Headrace makes it when it is not there; inputs belong to those who write them.
  package var isOurs: Bool { role != .input }
}
