internal import Columns
internal import Core
internal import Drift
internal import Glibc

/// A shape that features have, with a mean that is known and can be raised.
enum Marginal: String, CaseIterable {
  /// Mean 1, standard deviation 1.
  case normal
  /// Of a normal with standard deviation 1: half of the sum lies in a few values.
  case lognormal
  case exponential
  /// Poisson with mean 3: counts.
  case discrete
  /// Nine in ten are zero, the others exponential.
  case ties
  /// Even, with one in ten missing.
  case missing
  /// Twenty names, each less frequent than the one before it. What is shifted is their frequency.
  case categorical

  static let nameCount = 20

  /// One value whose mean is multiplied by `factor`; of categories a number of a name.
  func draw(_ random: inout SplitMix64, factor: Double = 1) -> Float {
    switch self {
    case .normal: Float(factor + Self.bell(&random))
    case .lognormal: Float(factor * exp(Self.bell(&random)))
    case .exponential: Float(-factor * log(1 - Self.uniform(&random)))
    case .discrete: Float(Self.poisson(3 * factor, &random))
    case .ties: Self.uniform(&random) < 0.9 ? 0 : Float(-factor * log(1 - Self.uniform(&random)))
    case .missing: Self.uniform(&random) < 0.1 ? .nan : Float(2 * factor * Self.uniform(&random))
    case .categorical:
      // The mean of u^e is 1 / (1 + e): a third without a shift.
      Float(Int(pow(Self.uniform(&random), 3 / factor - 1) * Double(Self.nameCount)))
    }
  }

  static func uniform(_ random: inout SplitMix64) -> Double { Double(random.next() >> 11) * 0x1p-53 }

  /// Box and Muller's, one of the two.
  private static func bell(_ random: inout SplitMix64) -> Double {
    (-2 * log(1 - uniform(&random))).squareRoot() * cos(2 * .pi * uniform(&random))
  }

  private static func poisson(_ mean: Double, _ random: inout SplitMix64) -> Int {
    var (count, product) = (0, uniform(&random))
    let limit = exp(-mean)
    while product > limit {
      count += 1
      product *= uniform(&random)
    }
    return count
  }
}

/// So many features of one shape, or of all shapes in turn, with their reference.
struct DrawnModel {
  private static let names = (0..<Marginal.nameCount).map { "v\($0)" }

  let marginals: [Marginal]
  private let references: [FeatureProfile]
  private let grids: [BinGrid]
  private var profiler: MatrixProfiler

  init(_ marginals: [Marginal], referenceRows: Int, _ random: inout SplitMix64) {
    self.marginals = marginals
    var references: [FeatureProfile] = []
    var grids: [BinGrid] = []
    for marginal in marginals {
      let values = (0..<referenceRows).map { _ in marginal.draw(&random) }
      guard marginal != .categorical else {
        references.append(.categorical(Self.categories(values)))
        grids.append(.single)
        continue
      }
      let sample = NumericSample(values.map(Double.init))
      let grid = BinGrid(quantilesOf: sample, finePerCoarse: 4) ?? .single
      references.append(.numeric(NumericProfile(sample, on: grid)))
      grids.append(grid)
    }
    self.references = references
    self.grids = grids
    profiler = MatrixProfiler(grids)
  }

  /// Judges a window of new rows.
  ///
  /// - Parameter shifted: a feature whose mean is higher by 30 %.
  mutating func findings(
    _ policy: AlarmPolicy, rowCount: Int, shifted: Int? = nil, _ random: inout SplitMix64
  ) -> [AlarmPolicy.Finding] {
    var rows = [Float](repeating: 0, count: rowCount * marginals.count)
    for (feature, marginal) in marginals.enumerated() {
      let factor = feature == shifted ? 1.3 : 1
      for row in 0..<rowCount { rows[row * marginals.count + feature] = marginal.draw(&random, factor: factor) }
    }
    profiler.removeAll()
    profiler.add(rows.span)
    let numbers = profiler.profiles
    let features = marginals.indices.map { feature -> (String, FeatureProfile, FeatureProfile) in
      guard marginals[feature] == .categorical else {
        return ("f\(feature)", references[feature], .numeric(numbers[feature]))
      }
      let own = (0..<rowCount).map { rows[$0 * marginals.count + feature] }
      return ("f\(feature)", references[feature], .categorical(Self.categories(own)))
    }
    return policy.judge(features)
  }

  private static func categories(_ values: [Float]) -> CategoryProfile {
    var counts = [Int](repeating: 0, count: names.count)
    for value in values { counts[min(max(Int(value), 0), names.count - 1)] += 1 }
    var profile = CategoryProfile()
    for (name, count) in zip(names, counts) where count > 0 { profile.add(name, count: count) }
    return profile
  }
}
