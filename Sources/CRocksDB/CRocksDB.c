#include "CRocksDB.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct headrace_expiry {
  rocksdb_compactionfilter_t *filter;
  size_t time_offset;
  uint32_t group_capacity;
  _Atomic int64_t horizons[];
};

static uint64_t little_endian(const unsigned char *bytes) {
  uint64_t value = 0;
  for (int index = 7; index >= 0; index--) value = value << 8 | bytes[index];
  return value;
}

static unsigned char is_expired(void *state, int level, const char *key, size_t key_length, const char *value,
                                size_t value_length, char **new_value, size_t *new_value_length,
                                unsigned char *value_changed) {
  (void)level, (void)new_value, (void)new_value_length;
  *value_changed = 0;
  headrace_expiry_t *expiry = state;
  // What is too short is not ours to judge: whoever reads it reports it.
  if (key_length < 4 || value_length < 8 || value_length - 8 < expiry->time_offset) return 0;
  const unsigned char *bytes = (const unsigned char *)key;
  uint32_t group = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
  if (group >= expiry->group_capacity) return 0;
  int64_t horizon = atomic_load_explicit(&expiry->horizons[group], memory_order_relaxed);
  int64_t time = (int64_t)little_endian((const unsigned char *)value + expiry->time_offset);
  return time < horizon;
}

static const char *filter_name(void *state) {
  (void)state;
  return "headrace.expiry";
}

static void keep_state(void *state) { (void)state; }

headrace_expiry_t *headrace_expiry_create(size_t time_offset, uint32_t group_capacity) {
  headrace_expiry_t *expiry = malloc(sizeof *expiry + (size_t)group_capacity * sizeof expiry->horizons[0]);
  if (expiry == NULL) return NULL;
  expiry->time_offset = time_offset;
  expiry->group_capacity = group_capacity;
  for (uint32_t group = 0; group < group_capacity; group++) atomic_init(&expiry->horizons[group], INT64_MIN);
  expiry->filter = rocksdb_compactionfilter_create(expiry, keep_state, is_expired, filter_name);
  return expiry;
}

void headrace_expiry_destroy(headrace_expiry_t *expiry) {
  if (expiry == NULL) return;
  rocksdb_compactionfilter_destroy(expiry->filter);
  free(expiry);
}

void headrace_expiry_set_horizon(headrace_expiry_t *expiry, uint32_t group, int64_t horizon) {
  if (group < expiry->group_capacity) atomic_store_explicit(&expiry->horizons[group], horizon, memory_order_relaxed);
}

rocksdb_compactionfilter_t *headrace_expiry_filter(headrace_expiry_t *expiry) { return expiry->filter; }
