internal import Core

/// Reads a value of Avro's binary form as canonical JSON text: arrays, maps and unions become columns of text.
struct AvroDocument {
  let writer: AvroSchema
  let reader: AvroSchema
  let cell: Int
  /// Reader and writer are the same schema: fields are written as they come.
  var isOneSchema = false

  /// Appends the text of the next value.
  func write(
    _ from: AvroSchema.TypeID, _ to: AvroSchema.TypeID, from cursor: inout AvroCursor, to text: inout [UInt8],
    depth: Int
  ) throws(AvroFailure) {
    guard depth < AvroSchema.depthMax else { throw AvroFailure(code: .tooDeep, cell: cell) }
    try cursor.step()
    guard text.count <= CanonicalJSON.textBytesMax else { throw AvroFailure(code: .tooLarge, cell: cell) }
    if case .union(let branches) = writer.types[from].shape {
      let branch = branches[try cursor.index(below: branches.count)]
      return try write(branch, to, from: &cursor, to: &text, depth: depth + 1)
    }
    if case .union(let branches) = reader.types[to].shape {
      guard let branch = AvroResolution.branch(of: branches, reader, for: from, writer) else { throw incompatible }
      return try write(from, branch, from: &cursor, to: &text, depth: depth + 1)
    }
    switch (writer.types[from].shape, reader.types[to].shape) {
    case (.null, .null): text += "null".utf8
    case (.array(let item), .array(let wanted)):
      try array(item, wanted, from: &cursor, to: &text, depth: depth)
    case (.map(let item), .map(let wanted)):
      try map(item, wanted, from: &cursor, to: &text, depth: depth)
    case (.record(let fields), .record(let wanted)):
      try record(fields, wanted, from: &cursor, to: &text, depth: depth)
    default: try scalar(from, to, from: &cursor, to: &text)
    }
  }

  private var incompatible: AvroFailure { AvroFailure(code: .incompatibleSchema, cell: cell) }

  private func array(
    _ item: AvroSchema.TypeID, _ wanted: AvroSchema.TypeID, from cursor: inout AvroCursor, to text: inout [UInt8],
    depth: Int
  ) throws(AvroFailure) {
    var separator = UInt8(ascii: "[")
    while let block = try cursor.block() {
      for _ in 0..<block.count {
        text.append(separator)
        separator = UInt8(ascii: ",")
        let start = cursor.position
        try write(item, wanted, from: &cursor, to: &text, depth: depth + 1)
        try cursor.endItem(from: start)
      }
    }
    if separator == UInt8(ascii: "[") { text.append(separator) }
    text.append(UInt8(ascii: "]"))
  }

  private func map(
    _ item: AvroSchema.TypeID, _ wanted: AvroSchema.TypeID, from cursor: inout AvroCursor, to text: inout [UInt8],
    depth: Int
  ) throws(AvroFailure) {
    var entries: [([UInt8], [UInt8])] = []
    while let block = try cursor.block() {
      for _ in 0..<block.count {
        let key = try cursor.text()
        let name = cursor.bytes.extracting(key)
        guard UTF8Text.isValid(name) else { throw AvroFailure(code: .notUTF8, cell: cell) }
        var entry: [UInt8] = []
        try write(item, wanted, from: &cursor, to: &entry, depth: depth + 1)
        entries.append((JSONScalar.bytes(name), entry))
      }
    }
    CanonicalJSON.append(&entries, to: &text)
  }

  /// The reader's fields in the reader's order.
  private func record(
    _ fields: [AvroField], _ wanted: [AvroField], from cursor: inout AvroCursor, to text: inout [UInt8], depth: Int
  ) throws(AvroFailure) {
    guard !isOneSchema else { return try record(fields, from: &cursor, to: &text, depth: depth) }
    var values: [String: [UInt8]] = [:]
    for field in fields {
      var value: [UInt8] = []
      if let match = AvroResolution.readerField(for: field.name, among: wanted), values[match.name] == nil {
        try write(field.type, match.type, from: &cursor, to: &value, depth: depth + 1)
        values[match.name] = value
      } else {
        try skip(field.type, &cursor, depth: depth + 1)
      }
    }
    var separator = UInt8(ascii: "{")
    for field in wanted {
      text.append(separator)
      separator = UInt8(ascii: ",")
      JSONText.appendString(field.name, to: &text)
      text.append(UInt8(ascii: ":"))
      if let value = values[field.name] {
        text += value
      } else if let code = CanonicalJSON(reader).writeMissing(field, to: &text) {
        throw AvroFailure(code: code, cell: cell)
      }
    }
    if wanted.isEmpty { text.append(separator) }
    text.append(UInt8(ascii: "}"))
  }

  /// The same record in the same order.
  private func record(
    _ fields: [AvroField], from cursor: inout AvroCursor, to text: inout [UInt8], depth: Int
  ) throws(AvroFailure) {
    var separator = UInt8(ascii: "{")
    for field in fields {
      text.append(separator)
      separator = UInt8(ascii: ",")
      JSONText.appendString(field.name, to: &text)
      text.append(UInt8(ascii: ":"))
      try write(field.type, field.type, from: &cursor, to: &text, depth: depth + 1)
    }
    if fields.isEmpty { text.append(separator) }
    text.append(UInt8(ascii: "}"))
  }

  private func scalar(
    _ from: AvroSchema.TypeID, _ to: AvroSchema.TypeID, from cursor: inout AvroCursor, to text: inout [UInt8]
  ) throws(AvroFailure) {
    guard let scalar = AvroScalar(writer, from, reader, to) else { throw incompatible }
    let value: JSONScalar.Cell =
      switch try scalar.read(&cursor, cell: cell) {
      case .integer(let value): .integer(value)
      case .double(let value): .double(value)
      case .decimal(let value): .decimal(value)
      case .text(let range): .text(JSONScalar.bytes(cursor.bytes.extracting(range)))
      case .made(let bytes): .text(bytes)
      }
    if case .double(let number) = value, !number.isFinite { throw AvroFailure(code: .notFinite, cell: cell) }
    JSONScalar(encoding: scalar.encoding, allowsNaN: false).write(value, to: &text)
  }

  /// Moves behind a value that the reader does not know.
  private func skip(_ id: AvroSchema.TypeID, _ cursor: inout AvroCursor, depth: Int) throws(AvroFailure) {
    guard depth < AvroSchema.depthMax else { throw AvroFailure(code: .tooDeep, cell: cell) }
    try cursor.step()
    switch writer.types[id].shape {
    case .null: break
    case .boolean: _ = try cursor.take(1)
    case .int, .long, .enumeration: _ = try cursor.long()
    case .float: _ = try cursor.take(4)
    case .double: _ = try cursor.take(8)
    case .bytes, .string: _ = try cursor.text()
    case .fixed(let size): _ = try cursor.take(size)
    case .record(let fields): for field in fields { try skip(field.type, &cursor, depth: depth + 1) }
    case .union(let branches): try skip(branches[try cursor.index(below: branches.count)], &cursor, depth: depth + 1)
    case .array(let item), .map(let item):
      while let block = try cursor.block() {
        if let byteCount = block.byteCount {
          _ = try cursor.take(byteCount)
          continue
        }
        for _ in 0..<block.count {
          let start = cursor.position
          if case .map = writer.types[id].shape { _ = try cursor.text() }
          try skip(item, &cursor, depth: depth + 1)
          try cursor.endItem(from: start)
        }
      }
    }
  }
}
