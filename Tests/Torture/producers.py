"""Producers: plain, idempotent, keyed, transactional, and one of a second client library."""

from __future__ import annotations

import time

import confluent_kafka
import kafka
from confluent_kafka import KafkaError, KafkaException

import topics
from ledger import Outcome, Sent
from workload import (
    CALL_TIMEOUT_SECONDS,
    FINISH_TIMEOUT_SECONDS,
    MAXIMUM_IN_FLIGHT,
    TRANSACTION_TIMEOUT_MILLISECONDS,
    Workload,
)

KEYS = 40


class StreamProducer(Workload):
    """Sends bursts to all partitions of one topic, in order, and waits for nothing but the limit of records in flight."""

    def __init__(self, name, context, plan: topics.TopicPlan, *, is_keyed: bool = False, compression: str = "none"):
        super().__init__(name, context)
        self.plan = plan
        self.is_keyed = is_keyed
        self.client = self.producer(
            enable_idempotence=plan.is_exactly_once,
            compression_type=compression,
            message_timeout_ms=120_000,
            # Without idempotence only one request at a time keeps the order over retries.
            max_in_flight_requests_per_connection=5 if plan.is_exactly_once else 1,
        )

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
            self.ledger.client_error(
                f"{self.name}: {left} records not acknowledged {FINISH_TIMEOUT_SECONDS} s after the last kill"
            )

    def _send(self) -> None:
        partition = self.random.randrange(topics.PARTITIONS)
        key = b"key-%d" % self.random.randrange(KEYS) if self.is_keyed else None
        sent = self.ledger.make(
            self.name,
            self.plan.name,
            partition,
            key=key,
            size_bytes=self.random.randint(60, 200),
            is_tombstone=self.is_keyed and self.random.random() < 0.1,
        )
        self.client.produce(
            self.plan.name,
            sent.value,
            key,
            partition,
            on_delivery=lambda error, message: self._delivered(sent, error, message),
        )

    def _delivered(self, sent: Sent, error, message) -> None:
        if error is None:
            self.ledger.acknowledge(sent, message.offset())
        else:
            self.ledger.client_error(
                f"{self.name}: {sent.topic}/{sent.partition} record {sent.sequence} refused: {error}"
            )


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
            bootstrap_servers=self.bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            batch_size=4096,
            reconnect_backoff_ms=20,
            reconnect_backoff_max_ms=150,
            retry_backoff_ms=30,
            request_timeout_ms=3000,
            metadata_max_age_ms=5000,
        )
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


class TransactionalProducer(Workload):
    """Transactions over several topics and partitions; some are aborted, and some commits are left without an answer."""

    def __init__(self, name, context):
        super().__init__(name, context)
        self._client: confluent_kafka.Producer | None = None
        self._number = 0

    def records_in_flight(self) -> int:
        client = self._client
        return 0 if client is None else len(client)

    def work(self) -> None:
        while not self.is_finishing:
            client = self._client or self._begin_anew()
            if client is None:
                continue
            self._number += 1
            with self.open_transaction():
                outcome, is_usable = self._transact(client, self._number)
            self.ledger.end_transaction(self.name, self._number, outcome)
            if not is_usable:
                self._drop()
            self.pause(self.random.uniform(0, 10))
        # What was left without an answer is decided by the next owner of the transactional id.
        while self._client is None and self._begin_anew() is None:
            pass
        self._drop()

    def _begin_anew(self) -> confluent_kafka.Producer | None:
        client = transactional_producer(self, self.name)
        self._client = client
        return client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            close_at_once(client)

    def _transact(self, client: confluent_kafka.Producer, number: int) -> tuple[Outcome, bool]:
        """Returns how it ended and whether the producer can go on."""
        try:
            client.begin_transaction()
            for _ in range(self.random.randint(1, 4)):
                self._send_some(client, number)
                client.poll(self.random.uniform(0, 0.01))
            if self.random.random() < 0.25:
                return Outcome.ABORTED, self._abort(client)
        except (KafkaException, BufferError) as error:
            self._check(error)
            return Outcome.ABORTED, not is_fatal(error) and self._abort(client)
        return self._commit(client)

    def _send_some(self, client: confluent_kafka.Producer, number: int) -> None:
        for plan in (*topics.TRANSACTIONAL, topics.COMPACTED_TRANSACTIONAL):
            for _ in range(self.random.randint(0, 4)):
                partition = self.random.randrange(topics.PARTITIONS)
                key = f"{self.name}-{self.random.randrange(KEYS)}".encode() if plan.is_compacted else None
                sent = self.ledger.make(self.name, plan.name, partition, transaction=number, key=key)
                client.produce(
                    plan.name,
                    sent.value,
                    key,
                    partition,
                    on_delivery=lambda error, message, sent=sent: self._delivered(sent, error, message),
                )

    def _delivered(self, sent: Sent, error, message) -> None:
        if error is None:
            self.ledger.acknowledge(sent, message.offset())

    def _commit(self, client: confluent_kafka.Producer) -> tuple[Outcome, bool]:
        # Either way of going on after a lost answer is right, so both are taken.
        asks_again = self.random.random() < 0.5
        deadline = time.monotonic() + TRANSACTION_TIMEOUT_MILLISECONDS / 1000
        while True:
            try:
                client.commit_transaction(CALL_TIMEOUT_SECONDS if asks_again else self.random.uniform(0.01, 0.5))
                return Outcome.COMMITTED, True
            except KafkaException as error:
                self._check(error)
                if error.args[0].retriable() and asks_again and time.monotonic() < deadline:
                    continue
                return Outcome.UNKNOWN, False

    def _abort(self, client: confluent_kafka.Producer) -> bool:
        """Whether the broker confirmed it. If not, the next owner of the transactional id aborts: no commit was ever asked for.

        Everything is sent before: `abort_transaction` drops what waits for a retry and gives its sequence numbers, which the broker
        may have stored, to the next transaction (librdkafka 2.16, `rd_kafka_toppar_purge_queues`).
        """
        if client.flush(CALL_TIMEOUT_SECONDS) > 0:
            return False
        for _ in range(3):
            try:
                client.abort_transaction(CALL_TIMEOUT_SECONDS)
                return True
            except KafkaException as error:
                self._check(error)
                if not error.args[0].retriable():
                    return False
        return False

    def _check(self, error: Exception) -> None:
        note_unexcused(self, error, f"transaction {self._number}")


def is_fatal(error: Exception) -> bool:
    return isinstance(error, KafkaException) and error.args[0].fatal()


def note_unexcused(workload: Workload, error: Exception, what: str) -> None:
    """A sequence gap means that the broker forgot what it had acknowledged; a fatal error, that it forgot or fenced the only owner of
    a transactional id."""
    lost = (
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.UNKNOWN_PRODUCER_ID,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    )
    if isinstance(error, KafkaException) and (error.args[0].fatal() or error.args[0].code() in lost):
        age = time.monotonic() - workload.transaction_began
        if age < TRANSACTION_TIMEOUT_MILLISECONDS / 1000 * 0.8:
            workload.ledger.client_error(f"{workload.name}: {what}, {age:.1f} s old: {error}")


def transactional_producer(workload: Workload, transactional_id: str) -> confluent_kafka.Producer | None:
    """A producer that owns the id, or None when that did not work out this time."""
    client = workload.producer(
        transactional_id=transactional_id, transaction_timeout_ms=TRANSACTION_TIMEOUT_MILLISECONDS
    )
    try:
        while True:
            try:
                client.init_transactions(CALL_TIMEOUT_SECONDS)
                return client
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
    except KafkaException:
        close_at_once(client)
        workload.pause(50)
        return None


def close_at_once(client: confluent_kafka.Producer) -> None:
    """As a process that dies: what was not sent is dropped and no transaction is ended; the last reference ends its threads."""
    client.purge()
    client.flush(0.05)
