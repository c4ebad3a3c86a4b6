internal import Core
package import Features

/// How many keys a topology is to hold and how busy they are.
package struct StateAssumptions: Sendable, Equatable {
  /// Of each entity that is not named in `keysByEntity`.
  package var keys = 1_000_000
  package var keysByEntity: [String: Int] = [:]
  /// Of a key of the entity with the most keys of a source, on average; the keys of its other entities share the same
  /// events.
  package var eventsPerHour = 1.0
  /// See `KeyPopulation`.
  package var skew = 1.0

  package init() {}

  func keys(of entity: EntityPlan) -> Int { max(keysByEntity[entity.name] ?? keys, 1) }

  /// Of all keys together.
  package func eventsPerHour(ofSource source: Int, in plan: Plan) -> Double {
    let counts = plan.views.filter { $0.source == source }.map { keys(of: plan.entities[$0.entity]) }
    return eventsPerHour * Double(counts.max() ?? keys)
  }

  package func population(of view: ViewPlan, in plan: Plan) -> KeyPopulation {
    let keys = keys(of: plan.entities[view.entity])
    return KeyPopulation(
      count: keys, eventsPerHour: eventsPerHour(ofSource: view.source, in: plan) / Double(keys), skew: skew)
  }
}

/// What the state of a plan is expected to take. Whoever can weigh rows makes it: a plan is only a plan.
package struct StateReport: Sendable {
  package var assumptions: StateAssumptions
  /// By the plan's views.
  package var views: [StateEstimate]
  /// Ids of deduplication, by the plan's sources; nil where none are kept.
  package var ids: [StateEstimate?]

  package init(assumptions: StateAssumptions, views: [StateEstimate], ids: [StateEstimate?]) {
    self.assumptions = assumptions
    self.views = views
    self.ids = ids
  }

  package var memoryBytes: Int { sum(\.memoryBytes) }
  package var diskBytes: Int { sum(\.diskBytes) }

  private func sum(_ part: KeyPath<StateEstimate, Int>) -> Int {
    (views + ids.compactMap(\.self)).reduce(0) { total, estimate in
      let (sum, overflow) = total.addingReportingOverflow(estimate[keyPath: part])
      return overflow ? .max : sum
    }
  }
}

// In the report of a plan.
extension PlanReport {
  var stateLines: [String] {
    guard let state else { return [] }
    let assumed = state.assumptions
    var rows: [[String]] = [["", "rows", "in memory", "on disk"]]
    func add(_ name: String, _ estimate: StateEstimate) {
      rows.append([
        name, Self.count(estimate.rows), Self.bytes(estimate.memoryBytes), Self.bytes(estimate.diskBytes),
      ])
    }
    for (view, estimate) in zip(plan.views, state.views) { add(view.name, estimate) }
    for (source, estimate) in zip(plan.sources, state.ids) {
      if let estimate { add("ids of \(source.name)", estimate) }
    }
    rows.append(["together", "", Self.bytes(state.memoryBytes), Self.bytes(state.diskBytes)])
    let keys = plan.entities.map { "\(Self.count(assumed.keys(of: $0))) of \($0.name)" }.joined(separator: ", ")
    return [
      "state  once every window has filled, for keys: \(keys)"
    ] + Self.table(rows) + [
      "  assumed: \(Self.decimal(assumed.eventsPerHour)) events an hour for a key of the largest entity"
        + " (--events-per-hour), \(Self.skewText(assumed.skew)) (--skew), made-up values",
      "  in memory: of all rows; a worker keeps as many as its --memory allows and reads the rest from the disk",
      "  on disk: compacted; beside it each task has a log of up to 64 MiB, and files that are not merged yet",
      "",
    ]
  }

  private static func skewText(_ skew: Double) -> String {
    skew == 0 ? "all keys alike" : "the k-th busiest key has 1/k^\(decimal(skew)) of the events of the busiest"
  }

  /// `1`, `0.25`, `8.57`.
  private static func decimal(_ number: Double) -> String {
    number == number.rounded() && number < 1e15 ? "\(Int(number))" : "\(number)"
  }

  func write(_ state: StateReport, _ writer: inout JSONWriter) {
    writer.object("state") {
      $0.member("events_per_hour", state.assumptions.eventsPerHour)
      $0.member("skew", state.assumptions.skew)
      $0.array("views") { writer in
        for (view, estimate) in zip(plan.views, state.views) {
          writer.object {
            $0.member("view", view.name)
            $0.member("keys", state.assumptions.keys(of: plan.entities[view.entity]))
            Self.write(estimate, &$0)
          }
        }
      }
      $0.array("ids") { writer in
        for (source, estimate) in zip(plan.sources, state.ids) {
          guard let estimate else { continue }
          writer.object {
            $0.member("source", source.name)
            Self.write(estimate, &$0)
          }
        }
      }
      $0.member("memory_bytes", state.memoryBytes)
      $0.member("disk_bytes", state.diskBytes)
    }
  }

  private static func write(_ estimate: StateEstimate, _ writer: inout JSONWriter) {
    writer.member("rows", estimate.rows)
    writer.member("memory_bytes", estimate.memoryBytes)
    writer.member("disk_bytes", estimate.diskBytes)
  }
}
