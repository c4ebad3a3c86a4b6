internal import Columns
internal import Glibc

/// Functions of doubles, as the C library computes them: within one unit in the last place, which need not be the same
/// one on every machine. Where the result would be infinite or NaN it is null.
extension Machine {
  func math(_ function: MathFunction, _ operand: Program.Operand, into result: inout Register) {
    switch function {
    case .floor: finite(operand, into: &result) { $0.rounded(.down) }
    case .ceil: finite(operand, into: &result) { $0.rounded(.up) }
    case .sqrt: finite(operand, into: &result) { $0.squareRoot() }
    case .exp: finite(operand, into: &result) { exp($0) }
    case .ln: finite(operand, into: &result) { log($0) }
    case .log10: finite(operand, into: &result) { log10($0) }
    case .log2: finite(operand, into: &result) { log2($0) }
    case .sin: finite(operand, into: &result) { sin($0) }
    case .cos: finite(operand, into: &result) { cos($0) }
    case .tan: finite(operand, into: &result) { tan($0) }
    case .asin: finite(operand, into: &result) { asin($0) }
    case .acos: finite(operand, into: &result) { acos($0) }
    case .atan: finite(operand, into: &result) { atan($0) }
    case .radians: finite(operand, into: &result) { $0 * (.pi / 180) }
    case .degrees: finite(operand, into: &result) { $0 * (180 / .pi) }
    }
  }

  func binaryMath(_ function: BinaryMathFunction, _ operands: [Program.Operand], into result: inout Register) {
    switch function {
    case .power: finite(operands, into: &result) { pow($0, $1) }
    case .atan2: finite(operands, into: &result) { atan2($0, $1) }
    }
  }

  /// Scales by a power of ten, rounds, scales back; a number that is too large to have such places stays as it is.
  func round(_ operand: Program.Operand, places: Int, into result: inout Register) {
    let power = Decimal128.exactPowers[abs(places)]
    if places == 0 {
      finite(operand, into: &result) { $0.rounded(.toNearestOrAwayFromZero) }
    } else if places < 0 {
      finite(operand, into: &result) { ($0 / power).rounded(.toNearestOrAwayFromZero) * power }
    } else {
      finite(operand, into: &result) { value in
        let scaled = value * power
        return scaled.magnitude < 0x1p52 ? scaled.rounded(.toNearestOrAwayFromZero) / power : value
      }
    }
  }

  /// Mean radius of the Earth, IUGG.
  private static let earthRadiusKilometres = 6371.0088

  func haversine(_ operands: [Program.Operand], into result: inout Register) {
    combineValidity(operands, into: &result)
    unsafe lanes(operands[0], Double.self) { latitude1 in
      unsafe lanes(operands[1], Double.self) { longitude1 in
        unsafe lanes(operands[2], Double.self) { latitude2 in
          unsafe lanes(operands[3], Double.self) { longitude2 in
            for row in 0..<rowCount {
              let value = unsafe Self.kilometres(latitude1[row], longitude1[row], latitude2[row], longitude2[row])
              result.doubles[row] = value
              guard !value.isFinite else { continue }
              result.startValidity(rowCount: rowCount)
              result.validity[row] = false
            }
          }
        }
      }
    }
    clearNulls(of: &result, Double.self)
  }

  private static func kilometres(_ lat1: Double, _ lon1: Double, _ lat2: Double, _ lon2: Double) -> Double {
    let radians = Double.pi / 180
    let latitudeSine = sin((lat2 - lat1) * radians / 2)
    let longitudeSine = sin((lon2 - lon1) * radians / 2)
    let chord =
      latitudeSine * latitudeSine + cos(lat1 * radians) * cos(lat2 * radians) * longitudeSine * longitudeSine
    // Rounding may lead past 1 for points on opposite sides.
    return 2 * earthRadiusKilometres * asin(min(1, chord).squareRoot())
  }
}
