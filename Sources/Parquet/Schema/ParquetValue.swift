package import Columns

/// A value of a nested column: what `ParquetWriter.append(rows:)` shreds and `ParquetRowReader` puts together again.
package enum ParquetValue: Hashable, Sendable {
  case null
  case scalar(Value)
  /// A value for each field of the group, in their order.
  case structure([ParquetValue])
  case list([ParquetValue])
  /// In the order in which they are stored; keys may repeat.
  case map([ParquetEntry])
}

package struct ParquetEntry: Hashable, Sendable {
  package var key: ParquetValue
  package var value: ParquetValue

  package init(_ key: ParquetValue, _ value: ParquetValue) {
    self.key = key
    self.value = value
  }
}

extension ParquetValue {
  package static func string(_ value: String) -> ParquetValue { .scalar(.string(value)) }
  package static func integer(_ value: Int64) -> ParquetValue { .scalar(.integer(value)) }
  package static func boolean(_ value: Bool) -> ParquetValue { .scalar(.boolean(value)) }
  package static func double(_ value: Double) -> ParquetValue { .scalar(.double(value)) }
}
