"""Producers without transactions: plain, idempotent, keyed, and one of a second client library."""
from __future__ import annotations

import time

import kafka

import topics
from ledger import Sent
from workload import FINISH_TIMEOUT_SECONDS, MAXIMUM_IN_FLIGHT, Workload

KEYS = 40


class StreamProducer(Workload):
    """Sends bursts to all partitions of one topic, and waits for nothing but the limit of records in flight."""

    def __init__(self, name, context, plan: topics.TopicPlan, *, is_keyed: bool = False, compression: str = "none"):
        super().__init__(name, context)
        self.plan = plan
        self.is_keyed = is_keyed
        self.client = self.producer(
            enable_idempotence=plan.is_exactly_once, compression_type=compression, message_timeout_ms=120_000,
            # Without idempotence only one request at a time keeps the order over retries.
            max_in_flight_requests_per_connection=5 if plan.is_exactly_once else 1)

    def records_in_flight(self) -> int:
        return len(self.client)

    def work(self) -> None:
        while not self.is_finishing:
            if len(self.client) < MAXIMUM_IN_FLIGHT:
                for _ in range(self.random.randint(1, 12)):
                    self._send()
            self.client.poll(self.random.uniform(0.01, 0.03))
        left = self.client.flush(FINISH_TIMEOUT_SECONDS)
        if left:
            self.ledger.client_error(f"{self.name}: {left} records not acknowledged after {FINISH_TIMEOUT_SECONDS} s")

    def _send(self) -> None:
        partition = self.random.randrange(topics.PARTITIONS)
        key = b"key-%d" % self.random.randrange(KEYS) if self.is_keyed else None
        sent = self.ledger.make(
            self.name, self.plan.name, partition, key=key, size_bytes=self.random.randint(60, 200),
            is_tombstone=self.is_keyed and self.random.random() < 0.1)
        self.client.produce(self.plan.name, sent.value, key, partition,
                            on_delivery=lambda error, message: self._delivered(sent, error, message))

    def _delivered(self, sent: Sent, error, message) -> None:
        if error is None:
            self.ledger.acknowledge(sent, message.offset())
        else:
            self.ledger.client_error(f"{self.name}: partition {sent.partition} record {sent.sequence} refused: {error}")


class PythonProducer(Workload):
    """kafka-python's idempotent producer."""

    def __init__(self, name, context, plan: topics.TopicPlan):
        super().__init__(name, context)
        self.plan = plan
        self._pending: list[tuple[Sent, object]] = []

    def records_in_flight(self) -> int:
        return len(self._pending)

    def work(self) -> None:
        client = kafka.KafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, linger_ms=5, batch_size=4096,
            reconnect_backoff_ms=20, reconnect_backoff_max_ms=150, retry_backoff_ms=30, request_timeout_ms=3000,
            metadata_max_age_ms=5000)
        while not self.is_finishing:
            if len(self._pending) < MAXIMUM_IN_FLIGHT:
                for _ in range(self.random.randint(1, 8)):
                    partition = self.random.randrange(topics.PARTITIONS)
                    sent = self.ledger.make(self.name, self.plan.name, partition)
                    self._pending.append((sent, client.send(self.plan.name, value=sent.value, partition=partition)))
            self.pause(self.random.uniform(15, 40))
            self._settle()
        deadline = time.monotonic() + FINISH_TIMEOUT_SECONDS
        while self._pending and time.monotonic() < deadline:
            self.pause(20)
            self._settle()
        if self._pending:
            self.ledger.client_error(f"{self.name}: {len(self._pending)} records not acknowledged")
        client.close(timeout=5)

    def _settle(self) -> None:
        waiting = []
        for sent, future in self._pending:
            if not future.is_done:
                waiting.append((sent, future))
            elif future.succeeded():
                self.ledger.acknowledge(sent, future.value.offset)
            else:
                self.ledger.client_error(f"{self.name}: record {sent.sequence} refused: {future.exception!r}")
        self._pending = waiting
