import Columns
import Contracts
import Core
import Expressions
import Features
import Foundation
import Testing

@testable import Topology

@Suite struct PlanTests {
  @Test func `Only the fields that somebody needs are decoded`() throws {
    let text = Sample.text.replacingOccurrences(of: "    lateness: 30m", with: "    lateness: 30m\n    archive: off")
    let source = try Sample.plan(text).sources[0]
    #expect(
      source.columns.map { source.contract.fields[$0].path } == [
        "flight_id", "carrier", "origin", "dest", "dep_delay", "ts",
      ])
    #expect(source.scope.map(\.name) == ["flight_id", "carrier", "origin", "dest", "dep_delay", "ts", "late"])
    #expect(source.scope.last?.type == .boolean)
    #expect(source.key == 1)
    #expect(source.dedupe == DedupePlan(column: 0, withinMilliseconds: 86_400_000))
    #expect(source.eventTime.column == 5)
    #expect(source.latenessMilliseconds == 1_800_000)
    #expect(source.maxSkewMilliseconds == 300_000)
  }

  @Test func `A source that is archived is decoded as a whole`() throws {
    let source = try Sample.plan().sources[0]
    #expect(source.isArchived)
    #expect(source.columns == Array(source.contract.fields.indices))
    #expect(source.scope.map(\.name) == source.contract.fields.map(\.path) + ["late"])
  }

  @Test func `A view of another entity is repartitioned, and so is every view of any partitioner`() throws {
    let plan = try Sample.plan()
    #expect(plan.views.map(\.repartitionTopic) == [nil, "small.routes.repartition"])
    #expect(plan.views[1].keyColumns.map { plan.sources[0].scope[$0].name } == ["origin", "dest"])
    #expect(plan.entities[1].types == [.string, .string])
    #expect(
      plan.topics.map(\.name) == [
        "flights.departures", "small.routes.repartition", "small.dlq", "small.late",
      ])
    let any = try Sample.plan(try Sample.changed(("key: carrier", "key: carrier\n    partitioner: any")))
    #expect(any.views.map(\.isRepartitioned) == [true, true])
    let keyless = try Sample.plan(try Sample.changed(("    key: carrier\n", "")))
    #expect(keyless.views.map(\.isRepartitioned) == [true, true])
  }

  @Test func `Windows name features, equal inputs are shared`() throws {
    let view = try Sample.plan().views[0]
    #expect(
      view.features.map(\.name) == [
        "flights_1h", "flights_24h", "mean_delay_1h", "mean_delay_6h", "late_share_6h", "pace",
      ])
    #expect(view.features.map(\.type.text) == ["integer", "integer", "double", "double", "double", "double"])
    #expect(view.inputs.map(\.type) == [.double, .boolean])
    #expect(view.features[3].definition == "mean(dep_delay) over 6h every 30m")
    #expect(view.ttlMilliseconds == 259_200_000)
  }

  @Test func `A service is an ordered vector of typed values`() throws {
    let plan = try Sample.plan()
    let service = plan.services[0]
    #expect(
      service.features.map(\.name) == [
        "flights_1h", "carriers__flights_24h", "mean_delay_1h", "mean_delay_6h", "late_share_6h", "pace",
        "routes__flights_24h", "distance", "against_mean",
      ])
    #expect(service.features.last?.defaultValue == .double(0))
    #expect(service.joinKeys == ["carrier", "origin", "dest"])
    #expect(service.requestFields.map { plan.requestFields[$0].name }.sorted() == ["dep_delay", "distance"])
    #expect(plan.onDemand[0].inputs.count == 2)
    #expect(plan.feature(named: "carriers:mean_delay_6h") == FeatureReference(view: 0, feature: 3))
    #expect(plan.feature(named: "carriers:nothing") == nil)
  }

  @Test func `A star means what it meant when it was first applied`() throws {
    let first = try Sample.plan()
    let frozen = first.document.frozenServices
    #expect(frozen["delay_v1"]?.count == 6)
    let grown = try Sample.changed(("pace: flights_1h", "worst: max(dep_delay) over 6h\n      pace: flights_1h"))
    let again = try Sample.plan(grown, frozen: frozen)
    #expect(again.views[0].features.count == 7)
    #expect(again.services[0].features.count == first.services[0].features.count)
    #expect(again.services[0].fingerprint == first.services[0].fingerprint)
    #expect(!PlanDiff(old: first, new: again).isRefused)
    let shrunk = try Sample.changed(("      late_share: mean(late) over 6h\n", ""))
    guard case .failure(let errors) = Sample.load(shrunk, frozen: frozen) else {
      Issue.record("a feature of a frozen service may not go")
      return
    }
    #expect(
      errors.diagnostics.map(\.message) == [
        "service `delay_v1` was applied with `carriers:late_share_6h`, which view `carriers` no longer has"
      ])
    #expect(errors.diagnostics[0].remedy?.contains("delay_v2") == true)
  }

  @Test func `Partition counts are held against each other`() throws {
    let plan = try Sample.plan()
    #expect(plan.check(partitionCounts: ["flights.departures": 4]).isEmpty)
    let wrong = plan.check(partitionCounts: ["flights.departures": 4, "small.routes.repartition": 3])
    #expect(wrong.count == 1)
    #expect(wrong[0].found == "`small.routes.repartition` has 3, `flights.departures` has 4")
  }

  @Test func `A plan is rebuilt from its document`() throws {
    for name in ["flights", "payments"] {
      let plan = try Repository.plan(name)
      let bytes = plan.document.encoded()
      let document = try PlanDocument(decoding: bytes)
      #expect(document == plan.document)
      #expect(document.encoded() == bytes)
      let again = try TopologyLoader.load(document).get()
      #expect(again.fingerprint == plan.fingerprint)
      #expect(PlanReport(plan: again).json == PlanReport(plan: plan).json)
    }
  }

  @Test(arguments: [
    "", "{", "[]", "{}", #"{"version": 1}"#, #"{"version": 2, "file": "a", "topology": "b"}"#,
    #"{"version": "1", "file": "a", "topology": "b"}"#, #"{"version": 1, "file": "a", "topology": "b", "schemas": 1}"#,
    #"{"version": 1, "file": "a", "topology": "b", "schemas": [[["x"]]]}"#,
  ])
  func `A document that is none is an error`(text: String) {
    #expect(throws: HeadraceError.self) { _ = try PlanDocument(decoding: Array(text.utf8)) }
  }

  @Test(arguments: ["flights", "payments"])
  func `The plans of the repository's topologies are as they were`(name: String) throws {
    let plan = try Repository.plan(name)
    let path = "\(Repository.root)/Tests/TopologyTests/Golden/\(name).plan.json"
    // One value a line, so that a difference can be read.
    let json =
      String(decoding: PlanReport(plan: plan).json, as: UTF8.self)
      .replacing("{\"name\"", with: "\n{\"name\"") + "\n"
    if ProcessInfo.processInfo.environment["HEADRACE_WRITE_GOLDEN"] == "plans" {
      try json.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOfFile: path, encoding: .utf8)
    let difference = zip(json.split(separator: "\n"), golden.split(separator: "\n")).first { $0 != $1 }
    #expect(json == golden, "first difference: \(String(describing: difference))")
  }

  @Test(arguments: ["flights", "payments"])
  func `A plan is told as text`(name: String) throws {
    let plan = try Repository.plan(name)
    let text = PlanReport(plan: plan, diff: PlanDiff(old: nil, new: plan)).text
    for topic in plan.topics { #expect(text.contains(topic.name)) }
    for feature in plan.views.flatMap(\.features) { #expect(text.contains("  \(feature.name) ")) }
    #expect(text.contains("B after one event"))
    #expect(plan.idleDescriptions.isEmpty != text.contains("declared, not run yet"))
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }
}
