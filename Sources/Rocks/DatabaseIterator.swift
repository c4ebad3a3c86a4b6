internal import CRocksDB
package import Core

/// Walks over the keys of a column family in their order, as they were when it was made.
///
///     while try iterator.next() { use(iterator.key, iterator.value) }
@safe
package struct DatabaseIterator: ~Copyable {
  private let handle: OpaquePointer
  private let readOptions: OpaquePointer
  private let bounds: UnsafeMutableRawBufferPointer
  private let database: Database
  private var hasStarted = false

  /// - Precondition: the caller has entered `database`; the iterator leaves for it.
  init(_ database: Database, family: Int, from lower: [UInt8]?, to upper: [UInt8]?) {
    self.database = database
    let lowerCount = lower?.count ?? 0
    // The library keeps the addresses of the bounds.
    unsafe bounds = .allocate(byteCount: max(lowerCount + (upper?.count ?? 0), 1), alignment: 1)
    unsafe bounds.copyBytes(from: lower ?? [])
    unsafe UnsafeMutableRawBufferPointer(rebasing: bounds[lowerCount...]).copyBytes(from: upper ?? [])
    unsafe readOptions = rocksdb_readoptions_create()
    unsafe rocksdb_readoptions_set_fill_cache(readOptions, 0)
    let start = unsafe UnsafeRawPointer(bounds.baseAddress)?.assumingMemoryBound(to: CChar.self) ?? Database.empty
    if let lower { unsafe rocksdb_readoptions_set_iterate_lower_bound(readOptions, start, lower.count) }
    if let upper { unsafe rocksdb_readoptions_set_iterate_upper_bound(readOptions, start + lowerCount, upper.count) }
    unsafe handle = rocksdb_create_iterator_cf(database.handle, readOptions, database.handle(of: family))
  }

  deinit {
    unsafe rocksdb_iter_destroy(handle)
    unsafe rocksdb_readoptions_destroy(readOptions)
    unsafe bounds.deallocate()
    database.leave()
  }

  /// Goes to the first key, then to the next one each time.
  ///
  /// - Returns: false behind the last one.
  package mutating func next() throws(HeadraceError) -> Bool {
    if hasStarted {
      unsafe rocksdb_iter_next(handle)
    } else {
      unsafe rocksdb_iter_seek_to_first(handle)
      hasStarted = true
    }
    if unsafe rocksdb_iter_valid(handle) != 0 { return true }
    var error = ErrorSlot()
    unsafe rocksdb_iter_get_error(handle, &error.message)
    try error.check(place: database.path)
    return false
  }

  /// - Precondition: `next()` returned true.
  package var key: RawSpan {
    @_lifetime(borrow self)
    get {
      var count = 0
      let start = unsafe rocksdb_iter_key(handle, &count)
      let buffer = unsafe UnsafeRawBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(RawSpan(_unsafeBytes: buffer), borrowing: self)
    }
  }

  /// - Precondition: `next()` returned true.
  package var value: RawSpan {
    @_lifetime(borrow self)
    get {
      var count = 0
      let start = unsafe rocksdb_iter_value(handle, &count)
      let buffer = unsafe UnsafeRawBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(RawSpan(_unsafeBytes: buffer), borrowing: self)
    }
  }
}

extension Database {
  /// Every key from `lower` on that is below `upper`; nil is no bound.
  package func iterator(
    in family: Int = 0, from lower: [UInt8]? = nil, to upper: [UInt8]? = nil
  ) throws(HeadraceError) -> DatabaseIterator {
    try enter()
    return DatabaseIterator(self, family: family, from: lower, to: upper)
  }
}
