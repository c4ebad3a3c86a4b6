"""Three foreign clients behind one shape, so that a test can pair any producer with any consumer.

kcat runs on the Debian librdkafka (2.0.2), confluent-kafka on the librdkafka in its wheel, kafka-python on its own
protocol code.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from typing import Protocol, Sequence

import confluent_kafka
import kafka

from .records import Record

READ_TIMEOUT_SECONDS = 30.0
# A reader finds the end of a partition by a fetch that finds nothing; by default that waits half a second.
QUICK_END = {"fetch.wait.max.ms": 10}
COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")


class Client(Protocol):
    name: str

    def produce(
        self,
        bootstrap: str,
        topic: str,
        records: Sequence[Record],
        *,
        compression: str = "none",
        acks: str = "all",
        settings: dict | None = None,
    ) -> None:
        """Sends all records to their partitions in order and returns when all are acknowledged; raises otherwise."""

    def consume(
        self,
        bootstrap: str,
        topic: str,
        *,
        partition: int = 0,
        offset: int = 0,
        committed_only: bool = False,
        settings: dict | None = None,
    ) -> list[Record]:
        """Reads one partition from `offset` to its end (the last stable offset when `committed_only`)."""


class Kcat:
    name = "kcat"
    RECORD_END, KEY_END = "\x1e", "\x1f"

    def produce(self, bootstrap, topic, records, *, compression="none", acks="all", settings=None):
        alike = itertools.groupby(records, key=lambda record: (record.partition, record.headers))
        for (partition, headers), group in alike:
            command = [
                "-P",
                "-t",
                topic,
                "-p",
                str(partition),
                "-z",
                compression,
                "-K",
                self.KEY_END,
                "-D",
                self.RECORD_END,
                "-X",
                f"acks={acks}",
            ]
            for name, value in headers:
                command += ["-H", f"{name}={value.decode()}"]
            lines = [self._line(record) for record in group]
            run_kcat(bootstrap, command, settings, standard_input=self.RECORD_END.encode().join(lines))

    def _line(self, record: Record) -> bytes:
        return record.value if record.key is None else record.key + self.KEY_END.encode() + record.value

    def consume(self, bootstrap, topic, *, partition=0, offset=0, committed_only=False, settings=None):
        isolation = "read_committed" if committed_only else "read_uncommitted"
        command = [
            "-C",
            "-t",
            topic,
            "-p",
            str(partition),
            "-o",
            str(offset),
            "-e",
            "-J",
            "-X",
            f"isolation.level={isolation}",
        ]
        return [
            self._parse(line) for line in run_kcat(bootstrap, command, {**QUICK_END, **(settings or {})}).splitlines()
        ]

    def _parse(self, line: bytes) -> Record:
        fields = json.loads(line)
        flat = fields.get("headers") or []
        headers = tuple((name, _encoded(value)) for name, value in zip(flat[::2], flat[1::2]))
        return Record(
            value=_encoded(fields["payload"]),
            key=_encoded(fields["key"]),
            headers=headers,
            timestamp=fields["ts"],
            offset=fields["offset"],
            partition=fields["partition"],
        )


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def run_kcat(
    bootstrap: str, arguments: Sequence[str], settings: dict | None = None, *, standard_input: bytes = b""
) -> bytes:
    options = [word for key, value in (settings or {}).items() for word in ("-X", f"{key}={value}")]
    done = subprocess.run(
        ["kcat", "-b", bootstrap, "-q", *options, *arguments],
        input=standard_input,
        capture_output=True,
        timeout=READ_TIMEOUT_SECONDS * 2,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"kcat {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}"
        )
    return done.stdout


class Confluent:
    name = "confluent"

    def produce(self, bootstrap, topic, records, *, compression="none", acks="all", settings=None):
        failures = []

        def on_delivery(error, _message):
            if error:
                failures.append(error)

        producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": acks,
                "compression.type": compression,
                "linger.ms": 5,
                **(settings or {}),
            }
        )
        for record in records:
            send_confluent(producer, topic, record, on_delivery)
        left = producer.flush(READ_TIMEOUT_SECONDS)
        if failures or left:
            raise confluent_kafka.KafkaException(failures[0] if failures else f"{left} records not acknowledged")

    def consume(self, bootstrap, topic, *, partition=0, offset=0, committed_only=False, settings=None):
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "unused",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                **QUICK_END,
                "isolation.level": "read_committed" if committed_only else "read_uncommitted",
                **(settings or {}),
            }
        )
        consumer.assign([confluent_kafka.TopicPartition(topic, partition, offset)])
        records = []
        deadline = time.monotonic() + READ_TIMEOUT_SECONDS
        try:
            while True:
                for message in consumer.consume(500, 0.02):
                    if message.error() is None:
                        records.append(from_confluent(message))
                    elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        return records
                    else:
                        raise confluent_kafka.KafkaException(message.error())
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no end of {topic}-{partition} after {len(records)} records")
        finally:
            consumer.close()


def send_confluent(producer, topic: str, record: Record, on_delivery=None) -> None:
    arguments = {} if record.timestamp is None else {"timestamp": record.timestamp}
    while True:
        try:
            producer.produce(
                topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers) or None,
                partition=record.partition,
                on_delivery=on_delivery,
                **arguments,
            )
            producer.poll(0)
            return
        except BufferError:
            producer.poll(0.1)


def from_confluent(message) -> Record:
    return Record(
        value=message.value(),
        key=message.key(),
        headers=tuple(message.headers() or ()),
        timestamp=message.timestamp()[1],
        offset=message.offset(),
        partition=message.partition(),
    )


class KafkaPython:
    name = "kafka-python"

    def produce(self, bootstrap, topic, records, *, compression="none", acks="all", settings=None):
        producer = kafka.KafkaProducer(
            bootstrap_servers=bootstrap,
            acks=acks if acks == "all" else int(acks),
            linger_ms=5,
            enable_idempotence=acks == "all",
            compression_type=None if compression == "none" else compression,
            **(settings or {}),
        )
        try:
            futures = [
                producer.send(
                    topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=record.partition,
                    timestamp_ms=record.timestamp,
                )
                for record in records
            ]
            producer.flush(READ_TIMEOUT_SECONDS)
            for future in futures:
                future.get(READ_TIMEOUT_SECONDS)
        finally:
            producer.close()

    def consume(self, bootstrap, topic, *, partition=0, offset=0, committed_only=False, settings=None):
        consumer = kafka.KafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed" if committed_only else "read_uncommitted",
            **(settings or {}),
        )
        source = kafka.TopicPartition(topic, partition)
        try:
            consumer.assign([source])
            end = consumer.end_offsets([source])[source]
            consumer.seek(source, offset)
            records = []
            deadline = time.monotonic() + READ_TIMEOUT_SECONDS
            # The position moves over control records and aborted ones, which are never handed out.
            while consumer.position(source) < end:
                for message in consumer.poll(timeout_ms=200).get(source, ()):
                    records.append(from_kafka_python(message))
                if time.monotonic() > deadline:
                    raise TimeoutError(f"at {consumer.position(source)} of {end} in {topic}-{partition}")
            return records
        finally:
            consumer.close()


def from_kafka_python(message) -> Record:
    return Record(
        value=message.value,
        key=message.key,
        headers=tuple(message.headers or ()),
        timestamp=message.timestamp,
        offset=message.offset,
        partition=message.partition,
    )


def name_of(client: Client) -> str:
    """For the ids of parametrised tests."""
    return client.name


KCAT, CONFLUENT, KAFKA_PYTHON = Kcat(), Confluent(), KafkaPython()
ALL_CLIENTS: tuple[Client, ...] = (KCAT, CONFLUENT, KAFKA_PYTHON)
