package import Columns

/// What a reader wants of a column: files that cannot have such rows are not read.
package struct ColumnCondition: Sendable, Equatable {
  package enum Comparison: Sendable, Equatable {
    case equal, less, lessOrEqual, greater, greaterOrEqual, isNull, isNotNull
  }

  package var column: String
  package var comparison: Comparison
  /// Of the column's type; without meaning for `isNull` and `isNotNull`.
  package var value: Value

  package init(_ column: String, _ comparison: Comparison, _ value: Value = .null) {
    self.column = column
    self.comparison = comparison
    self.value = value
  }
}

extension TableSnapshot {
  /// The files that may have rows for which all conditions hold, in the order of their names. Rows are not looked at.
  package func files(where conditions: [ColumnCondition]) -> [DataFile] {
    guard !conditions.isEmpty else { return files }
    return files.filter { file in
      let statistics = FileStatistics(file)
      return conditions.allSatisfy { mayHold($0, in: file, statistics) }
    }
  }

  private func mayHold(_ condition: ColumnCondition, in file: DataFile, _ statistics: FileStatistics?) -> Bool {
    guard let type = metadata.schema.field(condition.column)?.type.columnType else { return true }
    if metadata.partitionColumns.contains(condition.column) {
      guard let value = PartitionValue.value(file.partitionValues[condition.column] ?? nil, type) else { return true }
      return condition.mayHold(minimum: value, maximum: value, isNullOnly: value == .null, hasNull: value == .null)
    }
    guard let statistics else { return true }
    let nullCount = statistics.nullCount(condition.column)
    let isNullOnly = nullCount != nil && nullCount == statistics.rowCount
    return condition.mayHold(
      minimum: statistics.minimum(condition.column, type), maximum: statistics.maximum(condition.column, type),
      isNullOnly: isNullOnly, hasNull: nullCount != 0)
  }
}

extension ColumnCondition {
  /// Unknown bounds exclude nothing.
  fileprivate func mayHold(minimum: Value?, maximum: Value?, isNullOnly: Bool, hasNull: Bool) -> Bool {
    func isOrdered(_ left: Value?, _ right: Value?, orEqual: Bool) -> Bool {
      guard let left, let right, let order = ValueOrder.compare(left, right) else { return true }
      return order < 0 || orEqual && order == 0
    }
    switch comparison {
    case .isNull: return hasNull
    case .isNotNull: return !isNullOnly
    case _ where isNullOnly: return false
    case .equal: return isOrdered(minimum, value, orEqual: true) && isOrdered(value, maximum, orEqual: true)
    case .less: return isOrdered(minimum, value, orEqual: false)
    case .lessOrEqual: return isOrdered(minimum, value, orEqual: true)
    case .greater: return isOrdered(value, maximum, orEqual: false)
    case .greaterOrEqual: return isOrdered(value, maximum, orEqual: true)
    }
  }
}

/// The order of values of one type: texts by their bytes.
enum ValueOrder {
  /// - Returns: below, at or above zero; nil for what has no order, or is of two types.
  static func compare(_ left: Value, _ right: Value) -> Int? {
    switch (left, right) {
    case (.boolean(let left), .boolean(let right)): order(left ? 1 : 0, right ? 1 : 0)
    case (.integer(let left), .integer(let right)), (.timestamp(let left), .timestamp(let right)),
      (.date(let left), .date(let right)):
      order(left, right)
    case (.double(let left), .double(let right)): left.isNaN || right.isNaN ? nil : order(left, right)
    case (.string(let left), .string(let right)): bytes(left.utf8, right.utf8)
    case (.bytes(let left), .bytes(let right)): bytes(left, right)
    case (.decimal(let left, let leftScale), .decimal(let right, let rightScale)):
      leftScale == rightScale ? order(left, right) : nil
    default: nil
    }
  }

  private static func order<Key: Comparable>(_ left: Key, _ right: Key) -> Int {
    left < right ? -1 : left == right ? 0 : 1
  }

  private static func bytes(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Int {
    left.lexicographicallyPrecedes(right) ? -1 : left.elementsEqual(right) ? 0 : 1
  }
}
