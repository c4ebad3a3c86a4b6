import Core
import Testing

@testable import Drift

/// The detections of river on a stream with two changes, at the same values.
@Suite struct RiverTests {
  private static let stream: [Double] = {
    let parts: [(seed: UInt64, scale: Double, shift: Double)] = [(5_000, 1, 0), (5_001, 1, 1), (5_002, 3, 0)]
    return parts.flatMap { part in
      var random = SplitMix64(seed: part.seed)
      return (0..<2_000).map { _ in random.bell() * part.scale + part.shift }
    }
  }()

  private func expected(_ prefix: String) -> [Int] {
    GoldenFigures.of("river").filter { $0.rows == "-" && $0.column.hasPrefix(prefix) }.map { Int($0.value) }
  }

  @Test func `the stream is the one that river saw`() {
    for (index, figure) in GoldenFigures.of("river").filter({ $0.rows == "first_values" }).enumerated() {
      #expect((Self.stream[index] - figure.value).magnitude < 1e-11)
    }
  }

  @Test func `ADWIN`() {
    var window = AdaptiveWindow()
    #expect(Self.stream.indices.filter { window.add(Self.stream[$0]) } == expected("ADWIN default"))
    var configuration = AdaptiveWindow.Configuration()
    configuration.clock = 1
    window = AdaptiveWindow(configuration)
    #expect(Self.stream.indices.filter { window.add(Self.stream[$0]) } == expected("ADWIN clock 1"))
  }

  @Test func `Page-Hinkley`() {
    var detector = PageHinkley()
    #expect(Self.stream.indices.filter { detector.add(Self.stream[$0]) } == expected("PageHinkley default"))
    var configuration = PageHinkley.Configuration()
    configuration.threshold = 20
    configuration.direction = .up
    detector = PageHinkley(configuration)
    #expect(Self.stream.indices.filter { detector.add(Self.stream[$0]) } == expected("PageHinkley threshold 20 up"))
  }

  @Test func `CUSUM finds both directions and says since when`() {
    var detector = CumulativeSum(mean: 0, standardDeviation: 1)
    var first: Int?
    for (index, value) in Self.stream.enumerated() where index >= 1_900 {
      let signal = detector.add(value)
      if signal == .up, index >= 2_000 {
        first = index
        break
      }
    }
    #expect((first ?? 0) - 2_000 < 40)
    var falling = CumulativeSum(mean: 0, standardDeviation: 1)
    let signals = (0..<20).compactMap { _ in falling.add(-2) }
    #expect(signals.first == .down)
    #expect(falling.add(.nan) == nil)
  }
}
