internal import Columns
internal import Core

/// The records of one batch while they are decoded: their bytes, their cells, and which of them are faulty.
///
/// A value, so that a batch is one access to the decoder that owns it.
struct DecodingRows {
  let contract: Contract
  /// All fields that are looked at, in the contract's order.
  var cells: [CellColumn]
  var text = CellText()
  /// Where each record's value ends in `text.payloads`.
  private(set) var ends: [UInt32] = []
  private(set) var isFaulty: [Bool] = []
  /// Records that are faulty already when they come, in order.
  private var refused: [(row: Int, code: FaultCode)] = []
  /// Whether a line feed stands behind each record: the reader of JSON tells records apart by white space.
  private let isSeparated: Bool

  init(_ contract: Contract, fields: [Int], isSeparated: Bool) {
    self.contract = contract
    self.isSeparated = isSeparated
    cells = fields.map { CellColumn(contract, field: $0) }
  }

  var count: Int { ends.count }

  mutating func append(_ value: RawSpan) {
    precondition(text.payloads.count + value.byteCount < 1 << 31, "decode the records before adding more")
    unsafe value.withUnsafeBytes { unsafe text.payloads.append(contentsOf: $0) }
    if isSeparated { text.payloads.append(UInt8(ascii: "\n")) }
    ends.append(UInt32(text.payloads.count))
  }

  mutating func refuse(_ code: FaultCode) {
    refused.append((ends.count, code))
    ends.append(UInt32(text.payloads.count))
  }

  mutating func begin(_ faults: inout [RecordFault]) {
    isFaulty.removeAll(keepingCapacity: true)
    isFaulty += repeatElement(false, count: count)
    for (row, code) in refused { report(RecordFault(row: row, code: code), &faults) }
  }

  mutating func removeAll() {
    ends.removeAll(keepingCapacity: true)
    refused.removeAll(keepingCapacity: true)
    text.removeAll()
  }

  func write(_ cell: Int, to column: inout Column) {
    cells[cell].write(rows: count, isFaulty: isFaulty, text: text, to: &column)
  }

  /// The bytes of a record in `text.payloads`.
  @inline(__always)
  func range(of row: Int) -> Range<Int> {
    let end = Int(ends[row])
    let start = row == 0 ? 0 : Int(ends[row - 1])
    return start..<(isSeparated && end > start ? end - 1 : end)
  }

  /// Keeps the first fault of a record.
  mutating func report(_ fault: RecordFault, _ faults: inout [RecordFault]) {
    guard !isFaulty[fault.row] else { return }
    isFaulty[fault.row] = true
    faults.append(fault)
  }

  /// A fault of one field.
  mutating func report(
    _ row: Int, _ code: FaultCode, cell: Int, found: RecordFault.Found = .nothing, _ faults: inout [RecordFault]
  ) {
    guard !isFaulty[row] else { return }
    let field = cells[cell].field
    report(RecordFault(row: row, code: code, path: contract.fields[field].path, field: field, found: found), &faults)
  }
}

/// Fills cells out of the payloads of a batch.
protocol CellReader: AnyObject {
  func read(_ rows: inout DecodingRows, _ faults: inout [RecordFault]) throws(HeadraceError)
}
