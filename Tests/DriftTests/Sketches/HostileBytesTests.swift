import Core
import Testing

@testable import Drift

/// Sketches come from disk: whatever the bytes are, they are refused or are the one form of some sketch.
@Suite struct HostileBytesTests {
  private struct Sample {
    var name: String
    var bytes: [UInt8]
    /// Decodes and encodes.
    var again: ([UInt8]) throws -> [UInt8]
  }

  private static func samples() -> [Sample] {
    var random = SplitMix64(seed: 1)
    let values = (0..<300).map { _ in random.awkward() }
    var (quantiles, moments, distinct, many) = (QuantileSketch(), Moments(), DistinctCounter(), DistinctCounter())
    var categories = CategoryProfile(capacity: 16)
    var (scores, regression) = (BinaryAccumulator(), RegressionAccumulator())
    for (index, value) in values.enumerated() {
      quantiles.add(value)
      moments.add(value)
      if index < 20 { distinct.add(hash: random.next()) }
      categories.add("k\(index % 40)")
      scores.add(score: random.uniform(), label: index % 3 == 0)
      regression.add(prediction: value, truth: random.bell())
    }
    for _ in 0..<2_000 { many.add(hash: random.next()) }
    var samples = [
      Sample(name: "quantiles", bytes: quantiles.encoded) { try QuantileSketch(decoding: $0).encoded },
      Sample(name: "moments", bytes: moments.encoded) { try Moments(decoding: $0).encoded },
      Sample(name: "distinct", bytes: distinct.encoded) { try DistinctCounter(decoding: $0).encoded },
      Sample(name: "many distinct", bytes: many.encoded) { try DistinctCounter(decoding: $0).encoded },
      Sample(name: "categories", bytes: categories.encoded) { try CategoryProfile(decoding: $0).encoded },
      Sample(name: "scores", bytes: scores.encoded) { try BinaryAccumulator(decoding: $0).encoded },
      Sample(name: "regression", bytes: regression.encoded) { try RegressionAccumulator(decoding: $0).encoded },
    ]
    if let grid = BinGrid(quantilesOf: NumericSample(values), finePerCoarse: 2) {
      let profile = NumericProfile(NumericSample(values), on: grid)
      samples.append(Sample(name: "profile", bytes: profile.encoded) { try NumericProfile(decoding: $0).encoded })
    }
    return samples
  }

  @Test func `damaged bytes are refused, or are the bytes of another sketch`() throws {
    var random = SplitMix64(seed: 77)
    for sample in Self.samples() {
      let (name, bytes, again) = (sample.name, sample.bytes, sample.again)
      #expect(try again(bytes) == bytes, "\(name)")
      var refused = 0
      for round in 0..<600 {
        var damaged = bytes
        switch round % 4 {
        case 0: damaged = Array(damaged.prefix(Int.random(in: 0..<bytes.count, using: &random)))
        case 1: damaged.append(UInt8.random(in: 0...255, using: &random))
        default:
          for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<min(bytes.count, round % 4 == 2 ? 40 : bytes.count), using: &random)
            damaged[place] = UInt8.random(in: 0...255, using: &random)
          }
        }
        if damaged == bytes { continue }
        do {
          #expect(try again(damaged) == damaged, "\(name), round \(round)")
        } catch let error as HeadraceError {
          #expect(error.code == "SKETCH_DAMAGED")
          refused += 1
        }
      }
      #expect(refused >= 300, "\(name): every second one was cut or had bytes left")
    }
  }

  @Test func `another kind, another version, and nothing`() {
    #expect(throws: HeadraceError.self) { try Moments(decoding: []) }
    #expect(throws: HeadraceError.self) { try Moments(decoding: QuantileSketch().encoded) }
    var bytes = Moments().encoded
    bytes[1] = 2
    #expect(throws: HeadraceError.self) { try Moments(decoding: bytes) }
    // A count of categories that the bytes cannot hold: nothing is allocated for it.
    let huge: [UInt8] = [3, 1, 64, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
    #expect(throws: HeadraceError.self) { try CategoryProfile(decoding: huge) }
  }
}
