/// RocksDB's C interface, and the one callback that runs on RocksDB's own threads.
#ifndef HEADRACE_CROCKSDB_H
#define HEADRACE_CROCKSDB_H

#include <rocksdb/c.h>
#include <stddef.h>
#include <stdint.h>

/// A compaction filter that drops entries that are older than the horizon of their group.
///
/// The group is the big-endian 32-bit number at the start of a key; the age is the little-endian signed 64-bit number
/// of milliseconds at `time_offset` in the value. A group without a horizon keeps everything. Thread-safe; horizons may
/// be moved while the database is open. The filter must outlive the database that uses it.
typedef struct headrace_expiry headrace_expiry_t;

/// Returns NULL when memory is short. Groups at or above `group_capacity` never expire.
headrace_expiry_t *headrace_expiry_create(size_t time_offset, uint32_t group_capacity);
void headrace_expiry_destroy(headrace_expiry_t *expiry);

/// Entries of the group with a time below `horizon` go at the next compaction; INT64_MIN keeps all.
void headrace_expiry_set_horizon(headrace_expiry_t *expiry, uint32_t group, int64_t horizon);

/// The filter for rocksdb_options_set_compaction_filter; owned by `expiry`.
rocksdb_compactionfilter_t *headrace_expiry_filter(headrace_expiry_t *expiry);

#endif
