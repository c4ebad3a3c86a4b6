#include "CLogLimits.h"

#include "CAllocations.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <time.h>

enum { BATCH = 4096 };

static double now_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static rd_kafka_t *make_client(
    rd_kafka_type_t type, const char *const (*settings)[2], size_t count, char *error, size_t error_size) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t index = 0; index < count; index++) {
    if (rd_kafka_conf_set(conf, settings[index][0], settings[index][1], error, error_size) == RD_KAFKA_CONF_OK)
      continue;
    rd_kafka_conf_destroy(conf);
    return NULL;
  }
  rd_kafka_t *client = rd_kafka_new(type, conf, error, error_size);
  if (!client) rd_kafka_conf_destroy(conf);
  return client;
}

static void read_all(rd_kafka_queue_t *queue, uint64_t messages, limits_result_t *result) {
  static rd_kafka_message_t *batch[BATCH];
  double start = 0;
  uint64_t allocations = 0;
  while (result->messages < messages) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 0, batch, BATCH);
    if (count == 0) count = rd_kafka_consume_batch_queue(queue, 1000, batch, 1);
    if (count > 0 && start == 0) {
      start = now_seconds();
      allocations = allocations_of_thread();
    }
    for (ssize_t index = 0; index < count; index++) {
      if (!batch[index]->err) {
        result->messages++;
        result->bytes += batch[index]->len;
      }
      rd_kafka_message_destroy(batch[index]);
    }
  }
  result->seconds = now_seconds() - start;
  result->allocations = allocations_of_thread() - allocations;
}

int limits_consume(
    const char *bootstrap, const char *topic, int32_t partitions, uint64_t messages, int check_crcs,
    limits_result_t *result, char *error, size_t error_size) {
  const char *const settings[][2] = {
      {"bootstrap.servers", bootstrap}, {"group.id", "headrace-limits"}, {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"}, {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", "65536"}, {"check.crcs", check_crcs ? "true" : "false"}};
  *result = (limits_result_t){0};
  rd_kafka_t *client =
      make_client(RD_KAFKA_CONSUMER, settings, sizeof(settings) / sizeof(*settings), error, error_size);
  if (!client) return -1;
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int32_t partition = 0; partition < partitions; partition++)
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = 0;
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  rd_kafka_assign(client, list);
  read_all(queue, messages, result);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}

int limits_produce(
    const char *bootstrap, const char *topic, int32_t partitions, uint64_t messages, const uint8_t *values,
    size_t size, size_t value_count, limits_result_t *result, char *error, size_t error_size) {
  const char *const settings[][2] = {
      {"bootstrap.servers", bootstrap}, {"enable.idempotence", "true"}, {"linger.ms", "5"},
      {"queue.buffering.max.messages", "500000"}, {"queue.buffering.max.kbytes", "262144"}};
  *result = (limits_result_t){0};
  rd_kafka_t *client =
      make_client(RD_KAFKA_PRODUCER, settings, sizeof(settings) / sizeof(*settings), error, error_size);
  if (!client) return -1;
  rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
  double start = now_seconds();
  while (result->messages < messages) {
    const uint8_t *value = values + (result->messages % value_count) * size;
    int32_t partition = (int32_t)(result->messages % (uint64_t)partitions);
    int code = rd_kafka_produce(handle, partition, RD_KAFKA_MSG_F_COPY, (void *)value, size, NULL, 0, NULL);
    if (code == -1 && rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(client, 10);
      continue;
    }
    if (code == -1) {
      snprintf(error, error_size, "%s", rd_kafka_err2str(rd_kafka_last_error()));
      break;
    }
    result->messages++;
    result->bytes += size;
    if (result->messages % 10000 == 0) rd_kafka_poll(client, 0);
  }
  rd_kafka_resp_err_t flushed = rd_kafka_flush(client, 60000);
  result->seconds = now_seconds() - start;
  rd_kafka_topic_destroy(handle);
  rd_kafka_destroy(client);
  return result->messages == messages && !flushed ? 0 : -1;
}
