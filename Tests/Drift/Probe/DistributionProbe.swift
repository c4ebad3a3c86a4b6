internal import Drift

/// `distributions FILE`: columns `kind,a,b,c,d`; one probability for each row.
///
/// `ks_exact` and `ks_asymptotic`: statistic a of samples of b and c values; `kstwo`: distance a, count b; `chi2`:
/// statistic a, degrees of freedom b; `normal`: P(|Z| > a); `quantile`: of a; `wilson`: a of b, lower, upper by c = 0
/// or 1.
enum DistributionProbe {
  static func run(_ arguments: [String]) throws {
    guard arguments.count == 1 else { throw ProbeError(message: "distributions FILE") }
    let table = try Table(arguments[0])
    let (a, b, c) = (try table.numbers("a"), try table.numbers("b"), try table.numbers("c"))
    for (row, kind) in table.columns[0].enumerated() {
      switch kind {
      case "ks_exact", "ks_asymptotic":
        answer(
          KolmogorovSmirnov.pValue(
            a[row], referenceCount: Int(b[row]), currentCount: Int(c[row]),
            method: kind == "ks_exact" ? .exact : .asymptotic))
      case "kstwo": answer(KolmogorovDistribution.upperTail(a[row], count: Int(b[row])))
      case "chi2": answer(ChiSquaredDistribution.upperTail(a[row], degreesOfFreedom: Int(b[row])))
      case "normal": answer(NormalDistribution.twoSided(a[row]))
      case "quantile": answer(NormalDistribution.quantile(a[row]))
      case "wilson":
        let interval = Interval.share(Int(a[row]), of: Int(b[row]))
        answer((c[row] == 0 ? interval?.lower : interval?.upper) ?? .nan)
      default: throw ProbeError(message: "no distribution \(kind)")
      }
    }
  }
}

/// `detect adwin|page_hinkley FILE OPTIONS…`: the rows of the column `x` at which a change was seen.
enum DetectorProbe {
  static func run(_ arguments: [String]) throws {
    guard arguments.count >= 2 else { throw ProbeError(message: "detect NAME FILE OPTIONS…") }
    let values = try Table(arguments[1]).numbers("x")
    let options = arguments.dropFirst(2).compactMap(Double.init)
    switch arguments[0] {
    case "adwin":
      var configuration = AdaptiveWindow.Configuration()
      if options.count == 3 {
        configuration.significance = options[0]
        configuration.clock = Int(options[1])
        configuration.gracePeriod = Int(options[2])
      }
      var detector = AdaptiveWindow(configuration)
      for (row, value) in values.enumerated() where detector.add(value) { answer(row) }
    case "page_hinkley":
      var configuration = PageHinkley.Configuration()
      if options.count == 4 {
        configuration.minimumCount = Int(options[0])
        configuration.tolerance = options[1]
        configuration.threshold = options[2]
        configuration.fading = options[3]
      }
      var detector = PageHinkley(configuration)
      for (row, value) in values.enumerated() where detector.add(value) { answer(row) }
    default: throw ProbeError(message: "no detector \(arguments[0])")
    }
  }
}
