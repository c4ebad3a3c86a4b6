/// What a command may hold at most: commands come from other programs, and are kept for ever.
package enum RegistryLimits {
  /// Below what brokers take by default.
  package static let commandBytes = 900_000
  package static let nameBytes = 128
  /// Of notes, reasons, summaries and expressions.
  package static let textBytes = 4_096
  /// Of causes, evidence and errors.
  package static let evidenceBytes = 262_144
  /// Parameters, metrics, artefacts and tables of a run, each.
  package static let runParts = 4_096
  package static let versions = 1_000_000
  package static let features = 65_536
  package static let rolloutParts = 64
  /// Shadows of one alias at a time.
  package static let shadows = 8

  /// Whether a model may be called so: letters, digits, `_`, `-` and `.` of ASCII, the first one a letter or a digit.
  ///
  /// Names stand in addresses, file names and command lines.
  package static func isModelName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= nameBytes, isAlphanumeric(first) else { return false }
    return name.utf8.allSatisfy {
      isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
  }

  /// As a model's, and no number: `NAME@3` would be read as version 3.
  package static func isAliasName(_ name: String) -> Bool { isModelName(name) && Int(name) == nil }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }
}
