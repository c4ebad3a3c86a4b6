internal import Glibc

/// Finds that values are multiplied by one constant: all of them, or those of some producers.
package struct UnitChange: Sendable, Equatable {
  package var factor: Double
  /// What the factor is known as.
  package var name: String
  /// Of the values that are multiplied.
  package var share: Double

  /// Factors between units that are mistaken for each other, as larger by smaller; both directions count.
  static let known: [(factor: Double, name: String)] = [
    (10, "ten"), (100, "hundred: per cent, cents"), (1_000, "thousand: kilo, milliseconds"), (1e4, "basis points"),
    (1e6, "million: micro"), (1e9, "thousand million: nano"), (60, "sixty: minutes, seconds"),
    (3_600, "hours and seconds"), (24, "days and hours"), (1_440, "days and minutes"), (86_400, "days and seconds"),
    (1_024, "1,024: kibi"), (1_048_576, "1,048,576: mebi"), (8, "bytes and bits"), (1.609_344, "miles and kilometres"),
    (3.280_84, "metres and feet"), (2.54, "inches and centimetres"), (12, "feet and inches"),
    (2.204_62, "kilograms and pounds"), (28.349_5, "ounces and grams"), (3.6, "m/s and km/h"),
    (57.295_8, "radians and degrees"),
  ]
  /// From here on factors lie so far apart that the spread of a long tail, which is known badly, does not decide.
  private static let large = 8.0
  /// Parts of the rows are looked for with factors that the world does not have.
  private static let leastFactorOfAPart = 10.0
  private static let leastShare = 0.02

  /// - Returns: nil when no known factor explains what changed.
  package static func find(_ reference: NumericProfile, _ current: NumericProfile) -> UnitChange? {
    let (before, now) = (reference.moments, current.moments)
    guard let deviation = before.standardDeviation, let scaled = now.standardDeviation, deviation > 0, scaled > 0,
      let mean = before.mean, let scaledMean = now.mean, before.count >= 30, now.count >= 30
    else { return nil }
    // Two independent measures of scale must agree with the factor: spread, and position where it is not near zero.
    // Of factors that lie close together the one that both speak for most.
    let spread = scaled / deviation
    let inverse = (1 / Double(before.count) + 1 / Double(now.count)).squareRoot()
    var best: (unit: UnitChange, misfit: Double)?
    for (known, name) in known {
      for factor in [known, 1 / known] {
        let tolerance = known >= large ? max(log(1.5), 3 * inverse) : max(0.005, 3 * inverse)
        guard log(spread / factor).magnitude <= tolerance else { continue }
        // A small factor is told from growth by a position that is known to a hundredth; around zero there is none.
        guard known >= large || deviation * inverse <= 0.01 * mean.magnitude else { continue }
        // The larger spread of the two: where the tail is long, either may have missed it.
        let standardError = max(deviation * factor, known >= large ? scaled : 0) * inverse
        let offset = (scaledMean - mean * factor).magnitude
        guard offset <= max(4 * standardError, (known >= large ? 0.02 : 0.005) * deviation * factor) else { continue }
        let distances = (log(spread / factor) / inverse, offset / standardError)
        let misfit = distances.0 * distances.0 + distances.1 * distances.1
        let unit = UnitChange(factor: factor, name: name, share: 1)
        if best.map({ misfit < $0.misfit }) ?? true { best = (unit, misfit) }
      }
    }
    if let best, explains(best.unit.factor, reference, current) { return best.unit }
    return part(reference, current, inverse: inverse)
  }

  /// Whether the reference, its grid rescaled, comes to lie upon the current counts as well as can be seen on the
  /// grid: shares below each rescaled edge differ by at most a quarter of what they did before.
  private static func explains(_ factor: Double, _ reference: NumericProfile, _ current: NumericProfile) -> Bool {
    guard let statistics = ProfileStatistics(reference, current) else { return false }
    let before = statistics.kolmogorovSmirnov.lowerBound
    let now = Shares(current)
    var residual = 0.0
    for (edge, share) in zip(reference.grid.edges, Shares(reference).below) {
      let range = now.range(below: edge * factor)
      residual = max(residual, range.lowerBound - share, share - range.upperBound)
    }
    return residual <= max(before / 4, 0.03)
  }

  /// Finds that a part p of the rows is multiplied: then the mean is 1 + p (k - 1) times what it was, which gives p for
  /// each factor k, and both the mean square and the distribution must be those of the mixture.
  private static func part(
    _ reference: NumericProfile, _ current: NumericProfile, inverse: Double
  ) -> UnitChange? {
    guard let statistics = ProfileStatistics(reference, current), let mean = reference.moments.mean, mean != 0,
      let scaledMean = current.moments.mean, let deviation = reference.moments.standardDeviation,
      let scaled = current.moments.standardDeviation
    else { return nil }
    let drift = statistics.kolmogorovSmirnov.lowerBound
    let tolerance = min(max(2 * inverse, 0.02), drift / 3)
    let squares = (scaledMean * scaledMean + scaled * scaled) / (mean * mean + deviation * deviation)
    var best: (unit: UnitChange, misfit: Double)?
    for (known, name) in known where known >= leastFactorOfAPart {
      for factor in [known, 1 / known] {
        let share = (scaledMean / mean - 1) / (factor - 1)
        guard share >= leastShare, share <= 1 + 3 * inverse else { continue }
        let unit = UnitChange(factor: factor, name: name, share: min(share, 1))
        let expected = 1 + unit.share * (factor * factor - 1)
        let misfit = log(squares / expected).magnitude
        let residual = residual(unit, reference, current)
        // Squares of what is next to nothing are lost among the others.
        guard factor < 1 || misfit <= log(1.6), residual <= tolerance else { continue }
        // Where two are as likely, the more usual factor: it comes first.
        let score = max(residual / tolerance - 0.5, 0) + (factor > 1 ? misfit : 0)
        if best.map({ score < $0.misfit - 0.1 }) ?? true { best = (unit, score) }
      }
    }
    return best?.unit
  }

  /// The largest certain distance of the current shares from those of the mixture, at the edges of the grid and at both
  /// ends of its range.
  private static func residual(
    _ unit: UnitChange, _ reference: NumericProfile, _ current: NumericProfile
  ) -> Double {
    let (before, now) = (Shares(reference), Shares(current))
    let grid = reference.grid
    let places =
      Array(zip(grid.edges, zip(before.below, now.below).map { ($0, $1) }))
      + [(grid.lowest, (0, now.belowRange)), (grid.highest.nextUp, (1, 1 - now.aboveRange))]
    return places.reduce(0) { largest, place in
      let (edge, (share, found)) = place
      let multiplied = before.range(below: edge / unit.factor)
      let low = (1 - unit.share) * share + unit.share * multiplied.lowerBound
      let high = (1 - unit.share) * share + unit.share * multiplied.upperBound
      return max(largest, low - found, found - high)
    }
  }
}

/// Which shares of a profile's values lie below a number.
private struct Shares {
  /// At each edge of the grid.
  let below: [Double]
  let belowRange: Double
  let aboveRange: Double
  private let grid: BinGrid

  init(_ profile: NumericProfile) {
    let total = Double(max(profile.count, 1))
    var sum = 0
    below = profile.counts.dropLast().map { count in
      sum += count
      return Double(sum) / total
    }
    belowRange = Double(profile.belowCount) / total
    aboveRange = Double(profile.aboveCount) / total
    grid = profile.grid
  }

  /// The number lies in some bin: the share is between those at the bin's ends.
  func range(below number: Double) -> ClosedRange<Double> {
    if number <= grid.lowest { return 0...belowRange }
    if number > grid.highest { return (1 - aboveRange)...1 }
    let bin = grid.bin(of: number)
    let low = bin == 0 ? belowRange : below[bin - 1]
    let high = bin == below.count ? 1 - aboveRange : below[bin]
    return min(low, high)...max(low, high)
  }
}
