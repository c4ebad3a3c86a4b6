internal import Core

/// An event that was read again.
struct PastEvent {
  var offset: Int64
  /// The record's time; nil when it has none.
  var knownMilliseconds: Int64?
  /// nil where nobody decoded it.
  var eventMilliseconds: Int64?
  var outcome: PastOutcome
  var key: [UInt8]?
  var value: [UInt8]
  /// As the record had them; none from the archive.
  var headers: [(name: String, value: [UInt8]?)] = []
}

/// What became of an event when it was read for the first time, as far as that is known.
enum PastOutcome: Int, CaseIterable {
  case applied, repaired, filtered, late
  /// In the log: it holds to the contract, and nobody asked further.
  case valid
  /// Against the contract, or from the future: not replayed.
  case deadLettered

  var name: String {
    switch self {
    case .applied: "applied"
    case .repaired: "repaired"
    case .filtered: "filtered"
    case .late: "late"
    case .valid: "valid"
    case .deadLettered: "dead_lettered"
    }
  }

  /// As the archive calls it.
  init?(archived bytes: ArraySlice<UInt8>) {
    guard let outcome = Self.allCases.first(where: { $0.name.utf8.elementsEqual(bytes) }) else { return nil }
    self = outcome
  }
}
