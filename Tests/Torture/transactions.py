"""Producers with transactions: that commit, abort, are fenced, or forget what they began."""
from __future__ import annotations

import contextlib
import time

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

import topics
from ledger import Outcome, Sent
from producers import KEYS
from workload import CALL_TIMEOUT_SECONDS, TRANSACTION_TIMEOUT_MILLISECONDS, Workload

ABORT_SHARE = 0.25
ZOMBIE_SHARE = 0.08
FORGOTTEN_TIMEOUT_MILLISECONDS = 1500


class TransactionalProducer(Workload):
    """Transactions over several topics and partitions; some are aborted, some commits are left without an answer."""

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
            draw = self.random.random()
            if draw < ZOMBIE_SHARE:
                return Outcome.ABORTED, self._be_fenced(client)
            if draw < ZOMBIE_SHARE + ABORT_SHARE:
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
                client.produce(plan.name, sent.value, key, partition,
                               on_delivery=lambda error, message, sent=sent: self._delivered(sent, error, message))

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
        """Whether the broker confirmed it. If not, the next owner of the id aborts: no commit was asked for.

        Everything is sent before: `abort_transaction` drops what waits for a retry and gives its sequence numbers,
        which the broker may have stored, to the next transaction (librdkafka 2.16, `rd_kafka_toppar_purge_queues`).
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

    def _be_fenced(self, zombie: confluent_kafka.Producer) -> bool:
        """Another owner of the transactional id appears; the commit of the former one must fail."""
        zombie.flush(CALL_TIMEOUT_SECONDS)
        while self._begin_anew() is None:
            pass
        try:
            zombie.commit_transaction(CALL_TIMEOUT_SECONDS)
            self.ledger.client_error(f"{self.name}: transaction {self._number} was committed by a fenced producer")
        except KafkaException:
            pass
        close_at_once(zombie)
        return True

    def _check(self, error: Exception) -> None:
        note_unexcused(self, error, f"transaction {self._number}")


class ForgottenTransactions(Workload):
    """Producers that begin a transaction and vanish. Nobody takes over their ids: only the broker's clock ends it."""

    def work(self) -> None:
        number = 0
        while not self.is_finishing:
            number += 1
            client = transactional_producer(
                self, f"{self.name}-{number}", timeout_milliseconds=FORGOTTEN_TIMEOUT_MILLISECONDS)
            if client is not None:
                with self.open_transaction():
                    self._forget(client, number)
            self.pause(self.random.uniform(0, 200))

    def _forget(self, client: confluent_kafka.Producer, number: int) -> None:
        self.ledger.end_transaction(self.name, number, Outcome.ABORTED)
        try:
            client.begin_transaction()
            for _ in range(self.random.randint(2, 12)):
                partition = self.random.randrange(topics.PARTITIONS)
                sent = self.ledger.make(self.name, topics.FORGOTTEN.name, partition, transaction=number)
                client.produce(topics.FORGOTTEN.name, sent.value, partition=partition,
                               on_delivery=lambda error, message, sent=sent:
                               None if error else self.ledger.acknowledge(sent, message.offset()))
            client.flush(1.0)
        except (KafkaException, BufferError):
            pass  # Time was up while the broker was dead: aborted all the same.
        close_at_once(client)


def is_fatal(error: Exception) -> bool:
    return isinstance(error, KafkaException) and error.args[0].fatal()


def note_unexcused(workload: Workload, error: Exception, what: str) -> None:
    """A sequence gap means that the broker forgot what it had acknowledged; a fatal error, that it forgot or fenced the
    only owner of a transactional id."""
    lost = (KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, KafkaError.UNKNOWN_PRODUCER_ID,
            KafkaError.INVALID_PRODUCER_ID_MAPPING)
    if isinstance(error, KafkaException) and (error.args[0].fatal() or error.args[0].code() in lost):
        age = time.monotonic() - workload.transaction_began
        if age < TRANSACTION_TIMEOUT_MILLISECONDS / 1000 * 0.8:
            workload.ledger.client_error(f"{workload.name}: {what}, {age:.1f} s old: {error}")


def transactional_producer(
    workload: Workload, transactional_id: str, *, timeout_milliseconds: int = TRANSACTION_TIMEOUT_MILLISECONDS
) -> confluent_kafka.Producer | None:
    """A producer that owns the id, or None when that did not work out this time."""
    client = workload.producer(transactional_id=transactional_id, transaction_timeout_ms=timeout_milliseconds,
                               socket_timeout_ms=min(timeout_milliseconds, 3000))
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
    """As a process that dies: what was not sent is dropped, and no transaction is ended."""
    with contextlib.suppress(KafkaException):
        client.purge()
        client.flush(0.05)
