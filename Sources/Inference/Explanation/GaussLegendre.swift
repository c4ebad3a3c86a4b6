internal import Glibc

/// The points and weights that integrate polynomials up to degree 2n - 1 over [0, 1] exactly.
enum GaussLegendre {
  /// Each point is a root of the Legendre polynomial of degree n, found by Newton's method from Chebyshev's guess.
  static func points(count: Int) -> [(at: Double, weight: Double)] {
    var points: [(at: Double, weight: Double)] = []
    for index in 0..<count {
      var x = cos(Double.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
      var slope = 1.0
      // Converges in four steps; the rest changes nothing.
      for _ in 0..<10 {
        let (value, derivative) = legendre(degree: count, at: x)
        slope = derivative
        x -= value / derivative
      }
      points.append((at: (1 - x) / 2, weight: 1 / ((1 - x * x) * slope * slope)))
    }
    return points
  }

  /// P_n(x) and its derivative, by Bonnet's recursion.
  private static func legendre(degree: Int, at x: Double) -> (value: Double, derivative: Double) {
    var (former, value) = (1.0, x)
    for k in 1..<max(degree, 1) {
      let next = (Double(2 * k + 1) * x * value - Double(k) * former) / Double(k + 1)
      (former, value) = (value, next)
    }
    return (value, Double(degree) * (x * value - former) / (x * x - 1))
  }
}
