/// A pattern of `like`: `%` stands for any text, `_` for one character, which is a Unicode scalar.
struct LikePattern: Hashable, Sendable {
  private enum Part: Hashable, Sendable {
    case byte(UInt8)
    case one
    case many
  }

  private let parts: [Part]
  /// As written, for the normal form.
  let text: String
  let escape: Unicode.Scalar?

  /// nil when the escape character does not stand before `%`, `_` or itself.
  init?(_ text: String, escape: Unicode.Scalar?) {
    self.text = text
    self.escape = escape
    var parts: [Part] = []
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if isEscaped {
        guard scalar == "%" || scalar == "_" || scalar == escape else { return nil }
        isEscaped = false
      } else if scalar == escape {
        isEscaped = true
        continue
      } else if scalar == "%" {
        if parts.last != .many { parts.append(.many) }
        continue
      } else if scalar == "_" {
        parts.append(.one)
        continue
      }
      parts += UTF8.encode(scalar).map { $0.map(Part.byte) } ?? []
    }
    guard !isEscaped else { return nil }
    self.parts = parts
  }

  /// Only the last `%` is ever tried again: at most text times pattern steps.
  func matches(_ text: Text.Bytes) -> Bool {
    var (position, part) = (0, 0)
    var retry: (position: Int, part: Int)?
    while position < text.count {
      if part < parts.count {
        switch parts[part] {
        case .many:
          retry = (position, part)
          part += 1
          continue
        case .one:
          unsafe position += UTF8Text.scalarLength(text, at: position)
          part += 1
          continue
        case .byte(let byte):
          if unsafe text[position] == byte {
            position += 1
            part += 1
            continue
          }
        }
      }
      guard let again = retry else { return false }
      let next = unsafe again.position + UTF8Text.scalarLength(text, at: again.position)
      retry = (next, again.part)
      (position, part) = (next, again.part + 1)
    }
    return parts[part...].allSatisfy { $0 == .many }
  }
}
