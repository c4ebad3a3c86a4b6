internal import Glibc

/// Finds that all values are multiplied by one constant.
package struct UnitChange: Sendable, Equatable {
  package var factor: Double
  /// What the factor is known as.
  package var name: String

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
      for factor in [known, 1 / known] where isClose(spread, factor, max(0.02, 3 * inverse)) {
        let standardError = deviation * factor * inverse
        let offset = (scaledMean - mean * factor).magnitude
        guard offset <= max(4 * standardError, 0.02 * deviation * factor) else { continue }
        let distances = (log(spread / factor) / inverse, offset / standardError)
        let misfit = distances.0 * distances.0 + distances.1 * distances.1
        if best.map({ misfit < $0.misfit }) ?? true { best = (UnitChange(factor: factor, name: name), misfit) }
      }
    }
    return best.flatMap { explains($0.unit.factor, reference, current) ? $0.unit : nil }
  }

  /// Spreads differ by chance: the fewer rows, the more.
  private static func isClose(_ value: Double, _ factor: Double, _ tolerance: Double) -> Bool {
    log(value / factor).magnitude <= tolerance
  }

  /// Whether the reference, its grid rescaled, comes to lie upon the current counts as well as can be seen on the
  /// grid: shares below each rescaled edge differ by at most a quarter of what they did before.
  private static func explains(_ factor: Double, _ reference: NumericProfile, _ current: NumericProfile) -> Bool {
    guard let statistics = ProfileStatistics(reference, current) else { return false }
    let before = statistics.kolmogorovSmirnov.lowerBound
    let currentBelow = shares(current)
    let referenceBelow = shares(reference)
    var residual = 0.0
    for (edge, share) in zip(reference.grid.edges, referenceBelow) {
      // The rescaled edge lies in some bin: its share is between those at the bin's ends.
      let bin = current.grid.bin(of: edge * factor)
      let low = bin == 0 ? 0 : currentBelow[bin - 1]
      let high = bin == currentBelow.count ? 1 : currentBelow[bin]
      residual = max(residual, low - share, share - high)
    }
    return residual <= max(before / 4, 0.03)
  }

  /// The share of the values below each edge.
  private static func shares(_ profile: NumericProfile) -> [Double] {
    let total = Double(profile.count)
    var below = 0
    return profile.counts.dropLast().map { count in
      below += count
      return Double(below) / total
    }
  }
}
