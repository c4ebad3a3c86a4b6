package import Columns

/// What a file says about the values of a column chunk or page.
package struct ParquetStatistics: Hashable, Sendable {
  /// nil: the file does not say.
  package var nullCount: Int?
  /// No value is below it; nil: unknown, or there is none. NaN counts for nothing.
  package var minimum: Value?
  /// No value is above it.
  package var maximum: Value?
  /// False: a bound that no value need be equal to, such as a long string that was cut.
  package var isMinimumExact: Bool
  package var isMaximumExact: Bool

  package init(
    nullCount: Int? = nil, minimum: Value? = nil, maximum: Value? = nil, isMinimumExact: Bool = false,
    isMaximumExact: Bool = false
  ) {
    self.nullCount = nullCount
    self.minimum = minimum
    self.maximum = maximum
    self.isMinimumExact = isMinimumExact
    self.isMaximumExact = isMaximumExact
  }
}
