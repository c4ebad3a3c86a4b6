import Testing

@testable import Topology

/// `history` of a view: what may have one, and what a change of it means.
@Suite struct HistoryTests {
  private static func text(_ history: String, of view: String, _ changes: (String, String)...) -> String {
    let (name, entity) = view == "carriers" ? ("carrier", "    entity: carrier\n") : ("route", "    entity: route\n")
    var text = Sample.text.replacing(entity, with: "    entity: \(name)\n    history: \(history)\n")
    for (old, new) in changes { text = text.replacing(old, with: new) }
    return text
  }

  private static func changes(_ before: String, _ after: String) throws -> [String] {
    PlanDiff(old: try Sample.plan(before), new: try Sample.plan(after), retired: ["delay_v1"]).changes.map {
      "\($0.verdict.rawValue) \($0.kind.rawValue) \($0.subject)"
    }
  }

  @Test func `A history is another plan over the same state`() throws {
    let plain = try Sample.plan()
    let plan = try Sample.plan(Self.text("tiles", of: "carriers"))
    #expect(plan.views[0].history == .tiles && plan.views[0].historyTable == "features/carriers")
    #expect(plan.fingerprint != plain.fingerprint)
    #expect(plan.views.map(\.fingerprint) == plain.views.map(\.fingerprint))
    #expect(try Sample.plan(Self.text("off", of: "carriers")).fingerprint == plain.fingerprint)
    #expect(PlanReport(plan: plan).text.contains("history tiles → features/carriers: a row of 6 values for each key"))
    #expect(!PlanReport(plan: plain).text.contains("history"))
  }

  @Test func `What cannot have a history says why`() {
    let updates = Sample.errors(Self.text("updates", of: "routes"))
    #expect(updates.count == 1 && updates[0].contains("view `routes` is repartitioned"))
    #expect(Sample.errors(Self.text("tiles", of: "routes")).isEmpty)
    let lifetime = ("flights: count over 1h, 24h", "flights: count over 1h, 24h, lifetime")
    let endless = Sample.errors(Self.text("tiles", of: "carriers", lifetime))
    #expect(endless.count == 1 && endless[0].contains("flights_lifetime"))
    #expect(Sample.errors(Self.text("updates", of: "carriers", lifetime)).isEmpty)
    let twice = Sample.errors(Self.text("tiles", of: "carriers", ("pace: ", "carrier: ")))
    #expect(twice.contains { $0.contains("two columns `carrier`") })
  }

  @Test func `A history comes and goes, and a column keeps its type`() throws {
    let tiles = Self.text("tiles", of: "carriers")
    #expect(try Self.changes(Sample.text, tiles) == ["safe changed view `carriers`"])
    #expect(try Self.changes(tiles, Sample.text) == ["safe changed view `carriers`"])
    let other = tiles.replacing("late_share: mean(late) over 6h", with: "late_share: first(flight_id) over 6h")
    #expect(try Self.changes(tiles, other).contains("refused changed view `carriers`"))
  }
}
