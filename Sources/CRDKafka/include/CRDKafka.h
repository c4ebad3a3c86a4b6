/// librdkafka, and the few loops over single messages that must not cross a language border once per message.
#ifndef HEADRACE_CRDKAFKA_H
#define HEADRACE_CRDKAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>
#include <stdint.h>

/// Names the calling thread, as debuggers show it: at most 15 bytes.
void headrace_name_thread(const char *name);

/// Reads the calling thread's name into 16 bytes.
void headrace_thread_name(char *name);

/// Puts the calling thread, and those that it starts, behind the others of the process: adds to its nice value.
void headrace_lower_thread(int niceness);

// ---------------------------------------------------------------------------------------------------------------------
// Consuming

/// Takes what is queued, up to `capacity`. Waits at most `timeout_ms` for a first message, never for a second one (as
/// librdkafka's own call would, for a full array), and no longer than until the next event that is no message.
size_t headrace_consume(
    rd_kafka_queue_t *queue, int timeout_ms, rd_kafka_message_t **messages, size_t capacity);

/// Gives back the messages `start ..< end`.
void headrace_release(rd_kafka_message_t **messages, size_t start, size_t end);

/// The end of the run that starts at `start`: the same partition of the same topic handle, no error, offsets that rise.
size_t headrace_run_end(rd_kafka_message_t *const *messages, size_t start, size_t end);

/// The leader epoch of a consumed message; -1 when it, or a librdkafka older than 2.1, does not say.
int32_t headrace_leader_epoch(const rd_kafka_message_t *message);

// ---------------------------------------------------------------------------------------------------------------------
// Producing

/// One record of a batch whose bytes lie packed in one buffer. A length of -1 means null.
typedef struct headrace_record {
  size_t bytes_offset;      ///< key, then value, then headers
  int64_t timestamp_ms;     ///< 0: the moment at which the record is queued
  int32_t key_length;
  int32_t value_length;
  int32_t partition;        ///< -1: the client's partitioner decides
  uint32_t header_count;    ///< each: uint32 name length, int32 value length, name, value
} headrace_record_t;

/// What became of one batch.
typedef struct headrace_delivery {
  uint32_t batch;
  uint32_t outstanding;
  uint64_t acknowledged;
  uint64_t failed;
} headrace_delivery_t;

/// One record that was not delivered.
typedef struct headrace_failure {
  uint32_t index;
  rd_kafka_resp_err_t code;
  /// The broker may have the record nevertheless: it was sent, and no answer came.
  int possibly_persisted;
} headrace_failure_t;

/// The offsets that one batch got in one partition; they need not be contiguous when other producers write too.
typedef struct headrace_offset_range {
  int32_t partition;
  uint32_t count;
  int64_t first;
  int64_t last;
} headrace_offset_range_t;

/// Counts delivery reports per batch. Not thread-safe: the thread that polls the producer owns it.
typedef struct headrace_deliveries headrace_deliveries_t;

headrace_deliveries_t *headrace_deliveries_new(void);
void headrace_deliveries_destroy(headrace_deliveries_t *deliveries);

/// Opens the account of a batch of `count` records; 0 when memory is short. Batch numbers start at 1.
uint32_t headrace_deliveries_open(headrace_deliveries_t *deliveries, uint32_t count);

/// Books a record that never entered the queue.
void headrace_deliveries_reject(
    headrace_deliveries_t *deliveries, uint32_t batch, uint32_t index, rd_kafka_resp_err_t code);

/// The oldest batch all of whose records are settled; 0 when there is none.
int headrace_deliveries_next(headrace_deliveries_t *deliveries, headrace_delivery_t *delivery);
/// Details of the batch that `headrace_deliveries_next` named, valid until it is closed.
const headrace_failure_t *headrace_deliveries_failures(
    const headrace_deliveries_t *deliveries, uint32_t batch, size_t *count);
const headrace_offset_range_t *headrace_deliveries_ranges(
    const headrace_deliveries_t *deliveries, uint32_t batch, size_t *count);
void headrace_deliveries_close(headrace_deliveries_t *deliveries, uint32_t batch);

/// What every client's opaque pointer points to.
typedef struct headrace_context {
  headrace_deliveries_t *deliveries;  ///< of producers, else null
  void *callbacks;                    ///< the object that the other callbacks talk to, not owned
} headrace_context_t;

/// The delivery report callback of every producer; `opaque` is a `headrace_context_t *`.
void headrace_on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque);

/// Queues the records `start ..< end` and stops at the first that is refused.
/// Returns how many were taken; `*refusal` says why the next one was not.
size_t headrace_produce(
    rd_kafka_t *client, rd_kafka_topic_t *topic, const uint8_t *bytes, const headrace_record_t *records, size_t start,
    size_t end, uint32_t batch, rd_kafka_resp_err_t *refusal);

#endif
