internal import Core
internal import Registry

/// Ids of retrainings.
package enum RetrainingID {
  /// 64 bits in hexadecimal.
  package static func digest(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let hash = unsafe Hash64.hash(bytes.span.bytes)
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  /// Of one that a person asks for.
  package static func byHand(policy: String) -> String {
    "\(policy.prefix(80))-\(RegistryCommand.newID().prefix(16))"
  }
}
