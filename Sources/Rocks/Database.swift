internal import CRocksDB
package import Core
internal import Glibc
internal import Synchronization

/// A RocksDB: keyed bytes, batches that are written as a whole or not at all. Thread-safe.
///
/// A batch that was written with `sync` survives a loss of power, one without it the end of the process. After a write
/// failed nobody knows whether it is there: the database then refuses every other write, and its owner opens it again
/// to see (`STATE_IO`, `unknownOutcome`). The kernel drops pages that it could not write, so a second try would lie.
@safe
package final class Database: @unchecked Sendable {
  // Unchecked: RocksDB's handles are thread-safe; `users` keeps them alive while a call is inside.
  let handle: OpaquePointer
  private let families: [OpaquePointer?]
  private let readOptions: OpaquePointer
  private let syncedWrites: OpaquePointer
  private let plainWrites: OpaquePointer
  private let users = UseCount()
  private let failure = Mutex<HeadraceError?>(nil)
  /// Lives as long as the database: the library refers to its cache and its expiry filters.
  package let options: DatabaseOptions
  /// The folder.
  package let path: String

  /// Opens the database in the folder `path`, which is made if it is not there.
  ///
  /// - Throws: `STATE_LOCKED`, `STATE_CORRUPT`, `STATE_DISK_FULL`, `STATE_IO`.
  package init(path: String, options: DatabaseOptions = DatabaseOptions()) throws(HeadraceError) {
    // Opening writes too: it replays the log into files.
    try options.reserve?.admit(bytes: 0, place: path)
    try Folder.create(path)
    let settings = try DatabaseSettings(options, place: path)
    var families = unsafe [OpaquePointer?](repeating: nil, count: options.columnFamilies.count)
    var error = ErrorSlot()
    let opened = unsafe CStrings.with(options.columnFamilies.map(\.name)) { names in
      unsafe rocksdb_open_column_families(
        settings.database, path, Int32(clamping: families.count), names.baseAddress, settings.families, &families,
        &error.message)
    }
    try error.check(place: path)
    guard let handle = unsafe opened else {
      throw HeadraceError(.other, "the database was not opened, and no reason given", isWrite: false, place: path)
    }
    unsafe self.handle = unsafe handle
    unsafe self.families = unsafe families
    self.options = options
    self.path = path
    unsafe readOptions = rocksdb_readoptions_create()
    unsafe syncedWrites = rocksdb_writeoptions_create()
    unsafe rocksdb_writeoptions_set_sync(syncedWrites, 1)
    unsafe plainWrites = rocksdb_writeoptions_create()
  }

  deinit { close() }

  /// Closes it; calls that are inside finish first. To be called any number of times; afterwards every call throws
  /// `STATE_CLOSED`. Iterators and pinned values that are still held keep the folder locked until they go.
  package func close() {
    switch users.close() {
    case .alreadyClosed: return
    case .isIdle: destroy()
    case .isInUse: _ = users.waitUntilShut(timeoutSeconds: 5)
    }
  }

  private func destroy() {
    for index in unsafe families.indices { unsafe rocksdb_column_family_handle_destroy(families[index]) }
    unsafe rocksdb_close(handle)
    unsafe rocksdb_readoptions_destroy(readOptions)
    unsafe rocksdb_writeoptions_destroy(syncedWrites)
    unsafe rocksdb_writeoptions_destroy(plainWrites)
    users.shut()
  }
}

extension Database {
  /// Comes in; every successful call is followed by `leave()`.
  func enter() throws(HeadraceError) {
    guard users.enter() else {
      throw HeadraceError(.internal, "STATE_CLOSED", "the database is closed", retry: .newInstance, place: path)
    }
  }

  func leave() { if users.leave() { destroy() } }

  /// - Precondition: `family` is one of those that the database was opened with.
  func handle(of family: Int) -> OpaquePointer? {
    precondition(unsafe families.indices.contains(family), "no column family \(family)")
    return unsafe families[family]
  }

  var pointReads: OpaquePointer { unsafe readOptions }
  func writes(synced: Bool) -> OpaquePointer { unsafe synced ? syncedWrites : plainWrites }

  /// The error of the write that ended this instance, if one did.
  package var failedWrite: HeadraceError? { failure.withLock { $0 } }

  func noteFailedWrite(_ error: HeadraceError) {
    failure.withLock { if $0 == nil { $0 = error } }
  }
}
