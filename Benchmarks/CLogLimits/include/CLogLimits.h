/// What the benchmarks of the log are measured against: plain C loops on librdkafka.
#ifndef HEADRACE_C_LOG_LIMITS_H
#define HEADRACE_C_LOG_LIMITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct limits_result {
  double seconds;        ///< from the first batch to the last
  uint64_t messages;
  uint64_t bytes;
  uint64_t allocations;  ///< of the reading thread
} limits_result_t;

/// Reads `messages` records of all partitions of a topic with `rd_kafka_consume_batch_queue` and looks at each.
/// Returns 0, or -1 with a text in `error`.
int limits_consume(
    const char *bootstrap, const char *topic, int32_t partitions, uint64_t messages, int check_crcs,
    limits_result_t *result, char *error, size_t error_size);

/// Sends `messages` records of `size` bytes with `rd_kafka_produce`, idempotent and without delivery callback.
int limits_produce(
    const char *bootstrap, const char *topic, int32_t partitions, uint64_t messages, const uint8_t *values,
    size_t size, size_t value_count, limits_result_t *result, char *error, size_t error_size);

#endif
