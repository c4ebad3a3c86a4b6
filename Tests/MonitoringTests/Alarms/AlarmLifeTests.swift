import Core
import Testing

@testable import Drift
@testable import Monitoring

/// An alarm from its first window to its end: what somebody is told of it, and what a day's digest says.
@Suite struct AlarmLifeTests {
  private static let day = 24 * 60 * Stream.minute

  /// Excesses of features in a window; what is missing was not judged, below 1 it is inside its limits.
  private typealias Window = [String: Double]

  private static let definition = MonitorDefinition(
    name: "watch", model: "m", columns: ["amount", "age", "country", "prediction"], windowMilliseconds: day / 4,
    tests: [(.psi, 0.2)])

  private func place(_ window: Int, _ definition: MonitorDefinition = Self.definition) -> WindowReference {
    let start = Int64(window) * definition.windowMilliseconds
    return WindowReference(
      startMilliseconds: start, endMilliseconds: start + definition.windowMilliseconds, rowCount: 1_000)
  }

  private func alarm(
    _ feature: String, _ excess: Double, _ place: WindowReference, cause: DriftCause = .realShift,
    mutedBy: String? = nil, segment: String? = nil
  ) throws -> AlarmResult {
    let finding = AlarmPolicy.Finding(
      feature: feature, pValue: 0, adjustedPValue: 0, test: .psi, score: excess * 0.2, threshold: 0.2, isAlarm: true)
    let parts = segment.map { Contributor(kind: .segment, name: $0, rowCount: 10, score: 1, share: 0.8) }
    let drift = try #require(
      DriftAlarm(
        model: "m", finding, cause: cause, reference: place, current: place, contributors: parts.map { [$0] } ?? []))
    return AlarmResult(drift: drift, mutedBy: mutedBy)
  }

  private func take(
    _ book: inout AlarmBook, _ window: Window, at index: Int, cause: DriftCause = .realShift
  ) throws -> AlarmBook.Turn {
    let place = place(index)
    let outside = try window.filter { $0.value >= 1 }.sorted { $0.key < $1.key }.map {
      try alarm($0.key, $0.value, place, cause: cause)
    }
    return book.take(
      outside, inside: window.filter { $0.value < 1 }.map(\.key).sorted(), place, Self.definition)
  }

  @Test func `somebody is told once that it opens and once that it is over`() throws {
    var book = AlarmBook()
    var told: [String] = []
    for (index, excess) in [0.5, 1.2, 1.5, 0.4, 1.1, 0.2, 0.1, 0.3, 0.1, 1.3].enumerated() {
      let turn = try take(&book, ["amount": excess], at: index)
      told += turn.told.map { "\(index) \($0.change.name) \($0.windowCount)" }
      told += turn.resolved.map { "\(index) \($0.reason)" }
      #expect(turn.outside.count == (excess >= 1 ? 1 : 0))
    }
    #expect(told == ["1 opened 1", "7 inside its limits for 3 windows", "9 opened 1"])
  }

  @Test func `what was not judged neither opens nor resolves`() throws {
    var book = AlarmBook()
    _ = try take(&book, ["amount": 3], at: 0)
    for index in 1...10 { #expect(try take(&book, ["age": 0.1], at: index).resolved.isEmpty) }
    #expect(book.open["amount"]?.insideCount == 0)
  }

  @Test func `another cause and more of it are told once each`() throws {
    var book = AlarmBook()
    var told: [String] = []
    let steps: [(Double, DriftCause)] = [
      (1.1, .realShift), (1.2, .realShift), (2.5, .realShift), (1.5, .null(missingShare: 0.3)), (2.6, .realShift),
      (1.1, .null(missingShare: 0.3)), (9, .realShift), (9, .unit(factor: 100, name: "hundred", share: 1)),
    ]
    for (index, (excess, cause)) in steps.enumerated() {
      for alarm in try take(&book, ["amount": excess], at: index, cause: cause).told {
        if case .escalated(let news) = alarm.change { told.append("\(index) \(news)") }
      }
    }
    #expect(told == ["2 severity major", "3 cause null", "6 severity critical", "7 cause unit"])
    #expect(book.open["amount"]?.worst.excess == 9 && book.open["amount"]?.outsideCount == 8)
  }

  @Test func `a day has one digest, of what is open, new and over`() throws {
    var book = AlarmBook()
    var digests: [(WindowReference, AlarmDigest)] = []
    var definition = Self.definition
    definition.origins = [
      ColumnOrigin(fields: ["p.amount"]), ColumnOrigin(fields: ["p.amount", "p.age"]), ColumnOrigin(fields: []),
      ColumnOrigin(fields: ["p.amount", "p.age"]),
    ]
    let windows: [Window] = [
      // A day in which two features leave their limits, and one comes back.
      ["amount": 0.1, "age": 0.1], ["amount": 2, "age": 1.1], ["amount": 3, "age": 0.9], ["amount": 4, "age": 0.9],
      // The next: it is over, the other goes on.
      ["amount": 4, "age": 0.9], ["amount": 6], ["amount": 0.5], ["amount": 0.5],
      // And the day on which it ends; then one without anything to say.
      ["amount": 0.5], ["amount": 0.5], ["amount": 0.5], ["amount": 0.5],
      ["amount": 0.5], ["amount": 0.5], ["amount": 0.5], ["amount": 0.5],
    ]
    for (index, window) in windows.enumerated() {
      let turn = try take(&book, window, at: index)
      if index == 1 { #expect(turn.told.map(\.drift.feature) == ["age", "amount"]) }
      if let digest = book.endDay(upTo: place(index).endMilliseconds, definition) { digests.append(digest) }
    }
    #expect(digests.map(\.0.startMilliseconds) == [0, Self.day, 2 * Self.day])
    #expect(digests.map { $0.1.openedIDs.count } == [2, 0, 0])
    #expect(digests.map { $0.1.resolved.map(\.life.feature) } == [[], ["age"], ["amount"]])
    #expect(digests.map { $0.1.open.map(\.feature) } == [["amount", "age"], ["amount"], []])
    #expect(digests[0].1.commonCause?.text == "2 features are made from p.amount")
    #expect(digests[1].1.commonCause == nil && digests[1].1.escalatedIDs.count == 1)
  }

  @Test func `what most alarms have in common is named, by what explains most`() throws {
    var book = AlarmBook()
    let place = place(0)
    let found = try ["amount", "age", "country"].map {
      try alarm($0, 2, place, segment: $0 == "country" ? "origin=LGA" : "origin=JFK")
    }
    _ = book.take(found + [try alarm("prediction", 2, place)], inside: [], place, Self.definition)
    let ended = book.endDay(upTo: Self.day, Self.definition)
    let digest = try #require(ended).1
    #expect(digest.commonCause?.kind == .segment && digest.commonCause?.name == "origin=JFK")
    #expect(digest.commonCause?.features == ["age", "amount"])
  }

  @Test func `a book that was written and read goes on as the one that was not`() throws {
    var random = SplitMix64(seed: 71)
    var (book, other) = (AlarmBook(), AlarmBook())
    for index in 0..<400 {
      var window: Window = [:]
      for feature in Self.definition.columns where random.next() % 8 > 0 {
        window[feature] = Double(random.next() % 400) / 200
      }
      let turn = try take(&book, window, at: index)
      let copy = try take(&other, window, at: index)
      #expect(turn.outside == copy.outside && turn.resolved == copy.resolved)
      if random.next() % 50 == 0 { other.acknowledge("right") }
      if other.open.values.contains(where: { $0.acknowledgement != nil }) { book.acknowledge("right") }
      let digest = book.endDay(upTo: place(index).endMilliseconds, Self.definition)
      #expect(digest?.1 == other.endDay(upTo: place(index).endMilliseconds, Self.definition)?.1)
      var writer = ByteWriter()
      other.write(to: &writer)
      var reader = ByteReader(unsafe writer.bytes.span.bytes, place: "a book")
      other = try AlarmBook(from: &reader)
      #expect(reader.isAtEnd && other == book, "window \(index)")
    }
  }

  @Test func `a monitor over days tells the same, however it is cut and killed`() throws {
    var names = SegmentNames()
    var stream = Stream(rows: 24_000, partitions: 2, minutes: 4_500, seed: 72, names: &names)
    for partition in stream.predictions.keys.sorted() {
      for row in 0..<(stream.predictions[partition]?.count ?? 0) {
        let time = stream.predictions[partition]?.timesMilliseconds[row] ?? 0
        // One and a half days, then it is as it was.
        guard (1_000 * Stream.minute..<3_000 * Stream.minute).contains(time) else { continue }
        stream.predictions[partition]?.values[row * 3] *= 1.6
      }
    }
    let definition = Stream.definition { $0.segments = ["carrier"] }
    var expected: [MonitorResult]?
    var random = SplitMix64(seed: 73)
    for order in 1...2 as ClosedRange<UInt64> {
      var state = MonitorState(definition)
      state.names = names
      let results = try stream.feed(&state, seed: order) { (state) throws in
        guard order == 2, random.next() % 8 == 0 else { return }
        state = try #require(try MonitorState(definition, decoding: state.encoded))
      }.sorted { $0.id < $1.id }
      let other = zip(expected ?? results, results).first { $0 != $1 }
      #expect(other == nil && expected?.count ?? results.count == results.count, "order \(order): \(other?.0.id ?? "")")
      expected = results
    }
    let results = try #require(expected)
    #expect(results.outside.count > 25)
    // Told when it opened, perhaps anew when there was more of it, and when it was over.
    #expect(results.filter { $0.kind == "alarm" && !$0.id.hasSuffix("/escalated") }.count == 1)
    #expect(results.filter { $0.kind == "alarm" }.count <= 3 && results.filter { $0.kind == "resolved" }.count == 1)
    let digests = results.filter { $0.kind == "digest" }.sorted {
      $0.window.startMilliseconds < $1.window.startMilliseconds
    }
    #expect(digests.map(\.window.startMilliseconds) == [0, Self.day, 2 * Self.day])
    #expect(Set(results.map(\.id)).count == results.count)
    for digest in digests { #expect((try? JSONDocument(digest.json, depthMax: 12)) != nil) }
  }
}
