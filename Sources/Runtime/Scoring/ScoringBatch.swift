internal import Columns
internal import Kafka
internal import OnlineStore
internal import Topology

/// A batch of events on its way from the worker to the thread that scores: their columns, the features that the worker
/// took, and what predictions say of the records. Goes back to be filled again.
final class ScoringBatch: @unchecked Sendable {
  // Unchecked: belongs to one thread at a time; the lane's queue hands it over.
  /// The events' columns.
  var scope: ColumnBatch
  /// Rows of `scope` that are predicted for: the events.
  var rows: [Int] = []
  var headers: EventHeaders
  /// Row by row of the scope, the layout's `stride` doubles each; NaN is null.
  var matrix: [Double] = []
  /// For each row and block whether its rows could not be asked for.
  var isMissing: [Bool] = []
  /// By event.
  private(set) var records = HeldRecords()
  /// The `traceparent` of predictions whose record has none; empty for none.
  var batchTrace: [UInt8] = []
  var workerNanoseconds: Int64 = 0

  init(_ types: [ColumnType]) {
    scope = ColumnBatch(types)
    headers = EventHeaders(partition: 0)
  }

  /// - Parameter flags: by block.
  func clear(rowCount: Int, stride: Int, isMissing flags: [Bool]) {
    let (cells, flagCount) = (rowCount * stride, rowCount * flags.count)
    if matrix.count < cells { matrix += repeatElement(.nan, count: cells - matrix.count) }
    unsafe matrix.withUnsafeMutableBufferPointer { buffer in
      unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<cells]).update(repeating: .nan)
    }
    if isMissing.count < flagCount { isMissing += repeatElement(false, count: flagCount - isMissing.count) }
    var index = 0
    for _ in 0..<rowCount {
      for flag in flags {
        isMissing[index] = flag
        index += 1
      }
    }
  }

  /// The block's view is there for these rows.
  func noteRead(block: Int, of blockCount: Int, rows: ArraySlice<Int>) {
    for row in rows { isMissing[row * blockCount + block] = false }
  }

  /// Keeps what predictions take over from the records of the events.
  func hold(_ consumed: borrowing ConsumedBatch, first: Int, _ tracer: BatchTracer?) {
    records.removeAll()
    for row in rows {
      let record = consumed[first + row]
      if let own = tracer?.header(ofRecord: first + row) {
        unsafe records.append(record, traceparent: own.span.bytes)
      } else {
        records.append(record, traceparent: record.headers.last("traceparent"))
      }
    }
  }
}

/// What is kept of records whose own memory is gone: by position, in the order in which they came.
struct HeldRecords: Sendable {
  private struct Place: Sendable {
    var offset: Int64
    var timestampMilliseconds: Int64
    /// The key, then the trace, in `bytes`; a length below 0 is none.
    var start: Int
    var keyLength: Int
    var traceLength: Int
  }

  private var places: [Place] = []
  private var bytes: [UInt8] = []

  mutating func removeAll() {
    places.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
  }

  mutating func append(_ record: borrowing ConsumedRecord, traceparent: RawSpan?) {
    let start = bytes.count
    if let key = unsafe record.keyBytes { unsafe bytes.append(contentsOf: key) }
    if let traceparent { unsafe traceparent.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) } }
    places.append(
      Place(
        offset: record.offset, timestampMilliseconds: record.timestampMilliseconds, start: start,
        keyLength: unsafe record.keyBytes?.count ?? -1, traceLength: traceparent?.byteCount ?? -1))
  }

  func offset(_ index: Int) -> Int64 { places[index].offset }

  /// Epoch milliseconds; below 1 when the record has none.
  func timestampMilliseconds(_ index: Int) -> Int64 { places[index].timestampMilliseconds }

  @_lifetime(borrow self)
  func key(_ index: Int) -> RawSpan? {
    let place = places[index]
    guard place.keyLength >= 0 else { return nil }
    return unsafe bytes.span.bytes.extracting(place.start..<place.start + place.keyLength)
  }

  @_lifetime(borrow self)
  func traceparent(_ index: Int) -> RawSpan? {
    let place = places[index]
    guard place.traceLength >= 0 else { return nil }
    let start = place.start + max(place.keyLength, 0)
    return unsafe bytes.span.bytes.extracting(start..<start + place.traceLength)
  }
}
