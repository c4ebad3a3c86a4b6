internal import CRocksDB
package import Core

extension Database {
  /// The newest value of a key, or nil.
  ///
  /// - Parameter family: index of the column family in `DatabaseOptions.columnFamilies`.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, `STATE_CLOSED`.
  package func get(_ key: RawSpan, in family: Int = 0) throws(HeadraceError) -> PinnedValue? {
    try enter()
    var error = ErrorSlot()
    let slice = unsafe key.withUnsafeBytes { key in
      unsafe rocksdb_get_pinned_cf(
        handle, pointReads, handle(of: family), key.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Self.empty,
        key.count, &error.message)
    }
    guard let slice = unsafe slice else {
      leave()
      try error.check(place: path)
      return nil
    }
    return unsafe PinnedValue(slice, of: self)
  }

  package func get(_ key: [UInt8], in family: Int = 0) throws(HeadraceError) -> PinnedValue? {
    try unsafe get(key.span.bytes, in: family)
  }

  /// The library wants an address also of nothing.
  @safe static var empty: UnsafePointer<CChar> { unsafe Self.emptyStorage }
  // Constant: nobody writes to it.
  nonisolated(unsafe) private static let emptyStorage: UnsafePointer<CChar> = {
    let storage = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    unsafe storage.initialize(to: 0)
    return unsafe UnsafePointer(storage)
  }()

  /// Looks up many keys of one column family at once: blocks and filters are visited in order, and only once.
  ///
  /// - Parameter body: is called for every key that has a value, in no promised order, with the key's index. What it
  ///   throws ends the lookup.
  package func multiGet(
    _ lookup: borrowing KeyList, in family: Int = 0,
    _ body: (_ index: Int, _ value: RawSpan) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let count = lookup.count
    guard count > 0 else { return }
    try enter()
    defer { leave() }
    var values = unsafe [OpaquePointer?](repeating: nil, count: count)
    var messages = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    unsafe lookup.withPointers { keys, sizes in
      unsafe rocksdb_batched_multi_get_cf(
        handle, pointReads, handle(of: family), count, keys, sizes, &values, &messages, false)
    }
    defer {
      for index in 0..<count {
        unsafe rocksdb_pinnableslice_destroy(values[index])
        unsafe rocksdb_free(messages[index])
      }
    }
    for index in 0..<count {
      if let message = unsafe messages[index] {
        let text = unsafe String(cString: message)
        throw HeadraceError(RocksFailure(message: text), text, isWrite: false, place: path)
      }
      guard let value = unsafe values[index] else { continue }
      var size = 0
      let start = unsafe rocksdb_pinnableslice_value(value, &size)
      try body(index, unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: start, count: size)))
    }
  }
}
