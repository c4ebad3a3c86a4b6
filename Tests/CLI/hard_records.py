"""A topic of readings with strict contracts, a worker on it, and a ledger that must balance."""

import json
import os
import pathlib
import time

import confluent_kafka
from conftest import CLI

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


def resident_bytes(pid):
    fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def await_true(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
