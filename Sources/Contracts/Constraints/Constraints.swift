package import Columns

/// What a contract asks of a field's values beyond their type.
package struct Constraints: Sendable {
  /// The field must be there and not be null, whatever its type and its default allow.
  package var isRequired = false
  /// Inclusive, of the column's type: microseconds for timestamps, unscaled for decimals.
  package var minimum: Value?
  package var maximum: Value?
  /// The values that a string may have; ordered by their bytes.
  package var allowedTexts: [[UInt8]]?
  /// The values that an integer may have; ascending.
  package var allowedIntegers: [Int64]?
  /// The whole text must match.
  package var pattern: Pattern?
  /// Characters (Unicode scalars) of a string, bytes of bytes.
  package var lengthMax: Int?
  /// NaN and the infinities are values too; in JSON they are written "NaN", "Infinity", "-Infinity".
  package var allowsNaN = false

  package init() {}

  /// Whether values themselves are looked at, not only whether they are there.
  var checksValues: Bool {
    minimum != nil || maximum != nil || allowedTexts != nil || allowedIntegers != nil || pattern != nil
      || lengthMax != nil
  }

  /// Whether a record can break them at all: then the field is decoded even where nobody wants it.
  package var isEmpty: Bool { !isRequired && !checksValues }
}

extension Constraints {
  func contains(_ value: Int64) -> Bool { allowedIntegers?.contains(value) ?? true }

  static func order(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    for index in 0..<min(left.count, right.count) where left[index] != right[index] {
      return Int(left[index]) - Int(right[index])
    }
    return left.count - right.count
  }
}
