"""All that a run leaves to be judged: the ledger, and what readers saw during it and at its end."""
from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from typing import Iterator

import kafka
from confluent_kafka.admin import AdminClient

import topics
from harness.wire import Connection, fetch
from ledger import Ledger, TopicPartition
from readers import Seen, read_with_confluent, read_with_kafka_python
from workload import CLIENT_SETTINGS

Reading = dict[TopicPartition, list[Seen]]
LAST_STABLE_OFFSET_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Watermarks:
    """Where a partition's log starts, up to where its transactions are decided, and where it ends."""
    start: int
    last_stable: int
    high: int


@dataclass
class Observation:
    ledger: Ledger
    watermarks: dict[TopicPartition, Watermarks]
    # By client library: everything, read at the end from the start of each log.
    committed: dict[str, Reading]
    uncommitted: dict[str, Reading]
    # What is there after an orderly stop, a kill without load, and two starts.
    restarted_watermarks: dict[TopicPartition, Watermarks]
    restarted: Reading
    # By reader: what came while the broker was killed.
    live_committed: dict[str, Reading]
    live_uncommitted: dict[str, Reading]
    # Which of the live readers followed every partition by its position alone.
    tail_reader: str
    topic_names: set[str] = field(default_factory=set)

    def copy(self) -> Observation:
        """A copy that can be changed anywhere but inside the records of the ledger."""
        twin = copy.copy(self)
        twin.ledger = copy.copy(self.ledger)
        twin.ledger.outcomes = dict(self.ledger.outcomes)
        twin.ledger.commits = {group: list(events) for group, events in self.ledger.commits.items()}
        twin.ledger.client_errors = list(self.ledger.client_errors)
        twin.watermarks = dict(self.watermarks)
        twin.topic_names = set(self.topic_names)
        twin.restarted = {partition: list(seen) for partition, seen in self.restarted.items()}
        for name in ("committed", "uncommitted", "live_committed", "live_uncommitted"):
            readings = {reader: {partition: list(seen) for partition, seen in reading.items()}
                        for reader, reading in getattr(self, name).items()}
            setattr(twin, name, readings)
        return twin

    def readings_at_the_end(self, *, is_committed_only: bool | None = None) -> Iterator[tuple[str, Reading]]:
        if is_committed_only is not False:
            yield from ((f"{name} read_committed", reading) for name, reading in self.committed.items())
        if is_committed_only is not True:
            yield from ((f"{name} read_uncommitted", reading) for name, reading in self.uncommitted.items())

    def readings(self) -> Iterator[tuple[str, Reading]]:
        yield from self.readings_at_the_end()
        yield from self.live_committed.items()
        yield from self.live_uncommitted.items()


def partitions_at_the_end(ledger: Ledger) -> list[TopicPartition]:
    alive = [(name, life) for name, life in ledger.lives.items() if life.exists]
    churned = [(name, partition) for name, life in alive for partition in range(life.partitions)]
    return topics.partitions_of(*topics.ALL) + churned


def settled_watermarks(bootstrap: str, partitions: list[TopicPartition]) -> dict[TopicPartition, Watermarks]:
    """The watermarks as soon as no transaction is open any more, or when that takes too long."""
    deadline = time.monotonic() + LAST_STABLE_OFFSET_TIMEOUT_SECONDS
    with Connection(bootstrap) as connection:
        while True:
            found = {}
            for topic, partition in partitions:
                answer = fetch(
                    connection, topic, 0, partition=partition, committed_only=True, max_bytes=1, partition_max_bytes=1)
                found[topic, partition] = Watermarks(
                    answer.log_start_offset, answer.last_stable_offset, answer.high_watermark)
            if all(marks.last_stable == marks.high for marks in found.values()) or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


def read_committed_offsets(bootstrap: str, ledger: Ledger) -> None:
    """Reads what each group committed through a client that took no part in it, as the last entry of the ledger."""
    for group in list(ledger.commits):
        consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
        for place in {event.partition for event in ledger.commits[group]}:
            offset = consumer.committed(kafka.TopicPartition(*place))
            ledger.commit(group, place, 0 if offset is None else offset, is_read_back=True)
        consumer.close(autocommit=False)


def read_everything(bootstrap: str, watermarks: dict[TopicPartition, Watermarks]) -> tuple[dict, dict]:
    """What each client library reads: committed only, and all."""
    readers = {"confluent-kafka": read_with_confluent, "kafka-python": read_with_kafka_python}
    stable = {place: (marks.start, marks.last_stable) for place, marks in watermarks.items()}
    full = {place: (marks.start, marks.high) for place, marks in watermarks.items()}
    committed = {name: read(bootstrap, stable, is_committed_only=True) for name, read in readers.items()}
    uncommitted = {name: read(bootstrap, full, is_committed_only=False) for name, read in readers.items()}
    return committed, uncommitted


def topic_names(bootstrap: str) -> set[str]:
    return set(AdminClient({"bootstrap.servers": bootstrap, **CLIENT_SETTINGS}).list_topics(timeout=10).topics)
