package import Columns
internal import Core

/// The entity keys of a batch with their hashes: made once per entity, used by each of its views. Buffers are kept from
/// batch to batch.
package struct EntityKeys: Sendable {
  /// The key of each row, as `EntityKey` has it; nothing for a null key.
  package private(set) var text = TextBuffer()
  package private(set) var hashes: [UInt64] = []
  /// False where a part of the key is null: there is no entity, and the row must not be applied.
  package private(set) var isValid: [Bool] = []
  private var scratch: [UInt8] = []

  package init() {}

  package var count: Int { hashes.count }

  package mutating func removeAll() {
    text.removeAll()
    hashes.removeAll(keepingCapacity: true)
    isValid.removeAll(keepingCapacity: true)
  }

  /// Replaces the keys by those of the first `rowCount` rows of a batch.
  ///
  /// - Parameter parts: indexes of the join keys among `columns`, in the order that the entity declares.
  package mutating func encode(_ columns: borrowing [Column], parts: [Int], rowCount: Int) {
    removeAll()
    if parts.count == 1, columns[parts[0]].type.storage == .text { return encode(text: columns[parts[0]], rowCount) }
    for row in 0..<rowCount {
      scratch.removeAll(keepingCapacity: true)
      var isComplete = true
      for part in parts {
        let start = scratch.count
        isComplete = isComplete && append(row, of: columns[part])
        if parts.count > 1 { scratch.insertLength(at: start) }
      }
      if isComplete { appendScratch() } else { appendNull() }
    }
  }

  /// One key as it is, for repartitioned input and tests.
  package mutating func append(_ key: borrowing EntityKey) {
    unsafe text.append(key.bytes.span.bytes)
    hashes.append(key.hash)
    isValid.append(true)
  }

  /// The bytes of a key, for instance of a Kafka record.
  package mutating func append(bytes: RawSpan) {
    text.append(bytes)
    hashes.append(Hash64.hash(bytes))
    isValid.append(true)
  }

  private mutating func appendScratch() {
    // Out of the way while it is read from: two parts of one value may not be in use at once.
    let key = scratch
    scratch = []
    unsafe append(bytes: key.span.bytes)
    scratch = key
  }

  /// A row without an entity.
  package mutating func appendNull() {
    text.appendEmpty()
    hashes.append(0)
    isValid.append(false)
  }

  /// Of the common case of one string nothing is copied twice.
  private mutating func encode(text column: borrowing Column, _ rowCount: Int) {
    for row in 0..<rowCount {
      if column.isValid[row] { append(bytes: column.text[row]) } else { appendNull() }
    }
  }

  /// - Returns: false of null.
  private mutating func append(_ row: Int, of column: borrowing Column) -> Bool {
    guard column.isValid[row] else { return false }
    switch column.type {
    case .boolean: scratch.append(contentsOf: (column.integers[row] != 0 ? "true" : "false").utf8)
    case .integer, .timestamp, .date: scratch.appendDecimal(column.integers[row])
    case .double: scratch.append(contentsOf: KeyText.double(column.doubles[row]).utf8)
    case .decimal(let scale): scratch.append(contentsOf: KeyText.decimal(column.decimals[row], scale: scale).utf8)
    case .string, .bytes: scratch.append(contentsOf: column.text.bytes[column.text.range(row)])
    }
    return true
  }
}
