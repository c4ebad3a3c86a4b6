package import Core

/// What is wrong with one record, as numbers: the text is made when somebody wants to read it.
package struct RecordFault: Equatable, Sendable {
  /// The record's row in the batch.
  package var row: Int
  package var code: FaultCode
  /// The dotted path of the field; nil when it is about the record as a whole.
  package var path: String?
  /// The position of the field in the contract.
  package var field: Int?
  package var found: Found

  /// What was there instead.
  package enum Found: Equatable, Sendable {
    case nothing
    /// These bytes of the record's value.
    case bytes(Range<Int>)
    case integer(Int64)
    case double(Double)
    /// What the JSON reader expected, and where in the record's value.
    case notJSON(JSONFault)
    case schema(id: Int32)
  }

  package init(row: Int, code: FaultCode, path: String? = nil, field: Int? = nil, found: Found = .nothing) {
    self.row = row
    self.code = code
    self.path = path
    self.field = field
    self.found = found
  }
}
