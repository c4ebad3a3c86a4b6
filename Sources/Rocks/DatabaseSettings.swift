internal import CRocksDB
internal import Core

/// The library's option objects of one database, made from `DatabaseOptions`.
///
/// What is left alone here matters as much: RocksDB 7.8 loses or misorders data with the log disabled or flushed by
/// hand, with recycled logs and with partly atomic flushes (fixed in 7.9 to 10.9), so none of these is offered.
@safe
struct DatabaseSettings: ~Copyable {
  let database: OpaquePointer
  private(set) var families: [OpaquePointer?] = unsafe []

  init(_ options: DatabaseOptions, place: String) throws(HeadraceError) {
    let plain = unsafe rocksdb_options_create()
    defer { unsafe rocksdb_options_destroy(plain) }
    unsafe database = rocksdb_options_create()
    // Notes in the manifest which logs there must be: a log that is missing or cut is found at the next open. The C
    // interface has no setter for it.
    var error = ErrorSlot()
    unsafe rocksdb_get_options_from_string(plain, "track_and_verify_wals_in_manifest=true", database, &error.message)
    try error.check(place: place)
    unsafe Self.configure(database, options)
    for family in options.columnFamilies {
      unsafe families.append(Self.settings(of: family, options))
    }
  }

  deinit {
    for index in unsafe families.indices { unsafe rocksdb_options_destroy(families[index]) }
    unsafe rocksdb_options_destroy(database)
  }

  private static func configure(_ settings: OpaquePointer, _ options: DatabaseOptions) {
    unsafe rocksdb_options_set_create_if_missing(settings, options.createsIfMissing ? 1 : 0)
    unsafe rocksdb_options_set_create_missing_column_families(settings, 1)
    unsafe rocksdb_options_set_paranoid_checks(settings, 1)
    unsafe rocksdb_options_set_max_open_files(settings, options.maxOpenFiles)
    unsafe rocksdb_options_set_max_background_jobs(settings, max(options.backgroundThreads, 1))
    unsafe rocksdb_options_set_max_total_wal_size(settings, options.maxLogBytes)
    unsafe rocksdb_options_set_bytes_per_sync(settings, options.bytesPerSync)
    unsafe rocksdb_options_set_wal_bytes_per_sync(settings, options.bytesPerSync)
    // A batch is there as a whole or not at all, and none without those before it: what a kill in the middle of a write
    // left at the end of the log goes.
    unsafe rocksdb_options_set_wal_recovery_mode(settings, Int32(rocksdb_point_in_time_recovery))
    // The library's own log: warnings, in two small files.
    unsafe rocksdb_options_set_info_log_level(settings, 2)
    unsafe rocksdb_options_set_keep_log_file_num(settings, 2)
    unsafe rocksdb_options_set_max_log_file_size(settings, 1 << 20)
    unsafe rocksdb_options_set_stats_dump_period_sec(settings, 0)
    unsafe rocksdb_options_set_stats_persist_period_sec(settings, 0)
    unsafe rocksdb_options_set_skip_stats_update_on_db_open(settings, 1)
  }

  private static func settings(of family: ColumnFamily, _ options: DatabaseOptions) -> OpaquePointer? {
    let settings = unsafe rocksdb_options_create()
    unsafe rocksdb_options_set_write_buffer_size(settings, max(family.writeBufferBytes, 1 << 16))
    unsafe rocksdb_options_set_max_write_buffer_number(settings, max(family.maxWriteBuffers, 2))
    unsafe rocksdb_options_set_level_compaction_dynamic_level_bytes(settings, 1)
    unsafe rocksdb_options_set_compression(settings, code(family.compression))
    unsafe rocksdb_options_set_bottommost_compression(settings, code(family.coldCompression))
    if let keyBytes = family.fixedKeyBytes {
      // A prefix that is the whole key; 3 % of the table are ten bits a key and more for keys of 20 bytes.
      unsafe rocksdb_options_set_prefix_extractor(settings, rocksdb_slicetransform_create_fixed_prefix(keyBytes))
      unsafe rocksdb_options_set_memtable_prefix_bloom_size_ratio(settings, 0.03)
    }
    if let expiry = family.expiry { unsafe rocksdb_options_set_compaction_filter(settings, expiry.filter) }
    let table = unsafe rocksdb_block_based_options_create()
    defer { unsafe rocksdb_block_based_options_destroy(table) }
    unsafe rocksdb_block_based_options_set_format_version(table, 5)
    unsafe rocksdb_block_based_options_set_block_size(table, max(family.blockBytes, 1 << 10))
    // The filter policy is the table options' from here on.
    switch family.filter {
    case .none: break
    case .bloom(let bits):
      unsafe rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(bits))
    case .ribbon(let bits):
      unsafe rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_ribbon(bits))
    }
    if let cache = options.blockCache {
      unsafe rocksdb_block_based_options_set_block_cache(table, cache.handle)
      // Indexes and filters count towards the budget too, or it would be none.
      unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
      unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1)
      unsafe rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
    }
    unsafe rocksdb_options_set_block_based_table_factory(settings, table)
    return unsafe settings
  }

  private static func code(_ compression: ColumnFamily.Compression) -> Int32 {
    switch compression {
    case .none: Int32(rocksdb_no_compression)
    case .lz4: Int32(rocksdb_lz4_compression)
    case .zstd: Int32(rocksdb_zstd_compression)
    }
  }
}
