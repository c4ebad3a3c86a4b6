import Core
import Testing

@testable import Drift

/// Each cause, planted, is named.
@Suite struct CauseTests {
  private static let rows = 3_000

  private func draw(_ seed: UInt64, _ transform: (Double, inout SplitMix64) -> Double = { value, _ in value })
    -> [Double]
  {
    var random = SplitMix64(seed: seed)
    return (0..<Self.rows).map { _ in
      let value = 40 + 12 * random.bell()
      return transform(value, &random)
    }
  }

  private func signs(_ current: [Double]) throws -> CauseSigns {
    let reference = NumericSample(draw(1))
    let grid = try #require(BinGrid(quantilesOf: reference, finePerCoarse: 2))
    return CauseSigns(
      reference: .numeric(NumericProfile(reference, on: grid)),
      current: .numeric(NumericProfile(NumericSample(current), on: grid)))
  }

  @Test(arguments: UnitChange.known.map(\.factor))
  func `another unit`(factor: Double) throws {
    for scale in [factor, 1 / factor] {
      let cause = DriftCause.decide(try signs(draw(2) { value, _ in value * scale }))
      guard case .unit(let found, let name, let share) = cause else {
        return #expect(Bool(false), "\(scale): \(cause)")
      }
      #expect((found / scale - 1).magnitude < 0.02 && !name.isEmpty && share == 1)
      #expect(cause.isDataBug && cause.code == "unit")
    }
  }

  @Test func `another unit of a long tail`() throws {
    var random = SplitMix64(seed: 9)
    func tail(_ scale: Double) -> [Double] {
      (0..<20_000).map { _ in
        let value = random.bell()
        return value * value * scale
      }
    }
    let reference = NumericSample(tail(1))
    let grid = try #require(BinGrid(quantilesOf: reference))
    let signs = CauseSigns(
      reference: .numeric(NumericProfile(reference, on: grid)),
      current: .numeric(NumericProfile(NumericSample(tail(1_000)), on: grid)))
    #expect(DriftCause.decide(signs).code == "unit")
  }

  /// Amounts as shops have them: a long tail.
  private func amounts(_ seed: UInt64, rows: Int, _ transform: (Double, inout SplitMix64) -> Double) -> NumericSample {
    var random = SplitMix64(seed: seed)
    return NumericSample(
      (0..<rows).map { _ in
        let value = Self.exponential(3 + random.bell())
        return transform(value, &random)
      })
  }

  private static func exponential(_ power: Double) -> Double {
    var (sum, term) = (1.0, 1.0)
    for step in 1..<60 {
      term *= power / Double(step)
      sum += term
    }
    return sum
  }

  private func cause(
    _ seed: UInt64, rows: Int = 2_000, _ transform: (Double, inout SplitMix64) -> Double
  ) throws -> DriftCause {
    let reference = amounts(seed &+ 1_000, rows: rows * 5) { value, _ in value }
    let sketch = reference.values.reduce(into: QuantileSketch()) { $0.add($1) }
    let grid = try #require(sketch.grid(finePerCoarse: 4)?.grid)
    return DriftCause.decide(
      CauseSigns(
        reference: .numeric(NumericProfile(reference, on: grid)),
        current: .numeric(NumericProfile(amounts(seed, rows: rows, transform), on: grid))))
  }

  @Test(arguments: [100, 0.01, 1_000, 0.001]) func `cents for some or all of the rows are a unit`(factor: Double) throws
  {
    // A tenth that is nearly nothing is lost in the noise of a long tail, three tenths now and then.
    for share in factor > 1 ? [0.1, 0.3, 0.7, 1] : [0.3, 0.7, 1] {
      var missed: [UInt64] = []
      for seed in 1...10 as ClosedRange<UInt64> {
        let cause = try cause(seed) { value, random in random.uniform() < share ? value * factor : value }
        guard case .unit(let found, _, let part) = cause else {
          missed.append(seed)
          continue
        }
        // A thousand and 1,024 are one and the same to a sample of a long tail.
        let isClose = (found / factor - 1).magnitude < 0.03
        #expect(factor < 1 && share < 1 ? found < 1 : isClose, "seed \(seed), \(share): \(found) for \(factor)")
        #expect((part - share).magnitude < 0.2, "seed \(seed): \(part) of the rows for \(share)")
      }
      #expect(missed.count <= (factor < 1 && share < 0.5 ? 2 : 0), "\(share) of the rows by \(factor): seeds \(missed)")
    }
  }

  @Test func `growth, inflation, other customers and fraud are no units`() throws {
    let shifts: [@Sendable (Double, inout SplitMix64) -> Double] = [
      { value, _ in value * 1.3 }, { value, _ in value * 1.6 + 5 }, { value, _ in value * 2.5 },
      { value, _ in value * 0.7 }, { value, _ in value + 40 },
      { value, random in random.uniform() < 0.3 ? value * 3 : value },
      { value, random in random.uniform() < 0.2 ? 100 + 400 * random.uniform() : value },
      { value, random in random.uniform() < 0.5 ? value : 5 * random.uniform() },
    ]
    for (index, shift) in shifts.enumerated() {
      for seed in 1...10 as ClosedRange<UInt64> {
        let cause = try cause(seed, shift)
        #expect(cause == .realShift, "shift \(index), seed \(seed): \(cause)")
      }
    }
  }

  @Test func `shifts of the world are no units`() throws {
    let shifts: [@Sendable (Double, inout SplitMix64) -> Double] = [
      { value, _ in value + 25 }, { value, _ in value * 1.3 }, { value, _ in value * 1.9 }, { value, _ in -value },
      { value, random in random.uniform() < 0.4 ? value + 80 : value }, { value, random in value + 30 * random.bell() },
      { value, _ in value * value / 40 },
    ]
    for (index, shift) in shifts.enumerated() {
      let cause = DriftCause.decide(try signs(draw(3, shift)))
      #expect(cause == .realShift, "shift \(index): \(cause)")
      #expect(!cause.isDataBug)
    }
  }

  @Test func `a surge of nulls`() throws {
    let cause = DriftCause.decide(try signs(draw(4) { value, random in random.uniform() < 0.3 ? .nan : value }))
    guard case .null(let share) = cause else { return #expect(Bool(false), "\(cause)") }
    #expect((share - 0.3).magnitude < 0.05)
  }

  @Test func `a source that has stopped, and events that are refused`() throws {
    var signs = try signs(draw(5) { value, _ in value * 1_000 })
    signs.refusedShareBefore = 0.01
    signs.refusedShareNow = 0.2
    #expect(DriftCause.decide(signs) == .contract(refusedShare: 0.2))
    signs.newestEventAgeMilliseconds = 3_600_000
    signs.expectedAgeMilliseconds = 60_000
    #expect(DriftCause.decide(signs) == .freshness(ageMilliseconds: 3_600_000))
    signs.newestEventAgeMilliseconds = 90_000
    #expect(DriftCause.decide(signs).code == "contract")
  }

  @Test func `what another source no longer sends is out of date, not null`() throws {
    var signs = try signs(draw(7) { value, random in random.uniform() < 0.6 ? .nan : value })
    signs.staleSource = "weather"
    guard case .stale(let source, let share) = DriftCause.decide(signs) else { return #expect(Bool(false)) }
    #expect(source == "weather" && (share - 0.6).magnitude < 0.05)
    #expect(DriftCause.decide(signs).code == "freshness" && DriftCause.decide(signs).isDataBug)
  }

  private func categories(_ names: (Int) -> String) -> FeatureProfile {
    var profile = CategoryProfile(capacity: 256)
    for row in 0..<Self.rows { profile.add(names(row)) }
    return .categorical(profile)
  }

  @Test func `a flood of new categories is a bug, a new one that many have is none`() {
    let reference = categories { "c\($0 % 20)" }
    let flood = categories { $0 % 3 == 0 ? "id-\($0)" : "c\($0 % 20)" }
    let launch = categories { $0 % 3 == 0 ? "new" : "c\($0 % 20)" }
    let shares = categories { "c\($0 % 7)" }
    let cause = DriftCause.decide(CauseSigns(reference: reference, current: flood))
    guard case .newCategories(let share, let distinct) = cause else { return #expect(Bool(false), "\(cause)") }
    #expect((share - 1.0 / 3).magnitude < 0.05)
    #expect((Double(distinct) / 1_000 - 1).magnitude < 0.1)
    #expect(DriftCause.decide(CauseSigns(reference: reference, current: launch)) == .realShift)
    #expect(DriftCause.decide(CauseSigns(reference: reference, current: shares)) == .realShift)
  }

  @Test func `an alarm carries its evidence`() throws {
    let signs = try signs(draw(6) { value, _ in value * 60 })
    let findings = AlarmPolicy().judge([("age", signs.reference, signs.current)])
    let finding = try #require(findings.first)
    let window = WindowReference(
      startMilliseconds: 0, endMilliseconds: 1_000, rowCount: Self.rows,
      offsets: [.init(topic: "t", partition: 3, first: 10, last: 99)])
    let alarm = try #require(
      DriftAlarm(
        model: "m", finding, cause: DriftCause.decide(signs), reference: window, current: window,
        contributors: Contributor.top(1, of: [(.producer, "client=7", 10, 0.5)])))
    #expect(alarm.feature == "age" && alarm.cause.code == "unit" && alarm.producers.map(\.name) == ["client=7"])
    #expect(alarm.segments.isEmpty && alarm.value >= alarm.threshold && alarm.current.offsets[0].last == 99)
    var quiet = finding
    quiet.isAlarm = false
    #expect(DriftAlarm(model: "m", quiet, cause: .realShift, reference: window, current: window) == nil)
  }
}
