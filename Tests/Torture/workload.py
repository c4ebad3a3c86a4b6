"""The clients that run while the broker is killed: threads that write everything they do into the ledger.

Each loops until `stop` is set and then brings what it began to an end. A broker that is away is no error; an answer that must not be is.
"""
from __future__ import annotations

import logging
import random
import threading
import time
from typing import Callable

import confluent_kafka
import kafka
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from ledger import Entry, Ledger, Log, Outcome, Partition, Sent, Transaction
from oracles import transformed

PATIENCE_SECONDS = 60.0
CALL_SECONDS = 30.0

QUIET = logging.getLogger("librdkafka")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False

# No new bootstrap: it forgets the brokers, and then librdkafka (2.10 to at least 2.16) never sends a TxnOffsetCommit whose coordinator
# was one of them (its issue 5511).
RECONNECT = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "retry.backoff.ms": 20, "retry.backoff.max.ms": 200,
             "topic.metadata.refresh.fast.interval.ms": 50, "metadata.recovery.strategy": "none", "logger": QUIET}
SESSION = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
FENCING = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class Worker(threading.Thread):
    """One client. An exception that leaves `work` is a failure of the run."""

    def __init__(self, name: str, ledger: Ledger, bootstrap: str, seed: int):
        super().__init__(name=name, daemon=True)
        self.ledger, self.bootstrap = ledger, bootstrap
        self.random = random.Random(f"{seed} {name}")
        self.stop = threading.Event()

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.ledger.fail(f"{self.name}: {type(error).__name__}: {error}")

    def work(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        self.stop.set()

    def payload(self, sequence: int) -> bytes:
        return f"{self.name}#{sequence}#".encode() + b"x" * self.random.randrange(20, 200)


class ConfluentProducer(Worker):
    """Sends outside of transactions through librdkafka; `records` is this producer's list in the ledger."""

    def __init__(self, name, ledger, bootstrap, seed, *, records: list[Sent], partitions: list[Partition], idempotent: bool,
                 keys: int = 0, rate: int = 300, compression: str = "none"):
        super().__init__(name, ledger, bootstrap, seed)
        self.records, self.partitions, self.keys, self.rate = records, partitions, keys, rate
        # Without idempotence only one request in flight keeps the order over retries.
        ordering = {"enable.idempotence": True} if idempotent else {"max.in.flight.requests.per.connection": 1}
        self.settings = {"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5, "compression.type": compression,
                         "message.timeout.ms": 120_000, "batch.num.messages": 20, **ordering, **RECONNECT}

    def work(self):
        producer = confluent_kafka.Producer({**self.settings, "error_cb": self._on_error})
        sequence = 0
        while not self.stop.is_set():
            for _ in range(self.random.randrange(1, 20)):
                self._send(producer, sequence)
                sequence += 1
            producer.poll(self.random.random() * 20 / self.rate)
        left = producer.flush(PATIENCE_SECONDS)
        if left:
            self.ledger.fail(f"{self.name}: {left} records not acknowledged in {PATIENCE_SECONDS} s after the last kill")

    def _send(self, producer, sequence: int) -> None:
        key = f"key-{self.random.randrange(self.keys)}".encode() if self.keys else None
        record = Sent(self.random.choice(self.partitions), self.payload(sequence), key)
        self.records.append(record)

        def on_delivery(error, message, record=record):
            if error is None:
                record.offset = message.offset()
            else:
                self.ledger.fail(f"{self.name}: delivery failed: {error}")

        producer.produce(record.partition.topic, record.value, key, partition=record.partition.number, on_delivery=on_delivery)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.ledger.fail(f"{self.name}: fatal: {error}")


class KafkaPythonProducer(Worker):
    """The same through kafka-python's own protocol code."""

    def __init__(self, name, ledger, bootstrap, seed, *, records: list[Sent], partitions: list[Partition], idempotent: bool):
        super().__init__(name, ledger, bootstrap, seed)
        self.records, self.partitions, self.idempotent = records, partitions, idempotent

    def work(self):
        producer = kafka.KafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=self.idempotent, linger_ms=5, retry_backoff_ms=20,
            reconnect_backoff_ms=20, reconnect_backoff_max_ms=100, delivery_timeout_ms=120_000,
            max_in_flight_requests_per_connection=5 if self.idempotent else 1)
        futures = []
        sequence = 0
        while not self.stop.is_set():
            for _ in range(self.random.randrange(1, 8)):
                record = Sent(self.random.choice(self.partitions), self.payload(sequence))
                self.records.append(record)
                future = producer.send(record.partition.topic, record.value, partition=record.partition.number)
                futures.append((future, record))
                sequence += 1
            while futures and futures[0][0].is_done:
                self._settle(*futures.pop(0))
            time.sleep(self.random.random() * 0.08)
        for future, record in futures:
            self._settle(future, record)
        producer.close()

    def _settle(self, future, record: Sent) -> None:
        try:
            record.offset = future.get(PATIENCE_SECONDS).offset
        except kafka.errors.KafkaError as error:
            self.ledger.fail(f"{self.name}: delivery failed: {type(error).__name__}: {error}")


class TransactionalWorker(Worker):
    """What every user of transactions needs: a producer that is made anew after a fatal error, and an end that is tried until known."""

    def __init__(self, name, ledger, bootstrap, seed):
        super().__init__(name, ledger, bootstrap, seed)
        self.deadline = float("inf")

    def finish(self):
        self.deadline = time.monotonic() + PATIENCE_SECONDS
        super().finish()

    def new_producer(self) -> confluent_kafka.Producer:
        """A producer whose transactional id has fenced and ended what its predecessor left."""
        settings = {"bootstrap.servers": self.bootstrap, "transactional.id": self.name, "linger.ms": 0,
                    "transaction.timeout.ms": 30_000, "message.timeout.ms": 30_000, "batch.num.messages": 20, **RECONNECT}
        while True:
            producer = confluent_kafka.Producer(settings)
            try:
                self.retrying(lambda: producer.init_transactions(CALL_SECONDS))
                return producer
            except KafkaException as error:
                self.check_patience(error)

    def retrying(self, call: Callable[[], None]) -> None:
        """Repeats a call while librdkafka says that it may be repeated."""
        while True:
            try:
                return call()
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
                self.check_patience(error)

    def check_patience(self, error: Exception) -> None:
        if time.monotonic() > self.deadline:
            raise TimeoutError(f"not settled {PATIENCE_SECONDS} s after the last kill: {error}") from error

    def end(self, producer: confluent_kafka.Producer, *, commit: bool) -> tuple[Outcome, bool]:
        """Ends the transaction: its outcome, and whether the producer can go on."""
        try:
            if commit:
                self.retrying(lambda: producer.commit_transaction(CALL_SECONDS))
                return Outcome.COMMITTED, True
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                return Outcome.UNKNOWN, False
        try:
            self.retrying(lambda: producer.abort_transaction(CALL_SECONDS))
            return Outcome.ABORTED, True
        except KafkaException:
            # An abort that fails is still no commit, unless a commit was tried before it.
            return (Outcome.UNKNOWN if commit else Outcome.ABORTED), False


class TransactionalProducer(TransactionalWorker):
    """Transactions of a few records over several partitions; one in five is aborted."""

    def __init__(self, name, ledger, bootstrap, seed, *, partitions: list[Partition]):
        super().__init__(name, ledger, bootstrap, seed)
        self.partitions = partitions

    def work(self):
        producer = self.new_producer()
        sequence = 0
        while not self.stop.is_set():
            transaction = Transaction(self.name, [
                (self.random.choice(self.partitions), self.payload(sequence + index)) for index in range(self.random.randrange(1, 12))])
            sequence += len(transaction.records)
            self.ledger.transactions.append(transaction)
            transaction.outcome, can_go_on = self._perform(producer, transaction)
            if not can_go_on:
                producer = self.new_producer()
            time.sleep(self.random.random() * 0.03)

    def _perform(self, producer, transaction: Transaction) -> tuple[Outcome, bool]:
        try:
            producer.begin_transaction()
            for partition, value in transaction.records:
                producer.produce(partition.topic, value, partition=partition.number)
        except KafkaException:
            # Nothing was asked to be committed.
            return Outcome.ABORTED, False
        return self.end(producer, commit=self.random.random() < 0.8)


class Pipeline(TransactionalWorker):
    """Reads `input`, writes its transformation to `output`, with the offsets in the transaction; members share the partitions."""

    def __init__(self, name, ledger, bootstrap, seed, *, source: str, target: str, group: str):
        super().__init__(name, ledger, bootstrap, seed)
        self.source, self.target, self.group = source, target, group

    def work(self):
        producer = self.new_producer()
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": self.group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "isolation.level": "read_committed", **SESSION, **RECONNECT})
        consumer.subscribe([self.source])
        try:
            while not self.stop.is_set():
                messages = [each for each in consumer.consume(self.random.randrange(1, 60), 0.2) if not each.error()]
                if messages and not self._process(producer, consumer, messages):
                    producer = self.new_producer()
                    self._rewind(consumer)
        finally:
            consumer.close()

    def _process(self, producer, consumer, messages) -> bool:
        """One transaction; False when the producer must be made anew. Whatever was not committed is read again."""
        try:
            producer.begin_transaction()
            progress: dict[int, int] = {}
            for message in messages:
                source = Partition(self.source, message.partition())
                entry = Entry(message.offset(), message.key(), message.value())
                producer.produce(self.target, transformed(source, entry), partition=message.partition())
                progress[message.partition()] = message.offset() + 1
            positions = [TopicPartition(self.source, *item) for item in progress.items()]
            self.retrying(lambda: producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), CALL_SECONDS))
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                return False
            outcome, can_go_on = self.end(producer, commit=False)
        else:
            outcome, can_go_on = self.end(producer, commit=True)
        if can_go_on and outcome is Outcome.ABORTED:
            self._rewind(consumer)
        return can_go_on

    def _rewind(self, consumer) -> None:
        """Back to what is committed, for the partitions that are still ours."""
        while True:
            try:
                assigned = consumer.assignment()
                for position in consumer.committed(assigned, timeout=CALL_SECONDS):
                    start = position.offset if position.offset >= 0 else confluent_kafka.OFFSET_BEGINNING
                    consumer.seek(TopicPartition(position.topic, position.partition, start))
                return
            except KafkaException as error:
                if error.args[0].code() == KafkaError._STATE:
                    return  # Revoked in between: the next owner starts from what is committed.
                self.check_patience(error)


class GroupMember(Worker):
    """An at-least-once consumer: processes, then commits."""

    def __init__(self, name, ledger, bootstrap, seed, *, topic: str, group: str):
        super().__init__(name, ledger, bootstrap, seed)
        self.topic, self.group = topic, group

    def work(self):
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": self.group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "isolation.level": "read_uncommitted", "partition.assignment.strategy": "cooperative-sticky", **SESSION, **RECONNECT})
        consumer.subscribe([self.topic])
        try:
            while not self.stop.is_set():
                messages = [each for each in consumer.consume(200, 0.2) if not each.error()]
                self.ledger.processed.extend((Partition(self.topic, each.partition()), each.offset()) for each in messages)
                if messages:
                    self._commit(consumer)
        finally:
            consumer.close()

    def _commit(self, consumer) -> None:
        try:
            consumer.commit(asynchronous=False)
        except KafkaException:
            pass  # Kills and rebalances: what is not committed is processed again.


class OffsetCommitter(Worker):
    """Commits ever higher offsets, outside of any membership, and reads them back."""

    GROUP = "offset-committer"

    def __init__(self, name, ledger, bootstrap, seed, *, partition: Partition):
        super().__init__(name, ledger, bootstrap, seed)
        self.partition = partition

    def work(self):
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.GROUP, "enable.auto.commit": False,
                                             **RECONNECT})
        where = (self.partition.topic, self.partition.number)
        offset = acknowledged = 0
        while not self.stop.is_set():
            offset += 1
            try:
                consumer.commit(offsets=[TopicPartition(*where, offset)], asynchronous=False)
                acknowledged = offset
                self.ledger.offset_committed(self.GROUP, self.partition, offset)
                if self.random.random() < 0.2:
                    found = consumer.committed([TopicPartition(*where)], timeout=CALL_SECONDS)[0].offset
                    self.ledger.offset_read(self.GROUP, self.partition, found, acknowledged)
            except KafkaException:
                pass  # Unknown outcome: the next is higher anyway.
            time.sleep(0.02)
        consumer.close()


class TopicChurner(Worker):
    """Creates and deletes topics; what was acknowledged last about a name must be true."""

    def __init__(self, name, ledger, bootstrap, seed, *, prefix: str):
        super().__init__(name, ledger, bootstrap, seed)
        self.prefix = prefix

    def work(self):
        admin = AdminClient({"bootstrap.servers": self.bootstrap, **RECONNECT})
        number = 0
        while not self.stop.is_set():
            name = f"{self.prefix}-{number}"
            number += 1
            create = lambda: admin.create_topics([NewTopic(name, 3, 1)], request_timeout=5)[name]
            delete = lambda: admin.delete_topics([name], request_timeout=5)[name]
            if self._settled(create, KafkaError.TOPIC_ALREADY_EXISTS):
                self.ledger.topics[name] = "created"
                if number % 3 and self._settled(delete, KafkaError.UNKNOWN_TOPIC_OR_PART):
                    self.ledger.topics[name] = "deleted"
            time.sleep(self.random.random() * 0.2)

    def _settled(self, ask: Callable, already: int) -> bool:
        """Asks until the broker says that it is done, or that it was: an earlier request whose answer was lost did it."""
        while not self.stop.is_set():
            try:
                ask().result(CALL_SECONDS)
                return True
            except KafkaException as error:
                if error.args[0].code() == already:
                    return True
        return False


class Reader(Worker):
    """Reads partitions from the beginning for as long as the run lasts, and remembers what it saw."""

    def __init__(self, name, ledger, bootstrap, seed, *, partitions: list[Partition], committed_only: bool):
        super().__init__(name, ledger, bootstrap, seed)
        self.log: Log = {partition: [] for partition in partitions}
        self.committed_only = committed_only
        self.goal: dict[Partition, int] = {}

    def work(self):
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": "reader", "enable.auto.commit": False, "auto.offset.reset": "error",
            "isolation.level": "read_committed" if self.committed_only else "read_uncommitted", **RECONNECT})
        consumer.assign([TopicPartition(partition.topic, partition.number, 0) for partition in self.log])
        deadline = float("inf")
        while not self.stop.is_set() or not self._has_arrived(consumer):
            if self.stop.is_set():
                deadline = min(deadline, time.monotonic() + PATIENCE_SECONDS)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"did not reach {self.goal}")
            for message in consumer.consume(500, 0.2):
                if not message.error():
                    self.log[Partition(message.topic(), message.partition())].append(
                        Entry(message.offset(), message.key(), message.value()))
                elif message.error().code() == KafkaError._AUTO_OFFSET_RESET:
                    raise KafkaException(message.error())
        consumer.close()

    def _has_arrived(self, consumer) -> bool:
        """At the end that was named when the run ended, whatever markers and aborted records lie before it."""
        positions = consumer.position([TopicPartition(partition.topic, partition.number) for partition in self.log])
        return all(max(position.offset, 0) >= self.goal.get(Partition(position.topic, position.partition), 0) for position in positions)
