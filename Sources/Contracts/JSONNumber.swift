/// The numbers of JSON (RFC 8259, section 6).
package enum JSONNumber {
  /// Whether the bytes are exactly one number: `-12.5e3`; not `+1`, `.5`, `01`, `1.`, `NaN`.
  package static func isValid(_ text: Span<UInt8>) -> Bool {
    var at = 0
    if at < text.count && text[at] == UInt8(ascii: "-") { at += 1 }
    let integer = at
    guard skipDigits(text, &at), text[integer] != UInt8(ascii: "0") || at - integer == 1 else { return false }
    if at < text.count && text[at] == UInt8(ascii: ".") {
      at += 1
      guard skipDigits(text, &at) else { return false }
    }
    if at < text.count && text[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < text.count && (text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-")) { at += 1 }
      guard skipDigits(text, &at) else { return false }
    }
    return at == text.count
  }

  private static func skipDigits(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
    let start = at
    while at < text.count && text[at] &- UInt8(ascii: "0") < 10 { at += 1 }
    return at > start
  }
}
