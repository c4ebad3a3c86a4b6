internal import CSimdjson
package import Core

/// Reads chosen fields of many JSON documents at once: one C call per batch, nothing allocated per document.
///
/// Every document is checked completely (RFC 8259), the fields that nobody asked for as well. Of a name that comes
/// twice in an object the last one counts. A faulty document does not disturb its neighbours.
///
///     var reader = try JSONFieldReader(fields: [FieldPath("carrier"), FieldPath("plane.seats")])
///     try reader.read(bytes.span, ends: [52, 97])
///     reader.value(document: 1, field: 0)
@safe
package struct JSONFieldReader: ~Copyable {
  package let fields: [FieldPath]
  private let handle: OpaquePointer
  /// Which value of a document's row is whose: fields that were asked for twice share one.
  let columns: [Int]
  let columnCount: Int
  private(set) var values: [csimdjson_value] = []
  private var statuses: [csimdjson_status] = []

  /// - Parameter fields: in the order in which `value(document:field:)` counts them; none to check documents only.
  package init(fields: [FieldPath]) throws(HeadraceError) {
    self.fields = fields
    let tree = FieldTree(fields)
    guard let handle = unsafe tree.makeReader() else { throw .outOfMemory }
    unsafe self.handle = handle
    columns = tree.columns
    columnCount = tree.columnCount
  }

  deinit { unsafe csimdjson_destroy(handle) }

  /// Reads the documents in `bytes` and keeps what it found until the next call.
  ///
  /// - Parameters:
  ///   - bytes: at most 4 GiB - 1.
  ///   - ends: where each document ends, ascending; the last byte of each but the last is white space (its line feed).
  /// - Returns: how many documents are not valid.
  @discardableResult
  package mutating func read(_ bytes: Span<UInt8>, ends: [UInt32]) throws(HeadraceError) -> Int {
    precondition(ends.last.map { Int($0) <= bytes.count } ?? true, "a document ends behind the bytes")
    grow(to: ends.count)
    let invalid = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe csimdjson_read(handle, bytes.baseAddress, ends, ends.count, &values, &statuses)
    }
    guard invalid >= 0 else { throw .outOfMemory }
    return invalid
  }

  /// What the last `read` found for one field of one valid document.
  package func value(document: Int, field: Int) -> JSONValue {
    JSONValue(values[document * columnCount + columns[field]])
  }

  /// What the last `read` found wrong with a document; nil when it is valid.
  package func fault(document: Int) -> JSONFault? { JSONFault(statuses[document]) }

  private mutating func grow(to documentCount: Int) {
    // One more than needed, so that C never gets the address of an empty array.
    let missing = documentCount * columnCount + 1 - values.count
    if missing > 0 { values += repeatElement(csimdjson_value(), count: missing) }
    let missingStatuses = documentCount + 1 - statuses.count
    if missingStatuses > 0 { statuses += repeatElement(csimdjson_status(), count: missingStatuses) }
  }
}

extension HeadraceError {
  fileprivate static let outOfMemory = HeadraceError(
    .external, "OUT_OF_MEMORY", "there is no memory to read the documents", remedy: "shorten the lines, or free memory")
}
