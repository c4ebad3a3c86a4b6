#include "CRDKafka.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void headrace_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

void headrace_thread_name(char *name) { prctl(PR_GET_NAME, name); }

void headrace_lower_thread(int niceness) {
  // On Linux, 0 is the calling thread alone.
  errno = 0;
  int now = getpriority(PRIO_PROCESS, 0);
  if (now != -1 || errno == 0) setpriority(PRIO_PROCESS, 0, now + niceness);
}

size_t headrace_consume(rd_kafka_queue_t *queue, int timeout_ms, rd_kafka_message_t **messages, size_t capacity) {
  if (capacity == 0) return 0;
  if (timeout_ms == 0 || rd_kafka_queue_length(queue) > 0) {
    // Without a message this was an event, such as a rebalance or a wake-up: the caller looks at it before it waits.
    ssize_t taken = rd_kafka_consume_batch_queue(queue, 0, messages, capacity);
    return taken > 0 ? (size_t)taken : 0;
  }
  // Nothing there: wait for one message, then take what came with it.
  ssize_t taken = rd_kafka_consume_batch_queue(queue, timeout_ms, messages, 1);
  if (taken <= 0) return 0;
  ssize_t more = capacity > 1 ? rd_kafka_consume_batch_queue(queue, 0, messages + 1, capacity - 1) : 0;
  return 1 + (more > 0 ? (size_t)more : 0);
}

void headrace_release(rd_kafka_message_t **messages, size_t start, size_t end) {
  for (size_t index = start; index < end; index++) rd_kafka_message_destroy(messages[index]);
}

size_t headrace_run_end(rd_kafka_message_t *const *messages, size_t start, size_t end) {
  if (start >= end) return start;
  const rd_kafka_message_t *first = messages[start];
  int64_t offset = first->offset;
  size_t index = start + 1;
  for (; index < end; index++) {
    const rd_kafka_message_t *message = messages[index];
    if (message->rkt != first->rkt || message->partition != first->partition || message->err != 0 ||
        message->offset <= offset)
      break;
    offset = message->offset;
  }
  return index;
}

// Since librdkafka 2.1. A weak reference lets one binary run on the older library too.
extern int32_t rd_kafka_message_leader_epoch(const rd_kafka_message_t *message) __attribute__((weak));

int32_t headrace_leader_epoch(const rd_kafka_message_t *message) {
  return rd_kafka_message_leader_epoch ? rd_kafka_message_leader_epoch(message) : -1;
}
