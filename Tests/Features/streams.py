"""Events as they are published: real ones from files, what happens to them on the way, and where each record lands."""

from __future__ import annotations

import gzip
import json
import logging
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic


# Clients say that a broker went away when it was told to.
LOGGER = logging.getLogger("clients")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False


@dataclass
class Event:
    """One record on its way: `arrival` is its record timestamp, and the order in which records are published."""
    arrival: int
    time: int | None
    key: str | None
    value: bytes
    partition: int = -1
    offset: int = -1
    outcome: str = ""
    # Of its partition, with it; once it is decided about.
    watermark: int = 0


@dataclass
class Mischief:
    """What a real network of producers does to a stream. All zero: the file as it is."""
    shuffled_milliseconds: int = 0
    duplicated: float = 0.0
    late: float = 0.0
    broken: float = 0.0
    future: float = 0.0


@dataclass
class Stream:
    topic: str
    events: list[Event] = field(default_factory=list)
    published: int = 0

    def due(self, until: int) -> list[Event]:
        """The events that arrive up to this time and are not published yet."""
        end = self.published
        while end < len(self.events) and self.events[end].arrival <= until:
            end += 1
        events = self.events[self.published:end]
        self.published = end
        return events


def murmur2(data: bytes) -> int:
    """The hash of Java's producer (org.apache.kafka.common.utils.Utils.murmur2), as an unsigned 32-bit number."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start:start + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of_bytes(key: bytes, count: int) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % count


def partition_of(key: str, count: int) -> int:
    return partition_of_bytes(key.encode(), count)


def read_events(path: Path, key_field: str, time_field: str, milliseconds_per_unit: float = 1) -> list[Event]:
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")
    events = []
    with opened as lines:
        for line in lines:
            document = json.loads(line)
            moment = int(document[time_field] * milliseconds_per_unit)
            key = document.get(key_field)
            events.append(Event(moment, moment, None if key is None else str(key), line.rstrip(b"\n")))
    events.sort(key=lambda event: event.arrival)
    return events


def disturb(events: list[Event], mischief: Mischief, lateness: int, random_source: random.Random) -> list[Event]:
    """Delays, duplicates and damages some of the events; what comes back is in the order of arrival."""
    out: list[Event] = []
    for event in events:
        draw = random_source.random()
        arrival = event.arrival + random_source.randint(0, mischief.shuffled_milliseconds)
        if draw < mischief.broken:
            key, value = event.key, event.value
            broken = [value[:len(value) // 2], b"\xff\xfe", b"[1,2]", b"null", b"{}", b"NaN", value + value]
            out.append(Event(arrival, None, key, random_source.choice(broken)))
            continue
        draw -= mischief.broken
        if draw < mischief.late:
            arrival = event.arrival + int(lateness * random_source.uniform(1.0, 400.0))
        elif draw - mischief.late < mischief.future:
            # Stamped by a clock that is a day ahead: not believed.
            out.append(Event(arrival - 86_400_000, event.time, event.key, event.value))
            continue
        out.append(Event(arrival, event.time, event.key, event.value))
        if random_source.random() < mischief.duplicated:
            delay = random_source.randint(0, max(lateness, 1) * 2)
            out.append(Event(arrival + delay, event.time, event.key, event.value))
    out.sort(key=lambda event: event.arrival)
    return out


class Publisher:
    """Publishes by explicit partition, and so knows each record's offset beforehand."""

    def __init__(self, bootstrap: str, partitions: int):
        self.bootstrap = bootstrap
        self.partitions = partitions
        self.next_offset: dict[tuple[str, int], int] = {}
        self.failures: list[str] = []
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4",
            "logger": LOGGER})

    def create(self, topics: list[str], is_ours: bool = True) -> None:
        """Makes topics that keep everything; others than ours are written by somebody else."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "logger": LOGGER})
        new = [NewTopic(topic, self.partitions, 1, config={"retention.ms": "-1"}) for topic in topics]
        for topic, future in admin.create_topics(new).items():
            future.result()
            for partition in range(self.partitions if is_ours else 0):
                self.next_offset[topic, partition] = 0

    def publish(self, topic: str, events: list[Event]) -> None:
        for number, event in enumerate(events):
            # Without a key a record may go anywhere: by turns.
            event.partition = partition_of(event.key, self.partitions) if event.key is not None else (
                number % self.partitions)
            place = topic, event.partition
            event.offset = self.next_offset[place]
            self.next_offset[place] += 1
            while True:
                try:
                    self.producer.produce(
                        topic, event.value, event.key, event.partition, self._delivered, timestamp=event.arrival)
                    break
                except BufferError:
                    self.producer.poll(0.05)
            self.producer.poll(0)

    def flush(self) -> None:
        left = self.producer.flush(60)
        if left or self.failures:
            raise RuntimeError(f"{left} records not delivered; {self.failures[:3]}")

    def check_ends(self) -> None:
        """That records lie where they were thought to lie: the logs are as long as what was sent."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.bootstrap, "group.id": "ends", "logger": LOGGER})
        deadline = time.monotonic() + 10
        for (topic, partition), expected in self.next_offset.items():
            while True:
                _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), timeout=10)
                if end == expected:
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{topic}/{partition} ends at {end}, expected {expected}")
        consumer.close()

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self.failures.append(str(error))
