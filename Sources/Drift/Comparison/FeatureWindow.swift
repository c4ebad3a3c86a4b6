package import Columns

/// The rows of one feature in one window, as they came.
package enum FeatureWindow: Sendable {
  case numeric(NumericWindow)
  case categorical(CategoryWindow)

  /// Numbers, timestamps and dates are numeric; texts, bytes and booleans are categories.
  package init(_ column: Column) {
    switch column.type {
    case .integer, .timestamp, .date, .double, .decimal: self = .numeric(NumericWindow(column))
    case .boolean, .string, .bytes: self = .categorical(CategoryWindow(column))
    }
  }
}

/// Values of a numeric feature in the order of the rows, NaN for missing, and sorted.
package struct NumericWindow: Sendable {
  /// NaN where there is none.
  package let rows: [Double]
  /// Whether the column holds integers: numpy bins these with a width of at least one.
  package let isInteger: Bool
  package let sample: NumericSample

  package init(_ rows: [Double], isInteger: Bool = false) {
    self.rows = rows
    self.isInteger = isInteger
    sample = NumericSample(rows)
  }

  package init(_ column: Column) {
    var rows: [Double] = []
    Self.append(column, to: &rows)
    self.init(rows, isInteger: column.type.storage == .integers)
  }

  /// Appends the rows of a column that holds numbers, times or dates: NaN for null.
  package static func append(_ column: borrowing Column, to rows: inout [Double]) {
    rows.reserveCapacity(rows.count + column.count)
    switch column.type {
    case .double:
      guard column.nullCount > 0 else { return rows.append(contentsOf: column.doubles) }
      for row in 0..<column.count { rows.append(column.isValid[row] ? column.doubles[row] : .nan) }
    case .decimal(let scale):
      let unit = (0..<scale).reduce(1.0) { power, _ in power * 10 }
      for row in 0..<column.count { rows.append(column.isValid[row] ? Double(column.decimals[row]) / unit : .nan) }
    case .string, .bytes: rows.append(contentsOf: repeatElement(.nan, count: column.count))
    case .boolean, .integer, .timestamp, .date:
      for row in 0..<column.count { rows.append(column.isValid[row] ? Double(column.integers[row]) : .nan) }
    }
  }
}

/// The rows of a categorical feature: which category each one has.
package struct CategoryWindow: Sendable {
  /// In the order of their bytes.
  package let names: [[UInt8]]
  /// The place in `names` of each row; -1 for missing.
  package let rows: [Int32]

  package var missingCount: Int { rows.count { $0 < 0 } }

  package init(_ column: Column) {
    var table = CategoryTable()
    var entries: [Int32] = []
    entries.reserveCapacity(column.count)
    for row in 0..<column.count {
      guard column.isValid[row] else {
        entries.append(-1)
        continue
      }
      let entry =
        column.type.storage == .text
        ? table.entry(column.text[row])
        : unsafe table.entry(Array((column.integers[row] == 0 ? "false" : "true").utf8).span.bytes)
      entries.append(Int32(entry))
    }
    self.init(table, entries)
  }

  package init(_ rows: [String?]) {
    var table = CategoryTable()
    let entries = rows.map { row in
      row.map { name in Int32(unsafe table.entry(Array(name.utf8).span.bytes)) } ?? -1
    }
    self.init(table, entries)
  }

  private init(_ table: CategoryTable, _ entries: [Int32]) {
    let order = (0..<table.count).sorted { table.name($0).lexicographicallyPrecedes(table.name($1)) }
    var place = [Int32](repeating: 0, count: table.count)
    for (position, entry) in order.enumerated() { place[entry] = Int32(position) }
    names = order.map { Array(table.name($0)) }
    rows = entries.map { $0 < 0 ? -1 : place[Int($0)] }
  }

  /// Rows of each name, over some of the rows.
  func counts(_ range: Range<Int>? = nil) -> [Int] {
    var counts = [Int](repeating: 0, count: names.count)
    for row in rows[range ?? rows.startIndex..<rows.endIndex] where row >= 0 { counts[Int(row)] += 1 }
    return counts
  }
}

/// Counts of two windows over the union of their categories, in the order of the names.
struct CategoryCounts {
  var reference: [Int] = []
  var current: [Int] = []

  init(_ reference: [(name: ArraySlice<UInt8>, count: Int)], _ current: [(name: ArraySlice<UInt8>, count: Int)]) {
    var (i, j) = (0, 0)
    while i < reference.count || j < current.count {
      let takesReference =
        j == current.count || (i < reference.count && !current[j].name.lexicographicallyPrecedes(reference[i].name))
      let takesCurrent =
        i == reference.count || (j < current.count && !reference[i].name.lexicographicallyPrecedes(current[j].name))
      self.reference.append(takesReference ? reference[i].count : 0)
      self.current.append(takesCurrent ? current[j].count : 0)
      if takesReference { i += 1 }
      if takesCurrent { j += 1 }
    }
  }

  init(_ reference: CategoryWindow, _ current: CategoryWindow) {
    self.init(reference.namedCounts, current.namedCounts)
  }

  /// The share of the current rows that have a category of the reference's none.
  var newShare: Double {
    let total = current.reduce(0, +)
    let new = zip(reference, current).reduce(0) { $0 + ($1.0 == 0 ? $1.1 : 0) }
    return total == 0 ? 0 : Double(new) / Double(total)
  }
}

extension CategoryWindow {
  var namedCounts: [(name: ArraySlice<UInt8>, count: Int)] {
    zip(names, counts()).map { ($0.0[...], $0.1) }
  }
}
