internal import Glibc

/// The standard normal distribution.
package enum NormalDistribution {
  /// P(Z > z).
  package static func upperTail(_ z: Double) -> Double { 0.5 * erfc(z / 2.0.squareRoot()) }

  /// P(|Z| > |z|).
  package static func twoSided(_ z: Double) -> Double { erfc(z.magnitude / 2.0.squareRoot()) }

  /// The z with P(Z ≤ z) = probability; infinite at 0 and 1, NaN outside.
  ///
  /// A rational start (Abramowitz and Stegun 26.2.23) polished by Newton's method on the smaller tail.
  package static func quantile(_ probability: Double) -> Double {
    guard probability > 0, probability < 1 else {
      return probability == 0 ? -.infinity : probability == 1 ? .infinity : .nan
    }
    let tail = min(probability, 1 - probability)
    let t = (-2 * log(tail)).squareRoot()
    var z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    for _ in 0..<8 {
      let density = exp(-0.5 * z * z) * 0.398_942_280_401_432_7
      guard density > 0 else { break }
      let step = (upperTail(z) - tail) / density
      z += step
      if step.magnitude <= z.magnitude * 1e-16 { break }
    }
    return probability < 0.5 ? -z : z
  }
}
