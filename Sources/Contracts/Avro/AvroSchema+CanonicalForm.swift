extension AvroSchema {
  /// The Parsing Canonical Form of Avro 1.12: what two schemas have in common when they read the same bytes the same
  /// way. Docs, aliases, defaults and logical types are not part of it.
  package var parsingCanonicalForm: String {
    var text = ""
    var defined: Set<TypeID> = []
    write(root, to: &text, &defined)
    return text
  }

  /// CRC-64-AVRO (Rabin) of the canonical form, as in single-object encoding.
  package var fingerprint: UInt64 { RabinFingerprint.of(parsingCanonicalForm.utf8) }

  private func write(_ id: TypeID, to text: inout String, _ defined: inout Set<TypeID>) {
    let type = types[id]
    if let name = type.name, !defined.insert(id).inserted {
      text += "\"\(name)\""
      return
    }
    switch type.shape {
    case .null, .boolean, .int, .long, .float, .double, .bytes, .string: text += "\"\(type.title)\""
    case .array(let item):
      text += #"{"type":"array","items":"#
      write(item, to: &text, &defined)
      text += "}"
    case .map(let item):
      text += #"{"type":"map","values":"#
      write(item, to: &text, &defined)
      text += "}"
    case .union(let branches):
      text += "["
      for (index, branch) in branches.enumerated() {
        if index > 0 { text += "," }
        write(branch, to: &text, &defined)
      }
      text += "]"
    case .enumeration(let symbols, _):
      text += #"{"name":"\#(type.title)","type":"enum","symbols":["#
      text += symbols.map { "\"\($0)\"" }.joined(separator: ",") + "]}"
    case .fixed(let size): text += #"{"name":"\#(type.title)","type":"fixed","size":\#(size)}"#
    case .record(let fields):
      text += #"{"name":"\#(type.title)","type":"record","fields":["#
      for (index, field) in fields.enumerated() {
        text += (index > 0 ? "," : "") + #"{"name":"\#(field.name)","type":"#
        write(field.type, to: &text, &defined)
        text += "}"
      }
      text += "]}"
    }
  }
}

/// The 64-bit Rabin fingerprint of the Avro specification ("CRC-64-AVRO").
package enum RabinFingerprint {
  private static let empty: UInt64 = 0xc15d_213a_a4d7_a795

  private static let table: [UInt64] = (0..<256).map { byte in
    (0..<8).reduce(UInt64(byte)) { value, _ in value & 1 == 1 ? (value >> 1) ^ empty : value >> 1 }
  }

  package static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(empty) { hash, byte in (hash >> 8) ^ table[Int((hash ^ UInt64(byte)) & 0xff)] }
  }
}
