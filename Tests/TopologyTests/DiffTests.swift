import Testing

@testable import Topology

/// Which changes may happen to what runs.
@Suite struct DiffTests {
  /// - Parameter isLocal: the routes are kept where their events are: nothing is repartitioned.
  private func diff(
    _ changes: (String, String)..., retired: Set<String> = [], isLocal: Bool = false
  ) throws -> [String] {
    let base = isLocal ? Sample.text.replacing("entity: route", with: "entity: carrier") : Sample.text
    var text = base
    for (old, new) in changes {
      try #require(text.contains(old), "the sample has no '\(old)'")
      text = text.replacing(old, with: new)
    }
    let before = try Sample.plan(base)
    let after = try Sample.plan(text)
    return PlanDiff(old: before, new: after, retired: retired).changes.map {
      "\($0.verdict.rawValue) \($0.kind.rawValue) \($0.subject)"
    }
  }

  private static let service =
    "delay_v1: {features: [\"carriers:*\", routes:flights_24h, request:distance, against_mean], "
    + "defaults: {against_mean: 0}}"

  @Test func `Nothing changed`() throws {
    #expect(try diff().isEmpty)
  }

  @Test func `A first plan builds everything`() throws {
    let diff = PlanDiff(old: nil, new: try Sample.plan())
    #expect(diff.building == ["carriers", "routes"])
    #expect(!diff.isRefused && !diff.isEmpty)
  }

  @Test func `A new view builds and leaves the others alone`() throws {
    let view = "  more:\n    source: departed\n    entity: carrier\n    features: {flights: count over 1h}\n"
    #expect(try diff(("  routes:\n", "\(view)  routes:\n")) == ["builds added view `more`"])
  }

  @Test func `A repartitioned view does not join what has read on without it`() throws {
    let view = "  more:\n    source: departed\n    entity: origin\n    features: {flights: count over 1h}\n"
    let entity = ("  route: ", "  origin: [origin]\n  route: ")
    #expect(try diff(("  routes:\n", "\(view)  routes:\n"), entity) == ["refused added view `more`"])
    #expect(
      try diff(("{flights: count over 24h}", "{flights: \"count over 24h, 7d\"}")) == ["refused changed view `routes`"])
    #expect(try diff(("lateness: 30m", "lateness: 20m")).last == "refused changed view `routes`")
    // Of a topic that was not read before nothing is missing.
    let source =
      "sources:\n  arrived: {topic: flights.arrivals, key: carrier, event_time: {field: ts, unit: ms}}\n"
    let arrivals = view.replacing("departed", with: "arrived")
    #expect(
      try diff(("sources:\n", source), ("  routes:\n", "\(arrivals)  routes:\n"), entity)
        == ["safe added source `arrived`", "builds added view `more`"])
  }

  @Test func `A view that grows builds beside the old one, and a service that names its features is kept`() throws {
    let changes = try diff(("{flights: count over 24h}", "{flights: \"count over 24h, 7d\"}"), isLocal: true)
    #expect(changes == ["builds changed view `routes`"])
  }

  @Test func `A feature that means something else breaks the service that uses it`() throws {
    let changes = try diff(
      ("{flights: count over 24h}", "{flights: count where distance > 500 over 24h}"), isLocal: true)
    #expect(changes == ["builds changed view `routes`", "refused changed service `delay_v1`"])
  }

  @Test func `A view that goes is refused while a service uses it`() throws {
    let without = (
      "  routes:\n    source: departed\n    entity: route\n    features: {flights: count over 24h}\n", ""
    )
    let changes = try diff(without, ("routes:flights_24h, ", ""))
    #expect(changes == ["refused removed view `routes`", "refused changed service `delay_v1`"])
    let retired = try diff(without, ("routes:flights_24h, ", ""), retired: ["delay_v1"])
    #expect(retired == ["drops removed view `routes`", "safe changed service `delay_v1`"])
  }

  @Test(arguments: [
    ("routes:flights_24h, request:distance", "request:distance, routes:flights_24h"),
    ("request:distance, ", ""),
    ("{against_mean: 0}", "{against_mean: 1}"),
    ("defaults: {against_mean: 0}", "defaults: {}"),
    ("dep_delay - carriers", "2 * dep_delay - carriers"),
    ("dep_delay > 15", "dep_delay > 20"),
    ("ttl: 3d", "ttl: 4d"),
  ])
  func `A service keeps its promise`(old: String, new: String) throws {
    let changes = try diff((old, new))
    #expect(changes.contains("refused changed service `delay_v1`"), "\(changes)")
    let next = try diff((old, new), retired: ["delay_v1"])
    #expect(!next.contains { $0.hasPrefix("refused") })
  }

  @Test func `A new version beside the old one is safe`() throws {
    let changes = try diff((Self.service, "\(Self.service)\n  delay_v2: [routes:flights_24h]"))
    #expect(changes == ["safe added service `delay_v2`"])
  }

  @Test func `A service that goes is refused until it is retired`() throws {
    let with = (Self.service, "other_v1: [routes:flights_24h]")
    #expect(try diff(with) == ["safe added service `other_v1`", "refused removed service `delay_v1`"])
    #expect(try diff(with, retired: ["delay_v1"]).last == "safe removed service `delay_v1`")
  }

  @Test(arguments: [
    ("key: carrier", "key: origin"), ("key: carrier", "key: carrier\n    partitioner: crc32"),
    ("    key: carrier\n", ""),
  ])
  func `Another key or partitioner of a topic needs a migration`(old: String, new: String) throws {
    let changes = try diff((old, new))
    #expect(changes.first == "refused changed source `departed`")
  }

  @Test func `Lateness builds anew and breaks nobody`() throws {
    #expect(
      try diff(("lateness: 30m", "lateness: 20m"), isLocal: true) == [
        "safe changed source `departed`", "builds changed view `carriers`", "builds changed view `routes`",
      ])
  }

  @Test func `Another topic is another log`() throws {
    let text = try Repository.text("schemas/flights.departures.avsc")
    let schemas = SchemaDirectory(texts: ["flights.departures.v2": text])
    let yaml = try Sample.changed(("topic: flights.departures", "topic: flights.departures.v2"))
    let after = try TopologyLoader.load(yaml: yaml, file: "small.yaml", schemas: schemas).get()
    let diff = PlanDiff(old: try Sample.plan(), new: after)
    #expect(diff.changes[0].reason.hasPrefix("reads flights.departures.v2 instead of flights.departures"))
    #expect(diff.building == ["carriers", "routes"])
  }

  @Test func `Skew is safe`() throws {
    #expect(
      try diff(("lateness: 30m", "lateness: 30m\n    max_skew: 1m")) == ["safe changed source `departed`"])
  }

  @Test func `Another name is another application`() throws {
    #expect(try diff(("topology: small", "topology: other")).first == "refused changed topology `small`")
  }

  @Test func `A schema must read the events that are in the log`() throws {
    let text = try Repository.text("schemas/flights.departures.avsc")
    let before = try Sample.plan()
    func after(_ schema: String) throws -> [PlanDiff.Change] {
      let schemas = SchemaDirectory(texts: ["flights.departures": schema])
      let plan = try TopologyLoader.load(yaml: Sample.text, file: "small.yaml", schemas: schemas).get()
      return PlanDiff(old: before, new: plan).changes
    }
    let required = #"{"name": "gate", "type": "string"}, {"name": "seats""#
    let optional = #"{"name": "gate", "type": ["null", "string"], "default": null}, {"name": "seats""#
    let broken = try after(text.replacing(#"{"name": "seats""#, with: required))
    #expect(broken.map(\.verdict) == [.refused])
    let fine = try after(text.replacing(#"{"name": "seats""#, with: optional))
    #expect(fine.map(\.verdict) == [.safe])
    #expect(try after(text).isEmpty)
  }

  @Test func `Versions of services are counted on`() {
    #expect(
      ["a_v1", "a_v19", "a", "a1", "a_v"].map(PlanBuilder.nextVersion) == ["a_v2", "a_v20", "a_v2", "a1_v2", "a_v_v2"])
  }
}
