internal import CRocksDB

/// Uncompressed blocks of all the databases that share it: one budget for a process. Thread-safe.
@safe
package final class BlockCache: @unchecked Sendable {
  // Unchecked: the library's cache locks itself.
  let handle: OpaquePointer

  package init(capacityBytes: Int) {
    unsafe handle = rocksdb_cache_create_lru(max(capacityBytes, 0))
  }

  deinit { unsafe rocksdb_cache_destroy(handle) }

  package var usedBytes: Int { unsafe rocksdb_cache_get_usage(handle) }

  package var capacityBytes: Int {
    get { unsafe rocksdb_cache_get_capacity(handle) }
    set { unsafe rocksdb_cache_set_capacity(handle, max(newValue, 0)) }
  }
}
