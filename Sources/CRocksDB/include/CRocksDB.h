/// RocksDB's C interface.
#ifndef HEADRACE_CROCKSDB_H
#define HEADRACE_CROCKSDB_H

#include <rocksdb/c.h>

#endif
