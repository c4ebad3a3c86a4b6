"""Hard records through the whole program: what is in the topic, and what comes out of it.

One test for each row 56 to 67 of the catalogue of faults: poison, contracts, keys, extreme numbers, domains, duplicates,
disorder, the future, idle partitions, tombstones, size, clocks. The ledger (`sources` of /api/tasks) must balance in each.
"""

import json
import os
import pathlib
import random
import struct
import subprocess
import time

import confluent_kafka
import pytest
from conftest import CLI
from test_worker import worker  # noqa: F401

TOPOLOGY = """\
topology: hard
sources:
  readings:
    topic: readings
    key: user
    event_time: {field: ts, unit: ms}
    lateness: 10m
    dedupe: {by: id, within: 1h}
entities: {user: [user], shop: [shop]}
views:
  by_user:
    source: readings
    entity: user
    features:
      n: count over 1h, 24h
      total: sum(amount) over 24h
      units: sum(units) over 24h
      least: min(units) over 24h
      newest: last(amount) over 24h
      heat: max(heat) over 24h
  by_shop:
    source: readings
    entity: shop
    features: {n: count over 24h}
"""
SCHEMA = {
    "type": "record",
    "name": "Reading",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "user", "type": "string"},
        {"name": "shop", "type": ["null", "string"], "default": None},
        {"name": "amount", "type": "double", "constraints": {"min": 0, "max": 1000000}},
        {"name": "units", "type": "long", "default": 1},
        {"name": "heat", "type": ["null", "double"], "default": None, "constraints": {"allow_nan": True}},
        {"name": "channel", "type": "string", "default": "web", "constraints": {"enum": ["web", "pos"]}},
        {"name": "ts", "type": "long"},
    ],
}
T0 = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
OUTCOMES = ("applied", "repaired", "filtered", "deduplicated", "late", "dead_lettered")


class Hard:
    """A broker, the topic, a worker, and a ledger that must balance."""

    def __init__(self, folder, broker, start):
        self.cli = CLI(broker.address)
        self.folder = folder
        (folder / "topologies").mkdir()
        (folder / "schemas").mkdir()
        (folder / "schemas" / "readings.avsc").write_text(json.dumps(SCHEMA))
        self.file = folder / "topologies" / "hard.yaml"
        self.file.write_text(TOPOLOGY)
        self.broker = broker
        self.start = start
        self.worker = None
        self.sent = 0
        self.ids = 0
        self.failures = []
        self.producer = confluent_kafka.Producer(
            {"bootstrap.servers": broker.address, "message.max.bytes": 200_000_000, "compression.type": "zstd"}
        )

    def run(self, *settings, partitions=1, environment=None):
        config = [part for setting in settings for part in ("--config", setting)]
        self.cli("topics", "create", "readings", "--partitions", str(partitions), "--config", "retention.ms=-1", *config)
        return self.go_on(environment)

    def go_on(self, environment=None):
        cli = CLI(self.broker.address)
        cli.environment.update(environment or {})
        self.worker = self.start(
            cli, "run", self.file, "--data", self.folder / "state", "--commit-interval", "50ms",
            "--checkpoint-interval", "200ms",
        )
        return self.worker

    def event(self, **fields):
        self.ids += 1
        document = {"id": f"e{self.ids}", "user": "u", "amount": 1.0, "ts": T0, **fields}
        return json.dumps(document).encode()

    def send(self, *values, key=b"u", at=T0, headers=None, partition=0):
        """Records in one partition; `at` is the time that each is stamped with."""
        for value in values:
            self.producer.produce(
                "readings", value, key, partition, timestamp=at, headers=headers,
                on_delivery=lambda error, _: error and self.failures.append(error),
            )
            self.producer.poll(0)
            self.sent += 1
        assert self.producer.flush(30) == 0

    def settle(self):
        """Waits until all is applied and committed; the ledger by outcome."""
        self.worker.wait_until_applied("readings", self.sent)
        deadline = time.monotonic() + 30
        while True:
            report = self.worker.get("/api/tasks")
            inputs = [item for task in report["tasks"] for item in task["inputs"]]
            source = report["sources"][0]
            if source["read"] >= self.sent and all(
                (item["committed_offset"] or 0) >= item["position"] for item in inputs
            ):
                break
            assert time.monotonic() < deadline, (report, self.worker.text())
            time.sleep(0.05)
        assert source["read"] == self.sent == sum(source[name] for name in OUTCOMES), source
        return source

    def features(self, user="u", view="by_user", at="latest"):
        result = self.cli(
            "query", view, user, "--server", self.worker.address, "--as-of", str(at), "--output", "json", code=None
        )
        assert result.code == 0, result
        return {name: item["value"] for name, item in result.records[0]["features"].items()}

    def letters(self, topic="hard.dlq"):
        """Committed records of a side topic with everything that they have."""
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": self.broker.address, "group.id": "letters", "isolation.level": "read_committed",
             "enable.partition.eof": True, "enable.auto.commit": False}
        )
        partitions = consumer.list_topics(topic, 10).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        found, ended = [], 0
        while ended < len(partitions):
            message = consumer.poll(20)
            assert message is not None, "the topic cannot be read to its end"
            if message.error():
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                ended += 1
            else:
                found.append(message)
        consumer.close()
        return found

    def codes(self):
        return [dict(letter.headers())["x-headrace-code"].decode() for letter in self.letters()]


@pytest.fixture
def hard(tmp_path, own_broker, worker):  # noqa: F811
    return Hard(tmp_path, own_broker(), worker)


def test_row_56_poison_bytes(hard):
    """Each goes to the dead letters as it came; what is around it goes on."""
    hard.run()
    poison = [b"\xff\xfe\x00", b"{", b"null", b"[1,2]", b"", b'{"id":"x"', b"\x00" * 100, b'"text"', b"{}{}"]
    headers = [("trace", b"\x00\x01"), ("trace", b"two"), ("empty", None)]
    for value in poison:
        hard.send(hard.event())
        hard.send(value, headers=headers, key=b"k\xff", at=T0 + 7)
    hard.send(hard.event())
    assert hard.settle()["dead_lettered"] == len(poison)
    assert hard.features()["n_1h"] == len(poison) + 1
    letters = hard.letters()
    assert [letter.value() or b"" for letter in letters] == poison
    for number, letter in enumerate(letters):
        found = dict(letter.headers())
        assert letter.headers()[:3] == headers and letter.key() == b"k\xff" and letter.timestamp()[1] == T0 + 7
        assert found["headrace-src"] == b"readings/0@%d" % (2 * number + 1)
        assert found["__streams.errors.offset"] == b"%d" % (2 * number + 1)
        assert found["x-headrace-code"] and found["x-headrace-reason"]


def test_row_57_what_breaks_the_contract(hard):
    """By code and field; a field with a default may be missing."""
    hard.run()
    hard.send(
        hard.event(),
        b'{"id":"a","amount":1,"ts":%d}' % T0,
        hard.event(user=7),
        hard.event(amount="12"),
        hard.event(units=1.5),
        hard.event(id=None),
        hard.event(channel="fax"),
        hard.event(ts="yesterday"),
        hard.event(unknown={"deep": [1, 2]}),
    )
    assert hard.settle()["dead_lettered"] == 7
    found = [(dict(letter.headers())["x-headrace-code"], dict(letter.headers()).get("x-headrace-field"))
             for letter in hard.letters()]
    assert found == [
        (b"MISSING_FIELD", b"user"), (b"WRONG_TYPE", b"user"), (b"WRONG_TYPE", b"amount"), (b"NOT_INTEGRAL", b"units"),
        (b"NULL_VALUE", b"id"), (b"NOT_ALLOWED", b"channel"), (b"WRONG_TYPE", b"ts"),
    ]
    assert hard.features()["units_24h"] == 2


def test_row_58_keys_that_are_none_empty_and_huge(hard):
    """Events are kept by the field; a record that lies elsewhere is counted; a huge key is no entity, and says so."""
    hard.run()
    huge = "u" * 900_000
    hard.send(hard.event(), key=None)
    hard.send(hard.event(), key=b"")
    hard.send(hard.event(), key=huge.encode()[:800_000])
    hard.send(hard.event(user=""), key=b"")
    hard.send(hard.event(user=huge), key=b"u")
    hard.send(hard.event(shop=huge))
    hard.send(hard.event(shop=""), hard.event(shop="s"))
    source = hard.settle()
    assert source["applied"] == 8 and source["misplaced"] >= 3
    # The key of one record, and of the deltas of one; those without a shop are without an entity as well.
    assert source["without_entity"] == 1 + 6
    assert hard.features()["n_1h"] == 6 and hard.features("")["n_1h"] == 1
    await_true(lambda: hard.features("s", "by_shop")["n_24h"] == 1)
    assert hard.features("", "by_shop")["n_24h"] == 1


def test_row_59_numbers_at_their_ends(hard):
    """No JSON number is NaN or infinite; what is too large for its type is refused; sums are exact and never trap."""
    hard.run()
    least, most = -(2**63), 2**63 - 1
    hard.send(
        hard.event(amount=0.0).replace(b"0.0", b"NaN"), hard.event(amount=0.0).replace(b"0.0", b"-Infinity"),
        hard.event(amount=0.0).replace(b"0.0", b"1e999"), hard.event(units=most + 1), hard.event(units=least - 1),
        hard.event(heat=0.5).replace(b"0.5", b"1e999"),
    )
    assert hard.settle()["dead_lettered"] == 6
    hard.send(hard.event(amount=-0.0), hard.event(amount=5e-324), hard.event(units=least), hard.event(units=least))
    hard.settle()
    assert hard.features()["least_24h"] == least
    # Two of the least and two ones: more than fits.
    assert hard.features()["units_24h"] in (None, float(2 * least + 2), 2 * least + 2)
    hard.send(hard.event(units=most), hard.event(units=most))
    hard.settle()
    # Back where it fits: nothing was lost on the way.
    assert hard.features()["units_24h"] == 0 and hard.features()["n_24h"] == 6
    assert hard.features()["total_24h"] == 4.0


def test_row_60_out_of_the_domain(hard):
    hard.run()
    hard.send(hard.event(amount=-0.01), hard.event(amount=1_000_000.5), hard.event(amount=1_000_000), hard.event(amount=0))
    source = hard.settle()
    assert (source["dead_lettered"], source["applied"]) == (2, 2)
    assert hard.codes() == ["BELOW_MINIMUM", "ABOVE_MAXIMUM"] and hard.features()["total_24h"] == 1_000_000


def test_row_61_duplicates_inside_and_outside_of_their_window(hard):
    """The first counts, also over a restart; outside of the window an id is a new one."""
    hard.run()
    hard.send(hard.event(id="one", amount=1), hard.event(id="one", amount=2), hard.event(id="two", amount=4))
    hard.settle()
    assert hard.worker.stop() == 0
    hard.go_on()
    hard.send(hard.event(id="one", amount=8, ts=T0 + 30 * MINUTE), at=T0 + 30 * MINUTE)
    assert hard.settle()["deduplicated"] == 2
    hard.send(hard.event(id="three", amount=16, ts=T0 + 2 * HOUR), at=T0 + 2 * HOUR)
    hard.send(hard.event(id="one", amount=32, ts=T0 + 2 * HOUR), at=T0 + 2 * HOUR)
    assert hard.settle()["deduplicated"] == 2
    assert hard.features()["total_24h"] == 1 + 4 + 16 + 32


def test_row_62_out_of_order(hard):
    """Within the lateness, and behind it where a window still counts it: as if it had come in order. Else late."""
    hard.run()
    chance = random.Random(62)
    moments = [chance.randrange(0, 20 * HOUR) for _ in range(300)]
    arrived = 20 * HOUR
    hard.send(hard.event(ts=T0 + arrived), at=T0 + arrived)
    for moment in moments:
        hard.send(hard.event(ts=T0 + moment, amount=moment // MINUTE), at=T0 + arrived)
    # Past every window.
    hard.send(hard.event(ts=T0 - 30 * HOUR, amount=9), at=T0 + arrived)
    source = hard.settle()
    on_time = sum(1 for moment in moments if moment >= arrived - 10 * MINUTE)
    assert (source["applied"], source["repaired"], source["late"]) == (1 + on_time, 300 - on_time, 1)
    found = hard.features(at=T0 + arrived)
    assert found["n_24h"] == 301 and found["total_24h"] == sum(moment // MINUTE for moment in moments) + 1
    assert found["newest_24h"] == 1.0
    (late,) = hard.letters("hard.late")
    assert json.loads(late.value())["amount"] == 9
    assert dict(late.headers())["headrace-watermark"] == b"%d" % (T0 + arrived)


def test_row_63_events_from_the_future_and_from_nowhere(hard):
    """A clock that is wrong moves no watermark: what comes after it is on time."""
    hard.run()
    bad = [9_214_646_400_000, T0 + 6 * MINUTE, 0, -1, -(2**63), 2**63 - 1, 253_402_300_800_000]
    hard.send(hard.event())
    for moment in bad:
        hard.send(hard.event(ts=moment))
        hard.send(hard.event())
    # Within the skew that is allowed.
    hard.send(hard.event(ts=T0 + 4 * MINUTE))
    source = hard.settle()
    assert (source["dead_lettered"], source["applied"], source["late"]) == (len(bad), len(bad) + 2, 0)
    assert set(hard.codes()) == {"EVENT_TIME_AHEAD", "EVENT_TIME_OUT_OF_RANGE"}
    task = hard.worker.get("/api/tasks")["tasks"][0]
    assert task["watermark"].startswith("2023-11-14T22:13:20")
    # The one within the skew lies in the tile that is read at.
    assert hard.features()["n_24h"] == len(bad) + 2


def test_row_65_tombstones(hard):
    """Events are facts: a record without value is none, and is set aside; features stay as they are."""
    hard.run()
    hard.send(None)
    hard.send(hard.event(amount=3))
    before = (hard.settle(), hard.features())[1]
    hard.send(None, None, key=b"u")
    hard.send(None, key=b"nobody")
    assert hard.settle()["dead_lettered"] == 4
    assert hard.codes() == ["TOMBSTONE"] * 4 and hard.features() == before
    assert all(letter.value() is None for letter in hard.letters())


@pytest.mark.parametrize("limit", [1_048_588, 8_000_000])
def test_row_66_records_at_the_limit(hard, limit):
    """A dead letter that would not fit into its topic is a reference to the record; so is a late one."""
    hard.run(f"max.message.bytes={limit}")
    size = min(limit - 2_000, 6_000_000)
    hard.send(hard.event(ts=T0 + 40 * HOUR), at=T0 + 40 * HOUR)
    hard.send(b"x" * size, at=T0 + 40 * HOUR)
    hard.send(hard.event(channel="x" * (size - 200)), at=T0 + 40 * HOUR)
    hard.send(hard.event(note="y" * (size - 200), ts=T0), at=T0 + 40 * HOUR)
    hard.send(b"{", key=b"k" * (size - 200), at=T0 + 40 * HOUR)
    hard.send(b"{", headers=[("big", b"h" * (size - 200))], at=T0 + 40 * HOUR)
    hard.send(b"z" * 500_000, at=T0 + 40 * HOUR)
    hard.send(hard.event(ts=T0 + 40 * HOUR), at=T0 + 40 * HOUR)
    assert not hard.failures
    source = hard.settle()
    assert (source["applied"], source["late"], source["dead_lettered"]) == (2, 1, 5)
    letters = hard.letters()
    assert [len(letter.value() or b"") for letter in letters] == [0, 0, 1, 1, 500_000]
    assert [len(letter.key() or b"") for letter in letters] == [1, 1, 0, 1, 1]
    for letter, offset in zip(letters, (1, 2, 4, 5, 6)):
        headers = dict(letter.headers())
        assert headers["headrace-src"] == b"readings/0@%d" % offset and "big" not in headers
        assert len(headers["x-headrace-reason"]) < 2_000
        assert headers.get("headrace-omitted") == {1: b"value", 2: b"value", 4: b"key", 5: b"headers"}.get(offset)
    (late,) = hard.letters("hard.late")
    assert late.value() is None and dict(late.headers())["headrace-src"] == b"readings/0@3"


def test_row_66_decompression_bomb(hard):
    """A few kilobytes that become a hundred megabytes: refused by the log, and the worker's memory does not notice."""
    hard.run()
    hard.send(hard.event())
    before = resident_bytes(hard.worker.process.pid)
    hard.producer.produce(
        "readings", b"0" * 150_000_000, b"u", 0, timestamp=T0,
        on_delivery=lambda error, _: hard.failures.append(error))
    hard.producer.flush(60)
    assert len(hard.failures) == 1 and hard.failures[0] is not None
    hard.send(hard.event())
    hard.settle()
    assert hard.features()["n_24h"] == 2
    assert resident_bytes(hard.worker.process.pid) - before < 64 << 20


CLOCK_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

/* Shifts the wall clock, and no other, by the seconds in the file WALL_CLOCK_SHIFT. */
static volatile long long *shift(void) {
  static volatile long long *seconds;
  static volatile long long none;
  if (!seconds) {
    const char *path = getenv("WALL_CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    seconds = at == MAP_FAILED ? &none : at;
  }
  return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  if (clock == CLOCK_REALTIME && !result) time->tv_sec += *shift();
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (time) { time->tv_sec = now.tv_sec; time->tv_usec = now.tv_nsec / 1000; }
  return 0;
}

int timespec_get(struct timespec *time, int base) {
  clock_gettime(CLOCK_REALTIME, time);
  return base;
}

/* As the kernel's waits do: until the shifted clock says so, however it is set meanwhile. Waits by other clocks are far
   away from it. */
typedef int wait_function(void *, void *, const struct timespec *);

static int wait_until(wait_function *real, void *condition, void *mutex, const struct timespec *moment, int timed_out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  long long distance = moment->tv_sec - now.tv_sec;
  if (distance < -1000000 || distance > 1000000) return real(condition, mutex, moment);
  for (;;) {
    clock_gettime(CLOCK_REALTIME, &now);
    long long left = (moment->tv_sec - now.tv_sec) * 1000000000LL + moment->tv_nsec - now.tv_nsec;
    long long step = left < 0 ? 0 : left < 20000000 ? left : 20000000;
    struct timespec end = {now.tv_sec - *shift(), now.tv_nsec + step};
    if (end.tv_nsec >= 1000000000) { end.tv_sec++; end.tv_nsec -= 1000000000; }
    int result = real(condition, mutex, &end);
    if (result != timed_out || left <= 0) return result;
  }
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *moment) {
  static wait_function *real;
  if (!real) real = (wait_function *)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  return wait_until(real, condition, mutex, moment, ETIMEDOUT);
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *moment) {
  static wait_function *real;
  if (!real) real = (wait_function *)dlsym(RTLD_NEXT, "cnd_timedwait");
  return wait_until(real, condition, mutex, moment, thrd_timedout);
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
"""


class WallClock:
    """The wall clock of processes that are started with `environment`."""

    def __init__(self, folder):
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(CLOCK_SHIM)
        compiler = next(name for name in ("cc", "gcc", "clang") if subprocess.run(
            ["which", name], capture_output=True, check=False).returncode == 0)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.path = folder / "shift"
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK_SHIFT": str(self.path)}

    def set(self, seconds):
        # In place: the file is mapped.
        file = os.open(self.path, os.O_RDWR | os.O_CREAT)
        os.pwrite(file, struct.pack("<q", seconds), 0)
        os.close(file)


def test_row_67_the_wall_clock_jumps(hard, tmp_path):
    """An hour forth and back, and to 1970: decisions are by event time, time-outs by a clock that does not jump."""
    clock = WallClock(tmp_path)
    hard.run(environment=clock.environment)
    now = int(time.time() * 1000)
    pid = hard.worker.process.pid
    for number, seconds in enumerate([0, 3_600, -3_600, 7_200, 0, -1_700_000_000, 0]):
        clock.set(seconds)
        hard.send(*(hard.event(ts=now + number * MINUTE) for _ in range(10)), at=now + number * MINUTE)
        source = hard.settle()
        # Longer than a heartbeat: nobody is thrown out of the group.
        time.sleep(1.2)
        tasks = hard.worker.get("/api/tasks")["tasks"]
        assert [task["state"] for task in tasks] == ["running"] and tasks[0]["why_not_moving"] is None
    assert (source["applied"], source["late"], source["dead_lettered"]) == (70, 0, 0)
    assert hard.features(at=now + 10 * MINUTE)["n_24h"] == 70
    # A read without a time goes by the wall clock: what it shows is another matter, and it comes back.
    assert "joins again" not in hard.worker.text() and hard.worker.process.pid == pid
    assert hard.worker.stop() == 0


def resident_bytes(pid):
    fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def await_true(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
