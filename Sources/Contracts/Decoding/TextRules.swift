internal import Columns

/// What a contract asks of the texts of one field, held against a whole batch of them.
///
/// Codes (currencies, countries, channels) come again and again: a text of at most seven bytes that was found in order
/// once is remembered, and looked up as one word from then on.
struct TextRules {
  private let lengthMax: Int
  private let countsCharacters: Bool
  private let allowed: [[UInt8]]?
  private let pattern: Pattern?
  /// Short texts that are in order, each in the place that its bits say; 0 is none.
  private var accepted: [UInt64]

  private static let placeCount = 256

  /// Nil when nothing is asked of the texts of the field.
  init?(_ field: ContractField) {
    let constraints = field.constraints
    guard field.type.storage == .text, constraints.checksValues else { return nil }
    lengthMax = constraints.lengthMax ?? .max
    countsCharacters = field.type != .bytes
    allowed = constraints.allowedTexts
    pattern = constraints.pattern
    accepted = [UInt64](repeating: 0, count: allowed == nil && pattern == nil ? 0 : Self.placeCount)
  }

  /// Texts that break a rule, with the first that they break.
  ///
  /// - Parameters:
  ///   - cell: whose texts they are.
  ///   - isFaulty: rows that are passed over.
  mutating func broken(
    _ cell: borrowing CellColumn, _ text: borrowing CellText, rowCount: Int, isFaulty: borrowing [Bool]
  ) -> [(row: Int, code: FaultCode)] {
    var broken: [(row: Int, code: FaultCode)] = []
    let (states, starts, counts) = (cell.states.span, cell.starts.span, cell.counts.span)
    for row in 0..<rowCount where states[row] == CellState.value && !isFaulty[row] {
      let count = counts[row]
      if count <= lengthMax, accepted.isEmpty { continue }
      let word = count <= lengthMax ? text.shortText(starts[row], count) : 0
      let place = Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 56)
      if word != 0, accepted[place] == word { continue }
      if let code = fault(in: text.span(starts[row], count)) {
        broken.append((row, code))
      } else if word != 0 {
        accepted[place] = word
      }
    }
    return broken
  }

  private func fault(in text: Span<UInt8>) -> FaultCode? {
    if let allowed, !Self.contains(allowed, text) { return .notAllowed }
    if text.count > lengthMax, !countsCharacters || Self.characterCount(text) > lengthMax { return .tooLong }
    if let pattern, !pattern.matches(text) { return .patternMismatch }
    return nil
  }

  /// - Parameter allowed: ordered by their bytes.
  private static func contains(_ allowed: [[UInt8]], _ text: Span<UInt8>) -> Bool {
    var (low, high) = (0, allowed.count)
    while low < high {
      let middle = (low + high) / 2
      let candidate = allowed[middle]
      let order = Constraints.order(candidate.span, text)
      if order == 0 { return true }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return false
  }

  /// Characters of a UTF-8 text.
  private static func characterCount(_ text: Span<UInt8>) -> Int {
    var count = 0
    for index in text.indices where text[index] & 0xc0 != 0x80 { count += 1 }
    return count
  }
}

extension CellText {
  /// A text of one to seven bytes as a word that no other text has; 0 for every other one.
  @inline(__always)
  fileprivate func shortText(_ start: Int, _ count: Int) -> UInt64 {
    guard count > 0, count < 8, start + 8 <= payloads.count else { return 0 }
    let bytes = unsafe payloads.span.bytes
    let word = unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
    return word & (1 << UInt64(8 * count) - 1) | UInt64(count) << 56
  }
}
