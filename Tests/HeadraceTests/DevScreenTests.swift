import Testing
@testable import headrace

@Suite struct DevScreenTests {
  private func snapshot(read: Int64, lag: Int64? = 0) -> DevSnapshot {
    var snapshot = DevSnapshot(topology: "flights", bootstrap: "127.0.0.1:9092", address: "127.0.0.1:6566")
    snapshot.sources = [
      .init(
        name: "departed", topic: "flights.departures", read: read, counted: read - 3, leftOut: 1, late: 1,
        deadLettered: 1)
    ]
    snapshot.views = [
      .init(name: "carrier_departures", entity: "carrier", source: "departed", features: ["flights_1h"])
    ]
    snapshot.lagRecords = lag
    return snapshot
  }

  @Test func `the rate is that of the last seconds`() {
    var screen = DevScreen(nowMilliseconds: 0)
    _ = screen.draw(snapshot(read: 3), columns: 100, rows: 30, nowMilliseconds: 0)
    let lines = screen.draw(snapshot(read: 2_003), columns: 100, rows: 30, nowMilliseconds: 1_000)
    #expect(lines.contains { $0.contains("2,003") && $0.contains("2.00k") }, "\(lines)")
    // Nothing more arrives.
    _ = screen.draw(snapshot(read: 2_003), columns: 100, rows: 30, nowMilliseconds: 3_000)
    let later = screen.draw(snapshot(read: 2_003), columns: 100, rows: 30, nowMilliseconds: 5_000)
    #expect(!later.contains { $0.contains("k ") }, "\(later)")
  }

  @Test(arguments: [(20, 5), (1, 1), (0, 0), (200, 60)])
  func `nothing is drawn outside of the terminal`(columns: Int, rows: Int) {
    var screen = DevScreen(nowMilliseconds: 0)
    let lines = screen.draw(snapshot(read: 5), columns: columns, rows: rows, nowMilliseconds: 10)
    #expect(lines.count <= max(rows, 1))
    #expect(lines.allSatisfy { $0.count <= max(columns, 1) })
  }

  @Test func `it says where to look when nothing arrives, and where the bad records are`() {
    let idle = DevScreen.whereToLookNext(
      DevSnapshot(
        topology: "t", bootstrap: "b:1", address: "a:2", sources: [.init(name: "s", topic: "s.topic")]))
    #expect(idle.contains("  headrace publish s.topic FILE --bootstrap b:1"))
    let busy = DevScreen.whereToLookNext(snapshot(read: 9))
    #expect(busy.contains("  headrace query carrier_departures KEY --server 127.0.0.1:6566"))
    #expect(busy.contains { $0.contains("flights.dlq") } && busy.contains { $0.contains("flights.late") })
  }

  @Test func `a line for a log tells counts and lag`() {
    var screen = DevScreen(nowMilliseconds: 0)
    let text = screen.line(snapshot(read: 1_234, lag: 56), nowMilliseconds: 61_000)
    #expect(
      text == "flights 1:01: departed 1,234 read (0/s), 1 left out, 1 late, 1 dead-lettered; behind by 56 records")
  }
}
