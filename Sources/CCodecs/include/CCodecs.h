#pragma once
#include <stddef.h>
#include <stdint.h>

// The codecs of record batches and Parquet pages, as their libraries declare them.
#include <lz4.h>
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

/// Splits `count` values of 8 bytes into 8 streams of `count` bytes each, which lie one after the other in `streams`:
/// Parquet's BYTE_STREAM_SPLIT.
void headrace_split_bytes8(const uint8_t *values, size_t count, uint8_t *streams);

/// The way back for the values from `first` on: `total` bytes lie between the starts of two streams, and `count` values
/// are written.
void headrace_join_bytes8(const uint8_t *streams, size_t total, size_t first, size_t count, uint8_t *values);

/// CRC-32 of gzip and Ethernet, continuing from `crc` (0 at the start): zlib's function, by the CPU's carry-less
/// multiplication where it has one.
uint32_t headrace_crc32(uint32_t crc, const void *bytes, size_t count);

/// zlib's function alone, so that tests compare both.
uint32_t headrace_crc32_portable(uint32_t crc, const void *bytes, size_t count);
