// Compacts the state of a task as a worker would in the end: nothing is there twice, and rows whose last event is more
// than LIVES milliseconds older than the newest of all are gone: compact FOLDER LIVES
//
// Prints how many rows live, and which share of the bytes of all rows is theirs.
#include <rocksdb/c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(char *error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", error);
  exit(1);
}

/// The newest event time of a row: little-endian epoch milliseconds behind eight bytes of header.
static int64_t newest_time(const char *row, size_t size) {
  int64_t time = INT64_MIN;
  if (size >= 16) memcpy(&time, row + 8, sizeof time);
  return time;
}

static void drop_expired(rocksdb_t *database, rocksdb_column_family_handle_t *rows, int64_t lives) {
  rocksdb_readoptions_t *reads = rocksdb_readoptions_create();
  rocksdb_writeoptions_t *writes = rocksdb_writeoptions_create();
  int64_t newest = INT64_MIN;
  double all = 0, alive = 0;
  long count = 0;
  for (int pass = 0; pass < 2; pass++) {
    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(database, reads, rows);
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
      size_t key_size = 0, size = 0;
      const char *row = rocksdb_iter_value(iterator, &size), *key = rocksdb_iter_key(iterator, &key_size);
      int64_t time = newest_time(row, size);
      if (pass == 0) {
        if (time > newest) newest = time;
        all += size;
      } else if (time < newest - lives) {
        char *error = NULL;
        rocksdb_delete_cf(database, writes, rows, key, key_size, &error);
        check(error);
      } else {
        count++;
        alive += size;
      }
    }
    rocksdb_iter_destroy(iterator);
  }
  printf("%ld %.6f\n", count, all > 0 ? alive / all : 0);
}

int main(int count, char **arguments) {
  if (count != 3) return fprintf(stderr, "usage: compact FOLDER LIVES\n"), 2;
  char *error = NULL;
  size_t families = 0;
  rocksdb_options_t *options = rocksdb_options_create();
  char **names = rocksdb_list_column_families(options, arguments[1], &families, &error);
  check(error);
  // As the worker sets them: what is rewritten is packed the same way.
  const rocksdb_options_t **settings = calloc(families, sizeof *settings);
  rocksdb_column_family_handle_t **handles = calloc(families, sizeof *handles);
  for (size_t index = 0; index < families; index++) {
    rocksdb_options_t *family = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_block_size(table, 8 << 10);
    rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_ribbon(10));
    rocksdb_options_set_block_based_table_factory(family, table);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(family, 1);
    rocksdb_options_set_compression(family, rocksdb_zstd_compression);
    settings[index] = family;
  }
  rocksdb_t *database = rocksdb_open_column_families(options, arguments[1], (int)families, (const char *const *)names,
                                                     settings, handles, &error);
  check(error);
  for (size_t index = 0; index < families; index++)
    if (strcmp(names[index], "rows") == 0) drop_expired(database, handles[index], atoll(arguments[2]));
  rocksdb_compactoptions_t *whole = rocksdb_compactoptions_create();
  rocksdb_compactoptions_set_bottommost_level_compaction(whole, 2);  // Rewrites the last level too.
  for (size_t index = 0; index < families; index++)
    rocksdb_compact_range_cf_opt(database, handles[index], whole, NULL, 0, NULL, 0);
  for (size_t index = 0; index < families; index++) rocksdb_column_family_handle_destroy(handles[index]);
  rocksdb_close(database);
  return 0;
}
