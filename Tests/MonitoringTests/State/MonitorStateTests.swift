import Core
import Drift
import Testing

@testable import Monitoring

@Suite struct MonitorStateTests {
  private func run(
    _ stream: Stream, _ names: SegmentNames, _ definition: MonitorDefinition, order: UInt64 = 1
  ) -> [MonitorResult] {
    var state = MonitorState(definition)
    state.names = names
    return stream.feed(&state, seed: order)
  }

  private func sorted(_ results: [MonitorResult]) -> [MonitorResult] { results.sorted { $0.id < $1.id } }

  @Test func `without a shift nothing rings`() {
    for seed in 1...2 as ClosedRange<UInt64> {
      var names = SegmentNames()
      let stream = Stream(rows: 6_000, partitions: 3, minutes: 600, seed: seed, names: &names)
      let results = run(stream, names, Stream.definition())
      #expect(!results.contains { $0.isRinging }, "seed \(seed)")
      #expect(!results.contains { $0.kind == "change" }, "seed \(seed)")
      #expect(results.count { $0.kind == "window" } >= 7)
    }
  }

  @Test func `a shift is an alarm with its evidence`() throws {
    var names = SegmentNames()
    let shift = Stream.Shift(
      feature: 0, factor: 1.6, fromMilliseconds: 300 * Stream.minute, segment: "carrier=BB")
    let stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 9, shift: shift, names: &names)
    let definition = Stream.definition { $0.segments = ["carrier"] }
    let results = run(stream, names, definition)
    let alarms = results.outside
    #expect(results.filter { $0.kind == "alarm" }.map(\.id) == alarms.prefix(1).map(\.alarmID))
    let first = try #require(alarms.first)
    #expect(alarms.allSatisfy { $0.drift.feature == "amount" })
    #expect(first.drift.current.startMilliseconds == 300 * Stream.minute)
    #expect(first.drift.value >= first.drift.threshold)
    #expect(first.drift.segments.first?.name == "carrier=BB")
    #expect(first.drift.cause == .realShift)
    #expect(first.drift.current.offsets.map(\.partition) == [0, 1])
    #expect(first.drift.current.offsets.allSatisfy { $0.topic == "predictions" && $0.first < $0.last })
    #expect(first.drift.reference.rowCount > 1_000)
    #expect(first.windowCount == 1 && alarms.dropFirst().first?.windowCount == 2)
    #expect(first.mutedBy == nil)
  }

  @Test func `detectors see a change before its window is over`() throws {
    var names = SegmentNames()
    let shift = Stream.Shift(feature: 0, factor: 2, fromMilliseconds: 300 * Stream.minute)
    let stream = Stream(rows: 24_000, partitions: 2, minutes: 600, seed: 10, shift: shift, names: &names)
    let results = run(stream, names, Stream.definition())
    let change = try #require(results.first { $0.kind == "change" })
    #expect(change.window.startMilliseconds >= 300 * Stream.minute)
    #expect(change.window.endMilliseconds <= 330 * Stream.minute)
    let alarm = try #require(results.firstIndex { $0.kind == "alarm" })
    let place = try #require(results.firstIndex(of: change))
    #expect(place < alarm)
  }

  @Test func `a unit that changed is called a defect of the data`() throws {
    var names = SegmentNames()
    let shift = Stream.Shift(feature: 1, factor: 1_000, fromMilliseconds: 300 * Stream.minute)
    let stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 11, shift: shift, names: &names)
    let alarm = try #require(run(stream, names, Stream.definition()).first { $0.kind == "alarm" })
    guard case .alarm(let content) = alarm.content else { return }
    #expect(content.drift.feature == "age" && content.drift.cause.code == "unit")
  }

  @Test func `neither the order of partitions nor the cuts leave a trace`() {
    var names = SegmentNames()
    let shift = Stream.Shift(feature: 0, factor: 1.5, fromMilliseconds: 400 * Stream.minute)
    let stream = Stream(
      rows: 6_000, partitions: 3, minutes: 600, seed: 12, shift: shift, labelled: true, names: &names)
    let definition = Stream.definition {
      $0.segments = ["carrier"]
      $0.label = .init(withinMilliseconds: 1_800_000, latenessMilliseconds: 300_000, isBinary: true)
    }
    let first = sorted(run(stream, names, definition, order: 1))
    #expect(first.contains { $0.kind == "alarm" } && first.contains { $0.kind == "performance" })
    for order in 2...3 as ClosedRange<UInt64> {
      let other = sorted(run(stream, names, definition, order: order))
      #expect(
        other.map(\.id).filter { !$0.contains("/estimate/") } == first.map(\.id).filter { !$0.contains("/estimate/") })
      // An estimate takes the calibration that there is when its window closes.
      #expect(other.filter { $0.kind != "estimate" } == first.filter { $0.kind != "estimate" }, "order \(order)")
    }
  }

  @Test func `a state that was written and read goes on with the same results`() throws {
    var names = SegmentNames()
    let shift = Stream.Shift(feature: 0, factor: 1.5, fromMilliseconds: 400 * Stream.minute)
    let stream = Stream(
      rows: 6_000, partitions: 2, minutes: 600, seed: 13, shift: shift, labelled: true, names: &names)
    let definition = Stream.definition {
      $0.segments = ["carrier"]
      $0.label = .init(withinMilliseconds: 1_800_000, latenessMilliseconds: 300_000, isBinary: true)
    }
    var undisturbed = MonitorState(definition)
    undisturbed.names = names
    let expected = stream.feed(&undisturbed, seed: 3)
    var killed = MonitorState(definition)
    killed.names = names
    killed.apply(
      .silence(Silence(feature: "amount", startMilliseconds: 0, endMilliseconds: 1, reason: "none of this time")))
    let found = try stream.feed(&killed, seed: 3) { (state) throws in
      let bytes = state.encoded
      state = try #require(try MonitorState(definition, decoding: bytes))
      #expect(state.encoded == bytes)
    }
    #expect(found == expected)
    let other = try MonitorState(Stream.definition(), decoding: killed.encoded)
    #expect(other == nil)
  }

  @Test func `bytes that are damaged are refused and never trap`() throws {
    var names = SegmentNames()
    let stream = Stream(rows: 3_000, partitions: 2, minutes: 300, seed: 14, labelled: true, names: &names)
    let definition = Stream.definition {
      $0.label = .init(withinMilliseconds: 1_800_000, latenessMilliseconds: 300_000, isBinary: true)
    }
    var state = MonitorState(definition)
    _ = stream.feed(&state, seed: 1)
    let bytes = state.encoded
    var random = SplitMix64(seed: 15)
    for _ in 0..<300 {
      var damaged = bytes
      if random.next() % 2 == 0 {
        damaged[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
      } else {
        damaged.removeLast(1 + Int(random.next() % UInt64(bytes.count)))
      }
      _ = try? MonitorState(definition, decoding: damaged)
    }
  }

  @Test func `figures with labels are those of a plain computation`() throws {
    var names = SegmentNames()
    let stream = Stream(rows: 6_000, partitions: 2, minutes: 600, seed: 16, labelled: true, names: &names)
    let definition = Stream.definition {
      $0.label = .init(withinMilliseconds: 1_800_000, latenessMilliseconds: 300_000, isBinary: true)
      $0.bounds = [
        .init(metric: "auc", minimum: 0.95, maximum: nil), .init(metric: "brier", minimum: nil, maximum: 0.9),
      ]
    }
    let results = run(stream, names, definition)
    var checked = 0
    for result in results {
      guard case .performance(let performance) = result.content, performance.segment == nil else { continue }
      let truths = Dictionary(stream.labels.values.flatMap(\.self).map { ($0.key, $0) }) { first, _ in first }
      var pairs: [(score: Double, label: Bool)] = []
      var predictions = 0
      for (partition, rows) in stream.predictions {
        for row in 0..<rows.count
        where (result.window.startMilliseconds..<result.window.endMilliseconds).contains(rows.timesMilliseconds[row]) {
          predictions += 1
          guard let key = stream.events[partition]?[row].key, let truth = truths[key],
            truth.timeMilliseconds >= rows.timesMilliseconds[row]
          else { continue }
          pairs.append((rows.scores[row], truth.value == 1))
        }
      }
      #expect(performance.predictionCount == predictions && performance.labelledCount == pairs.count)
      let exact = try #require(BinaryScores(pairs).areaUnderCurve())
      let found = try #require(performance["auc"])
      #expect(abs(found.value - exact.value) < 1e-12)
      #expect(performance.brokenBounds == ["auc"])
      checked += 1
    }
    #expect(checked >= 7)
    let estimate = try #require(results.last { $0.kind == "estimate" })
    guard case .estimate(let expected) = estimate.content else { return }
    // Scores are calibrated by construction: what is expected is what comes.
    let area = try #require(expected["auc"])
    #expect(abs(area.value - 5.0 / 6) < 0.05)
  }

  @Test func `alarms of silenced features and of known changes are noted and do not ring`() {
    var names = SegmentNames()
    let shift = Stream.Shift(feature: 0, factor: 1.6, fromMilliseconds: 300 * Stream.minute)
    let stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 17, shift: shift, names: &names)
    var state = MonitorState(
      Stream.definition {
        $0.knownChanges = [
          KnownChange(
            startMilliseconds: 420 * Stream.minute, endMilliseconds: 600 * Stream.minute, about: "a sale")
        ]
      })
    state.apply(
      .silence(
        Silence(
          feature: "amount", startMilliseconds: 300 * Stream.minute, endMilliseconds: 360 * Stream.minute, reason: "me")
      )
    )
    let results = stream.feed(&state, seed: 1)
    let alarms = results.filter { $0.kind == "alarm" }
    #expect(alarms.filter(\.isRinging).map(\.window.startMilliseconds) == [360 * Stream.minute])
    // Opened without a sound, and rung once the silence was over; later it is muted again.
    #expect(alarms.map { $0.id.hasSuffix("/escalated") } == [false, true])
    #expect(results.outside.count >= 4 && results.outside.last?.mutedBy == "known change: a sale")
  }

  @Test func `an acknowledged change is the new reference`() {
    var names = SegmentNames()
    let shift = Stream.Shift(feature: 0, factor: 1.6, fromMilliseconds: 300 * Stream.minute)
    let stream = Stream(rows: 12_000, partitions: 2, minutes: 900, seed: 18, shift: shift, names: &names)
    var state = MonitorState(Stream.definition())
    var acknowledged = Int64.max
    let results = stream.feed(&state, seed: 1) { state in
      guard state.closedWindow >= 6, acknowledged == .max else { return }
      acknowledged = (state.closedWindow + 1) * 60 * Stream.minute
      state.apply(.acknowledge(atMilliseconds: acknowledged, reason: "a new tariff"))
    }
    let alarms = results.filter { $0.kind == "alarm" }
    let resolved = results.compactMap { result -> ResolvedAlarm? in
      if case .resolved(let alarm) = result.content { alarm } else { nil }
    }
    #expect(resolved.map(\.reason) == ["acknowledged: a new tariff"] && state.openAlarms.isEmpty)
    #expect(alarms.first?.window.startMilliseconds == 300 * Stream.minute)
    #expect(alarms.allSatisfy { $0.window.startMilliseconds < acknowledged })
    #expect(state.closedWindow > acknowledged / 60 / Stream.minute)
  }

  @Test func `commands survive their record, and what is none is passed over`() {
    let commands: [MonitorCommand] = [
      .silence(Silence(feature: "a", startMilliseconds: 1, endMilliseconds: 2, reason: "\"why\"")),
      .silence(Silence(feature: nil, startMilliseconds: 1, endMilliseconds: 2, reason: "")),
      .acknowledge(atMilliseconds: 5, reason: "new"),
      .expect(KnownChange(startMilliseconds: 3, endMilliseconds: 4, about: "a sale")),
    ]
    for command in commands {
      let read = MonitorCommand.parse(command.json(monitor: "m"))
      #expect(read?.monitor == "m" && read?.command == command)
    }
    for text in ["", "{}", "[1]", #"{"monitor":"m","action":"silence","reason":"x","from":2,"until":1}"#] {
      #expect(MonitorCommand.parse(Array(text.utf8)) == nil)
    }
  }

  @Test func `a week ago is compared with now`() throws {
    var names = SegmentNames()
    // Every third hour is another one; the hour three hours ago is like this one.
    var stream = Stream(rows: 12_000, partitions: 1, minutes: 900, seed: 19, names: &names)
    for row in 0..<(stream.predictions[0]?.count ?? 0) {
      let hour = (stream.predictions[0]?.timesMilliseconds[row] ?? 0) / (60 * Stream.minute)
      stream.predictions[0]?.values[row * 3] += Float(hour % 3) * 100
    }
    let seasonal = run(
      stream, names, Stream.definition { $0.reference = .earlier(milliseconds: 180 * Stream.minute) })
    #expect(!seasonal.contains { $0.isRinging } && seasonal.count { $0.kind == "window" } > 8)
    #expect(run(stream, names, Stream.definition()).contains { $0.isRinging })
  }
}
