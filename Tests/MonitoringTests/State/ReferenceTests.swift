import Core
import Drift
import Testing

@testable import Monitoring

/// What windows are compared with, and the truth as a thing that drifts too.
@Suite struct ReferenceTests {
  private func run(
    _ stream: Stream, _ names: SegmentNames, _ definition: MonitorDefinition, reference: [NumericProfile?]? = nil
  ) -> [MonitorResult] {
    var state = MonitorState(definition, reference: reference)
    state.names = names
    return stream.feed(&state, seed: 1)
  }

  private func profile(_ values: [Double]) throws -> NumericProfile {
    let grid = try #require(BinGrid(quantilesOf: NumericSample(values), finePerCoarse: 4))
    return NumericProfile(NumericSample(values), on: grid)
  }

  @Test func `a training set is the reference from the first window on, but for what it does not have`() throws {
    var names = SegmentNames()
    let stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 41, names: &names)
    var random = SplitMix64(seed: 42)
    // Trained on amounts of which the greatest half is missing; ages are as they were.
    let amounts = (0..<5_000).map { _ in Double(random.next() >> 40) * 0x1p-24 * 50 }
    let ages = (0..<5_000).map { _ in
      random.next() % 20 == 0 ? Double.nan : Double(random.next() >> 40) * 0x1p-24 * 50 + 20
    }
    let definition = Stream.definition { $0.reference = .given(name: "late@3") }
    let results = run(stream, names, definition, reference: [try profile(amounts), try profile(ages), nil])
    let windows = results.filter { $0.kind == "window" }
    #expect(windows.first?.window.startMilliseconds == 0)
    let alarms = results.outside
    #expect(alarms.count == windows.count && alarms.allSatisfy { $0.drift.feature == "amount" })
    #expect(alarms.allSatisfy { $0.dataset == "late@3" && $0.drift.reference.rowCount == 5_000 })
    #expect(String(decoding: results[1].json, as: UTF8.self).contains(#""reference_dataset":"late@3""#))
  }

  @Test func `a state with a training set goes on after a restart`() throws {
    var names = SegmentNames()
    let stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 43, names: &names)
    let definition = Stream.definition {
      $0.reference = .given(name: "late@3")
      $0.minimumRowCount = 900
    }
    let reference = [try profile((0..<2_000).map { Double($0 % 100) }), nil, nil]
    var undisturbed = MonitorState(definition, reference: reference)
    let expected = stream.feed(&undisturbed, seed: 2)
    var killed = MonitorState(definition, reference: reference)
    let found = try stream.feed(&killed, seed: 2) { (state) throws in
      state = try #require(try MonitorState(definition, reference: reference, decoding: state.encoded))
    }
    #expect(found == expected && found.contains { $0.kind == "window" })
  }

  @Test func `a truth that moves is an alarm of the labels`() throws {
    for isBinary in [true, false] {
      var names = SegmentNames()
      var stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 44, labelled: true, names: &names)
      for partition in stream.labels.keys.sorted() {
        for row in 0..<(stream.labels[partition]?.count ?? 0) {
          let time = stream.labels[partition]?[row].timeMilliseconds ?? 0
          if !isBinary { stream.labels[partition]?[row].value = Double(row % 97) }
          guard time >= 330 * Stream.minute else { continue }
          stream.labels[partition]?[row].value = isBinary ? (row % 6 == 0 ? 0 : 1) : Double(row % 97) + 40
        }
      }
      let definition = Stream.definition {
        $0.label = .init(withinMilliseconds: 1_800_000, latenessMilliseconds: 300_000, isBinary: isBinary)
      }
      let results = run(stream, names, definition)
      #expect(results.count { $0.kind == "labels" } >= 6)
      let alarms = results.filter { if case .alarm(let alarm) = $0.content { alarm.isOfLabels } else { false } }
      let first = try #require(alarms.first)
      #expect(
        first.window.startMilliseconds == 300 * Stream.minute || first.window.startMilliseconds == 360 * Stream.minute)
      #expect(first.lane == .labels && first.id.hasSuffix("/labels/label"))
      #expect(
        results.filter { $0.kind == "labels" }.map(\.id).count
          == Set(results.map(\.id)).intersection(
            results.filter { $0.kind == "labels" }.map(\.id)
          ).count)
    }
  }

  @Test func `days that differ among themselves are no drift, one that differs from all of them is`() throws {
    var names = SegmentNames()
    var stream = Stream(rows: 24_000, partitions: 1, minutes: 1_800, seed: 45, names: &names)
    // Each hour has a level of its own, as an average over all rows of a day would; hour 20 is far from all.
    var random = SplitMix64(seed: 46)
    let levels = (0..<31).map { $0 == 20 ? Float(400) : Float(random.next() % 60) }
    for row in 0..<(stream.predictions[0]?.count ?? 0) {
      let hour = Int((stream.predictions[0]?.timesMilliseconds[row] ?? 0) / (60 * Stream.minute))
      stream.predictions[0]?.values[row * 3] += levels[min(hour, 30)]
    }
    let alarms = run(stream, names, Stream.definition { $0.reference = .trailing(windows: 12) }).filter { $0.isRinging }
    // The first hours are one another's measure.
    let late = alarms.map { $0.window.startMilliseconds / (60 * Stream.minute) }.filter { $0 >= 6 }
    #expect(late == [20], "\(late)")
  }

  @Test func `a column that fills late gets its bins late`() throws {
    var names = SegmentNames()
    var stream = Stream(rows: 12_000, partitions: 1, minutes: 600, seed: 47, names: &names)
    for row in 0..<(stream.predictions[0]?.count ?? 0)
    where stream.predictions[0]?.timesMilliseconds[row] ?? 0 < 90 * Stream.minute {
      stream.predictions[0]?.values[row * 3] = .nan
    }
    let results = run(stream, names, Stream.definition())
    let last = try #require(results.last { $0.kind == "window" })
    let amount = try #require(last.features.first { $0.feature == "amount" })
    #expect(amount.tests.contains { $0.test == .psi && $0.score.score.isFinite })
  }
}
