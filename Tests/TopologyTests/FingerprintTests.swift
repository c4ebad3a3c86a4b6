import Foundation
import Testing

@testable import Topology

/// Equal meaning, equal fingerprint; nothing else is equal.
@Suite struct FingerprintTests {
  @Test func `Layout, comments, order and descriptions change nothing`() throws {
    let plan = try Sample.plan()
    let rewritten = """
      # Another hand wrote this.
      services:
        delay_v1:
          owner: somebody
          defaults: {"against_mean": 0}
          features:
            - carriers:*
            - routes:flights_24h
            - request:distance
            - against_mean
      on_demand: {against_mean: "dep_delay  -  carriers:mean_delay_6h"}
      views:
        routes: {entity: route, features: {flights: count over 24h}, source: departed, description: By route}
        carriers:
          features:
            flights: "count over 1h,24h"
            late_share: mean( late ) over 6h
            mean_delay: >-
              mean(dep_delay)
              over 1h, 6h
            pace: (flights_1h / flights_24h)
          ttl: 72h
          entity: carrier
          source: departed
      entities: {route: [origin, dest], carrier: carrier}
      sources:
        departed:
          derive: {late: 15 < dep_delay}
          dedupe: {within: 1d, by: flight_id}
          lateness: 1800s
          event_time: ts
          key: carrier
          partitioner: murmur2
          format: json
          tags: [flights]
          topic: flights.departures
      topology: small
      """
    let other = try Sample.plan(rewritten, frozen: plan.document.frozenServices)
    #expect(other.fingerprint == plan.fingerprint)
    for view in plan.views {
      let same = try #require(other.views.first { $0.name == view.name })
      #expect(same.fingerprint == view.fingerprint, "\(view.name)")
    }
    #expect(PlanDiff(old: plan, new: other).isEmpty)
  }

  /// What is changed, and whether the views `carriers` and `routes` build anew.
  static let changes: [(old: String, new: String, carriers: Bool, routes: Bool)] = [
    ("lateness: 30m", "lateness: 20m", true, true),
    ("within: 24h", "within: 12h", true, true),
    ("dedupe: {by: flight_id, within: 24h}", "filter: distance > 0", true, true),
    ("dep_delay > 15", "dep_delay > 16", true, false),
    ("mean(dep_delay) over 1h, 6h", "mean(dep_delay) over 1h, 12h", true, false),
    ("mean(dep_delay) over 1h, 6h", "mean(dep_delay) where origin == 'JFK' over 1h, 6h", true, false),
    ("flights: count over 24h", "flights: count over 12h", false, true),
    ("[origin, dest]", "[dest, origin]", false, true),
    ("entity: route", "entity: route\n    lateness: 1h", false, true),
    ("entity: route", "entity: route\n    filter: distance > 500", false, true),
    ("pace: flights_1h / flights_24h", "pace: flights_24h / flights_1h", false, false),
  ]

  @Test(arguments: changes.indices)
  func `Every change of meaning changes the plan, and the views that it touches`(index: Int) throws {
    let change = Self.changes[index]
    let before = try Sample.plan()
    let text = try Sample.changed((change.old, change.new))
      .replacing("carriers:mean_delay_6h", with: "carriers:mean_delay_1h")
      .replacing("routes:flights_24h, ", with: "")
    let after = try Sample.plan(text)
    #expect(after.fingerprint != before.fingerprint)
    #expect((after.views[0].fingerprint != before.views[0].fingerprint) == change.carriers)
    #expect((after.views[1].fingerprint != before.views[1].fingerprint) == change.routes)
  }

  @Test func `Parts do not run into each other`() {
    var one = FingerprintBuilder("test")
    one.add("ab")
    one.add("c")
    var two = FingerprintBuilder("test")
    two.add("a")
    two.add("bc")
    #expect(one.fingerprint != two.fingerprint)
  }

  @Test func `The hash is fixed for ever`() {
    var builder = FingerprintBuilder("view")
    builder.add("count over 1h")
    builder.add(Int64(-1))
    builder.add(nil as String?)
    #expect(builder.fingerprint.description == "026c0cb79f57a72c")
    #expect(Fingerprint(text: builder.fingerprint.description) == builder.fingerprint)
    #expect(Fingerprint(text: "xyz") == nil)
  }
}
