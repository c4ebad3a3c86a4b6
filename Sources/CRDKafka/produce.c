#include "CRDKafka.h"

#include <string.h>

enum { MESSAGE_FLAGS, TOPIC, PARTITION, TIMESTAMP, OPAQUE, KEY, VALUE, HEADERS, FIELD_COUNT };

// Headers lie packed behind the value: uint32 name length, int32 value length (-1: null), name, value.
static rd_kafka_headers_t *unpack_headers(const uint8_t *bytes, uint32_t count) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(count);
  for (uint32_t index = 0; index < count; index++) {
    uint32_t name_length;
    int32_t value_length;
    memcpy(&name_length, bytes, sizeof(name_length));
    memcpy(&value_length, bytes + sizeof(name_length), sizeof(value_length));
    const uint8_t *name = bytes + sizeof(name_length) + sizeof(value_length);
    const uint8_t *value = name + name_length;
    rd_kafka_header_add(
        headers, (const char *)name, (ssize_t)name_length, value_length < 0 ? NULL : value,
        value_length < 0 ? 0 : (ssize_t)value_length);
    bytes = value + (value_length < 0 ? 0 : value_length);
  }
  return headers;
}

static void prepare(rd_kafka_vu_t *fields, rd_kafka_topic_t *topic) {
  fields[MESSAGE_FLAGS].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[MESSAGE_FLAGS].u.i = RD_KAFKA_MSG_F_COPY;
  fields[TOPIC].vtype = RD_KAFKA_VTYPE_RKT;
  fields[TOPIC].u.rkt = topic;
  fields[PARTITION].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[TIMESTAMP].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[OPAQUE].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[KEY].vtype = RD_KAFKA_VTYPE_KEY;
  fields[VALUE].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[HEADERS].vtype = RD_KAFKA_VTYPE_HEADERS;
}

// A null is a null pointer; an empty key or value is a pointer with length 0.
static void set_memory(rd_kafka_vu_t *field, const uint8_t *bytes, int32_t length) {
  field->u.mem.ptr = length < 0 ? NULL : (void *)bytes;
  field->u.mem.size = length < 0 ? 0 : (size_t)length;
}

size_t headrace_produce(
    rd_kafka_t *client, rd_kafka_topic_t *topic, const uint8_t *bytes, const headrace_record_t *records, size_t start,
    size_t end, uint32_t batch, rd_kafka_resp_err_t *refusal) {
  rd_kafka_vu_t fields[FIELD_COUNT];
  prepare(fields, topic);
  *refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t index = start; index < end; index++) {
    const headrace_record_t *record = &records[index];
    const uint8_t *key = bytes + record->bytes_offset;
    const uint8_t *value = key + (record->key_length < 0 ? 0 : record->key_length);
    fields[PARTITION].u.i32 = record->partition;
    fields[TIMESTAMP].u.i64 = record->timestamp_ms;
    fields[OPAQUE].u.ptr = (void *)(uintptr_t)((uint64_t)batch << 32 | (uint32_t)index);
    set_memory(&fields[KEY], key, record->key_length);
    set_memory(&fields[VALUE], value, record->value_length);
    size_t field_count = HEADERS;
    rd_kafka_headers_t *headers = NULL;
    if (record->header_count > 0) {
      headers = unpack_headers(value + (record->value_length < 0 ? 0 : record->value_length), record->header_count);
      fields[HEADERS].u.headers = headers;
      field_count = FIELD_COUNT;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(client, fields, field_count);
    if (!error) continue;
    *refusal = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    // The headers of a refused record stay ours (this, and not single header fields, avoids the double free that
    // librdkafka before 2.12 has on an unknown partition).
    if (headers) rd_kafka_headers_destroy(headers);
    return index - start;
  }
  return end - start;
}
