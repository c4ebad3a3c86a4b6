#include "CRDKafka.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(void *) == 8, "a message's opaque pointer carries a batch number and a record index");

typedef struct account {
  headrace_delivery_t delivery;
  headrace_failure_t *failures;
  size_t failures_count, failures_capacity;
  headrace_offset_range_t *ranges;
  size_t ranges_count, ranges_capacity, last_range;
  int closed;
} account_t;

// The accounts of consecutive batch numbers, oldest first: `accounts[start]` is batch `first_batch`.
struct headrace_deliveries {
  account_t *accounts;
  size_t start, count, capacity;
  uint32_t first_batch;
  size_t settled;  // accounts with nothing outstanding that are not closed
};

headrace_deliveries_t *headrace_deliveries_new(void) {
  headrace_deliveries_t *deliveries = calloc(1, sizeof(*deliveries));
  if (deliveries) deliveries->first_batch = 1;
  return deliveries;
}

static void account_free(account_t *account) {
  free(account->failures);
  free(account->ranges);
}

void headrace_deliveries_destroy(headrace_deliveries_t *deliveries) {
  if (!deliveries) return;
  for (size_t index = 0; index < deliveries->count; index++)
    account_free(&deliveries->accounts[deliveries->start + index]);
  free(deliveries->accounts);
  free(deliveries);
}

static account_t *account_of(const headrace_deliveries_t *deliveries, uint32_t batch) {
  uint32_t index = batch - deliveries->first_batch;
  return index < deliveries->count ? &deliveries->accounts[deliveries->start + index] : NULL;
}

// Makes room for one more element in a growing array; 0 when memory is short.
static int reserve(void **elements, size_t count, size_t *capacity, size_t element_size) {
  if (count < *capacity) return 1;
  size_t wanted = *capacity ? *capacity * 2 : 8;
  void *grown = realloc(*elements, wanted * element_size);
  if (!grown) return 0;
  *elements = grown;
  *capacity = wanted;
  return 1;
}

uint32_t headrace_deliveries_open(headrace_deliveries_t *deliveries, uint32_t count) {
  if (deliveries->start > 0 && deliveries->start + deliveries->count == deliveries->capacity) {
    memmove(
        deliveries->accounts, deliveries->accounts + deliveries->start, deliveries->count * sizeof(account_t));
    deliveries->start = 0;
  }
  void *accounts = deliveries->accounts;
  if (!reserve(&accounts, deliveries->start + deliveries->count, &deliveries->capacity, sizeof(account_t))) return 0;
  deliveries->accounts = accounts;
  account_t *account = &deliveries->accounts[deliveries->start + deliveries->count];
  memset(account, 0, sizeof(*account));
  account->delivery.batch = deliveries->first_batch + (uint32_t)deliveries->count;
  account->delivery.outstanding = count;
  deliveries->count++;
  if (count == 0) deliveries->settled++;
  return account->delivery.batch;
}

static void settle_one(headrace_deliveries_t *deliveries, account_t *account) {
  if (account->delivery.outstanding == 0) return;
  if (--account->delivery.outstanding == 0) deliveries->settled++;
}

static void book_failure(account_t *account, uint32_t index, rd_kafka_resp_err_t code, int possibly_persisted) {
  account->delivery.failed++;
  void *failures = account->failures;
  // Short of memory the count above still tells of the loss; only the detail is missing.
  if (!reserve(&failures, account->failures_count, &account->failures_capacity, sizeof(headrace_failure_t))) return;
  account->failures = failures;
  account->failures[account->failures_count++] = (headrace_failure_t){index, code, possibly_persisted};
}

static void book_success(account_t *account, int32_t partition, int64_t offset) {
  account->delivery.acknowledged++;
  headrace_offset_range_t *range = NULL;
  if (account->last_range < account->ranges_count && account->ranges[account->last_range].partition == partition) {
    range = &account->ranges[account->last_range];
  } else {
    for (size_t index = 0; index < account->ranges_count && !range; index++) {
      if (account->ranges[index].partition != partition) continue;
      account->last_range = index;
      range = &account->ranges[index];
    }
  }
  if (!range) {
    void *ranges = account->ranges;
    if (!reserve(&ranges, account->ranges_count, &account->ranges_capacity, sizeof(headrace_offset_range_t))) return;
    account->ranges = ranges;
    account->last_range = account->ranges_count++;
    account->ranges[account->last_range] = (headrace_offset_range_t){partition, 1, offset, offset};
    return;
  }
  range->count++;
  if (offset < range->first) range->first = offset;
  if (offset > range->last) range->last = offset;
}

void headrace_deliveries_reject(
    headrace_deliveries_t *deliveries, uint32_t batch, uint32_t index, rd_kafka_resp_err_t code) {
  account_t *account = account_of(deliveries, batch);
  if (!account) return;
  book_failure(account, index, code, 0);
  settle_one(deliveries, account);
}

int headrace_deliveries_next(headrace_deliveries_t *deliveries, headrace_delivery_t *delivery) {
  if (deliveries->settled == 0) return 0;
  for (size_t index = 0; index < deliveries->count; index++) {
    const account_t *account = &deliveries->accounts[deliveries->start + index];
    if (account->closed || account->delivery.outstanding > 0) continue;
    *delivery = account->delivery;
    return 1;
  }
  return 0;
}

const headrace_failure_t *headrace_deliveries_failures(
    const headrace_deliveries_t *deliveries, uint32_t batch, size_t *count) {
  const account_t *account = account_of(deliveries, batch);
  *count = account ? account->failures_count : 0;
  return account ? account->failures : NULL;
}

const headrace_offset_range_t *headrace_deliveries_ranges(
    const headrace_deliveries_t *deliveries, uint32_t batch, size_t *count) {
  const account_t *account = account_of(deliveries, batch);
  *count = account ? account->ranges_count : 0;
  return account ? account->ranges : NULL;
}

void headrace_deliveries_close(headrace_deliveries_t *deliveries, uint32_t batch) {
  account_t *account = account_of(deliveries, batch);
  if (!account || account->closed || account->delivery.outstanding > 0) return;
  account->closed = 1;
  deliveries->settled--;
  while (deliveries->count > 0 && deliveries->accounts[deliveries->start].closed) {
    account_free(&deliveries->accounts[deliveries->start]);
    deliveries->start++;
    deliveries->count--;
    deliveries->first_batch++;
  }
  if (deliveries->count == 0) deliveries->start = 0;
}

void headrace_on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client;
  headrace_deliveries_t *deliveries = ((headrace_context_t *)opaque)->deliveries;
  uint64_t tag = (uint64_t)(uintptr_t)message->_private;
  account_t *account = account_of(deliveries, (uint32_t)(tag >> 32));
  if (!account) return;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    book_success(account, message->partition, message->offset);
  } else {
    int possibly = rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
    book_failure(account, (uint32_t)tag, message->err, possibly);
  }
  settle_one(deliveries, account);
}
