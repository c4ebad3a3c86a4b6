internal import Glibc

/// The distribution of the two-sided Kolmogorov–Smirnov statistic of one sample of `n` values: P(D ≥ d).
///
/// Simard, L'Ecuyer: Computing the two-sided Kolmogorov–Smirnov distribution, Journal of Statistical Software 39
/// (2011): which formula serves where. The limits between them are scipy's, so that both round alike.
package enum KolmogorovDistribution {
  /// P(D ≥ distance) for `n` ≥ 1 values.
  package static func upperTail(_ distance: Double, count n: Int) -> Double {
    guard n > 0, !distance.isNaN else { return .nan }
    if distance >= 1 { return 0 }
    if distance <= 0 { return 1 }
    let size = Double(n)
    let steps = size * distance
    if steps <= 0.5 { return 1 }
    if steps <= 1 { return 1 - smallDistance(size, 2 * steps - 1) }
    if steps >= size - 1 { return 2 * pow(1 - distance, size) }
    let scaledSquare = steps * distance
    if distance >= 0.5 || scaledSquare >= (n <= 140 ? 4 : 2.2) {
      return scaledSquare >= 370 ? 0 : min(2 * oneSided(distance, size), 1)
    }
    if n <= 140 || (n <= 100_000 && size * pow(distance, 1.5) <= 1.4) {
      return clip(1 - DurbinMatrix.probability(distance, count: n))
    }
    return clip(1 - pelzGood(distance, size))
  }

  private static func clip(_ probability: Double) -> Double { min(max(probability, 0), 1) }

  /// n! ((2nd - 1) / n)^n, Ruben and Gambino: 1/2n ≤ d ≤ 1/n.
  private static func smallDistance(_ n: Double, _ factor: Double) -> Double {
    exp(BinomialTerms.stirlingError(n) + 0.5 * log(2 * .pi * n) - n + n * log(factor))
  }

  /// P(D⁺ ≥ d) by the sum of Smirnov (1944): every term is positive.
  static func oneSided(_ distance: Double, _ n: Double) -> Double {
    var sum = exp(n * log1p(-distance))
    let last = (n * (1 - distance)).rounded(.down)
    var j = 1.0
    while j <= last {
      let p = distance + j / n
      let q = 1 - p
      if q > 0 {
        sum += exp(BinomialTerms.logBinomial(j, of: n, p, q) + log(distance / p))
      }
      j += 1
    }
    return min(sum, 1)
  }

  /// P(D ≤ d) by the expansion of Pelz and Good (1976), as Simard and L'Ecuyer write it.
  private static func pelzGood(_ distance: Double, _ n: Double) -> Double {
    let z = n.squareRoot() * distance
    let (z2, z4, z6, z8) = (z * z, pow(z, 4), pow(z, 6), pow(z, 8))
    let pi2 = Double.pi * .pi
    let (pi4, pi6) = (pi2 * pi2, pi2 * pi2 * pi2)
    let rootHalfPi = (Double.pi / 2).squareRoot()
    var (k0, k1, k2, k3) = (0.0, 0.0, 0.0, 0.0)
    // Over all half-integers h > 0, twice: terms of -h are the same.
    for index in 0..<40 {
      let h = Double(index) + 0.5
      let (h2, weight) = (h * h, 2 * exp(-pi2 * h * h / (2 * z2)))
      if weight < 1e-300 { break }
      let (h4, h6) = (h2 * h2, h2 * h2 * h2)
      k0 += weight
      k1 += (pi2 * h2 - z2) * weight
      k2 += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * h2 + pi4 * (1 - 2 * z2) * h4) * weight
      k3 +=
        (pi6 * h6 * (5 - 30 * z2) + pi4 * h4 * (-60 * z2 + 212 * z4) + pi2 * h2 * (135 * z4 - 96 * z6)
          - (30 * z6 + 90 * z8)) * weight
    }
    var (integers2, integers3) = (0.0, 0.0)
    for index in 1..<40 {
      let k2 = Double(index * index)
      let weight = 2 * exp(-pi2 * k2 / (2 * z2))
      if weight < 1e-300 { break }
      integers2 += pi2 * k2 * weight
      integers3 += (-pi4 * k2 * k2 + 3 * pi2 * k2 * z2) * weight
    }
    let first = (2 * Double.pi).squareRoot() / z * k0 / 2
    let second = rootHalfPi / (6 * z4) * k1
    let third = rootHalfPi * (k2 / (72 * z6 * z) - integers2 / (36 * z * z2))
    let fourth = rootHalfPi * (k3 / (6_480 * pow(z, 10)) + integers3 / (216 * z6))
    let root = n.squareRoot()
    return first + second / root + third / n + fourth / (n * root)
  }
}
