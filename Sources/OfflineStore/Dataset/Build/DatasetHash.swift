internal import Columns
internal import Core
internal import Crypto

/// The `content_hash` of a dataset: SHA-256 over its columns' names and types and its rows, part by part, in the order
/// of the labels. Nothing else counts: neither how rows are cut into files, nor how files are compressed, nor how many
/// threads made them.
///
/// The rows of a part are taken `blockRows` at a time; what is hashed is the number of rows of each part and the hash
/// of each of its blocks, so that blocks may be hashed in any order.
struct DatasetHash {
  static let blockRows = 16_384

  private var hash = SHA256()

  init(names: [String], types: [ColumnType]) {
    var writer = ByteWriter()
    for (name, type) in zip(names, types) {
      writer.text(name)
      writer.text("\(type)")
    }
    hash.update(data: writer.bytes)
  }

  /// Adds the next part.
  mutating func add(rowCount: Int, blocks: [[UInt8]]) {
    var writer = ByteWriter()
    writer.number(UInt64(clamping: rowCount))
    hash.update(data: writer.bytes)
    for block in blocks { hash.update(data: block) }
  }

  /// In hexadecimal digits.
  func finish() -> String {
    hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }

  /// The hash of one block: column by column, as rows lie in a spool.
  static func block(_ batch: borrowing ColumnBatch) -> [UInt8] {
    var rows = copy batch
    // One NaN is as good as another.
    for index in rows.columns.indices where rows.columns[index].type == .double {
      if rows.columns[index].doubles.contains(where: \.isNaN) {
        let column = rows.columns[index]
        rows.columns[index] = Column(doubles: column.doubles.map { $0.isNaN ? .nan : $0 }, isValid: column.isValid)
      }
    }
    var writer = ByteWriter()
    SpoolBlock.write(rows, to: &writer)
    return Array(SHA256.hash(data: writer.bytes))
  }
}

/// Cuts the rows of a part into blocks and hashes them.
struct BlockHashes {
  private(set) var rowCount = 0
  private(set) var blocks: [[UInt8]] = []
  private var waiting: ColumnBatch

  init(_ types: [ColumnType]) { waiting = ColumnBatch(types) }

  mutating func add(_ batch: borrowing ColumnBatch) {
    var next = 0
    while next < batch.rowCount {
      let end = min(batch.rowCount, next + DatasetHash.blockRows - waiting.rowCount)
      for index in waiting.columns.indices { waiting.columns[index].append(next..<end, of: batch.columns[index]) }
      waiting.rowCount += end - next
      next = end
      if waiting.rowCount == DatasetHash.blockRows { close() }
    }
  }

  /// After the last row.
  mutating func finish() { if waiting.rowCount > 0 { close() } }

  private mutating func close() {
    rowCount += waiting.rowCount
    blocks.append(DatasetHash.block(waiting))
    waiting.removeAll()
  }
}
