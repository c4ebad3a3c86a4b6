import Core
import Drift
import Testing

@testable import Monitoring

@Suite struct CorrectionTests {
  private static func definition() -> MonitorDefinition {
    Stream.definition {
      $0.label = .init(withinMilliseconds: 20 * Stream.minute, latenessMilliseconds: 0, isBinary: true)
    }
  }

  private func areas(_ results: [MonitorResult]) -> [Int64: Double] {
    var areas: [Int64: Double] = [:]
    for result in results {
      guard case .performance(let performance) = result.content, performance.segment == nil else { continue }
      areas[result.window.startMilliseconds] = performance["auc"]?.value
    }
    return areas
  }

  /// Quality is that of the newest revision while a window's labels are waited for, whichever comes first to the
  /// monitor: the prediction's event or its correction; what drifts stays what was said.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `labels are held against the newest revision`(seed: UInt64) throws {
    var names = SegmentNames()
    let stream = Stream(rows: 4_000, partitions: 2, minutes: 300, seed: seed, labelled: true, names: &names)
    var plain = MonitorState(Self.definition())
    let before = stream.feed(&plain, seed: seed)

    // All predictions of the second window are turned round, as soon as anything is known of them.
    let window = 60 * Stream.minute..<120 * Stream.minute
    var corrected = MonitorState(Self.definition())
    corrected.expect(partitions: Array(stream.predictions.keys), labelPartitions: Array(stream.labels.keys))
    for (partition, rows) in stream.predictions.sorted(by: { $0.key < $1.key }) {
      corrected.add(rows)
      let corrections = (0..<rows.count).filter { window.contains(rows.timesMilliseconds[$0]) }.map {
        ScoreCorrection(
          eventOffset: rows.eventOffsets[$0], timeMilliseconds: rows.timesMilliseconds[$0], score: 1 - rows.scores[$0])
      }
      // One half in front of the events, one behind them.
      corrected.correct(Array(corrections.prefix(corrections.count / 2)), partition: partition)
      let events = stream.events[partition] ?? []
      corrected.add(events, partition: partition, upTo: (events.last?.offset ?? 0) + 1)
      corrected.correct(Array(corrections.dropFirst(corrections.count / 2)), partition: partition)
    }
    // Through the checkpoint, so that what waits is part of it.
    corrected = try #require(try MonitorState(Self.definition(), decoding: corrected.encoded))
    corrected.names = names
    for (partition, rows) in stream.labels { corrected.add(rows, partition: partition) }
    let after = corrected.advance()

    let (first, second) = (areas(before), areas(after))
    let turned = try #require(second[window.lowerBound])
    let original = try #require(first[window.lowerBound])
    #expect((turned - (1 - original)).magnitude < 0.01, "seed \(seed)")
    #expect(turned < 0.4 && original > 0.6, "seed \(seed)")
    for (start, area) in first where start != window.lowerBound { #expect(second[start] == area, "seed \(seed)") }
    func windows(_ results: [MonitorResult]) -> [MonitorResult] {
      results.filter { $0.kind == "window" }.sorted { $0.id < $1.id }
    }
    #expect(windows(before) == windows(after))
  }
}
