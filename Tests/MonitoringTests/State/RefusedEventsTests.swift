import Core
import Drift
import Testing

@testable import Monitoring

/// Dead letters beside predictions, where the events themselves are not read.
@Suite struct RefusedEventsTests {
  private static let changeAt = 300 * Stream.minute

  @Test func `windows get the dead letters in front of their predictions, in whatever order they are read`() {
    for seed in 1...60 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      // What became of each event: a window, or who sent what was refused.
      let events = (0..<200).map { index -> (window: Int64?, producer: UInt32) in
        let window = Int64(index / 40) + (random.next() % 10 == 0 ? 1 : 0)
        return (random.next() % 3 == 0 ? nil : window, UInt32(random.next() % 3))
      }
      var expected: [Int64: [UInt32: Int]] = [:]
      for (index, event) in events.enumerated() where event.window == nil {
        guard let window = events[index...].compactMap(\.window).first else { continue }
        expected[window, default: [:]][event.producer, default: 0] += 1
      }
      var refused = RefusedEvents()
      var (letters, predictions, read) = (0, 0, 0)
      while letters < events.count || predictions < events.count {
        let isLetter = predictions == events.count || (letters < events.count && random.next() % 2 == 0)
        let index = isLetter ? letters : predictions
        if isLetter { letters += 1 } else { predictions += 1 }
        if isLetter, events[index].window == nil { refused.add(offset: Int64(index), producer: events[index].producer) }
        if !isLetter, let window = events[index].window { read += refused.note(offset: Int64(index), window: window) }
      }
      var writer = ByteWriter()
      refused.write(to: &writer)
      var reader = ByteReader(unsafe writer.bytes.span.bytes, place: "dead letters")
      #expect((try? RefusedEvents(from: &reader)) == refused)
      let last = events.lastIndex { $0.window != nil } ?? 0
      let first = events.firstIndex { $0.window != nil } ?? 0
      #expect(read == last - first + 1, "seed \(seed)")
      for window in 0...6 as ClosedRange<Int64> {
        #expect(refused.take(window: window) == expected[window] ?? [:], "seed \(seed), window \(window)")
      }
    }
  }

  @Test func `a monitor on a model alone says contract, and who sent what was refused`() throws {
    var names = SegmentNames()
    var stream = Stream(rows: 12_000, partitions: 2, minutes: 600, seed: 61, names: &names)
    var letters: [(partition: Int32, offset: Int64, producer: String)] = []
    for partition in stream.predictions.keys.sorted() {
      guard var rows = stream.predictions[partition] else { continue }
      var random = SplitMix64(seed: 62)
      for row in 0..<rows.count where rows.timesMilliseconds[row] >= Self.changeAt {
        // Every third offset is an event that was refused; what is left is a selection.
        if row % 3 == 0 {
          let isOld = random.next() % 4 > 0
          letters.append((partition, rows.eventOffsets[row] - 1, isOld ? "client-old" : "client-new"))
        }
        rows.values[row * 3] = rows.values[row * 3] * 1.4 + 10
      }
      stream.predictions[partition] = rows
    }
    let definition = Stream.definition { $0.readsDeadLetters = true }
    var state = MonitorState(definition)
    for letter in letters {
      state.addRefused(offset: letter.offset, producer: letter.producer, partition: letter.partition)
    }
    let outside = stream.feed(&state, seed: 1).outside
    let first = try #require(outside.first { $0.drift.feature == "amount" })
    guard case .contract(let share) = first.drift.cause else { return #expect(Bool(false), "\(first.drift.cause)") }
    // Event offsets of the stream are even: a sixth of them all.
    #expect((share - 1.0 / 6).magnitude < 0.02)
    #expect(first.drift.producers.first?.name == "producer=client-old")
    #expect((first.drift.producers.first.map(\.share) ?? 0) > 0.6)
  }
}
