/// Logarithm and exponential from additions, multiplications and divisions alone.
///
/// The C library's differ in the last bit from machine to machine; IEEE 754's basic operations do not. What is
/// generated from a seed has to be the same everywhere.
enum PortableMath {
  private static let ln2 = 0.693_147_180_559_945_3

  /// e to the power of x, for x from -700 to 700; about 1e-15 relative.
  static func exp(_ x: Double) -> Double {
    let halvings = (x / ln2).rounded(.toNearestOrEven)
    let rest = x - halvings * ln2
    var term = 1.0
    var sum = 1.0
    for step in 1...16 {
      term *= rest / Double(step)
      sum += term
    }
    return Double(sign: .plus, exponent: Int(halvings), significand: sum)
  }

  /// The natural logarithm of a positive, normal number; about 1e-15 relative to 1.
  static func log(_ x: Double) -> Double {
    // significand in 1..<2: ln m = 2 atanh((m - 1) / (m + 1))
    let ratio = (x.significand - 1) / (x.significand + 1)
    let square = ratio * ratio
    var power = ratio
    var sum = ratio
    for step in 1...18 {
      power *= square
      sum += power / Double(2 * step + 1)
    }
    return 2 * sum + Double(x.exponent) * ln2
  }
}
