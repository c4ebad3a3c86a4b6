internal import Columns
package import Core
package import Drift
internal import Synchronization
package import OfflineStore

/// Compares two sets of rows, column by column, several columns at a time.
///
/// Up to `exactRowsMaximum` rows on each side the figures are exact; above that, numbers go into the bins of a grid
/// that the reference gives, and each figure says in which interval the exact one lies. Definitions that sketches
/// cannot serve, and `isAlwaysExact`, keep the values of as many columns as there are threads.
package struct BatchComparison: Sendable {
  /// Values of one column of one side that are kept before sketches take over: 8 MiB.
  package static let exactRowsMaximum = 1 << 20

  package var comparison: DriftComparison
  package var isAlwaysExact: Bool
  package var threadCount: Int
  /// Nil: every column that both sides have.
  package var features: [String]?

  package init(
    _ comparison: DriftComparison, features: [String]? = nil, isAlwaysExact: Bool = false, threadCount: Int = 1
  ) {
    self.comparison = comparison
    self.features = features
    self.isAlwaysExact = isAlwaysExact || comparison.definition != .classic
    self.threadCount = threadCount
  }

  package struct Report: Sendable {
    /// In the order of the reference's columns, or as they were asked for.
    package var features: [FeatureDrift] = []
    package var referenceRowCount = 0
    package var currentRowCount = 0
    /// Columns that only one side has.
    package var onlyInReference: [String] = []
    package var onlyInCurrent: [String] = []
  }

  /// - Throws: DRIFT_COLUMN, DRIFT_TYPE, DRIFT_NO_COLUMNS, DRIFT_EMPTY; what reading throws.
  package func run(_ reference: any ColumnSource, _ current: any ColumnSource) throws(HeadraceError) -> Report {
    let names = try featureNames(reference, current)
    let results = Mutex([FeatureDrift?](repeating: nil, count: names.count))
    try ParallelWork.run(names.count, threadCount: threadCount) { [self] (index) throws(HeadraceError) in
      let drift = try compare(names[index], reference, current)
      results.withLock { $0[index] = drift }
    }
    var report = Report()
    report.features = results.withLock { $0.compactMap(\.self) }
    report.referenceRowCount = report.features.first?.referenceRowCount ?? 0
    report.currentRowCount = report.features.first?.currentRowCount ?? 0
    for (source, count) in [(reference, report.referenceRowCount), (current, report.currentRowCount)]
    where count == 0 {
      throw HeadraceError(
        .user, "DRIFT_EMPTY", "there are no rows, and nothing can be compared", place: source.place,
        remedy: "name a file or a version that has rows")
    }
    if features == nil {
      let (left, right) = (Set(reference.fields.map(\.name)), Set(current.fields.map(\.name)))
      report.onlyInReference = reference.fields.map(\.name).filter { !right.contains($0) }
      report.onlyInCurrent = current.fields.map(\.name).filter { !left.contains($0) }
    }
    return report
  }

  private func featureNames(
    _ reference: any ColumnSource, _ current: any ColumnSource
  ) throws(HeadraceError) -> [String] {
    let left = Dictionary(reference.fields.map { ($0.name, $0.type) }) { first, _ in first }
    let right = Dictionary(current.fields.map { ($0.name, $0.type) }) { first, _ in first }
    let names = features ?? reference.fields.map(\.name).filter { right[$0] != nil }
    guard !names.isEmpty else {
      throw HeadraceError(
        .user, "DRIFT_NO_COLUMNS", "the two sides have no column in common", place: current.place,
        remedy: "\(reference.place) has \(Self.list(reference)), the other one \(Self.list(current))")
    }
    for name in names {
      for (source, types) in [(reference, left), (current, right)] where types[name] == nil {
        let nearest = NearestName.of(name, in: source.fields.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? ""
        throw HeadraceError(
          .user, "DRIFT_COLUMN", "there is no column \"\(name)\"\(nearest)", place: source.place,
          remedy: "there are \(Self.list(source))")
      }
      guard let first = left[name], let second = right[name], first.isCategorical != second.isCategorical else {
        continue
      }
      throw HeadraceError(
        .user, "DRIFT_TYPE", "column \"\(name)\" is \(second), and \(first) in the reference", place: current.place,
        remedy: "give both the same type, or leave the column out by --features")
    }
    return names
  }

  private static func list(_ source: any ColumnSource) -> String {
    source.fields.isEmpty ? "no columns" : source.fields.map(\.name).joined(separator: ", ")
  }

  private func compare(
    _ name: String, _ reference: any ColumnSource, _ current: any ColumnSource
  ) throws(HeadraceError) -> FeatureDrift {
    let type = reference.fields.first { $0.name == name }?.type ?? .double
    guard type.isCategorical else { return try compareNumbers(name, reference, current) }
    guard comparison.definition == .classic else {
      return comparison.compare(
        name, .categorical(CategoryWindow(try ColumnReading.whole(name, of: reference))),
        .categorical(CategoryWindow(try ColumnReading.whole(name, of: current))))
    }
    let capacity = isAlwaysExact ? Int(Int32.max) : CategoryProfile.defaultCapacity
    return comparison.compare(
      name, .categorical(try ColumnReading.categories(name, of: reference, capacity: capacity)),
      .categorical(try ColumnReading.categories(name, of: current, capacity: capacity)))
  }

  private func compareNumbers(
    _ name: String, _ reference: any ColumnSource, _ current: any ColumnSource
  ) throws(HeadraceError) -> FeatureDrift {
    let limit = isAlwaysExact ? Int.max : Self.exactRowsMaximum
    if let before = try ColumnReading.numbers(name, of: reference, atMost: limit),
      let now = try ColumnReading.numbers(name, of: current, atMost: limit)
    {
      return comparison.compare(
        name, .numeric(NumericWindow(before.rows, isInteger: before.isInteger)),
        .numeric(NumericWindow(now.rows, isInteger: now.isInteger)))
    }
    let grid = try ColumnReading.grid(name, of: reference)
    return comparison.compare(
      name, .numeric(try ColumnReading.profile(name, of: reference, on: grid)),
      .numeric(try ColumnReading.profile(name, of: current, on: grid)))
  }
}

extension ColumnType {
  /// Texts, bytes and booleans; everything else is a number.
  var isCategorical: Bool {
    switch self {
    case .boolean, .string, .bytes: true
    case .integer, .double, .timestamp, .date, .decimal: false
    }
  }
}
