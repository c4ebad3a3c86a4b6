internal import Core

/// A list of values as a JSON array.
package enum JSONListText {
  package static func text(_ values: [Value]) -> String {
    var writer = JSONWriter()
    writer.array { writer in
      for value in values {
        switch value {
        case .null, .list: writer.null()
        case .boolean(let flag): writer.boolean(flag)
        case .integer(let number), .timestamp(let number), .date(let number): writer.number(number)
        case .double(let number): if number.isFinite { writer.raw("\(number)".utf8) } else { writer.null() }
        case .string(let text): writer.string(text)
        case .bytes(let bytes): writer.string(String(decoding: bytes, as: UTF8.self))
        case .decimal(let unscaled, let scale): writer.string("\(unscaled)e-\(scale)")
        }
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
