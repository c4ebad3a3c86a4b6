// Compacts every column family of a RocksDB, so that its files hold nothing twice: compact FOLDER
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>

static void check(char *error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", error);
  exit(1);
}

int main(int count, char **arguments) {
  if (count != 2) return fprintf(stderr, "usage: compact FOLDER\n"), 2;
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
  rocksdb_compactoptions_t *whole = rocksdb_compactoptions_create();
  rocksdb_compactoptions_set_bottommost_level_compaction(whole, 2);  // Rewrites the last level too.
  for (size_t index = 0; index < families; index++)
    rocksdb_compact_range_cf_opt(database, handles[index], whole, NULL, 0, NULL, 0);
  for (size_t index = 0; index < families; index++) rocksdb_column_family_handle_destroy(handles[index]);
  rocksdb_close(database);
  return 0;
}
