/// Why bytes could not be compressed or decompressed.
package struct CodecError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The bytes are not what the codec writes: a bad magic, checksum, length or back reference.
    case corrupt
    /// The output would exceed the caller's limit, or memory for it cannot be had.
    case tooLarge
    /// The input ends in the middle of a frame.
    case truncated
    /// Valid, but not taken here: a window, or an input, above what the codec's library can hold.
    case unsupported
  }

  package var kind: Kind
  /// What was found, and where it is known, what was expected.
  package var detail: String

  package init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }

  package var description: String { "\(kind.rawValue): \(detail)" }
}
