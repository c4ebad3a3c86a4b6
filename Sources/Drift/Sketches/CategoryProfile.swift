package import Columns
package import Core

/// A window of one categorical feature: rows of each category, and how many distinct ones there were.
///
/// Up to `capacity` categories everything is exact and a function of the rows alone. Above it the rare ones are
/// dropped (mergeable Misra–Gries: Agarwal and others, Mergeable Summaries, 2012): each count that is left is short by
/// at most `errorBound` ≤ rows / capacity, dropped categories had no more rows than that, and the order of merging may
/// show within this bound.
package struct CategoryProfile: Sendable {
  package static let defaultCapacity = 1_024

  package let capacity: Int
  private var table = CategoryTable()
  /// By how much a count may be too small; 0 says that everything is exact.
  package private(set) var errorBound = 0
  /// Rows that are not null.
  package private(set) var count = 0
  package private(set) var missingCount = 0
  package private(set) var distinct = DistinctCounter()

  package init(capacity: Int = defaultCapacity) { self.capacity = max(capacity, 1) }

  package var isExact: Bool { errorBound == 0 }
  package var rowCount: Int { count + missingCount }
  package var missingShare: Double { rowCount == 0 ? 0 : Double(missingCount) / Double(rowCount) }

  package mutating func add(_ name: RawSpan, count added: Int = 1) {
    guard added > 0 else { return }
    count += added
    distinct.add(hash: table.add(name, count: added))
    if table.count > 2 * capacity { compress() }
  }

  package mutating func add(_ name: String, count added: Int = 1) {
    unsafe add(Array(name.utf8).span.bytes, count: added)
  }

  package mutating func addMissing(_ count: Int = 1) { missingCount += count }

  /// Adds all rows of a column: texts as they are, booleans as `true` and `false`, numbers in decimal.
  package mutating func add(_ column: Column) {
    for row in 0..<column.count {
      guard column.isValid[row] else {
        missingCount += 1
        continue
      }
      if column.type.storage == .text { add(column.text[row]) } else { add(Self.name(column, row)) }
    }
  }

  private static func name(_ column: Column, _ row: Int) -> String {
    switch column.value(row) {
    case .boolean(let value): "\(value)"
    case .integer(let value), .timestamp(let value), .date(let value): "\(value)"
    case .double(let value): "\(value)"
    case .decimal(let unscaled, let scale): "\(unscaled)e-\(scale)"
    default: ""
    }
  }

  package mutating func merge(_ other: CategoryProfile) {
    for entry in 0..<other.table.count {
      unsafe table.add(Array(other.table.name(entry)).span.bytes, count: other.table.counts[entry])
    }
    count += other.count
    missingCount += other.missingCount
    errorBound += other.errorBound
    distinct.merge(other.distinct)
    if table.count > 2 * capacity { compress() }
  }

  /// Takes the count of the first one that finds no place from all of them.
  private mutating func compress() {
    let taken = table.counts.sorted(by: >)[capacity]
    var kept = CategoryTable()
    for entry in 0..<table.count where table.counts[entry] > taken {
      unsafe kept.add(Array(table.name(entry)).span.bytes, count: table.counts[entry] - taken)
    }
    table = kept
    errorBound += taken
  }

  /// Rows that no known category accounts for; 0 while everything is exact.
  var unlistedCount: Int { count - table.counts.reduce(0, +) }

  /// Every known category with its rows, in the order of their bytes.
  package var categories: [(name: ArraySlice<UInt8>, count: Int)] {
    (0..<table.count).map { (table.name($0), table.counts[$0]) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
  }

  /// The categories with the most rows; ties by their bytes.
  package func top(_ count: Int) -> [(name: String, count: Int)] {
    categories.sorted { $0.count > $1.count }.prefix(count).map { (String(decoding: $0.name, as: UTF8.self), $0.count) }
  }
}

extension CategoryProfile: Equatable {
  package static func == (left: CategoryProfile, right: CategoryProfile) -> Bool {
    left.capacity == right.capacity && left.errorBound == right.errorBound && left.count == right.count
      && left.missingCount == right.missingCount && left.distinct == right.distinct
      && left.categories.elementsEqual(right.categories) { $0 == $1 }
  }
}

extension CategoryProfile {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.categories)
    for number in [capacity, errorBound, count, missingCount, table.count] { writer.append(count: number) }
    for (name, rows) in categories {
      writer.append(name)
      writer.append(count: rows)
    }
    writer.append(distinct.encoded)
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in
      var reader = try SketchReader(bytes[...], .categories)
      var profile = CategoryProfile(capacity: try reader.count())
      profile.errorBound = try reader.count()
      profile.count = try reader.count()
      profile.missingCount = try reader.count()
      let entries = try reader.elementCount(bytesEach: 2)
      guard entries <= 2 * profile.capacity else { throw .notCanonical("\(entries) categories") }
      var previous: ArraySlice<UInt8>?
      var total = 0
      for _ in 0..<entries {
        let name = try reader.text()
        let rows = try reader.count()
        guard rows > 0, previous.map({ $0.lexicographicallyPrecedes(name) }) ?? true else {
          throw .notCanonical("categories out of order")
        }
        previous = name
        total = total.addingReportingOverflow(rows).partialValue
        unsafe profile.table.add(Array(name).span.bytes, count: rows)
      }
      guard profile.isExact ? total == profile.count : total <= profile.count else { throw .notCanonical("counts") }
      profile.distinct = try DistinctCounter(decodingPart: try reader.text())
      try reader.finish()
      return profile
    }
  }
}
