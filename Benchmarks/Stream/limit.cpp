// What the stream benchmark is measured against: plain librdkafka and simdjson, on one thread beside librdkafka's own.
//
// Reads every record of a topic with `rd_kafka_consume_batch_queue` and takes user, amount and event time out of each
// document with simdjson's on-demand parser. No state, no offsets, no windows: nothing that computes features from
// these events can be faster.
//
// usage: limit BOOTSTRAP TOPIC PARTITIONS RECORDS     prints one JSON object
#include <librdkafka/rdkafka.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kBatch = 4096;

struct Totals {
  uint64_t records = 0;
  uint64_t faults = 0;
  double amount = 0;
  uint64_t users = 0;
  int64_t newest = 0;
};

class Reader {
 public:
  /// On-demand parsing reads a little past the end, and a message's payload has no room behind it: a copy is part of
  /// the work.
  void read(const rd_kafka_message_t &message, Totals &totals) {
    if (buffer_.size() < message.len + simdjson::SIMDJSON_PADDING)
      buffer_.resize(2 * message.len + simdjson::SIMDJSON_PADDING);
    std::memcpy(buffer_.data(), message.payload, message.len);
    simdjson::ondemand::document document;
    std::string_view user;
    double amount = 0;
    int64_t time = 0;
    if (parser_.iterate(buffer_.data(), message.len, buffer_.size()).get(document) ||
        document["user_id"].get_string().get(user) || document["amount"].get_double().get(amount) ||
        document["ts"].get_int64().get(time)) {
      totals.faults++;
      return;
    }
    totals.users += user.size();
    totals.amount += amount;
    if (time > totals.newest) totals.newest = time;
  }

 private:
  simdjson::ondemand::parser parser_;
  std::vector<char> buffer_;
};

rd_kafka_t *make_consumer(const char *bootstrap) {
  const char *settings[][2] = {
      {"bootstrap.servers", bootstrap},         {"group.id", "headrace-limit"},
      {"enable.auto.commit", "false"},          {"enable.auto.offset.store", "false"},
      {"isolation.level", "read_committed"},    {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", "65536"}};
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (auto &setting : settings)
    if (rd_kafka_conf_set(conf, setting[0], setting[1], error, sizeof error) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(error);
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!client) throw std::runtime_error(error);
  rd_kafka_poll_set_consumer(client);
  return client;
}

void assign(rd_kafka_t *client, const char *topic, int partitions) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int partition = 0; partition < partitions; partition++)
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = 0;
  rd_kafka_assign(client, list);
  rd_kafka_topic_partition_list_destroy(list);
}

double processor_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: limit BOOTSTRAP TOPIC PARTITIONS RECORDS\n");
    return 2;
  }
  const uint64_t wanted = std::strtoull(arguments[4], nullptr, 10);
  rd_kafka_t *client = make_consumer(arguments[1]);
  assign(client, arguments[2], std::atoi(arguments[3]));
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  static rd_kafka_message_t *batch[kBatch];
  Totals totals;
  Reader reader;
  Clock::time_point begun{};
  while (totals.records < wanted) {
    ssize_t taken = rd_kafka_consume_batch_queue(queue, 0, batch, kBatch);
    if (taken == 0) taken = rd_kafka_consume_batch_queue(queue, 1000, batch, 1);
    if (taken > 0 && begun == Clock::time_point{}) begun = Clock::now();
    for (ssize_t index = 0; index < taken; index++) {
      if (!batch[index]->err) {
        totals.records++;
        reader.read(*batch[index], totals);
      }
      rd_kafka_message_destroy(batch[index]);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  std::printf(
      "{\"records\": %llu, \"seconds\": %.6f, \"records_per_second\": %.0f, \"faults\": %llu, \"amount\": %.2f, "
      "\"newest\": %lld, \"processor_seconds\": %.2f}\n",
      (unsigned long long)totals.records, seconds, totals.records / seconds, (unsigned long long)totals.faults,
      totals.amount, (long long)totals.newest, processor_seconds());
  std::fflush(stdout);
  _exit(0);
}
