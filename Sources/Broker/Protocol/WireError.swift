/// Why a request frame cannot be read. A client that sends one is out of step: its connection is closed.
package struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Reason: Equatable, Sendable {
    case truncated(neededBytes: Int, remainingBytes: Int)
    case negativeLength(Int)
    /// More elements than the remaining bytes can hold, or than a request may have in all.
    case tooManyElements(Int)
    case tooLong(bytes: Int, limitBytes: Int)
    case overlongVarint
    case invalidUTF8
    case unexpectedNull
    case unknownValue(Int)
    case unknownAPI(Int16)
    case unsupportedVersion(APIKey, Int16)
  }

  package var reason: Reason
  /// The field as the protocol's schema names it.
  package var field: String
  /// Bytes from the start of the frame, after its length prefix.
  package var offset: Int

  package init(_ reason: Reason, field: String, offset: Int) {
    self.reason = reason
    self.field = field
    self.offset = offset
  }

  package var description: String { "\(explanation) in field \(field) at byte \(offset)" }

  private var explanation: String {
    switch reason {
    case .truncated(let needed, let remaining): "\(needed) bytes needed, \(remaining) left"
    case .negativeLength(let length): "length \(length)"
    case .tooManyElements(let count): "\(count) elements, more than the request can hold"
    case .tooLong(let bytes, let limit): "\(bytes) bytes, at most \(limit) allowed"
    case .overlongVarint: "a variable-length integer of more than 32 bits"
    case .invalidUTF8: "invalid UTF-8"
    case .unexpectedNull: "null"
    case .unknownValue(let value): "unknown value \(value)"
    case .unknownAPI(let key): "unknown API key \(key)"
    case .unsupportedVersion(let key, let version): "unsupported version \(version) of \(key)"
    }
  }
}
