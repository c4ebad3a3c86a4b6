/// Why a record is no event: the stable names that dead-letter records, metrics and searches use.
package enum FaultCode: String, Sendable, CaseIterable {
  /// The record has no value (a delete marker of a compacted topic).
  case tombstone = "TOMBSTONE"
  /// Larger than the decoder takes.
  case tooLarge = "TOO_LARGE"
  /// The client could not expand the batch that it lies in: damaged, or larger than anybody wants it.
  case unreadable = "UNREADABLE"
  case notJSON = "NOT_JSON"
  /// The bytes end early, go on behind the value, or say what Avro cannot.
  case notAvro = "NOT_AVRO"
  /// Confluent's framing is announced, but the value does not start with its magic byte and a schema id.
  case notFramed = "NOT_FRAMED"
  /// The registry says that there is no schema with this id.
  case unknownSchema = "UNKNOWN_SCHEMA"
  /// Nobody could be asked: the same record may be fine later.
  case schemaUnavailable = "SCHEMA_UNAVAILABLE"
  /// The writer's schema cannot be read as the contract's.
  case incompatibleSchema = "INCOMPATIBLE_SCHEMA"
  case missingField = "MISSING_FIELD"
  case nullValue = "NULL_VALUE"
  case wrongType = "WRONG_TYPE"
  /// A number that its type cannot hold.
  case outOfRange = "OUT_OF_RANGE"
  /// A number with a fraction where an integer is expected.
  case notIntegral = "NOT_INTEGRAL"
  /// NaN or an infinity, which this contract does not allow.
  case notFinite = "NOT_FINITE"
  /// More digits than the decimal has.
  case notRepresentable = "NOT_REPRESENTABLE"
  case notUTF8 = "NOT_UTF8"
  /// Not the length of the fixed, or characters that stand for no byte.
  case notBytes = "NOT_BYTES"
  case notTime = "NOT_TIME"
  case notUUID = "NOT_UUID"
  case unknownSymbol = "UNKNOWN_SYMBOL"
  case tooDeep = "TOO_DEEP"
  case belowMinimum = "BELOW_MINIMUM"
  case aboveMaximum = "ABOVE_MAXIMUM"
  case notAllowed = "NOT_ALLOWED"
  case patternMismatch = "PATTERN_MISMATCH"
  case tooLong = "TOO_LONG"
  case eventTimeMissing = "EVENT_TIME_MISSING"
  /// Before 1970 or behind the year 9999: in most cases the declared unit is wrong.
  case eventTimeOutOfRange = "EVENT_TIME_OUT_OF_RANGE"
  /// Further ahead of the record's timestamp than `max_skew` allows.
  case eventTimeAhead = "EVENT_TIME_AHEAD"

  /// Whether the same record may be fine later, without anybody changing it.
  package var isTransient: Bool { self == .schemaUnavailable }
}
