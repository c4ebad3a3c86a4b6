internal import Columns
internal import Crypto

/// The `content_hash` of a dataset: SHA-256 over its columns' names and types and its rows, part by part, in the order
/// of the labels. Nothing else counts: neither how rows are cut into files, nor how files are compressed.
struct DatasetHash {
  private var hash = SHA256()
  private var buffer: [UInt8] = []

  init(names: [String], types: [ColumnType]) {
    for (name, type) in zip(names, types) {
      append(name)
      append("\(type)")
    }
  }

  mutating func add(_ batch: borrowing ColumnBatch) {
    for row in 0..<batch.rowCount {
      for column in batch.columns.indices { add(batch.columns[column].value(row)) }
    }
  }

  /// A value: a byte for its kind, then its bits, or its bytes behind their length.
  mutating func add(_ value: Value) {
    switch value {
    case .null: buffer.append(0)
    case .boolean(let flag): buffer += [1, flag ? 1 : 0]
    case .integer(let number): add(2, UInt64(bitPattern: number))
    case .timestamp(let number): add(3, UInt64(bitPattern: number))
    case .date(let number): add(4, UInt64(bitPattern: number))
    // One NaN is as good as another.
    case .double(let number): add(5, number.isNaN ? Double.nan.bitPattern : number.bitPattern)
    case .string(let text):
      buffer.append(6)
      append(text)
    case .bytes(let bytes):
      add(7, UInt64(bytes.count))
      buffer += bytes
    case .decimal(let unscaled, let scale):
      add(8, UInt64(bitPattern: Int64(scale)))
      unsafe withUnsafeBytes(of: unscaled.littleEndian) { unsafe buffer.append(contentsOf: $0) }
    case .list(let values):
      add(9, UInt64(values.count))
      for value in values { add(value) }
    }
    if buffer.count >= 1 << 16 { flush() }
  }

  /// In hexadecimal digits.
  mutating func finish() -> String {
    flush()
    return hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }

  private mutating func add(_ kind: UInt8, _ word: UInt64) {
    buffer.append(kind)
    unsafe withUnsafeBytes(of: word.littleEndian) { unsafe buffer.append(contentsOf: $0) }
  }

  private mutating func append(_ text: String) {
    unsafe withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { unsafe buffer.append(contentsOf: $0) }
    buffer += text.utf8
  }

  private mutating func flush() {
    hash.update(data: buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
