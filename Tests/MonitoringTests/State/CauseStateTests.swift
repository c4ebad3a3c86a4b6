import Core
import Drift
import Testing

@testable import Monitoring

/// Defects of the data and shifts of the world, planted into a stream: each alarm says which it is.
@Suite struct CauseStateTests {
  private static let changeAt = 300 * Stream.minute

  /// What is outside its limits, window by window.
  private func alarms(
    _ stream: Stream, _ names: SegmentNames, _ definition: MonitorDefinition, order: UInt64 = 1
  ) -> [AlarmResult] {
    var state = MonitorState(definition)
    state.names = names
    return stream.feed(&state, seed: order).outside
  }

  /// `age` is a sum of `amount` over two hours, as an aggregate would be.
  private static func definition() -> MonitorDefinition {
    Stream.definition {
      $0.segments = ["carrier"]
      $0.origins = [
        ColumnOrigin(fields: ["payments.amount"]),
        ColumnOrigin(fields: ["payments.amount"], reachMilliseconds: 120 * Stream.minute),
        ColumnOrigin(fields: ["payments.amount"], reachMilliseconds: 120 * Stream.minute),
      ]
    }
  }

  private static func change(
    _ stream: inout Stream, from: Int64 = changeAt, until: Int64 = .max,
    _ body: (inout [Float], inout SplitMix64) -> Void
  ) {
    var random = SplitMix64(seed: 77)
    for partition in stream.predictions.keys.sorted() {
      guard var rows = stream.predictions[partition] else { continue }
      for row in 0..<rows.count where rows.timesMilliseconds[row] >= from && rows.timesMilliseconds[row] < until {
        var values = Array(rows.values[row * 3..<row * 3 + 3])
        body(&values, &random)
        rows.values.replaceSubrange(row * 3..<row * 3 + 3, with: values)
      }
      stream.predictions[partition] = rows
    }
  }

  private func stream(seed: UInt64, _ names: inout SegmentNames) -> Stream {
    Stream(rows: 12_000, partitions: 2, minutes: 600, seed: seed, names: &names)
  }

  @Test func `cents are a unit, and what is made from them is their consequence as long as it holds them`() throws {
    var names = SegmentNames()
    var stream = stream(seed: 31, &names)
    let end = Self.changeAt + 60 * Stream.minute
    Self.change(&stream, until: end) { values, _ in values[0] *= 100 }
    // The aggregate rises at once, and holds the cents for two hours.
    Self.change(&stream, until: end + 120 * Stream.minute) { values, _ in values[1] += 300 }
    // And an hour in which the world has moved.
    Self.change(&stream, from: end + 120 * Stream.minute) { values, _ in values[1] += 300 }
    let alarms = alarms(stream, names, Self.definition())
    let amounts = alarms.filter { $0.drift.feature == "amount" }
    guard case .unit(let factor, _, let share) = try #require(amounts.first).drift.cause else {
      return #expect(Bool(false), "\(amounts[0].drift.cause)")
    }
    #expect(factor == 100 && share == 1)
    #expect(amounts.map(\.drift.current.startMilliseconds) == [Self.changeAt])
    let ages = alarms.filter { $0.drift.feature == "age" }
    for alarm in ages {
      let isConsequence = alarm.drift.current.startMilliseconds < end + 120 * Stream.minute
      #expect(
        alarm.drift.cause == (isConsequence ? .consequence(of: "amount", code: "unit") : .realShift),
        "\(alarm.drift.current.startMilliseconds / Stream.minute): \(alarm.drift.cause)")
      #expect(alarm.drift.cause.isDataBug == isConsequence)
    }
    #expect(ages.count >= 4)
  }

  @Test func `cents of some rows are a unit`() throws {
    var names = SegmentNames()
    var stream = stream(seed: 32, &names)
    Self.change(&stream) { values, random in if random.next() % 3 == 0 { values[0] *= 100 } }
    let first = try #require(alarms(stream, names, Self.definition()).first { $0.drift.feature == "amount" })
    guard case .unit(let factor, _, let share) = first.drift.cause else {
      return #expect(Bool(false), "\(first.drift.cause)")
    }
    #expect(factor == 100 && (share - 1.0 / 3).magnitude < 0.1)
  }

  @Test func `a real shift stays one`() throws {
    var names = SegmentNames()
    var stream = stream(seed: 33, &names)
    Self.change(&stream) { values, _ in values[0] = values[0] * 1.4 + 10 }
    let found = alarms(stream, names, Self.definition())
    #expect(found.count >= 4 && found.allSatisfy { $0.drift.cause == .realShift })
  }

  @Test func `nulls ring, whatever tests are declared`() throws {
    var names = SegmentNames()
    var stream = stream(seed: 34, &names)
    Self.change(&stream) { values, random in if random.next() % 4 == 0 { values[0] = .nan } }
    var definition = Self.definition()
    definition.tests = [(.psi, 0.2), (.kolmogorovSmirnov, 0.15)]
    let first = try #require(alarms(stream, names, definition).first { $0.drift.feature == "amount" })
    #expect(first.drift.test == .missing && first.drift.cause.code == "null")
    #expect(first.drift.current.startMilliseconds == Self.changeAt)
  }

  @Test func `events that are refused are counted where they stand in the log, however topics are read`() throws {
    var names = SegmentNames()
    var stream = stream(seed: 35, &names)
    // Every fourth event breaks its contract; what is left is a selection.
    Self.change(&stream) { values, _ in values[0] = values[0] * 1.4 + 10 }
    for partition in stream.events.keys.sorted() {
      guard let events = stream.events[partition], let rows = stream.predictions[partition] else { continue }
      var all: [EventRow] = []
      for (row, event) in events.enumerated() {
        all.append(event)
        if rows.timesMilliseconds[row] >= Self.changeAt, row % 3 == 0 { all.append(.refused(offset: event.offset + 1)) }
      }
      stream.events[partition] = all
    }
    var found: [[AlarmResult]] = []
    for order in 1...4 as ClosedRange<UInt64> { found.append(alarms(stream, names, Self.definition(), order: order)) }
    let first = try #require(found[0].first)
    guard case .contract(let share) = first.drift.cause else { return #expect(Bool(false), "\(first.drift.cause)") }
    #expect((share - 0.25).magnitude < 0.03)
    #expect(found.allSatisfy { $0 == found[0] })
  }

  @Test func `another source that stops is called so, a field of it that is null is not`() throws {
    for isStale in [true, false] {
      var names = SegmentNames()
      var stream = stream(seed: 36, &names)
      Self.change(&stream) { values, random in
        guard random.next() % 2 == 0 else { return }
        values[0] = .nan
        if isStale { values[1] = 0 }
      }
      var definition = Self.definition()
      // A mean and a count of the weather.
      definition.origins[0] = ColumnOrigin(fields: ["weather.wind"], otherSource: "weather")
      definition.origins[1] = ColumnOrigin(fields: [], otherSource: "weather")
      let first = try #require(alarms(stream, names, definition).first { $0.drift.feature == "amount" })
      if isStale {
        guard case .stale(let source, _) = first.drift.cause else {
          return #expect(Bool(false), "\(first.drift.cause)")
        }
        #expect(source == "weather")
      } else {
        #expect(first.drift.cause.code == "null")
      }
    }
  }

  @Test func `a flood of new categories is a bug, one that many rows have is none`() throws {
    for isFlood in [true, false] {
      var names = SegmentNames()
      var stream = stream(seed: 37, &names)
      for partition in stream.events.keys.sorted() {
        for row in 0..<(stream.events[partition]?.count ?? 0)
        where row % 3 == 0 && stream.predictions[partition]?.timesMilliseconds[row] ?? 0 >= Self.changeAt {
          stream.events[partition]?[row].segments = [names.number("carrier=\(isFlood ? "id\(row)" : "ZZ")")]
        }
      }
      var definition = Self.definition()
      definition.tests.append((.newCategories, 0.01))
      let first = try #require(alarms(stream, names, definition).first { $0.drift.feature == "carrier" })
      #expect(first.drift.cause.code == (isFlood ? "new_categories" : "real_shift"))
    }
  }
}
