#pragma once
#include <stddef.h>
#include <stdint.h>

// The codecs that Kafka's record batches may name, as their libraries declare them.
#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, continuing from the checksum `crc` of what came
/// before them (0 at the start). Uses the CPU's CRC instruction where it has one.
uint32_t headrace_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same, always by tables: what a CPU without the instruction runs, callable so that tests compare both.
uint32_t headrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count);
