internal import Columns
internal import Core
internal import Drift
internal import Glibc

/// Measures `Drift` on 100,000 reference and 100,000 current rows of 30 numbers and 5 categories:
/// `headrace-drift-benchmarks`.
///
/// A line for each figure: name, median of the runs, unit, tab-separated. `Benchmarks/Drift/run` puts them beside other
/// libraries and beside the floor of the machine. `headrace-drift-benchmarks false-alarms [RUNS]` says instead how
/// often monitors are wrong, and fails when that is more often than promised.
@main
struct Main {
  private static let rowCount = 100_000
  private static let width = 30

  private static let falseAlarmRuns = 1_000

  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count > 1, arguments[1] == "false-alarms" {
      var work = FalseAlarms(runs: arguments.count > 2 ? max(Int(arguments[2]) ?? falseAlarmRuns, 1) : falseAlarmRuns)
      exit(work.run() ? 0 : 1)
    }
    let data = BenchmarkData(rowCount: rowCount, width: width)
    try profiles(data)
    batch(data)
    detectors(data)
  }

  private static func report(_ name: String, _ value: Double, _ unit: String) {
    print("\(name)\t\(value)\t\(unit)")
  }

  /// The monitors: every value once, into counts.
  private static func profiles(_ data: BenchmarkData) throws {
    let rows = Double(rowCount)
    let grids = data.reference.compactMap { BinGrid(quantilesOf: NumericSample($0)) }
    var profiler = MatrixProfiler(grids)
    let matrix = Stopwatch.median(runs: 9) {
      profiler.removeAll()
      profiler.add(data.matrix.span)
      return profiler.profiles[0].count
    }
    report("profile_rows", rows / matrix, "rows/s")
    report("profile_numbers", rows / matrix, "rows/s")
    let columns = Stopwatch.median(runs: 5) {
      var total = 0
      for (grid, column) in zip(grids, data.columns) {
        var profile = NumericProfile(grid)
        profile.add(column)
        total += profile.count
      }
      return total
    }
    report("profile_columns", rows / columns, "rows/s")
    let categories = Stopwatch.median(runs: 5) {
      var total = 0
      for column in data.categoryColumns {
        var profile = CategoryProfile()
        profile.add(column)
        total += profile.count
      }
      return total
    }
    report("profile_all", rows / (matrix + categories), "rows/s")
    let sketch = Stopwatch.median(runs: 5) {
      var sketch = QuantileSketch()
      for value in data.current[0] { sketch.add(value) }
      return sketch.count
    }
    report("quantile_sketch", rows / sketch, "values/s")
    var distinct = SplitMix64(seed: 3)
    let hashes = (0..<rowCount).map { _ in distinct.next() }
    let counter = Stopwatch.median(runs: 5) {
      var counter = DistinctCounter()
      for hash in hashes { counter.add(hash: hash) }
      return counter.estimate
    }
    report("distinct_counter", rows / counter, "values/s")
    let found = profiler.profiles
    let reference = zip(data.reference, grids).map { NumericProfile(NumericSample($0), on: $1) }
    let judging = Stopwatch.median(runs: 5) {
      let features = zip(reference, found).enumerated().map { index, pair in
        ("f\(index)", FeatureProfile.numeric(pair.0), FeatureProfile.numeric(pair.1))
      }
      return AlarmPolicy().judge(features).count
    }
    report("judge_30_features", judging * 1e3, "ms")
  }

  /// The batch jobs of other libraries, by their definitions, on all values.
  private static func batch(_ data: BenchmarkData) {
    let jobs: [(name: String, comparison: DriftComparison)] = [
      ("batch_evidently_default", .init(definition: .evidently)),
      ("batch_evidently_psi", .init(definition: .evidently, tests: [.psi])),
      (
        "batch_nannyml",
        .init(definition: .nannyml, tests: [.jensenShannon, .kolmogorovSmirnov, .wasserstein, .chiSquared])
      ),
      ("batch_scipy_ks", .init(tests: [.kolmogorovSmirnovPValue])),
      ("batch_scipy_wasserstein", .init(tests: [.wasserstein])),
      ("batch_numpy_psi", .init(tests: [.psi])),
    ]
    for job in jobs {
      let isNumeric = job.name.contains("scipy") || job.name.contains("numpy")
      let seconds = Stopwatch.median(runs: 3) {
        var count = 0
        // From the columns: sorting is part of the job.
        for (reference, current) in zip(data.reference, data.current) {
          count +=
            job.comparison.compare("n", .numeric(NumericWindow(reference)), .numeric(NumericWindow(current)))
            .results.count
        }
        if isNumeric { return count }
        for (reference, current) in zip(data.referenceCategories, data.categoryColumns) {
          count += job.comparison.compare("c", FeatureWindow(reference), FeatureWindow(current)).results.count
        }
        return count
      }
      report(job.name, seconds * 1e3, "ms")
    }
  }

  private static func detectors(_ data: BenchmarkData) {
    let values = data.current[0]
    let adaptive = Stopwatch.median(runs: 5) {
      var window = AdaptiveWindow()
      return values.reduce(0) { $0 + (window.add($1) ? 1 : 0) }
    }
    report("adwin", Double(rowCount) / adaptive, "values/s")
    let hinkley = Stopwatch.median(runs: 5) {
      var detector = PageHinkley()
      return values.reduce(0) { $0 + (detector.add($1) ? 1 : 0) }
    }
    report("page_hinkley", Double(rowCount) / hinkley, "values/s")
  }
}
