"""Readers that run while the broker dies, and readers that read everything at the end."""
from __future__ import annotations

import time
from collections import defaultdict
from typing import NamedTuple

import confluent_kafka
import kafka
from confluent_kafka import KafkaError, KafkaException

from ledger import TopicPartition
from workload import CLIENT_SETTINGS, FINISH_TIMEOUT_SECONDS, Workload

# Without any progress.
READ_TIMEOUT_SECONDS = 30.0


class Seen(NamedTuple):
    """A record as a reader got it."""
    offset: int
    key: bytes | None
    value: bytes | None

    @classmethod
    def of(cls, message: confluent_kafka.Message) -> Seen:
        return cls(message.offset(), message.key(), message.value())


class TailReader(Workload):
    """Follows partitions from their beginning, by its own position only: what it saw is one sequence for each."""

    def __init__(
        self, name, context, partitions: list[TopicPartition], *, is_committed_only: bool, may_skip: bool = False
    ):
        super().__init__(name, context)
        self.partitions = partitions
        self.is_committed_only = is_committed_only
        self.seen: dict[TopicPartition, list[Seen]] = {partition: [] for partition in partitions}
        # Where each partition ends, once nobody writes any more; until it is there the reader goes on.
        self.ends: dict[TopicPartition, int] | None = None
        self._reset = "earliest" if may_skip else "error"
        # Where the reader last found nothing more to read: behind control records too, which a position is not.
        self._reached: dict[TopicPartition, int] = {}

    def work(self) -> None:
        consumer = self.consumer(
            self.name, is_committed_only=self.is_committed_only, auto_offset_reset=self._reset,
            enable_partition_eof=True)
        consumer.assign([confluent_kafka.TopicPartition(*partition, 0) for partition in self.partitions])
        deadline = None
        while self.ends is None or self._missing():
            for message in consumer.consume(500, 0.1):
                self._take(message)
            if self.ends is not None and deadline is None:
                deadline = time.monotonic() + FINISH_TIMEOUT_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                self.ledger.client_error(f"{self.name}: does not get to the end: {self._missing()}")
                break
        consumer.close()

    def _take(self, message) -> None:
        error = message.error()
        place = (message.topic(), message.partition())
        if error is None:
            self.seen[place].append(Seen.of(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._reached[place] = message.offset()
        elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            self.ledger.client_error(f"{self.name}: {place}: the log lost its end: {error}")

    def _missing(self) -> dict[TopicPartition, tuple[int, int]]:
        """The partitions that are not read to their end: how far they are, and how far they go."""
        return {partition: (self._reached.get(partition, -1), self.ends[partition]) for partition in self.partitions
                if self._reached.get(partition, -1) < self.ends[partition]}


class GroupReader(Workload):
    """A member of a group of its own that commits what it read, and reads back what it committed."""

    def __init__(self, name, context, topic_names: list[str], *, is_committed_only: bool, is_static: bool = False):
        super().__init__(name, context)
        self._membership = {"group_instance_id": f"{name}-instance"} if is_static else {}
        self.topic_names = topic_names
        self.is_committed_only = is_committed_only
        self.seen: dict[TopicPartition, list[Seen]] = defaultdict(list)

    def work(self) -> None:
        consumer = self.consumer(self.name, is_committed_only=self.is_committed_only, **self._membership)
        consumer.subscribe(self.topic_names)
        while not self.is_finishing:
            for _ in range(self.random.randint(1, 4)):
                for message in consumer.consume(200, 0.1):
                    if message.error() is None:
                        self.seen[message.topic(), message.partition()].append(Seen.of(message))
            self._commit(consumer)
        consumer.close()

    def _commit(self, consumer) -> None:
        try:
            positions = [place for place in consumer.position(consumer.assignment()) if place.offset >= 0]
            for place in consumer.commit(offsets=positions, asynchronous=False) if positions else []:
                if place.error is None:
                    self.ledger.commit(self.name, (place.topic, place.partition), place.offset, is_read_back=False)
            for place in consumer.committed(consumer.assignment(), 2.0):
                if place.error is None:
                    offset = max(place.offset, 0)
                    self.ledger.commit(self.name, (place.topic, place.partition), offset, is_read_back=True)
        except KafkaException:
            pass  # Whether it was committed is unknown; nobody was told that it was.


def read_with_confluent(bootstrap: str, partitions: dict[TopicPartition, tuple[int, int]], *, is_committed_only: bool
                        ) -> dict[TopicPartition, list[Seen]]:
    """Everything in the given ranges of offsets."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "reader-at-the-end", "enable.auto.commit": False,
        "isolation.level": "read_committed" if is_committed_only else "read_uncommitted", "auto.offset.reset": "error",
        "enable.partition.eof": True, "check.crcs": True, **CLIENT_SETTINGS})
    seen: dict[TopicPartition, list[Seen]] = {partition: [] for partition in partitions}
    waiting = {partition for partition, (start, end) in partitions.items() if start < end}
    consumer.assign([confluent_kafka.TopicPartition(*partition, partitions[partition][0]) for partition in waiting])
    deadline = time.monotonic() + READ_TIMEOUT_SECONDS
    while waiting:
        for message in consumer.consume(1000, 0.2):
            deadline = time.monotonic() + READ_TIMEOUT_SECONDS
            partition = (message.topic(), message.partition())
            if message.error() is None:
                seen[partition].append(Seen.of(message))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                waiting.discard(partition)
            else:
                raise KafkaException(message.error())
        if time.monotonic() > deadline:
            raise TimeoutError(f"confluent-kafka does not get to the end of {sorted(waiting)}")
    consumer.close()
    return seen


def read_with_kafka_python(bootstrap: str, partitions: dict[TopicPartition, tuple[int, int]], *, is_committed_only: bool
                           ) -> dict[TopicPartition, list[Seen]]:
    """The same through a client library that shares no code with the other."""
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none",
        isolation_level="read_committed" if is_committed_only else "read_uncommitted")
    names = {kafka.TopicPartition(*partition): partition for partition in partitions}
    consumer.assign(list(names))
    for place, partition in names.items():
        consumer.seek(place, partitions[partition][0])
    seen: dict[TopicPartition, list[Seen]] = {partition: [] for partition in partitions}
    waiting = set(names)
    deadline = time.monotonic() + READ_TIMEOUT_SECONDS
    while True:
        waiting = {place for place in waiting if consumer.position(place) < partitions[names[place]][1]}
        if not waiting:
            break
        for place, messages in consumer.poll(timeout_ms=200, max_records=5000).items():
            deadline = time.monotonic() + READ_TIMEOUT_SECONDS
            seen[names[place]] += [Seen(message.offset, message.key, message.value) for message in messages]
        if time.monotonic() > deadline:
            raise TimeoutError(f"kafka-python does not get to the end of {sorted(waiting)}")
    consumer.close()
    return seen
