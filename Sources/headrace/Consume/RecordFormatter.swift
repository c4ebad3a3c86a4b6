internal import Contracts
internal import Core
internal import Kafka

/// Prints records. The values of a batch are checked together: one call tells which of them are JSON.
struct RecordFormatter: ~Copyable {
  private let output: ConsumeCommand.Output
  private var reader: JSONFieldReader
  private var writer = JSONWriter()
  /// What turns values into JSON; nil: they are shown as they are.
  private let text: AvroText?
  /// How long the schema of a value is waited for.
  private let waitMilliseconds: Int64

  init(
    _ output: ConsumeCommand.Output, _ text: AvroText?, waitMilliseconds: Int64
  ) throws(HeadraceError) {
    self.output = output
    self.text = text
    self.waitMilliseconds = waitMilliseconds
    reader = try JSONFieldReader(fields: [])
  }

  mutating func append(
    _ batch: borrowing ConsumedBatch, indices: Range<Int>, to stdout: inout StandardOutput
  ) throws {
    if let text { return try append(batch, indices: indices, text, to: &stdout) }
    guard output == .json else {
      for index in indices {
        if let value = batch[index].value {
          unsafe value.withUnsafeBytes { unsafe stdout.buffer.append(contentsOf: $0) }
        }
        stdout.buffer.append(UInt8(ascii: "\n"))
        try stdout.flushIfFull()
      }
      return
    }
    var next = indices.lowerBound
    while next < indices.upperBound {
      let values = Values(of: batch, indices: next..<indices.upperBound)
      try reader.read(values.bytes.span, ends: values.ends)
      for index in values.indices {
        let isJSON = reader.fault(document: index - next) == nil
        write(batch[index], of: batch.partition, isJSON: isJSON)
        stdout.buffer += writer.bytes
        stdout.buffer.append(UInt8(ascii: "\n"))
        try stdout.flushIfFull()
      }
      next = values.indices.upperBound
    }
  }

  /// Values that a schema reads are shown as JSON, others as they are.
  private mutating func append(
    _ batch: borrowing ConsumedBatch, indices: Range<Int>, _ text: AvroText, to stdout: inout StandardOutput
  ) throws {
    for index in indices {
      let json = try json(of: batch[index], text)
      if output == .json {
        write(batch[index], of: batch.partition, isJSON: json != nil, json)
        stdout.buffer += writer.bytes
      } else {
        stdout.buffer += json ?? Self.bytes(batch[index].value) ?? []
      }
      stdout.buffer.append(UInt8(ascii: "\n"))
      try stdout.flushIfFull()
    }
  }

  /// - Throws: when the schema registry does not give the value's schema in time.
  private func json(of record: borrowing ConsumedRecord, _ text: AvroText) throws(HeadraceError) -> [UInt8]? {
    guard let value = record.value else { return nil }
    let deadline = WallClock.monotonic.nowMilliseconds + waitMilliseconds
    var json: [UInt8] = []
    while true {
      switch text.append(value, to: &json) {
      case .written: return json
      case .broken: return nil
      case .unavailable:
        guard WallClock.monotonic.nowMilliseconds < deadline else {
          throw HeadraceError(
            .timedOut, "the schema registry does not give the schema of offset \(record.offset)",
            place: "schema registry")
        }
        Sleep.milliseconds(Self.lookMilliseconds)
      }
    }
  }

  private static let lookMilliseconds = 5

  private mutating func write(
    _ record: borrowing ConsumedRecord, of partition: TopicPartition, isJSON: Bool, _ text: [UInt8]? = nil
  ) {
    let headers = record.headers
    let shown = ShownRecord(
      topic: partition.topic, partition: partition.partition, offset: record.offset,
      timestampMilliseconds: record.timestampMilliseconds, key: Self.bytes(record.key),
      headers: (0..<headers.count).map { index in
        let header = headers[index]
        return (header.name, Self.bytes(header.value))
      },
      value: text ?? Self.bytes(record.value), isJSON: isJSON)
    shown.write(to: &writer)
  }

  private static func bytes(_ span: RawSpan?) -> [UInt8]? {
    guard let span else { return nil }
    return unsafe span.withUnsafeBytes { unsafe Array($0) }
  }
}

/// The values of records, each with a line feed behind it.
private struct Values {
  /// Values are checked in pieces of about so many bytes.
  private static let bytesMax = 1 << 20

  var bytes: [UInt8] = []
  var ends: [UInt32] = []
  /// Of the records whose values these are.
  var indices: Range<Int>

  /// The first of `indices`, as many as fit.
  init(of batch: borrowing ConsumedBatch, indices: Range<Int>) {
    self.indices = indices.lowerBound..<indices.lowerBound
    for index in indices where bytes.count < Self.bytesMax {
      if let value = batch[index].value { unsafe value.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) } }
      bytes.append(UInt8(ascii: "\n"))
      ends.append(UInt32(bytes.count))
      self.indices = indices.lowerBound..<(index + 1)
    }
  }
}

/// One record as `--output json` prints it.
struct ShownRecord {
  var topic: String
  var partition: Int32
  var offset: Int64
  var timestampMilliseconds: Int64
  var key: [UInt8]?
  var headers: [(name: String, value: [UInt8]?)]
  var value: [UInt8]?
  /// Whether the value is exactly one valid JSON document.
  var isJSON: Bool

  func write(to writer: inout JSONWriter) {
    writer.reset()
    writer.object { writer in
      writer.key("topic")
      writer.string(topic)
      writer.key("partition")
      writer.number(partition)
      writer.key("offset")
      writer.number(offset)
      writer.key("timestamp")
      if timestampMilliseconds >= 0 { writer.number(timestampMilliseconds) } else { writer.null() }
      writer.key("key")
      if let encoding = Self.write(key, to: &writer) {
        writer.key("key_encoding")
        writer.string(encoding)
      }
      writer.key("headers")
      writer.array { writer in
        for header in headers {
          writer.object { writer in
            writer.key("key")
            writer.string(header.name)
            writer.key("value")
            if let encoding = Self.write(header.value, to: &writer) {
              writer.key("encoding")
              writer.string(encoding)
            }
          }
        }
      }
      writer.key("value")
      writeValue(to: &writer)
    }
  }

  private func writeValue(to writer: inout JSONWriter) {
    if let value, isJSON {
      writer.raw(Self.onOneLine(value))
      return
    }
    let encoding = Self.write(value, to: &writer)
    writer.key("value_encoding")
    writer.string(encoding ?? (value == nil ? "none" : "string"))
  }

  /// Line breaks stand between tokens only: a record stays on its line.
  private static func onOneLine(_ json: [UInt8]) -> [UInt8] {
    let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    guard json.contains(lineFeed) || json.contains(carriageReturn) else { return json }
    return json.map { $0 == lineFeed || $0 == carriageReturn ? UInt8(ascii: " ") : $0 }
  }

  /// - Returns: the encoding when it is not plain text.
  private static func write(_ bytes: [UInt8]?, to writer: inout JSONWriter) -> String? {
    guard let bytes else {
      writer.null()
      return nil
    }
    if let text = String(validating: bytes, as: UTF8.self) {
      writer.string(text)
      return nil
    }
    writer.string(Base64.encode(bytes))
    return "base64"
  }
}
