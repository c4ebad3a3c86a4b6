/// What a slot of a cell holds, and how an event changes it. The word after the verb is the representation of the
/// value: `Integer` also booleans, timestamps and dates.
enum SlotKind: UInt8, Sendable {
  case sumInteger, sumDouble, sumDecimal
  case squaresInteger, squaresDouble
  case minimumInteger, minimumDouble, minimumDecimal, minimumText
  case maximumInteger, maximumDouble, maximumDecimal, maximumText
  case firstWord, firstDecimal, firstText
  case lastWord, lastDecimal, lastText
  case lastK, distinct, quantiles, frequencies, decayed

  var isLast: Bool {
    switch self {
    case .lastWord, .lastDecimal, .lastText: true
    default: false
    }
  }

  /// The fixed part in a cell.
  var sizeBytes: Int {
    switch self {
    case .minimumInteger, .minimumDouble, .maximumInteger, .maximumDouble: 8
    case .minimumText, .maximumText, .lastK, .distinct, .quantiles, .frequencies: 8
    case .sumInteger, .minimumDecimal, .maximumDecimal: 16
    case .sumDouble, .sumDecimal: LimbFormat.sum.sizeBytes
    case .squaresInteger, .squaresDouble: LimbFormat.squares.sizeBytes
    case .firstWord, .lastWord: PositionedSlot.value + 8
    case .firstDecimal, .lastDecimal: PositionedSlot.value + 16
    case .firstText, .lastText: PositionedSlot.value
    case .decayed: 2 * LimbFormat.sum.sizeBytes
    }
  }
}

/// Where a positioned slot (`first`, `last`) keeps what.
enum PositionedSlot {
  static let time = 0
  static let offset = 8
  static let partition = 16
  /// The block of a text.
  static let block = 20
  static let value = 24
}

/// How a value lies in the record of an event.
enum Representation: UInt8, Sendable, Comparable {
  case integer, double, text, decimal

  var sizeBytes: Int { self == .decimal ? 16 : 8 }

  static func < (left: Representation, right: Representation) -> Bool { left.rawValue < right.rawValue }
}
