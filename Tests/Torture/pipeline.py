"""Consume, transform, produce: exactly once, with the consumed offsets in the producer's transaction."""
from __future__ import annotations

import time
from typing import Callable

import confluent_kafka
from confluent_kafka import KafkaException, TopicPartition

import topics
from transactions import close_at_once, note_unexcused, transactional_producer
from workload import CALL_TIMEOUT_SECONDS, FINISH_TIMEOUT_SECONDS, TRANSACTION_TIMEOUT_MILLISECONDS, Workload

GROUP = "pipeline"
BATCH_RECORDS = 40


def transformed(value: bytes) -> bytes:
    return b"seen " + value


class Pipeline(Workload):
    """One member of the group; each has a transactional id of its own.

    It trusts nothing but the committed offset: after every doubt it goes back to it.
    """

    def __init__(self, name, context, source: Workload, ends: Callable[[], dict[int, int]]):
        super().__init__(name, context)
        # The pipeline ends when its source has ended and the committed offsets are those of `ends`.
        self._source = source
        self._ends = ends
        self._producer: confluent_kafka.Producer | None = None
        # The next offset of each partition that this member owns and whose committed offset it has read.
        self._next: dict[int, int] = {}
        self.recoveries = 0

    def work(self) -> None:
        consumer = self.consumer(GROUP, is_committed_only=True)
        forget = lambda _, partitions: [self._next.pop(item.partition, None) for item in partitions]
        consumer.subscribe([topics.PIPELINE_IN.name], on_assign=forget, on_revoke=forget, on_lost=forget)
        deadline = None
        while True:
            if deadline is None and self.is_finishing and not self._source.is_alive():
                deadline = time.monotonic() + FINISH_TIMEOUT_SECONDS
            if deadline is not None and self._is_done(consumer):
                break
            if deadline is not None and time.monotonic() > deadline:
                self.ledger.client_error(f"{self.name}: stuck at {self._next}, the input ends at {self._ends()}")
                break
            batch = [message for message in consumer.consume(BATCH_RECORDS, 0.05) if message.error() is None]
            if self._producer is None:
                self._next.clear()
                self._producer = transactional_producer(self, self.name)
            elif batch and not (self._owns(consumer, batch) and self._process(consumer, self._producer, batch)):
                close_at_once(self._producer)
                self._producer = None
                self.recoveries += 1
        consumer.close()

    def _is_done(self, consumer: confluent_kafka.Consumer) -> bool:
        """Whether the group, this member or another, has committed all of the input."""
        ends = self._ends()
        try:
            found = consumer.committed([TopicPartition(topics.PIPELINE_IN.name, partition) for partition in ends], 2.0)
        except KafkaException:
            return False
        return all(place.error is None and place.offset >= ends[place.partition] for place in found)

    def _owns(self, consumer: confluent_kafka.Consumer, batch: list) -> bool:
        """Whether the batch continues what was committed. Drops from it what does not, and goes back in the input."""
        strays = set()
        expected = dict(self._next)
        for message in batch:
            partition = message.partition()
            if expected.get(partition) == message.offset():
                expected[partition] += 1
            else:
                strays.add(partition)
        for partition in strays:
            self._go_back(consumer, partition)
        batch[:] = [message for message in batch if message.partition() not in strays]
        return True

    def _go_back(self, consumer: confluent_kafka.Consumer, partition: int) -> None:
        self._next.pop(partition, None)
        place = TopicPartition(topics.PIPELINE_IN.name, partition)
        known = self.ledger.commits_known(GROUP)
        try:
            [found] = consumer.committed([place], CALL_TIMEOUT_SECONDS)
            if found.error is not None:
                return
            offset = max(found.offset, 0)
            self.ledger.commit(GROUP, (place.topic, partition), offset, is_read_back=True, known_at_begin=known)
            place.offset = offset
            consumer.seek(place)
            self._next[partition] = offset
        except KafkaException:
            pass  # Not assigned any more, or the broker is dead: the next batch leads here again.

    def _process(self, consumer, producer: confluent_kafka.Producer, batch: list) -> bool:
        """One transaction; false when the producer is of no use any more."""
        if not batch:
            return True
        ends = {message.partition(): message.offset() + 1 for message in batch}
        positions = [TopicPartition(topics.PIPELINE_IN.name, partition, end) for partition, end in ends.items()]
        known = self.ledger.commits_known(GROUP)
        try:
            with self.open_transaction():
                producer.begin_transaction()
                for message in batch:
                    producer.produce(
                        topics.PIPELINE_OUT.name, transformed(message.value()), partition=message.partition())
                producer.poll(self.random.uniform(0, 0.01))
                producer.send_offsets_to_transaction(
                    positions, consumer.consumer_group_metadata(), CALL_TIMEOUT_SECONDS)
                producer.commit_transaction(self.random.choice([0.05, 0.3, TRANSACTION_TIMEOUT_MILLISECONDS / 1000]))
        except (KafkaException, BufferError) as error:
            note_unexcused(self, error, f"input up to {ends}")
            return False
        for partition, end in ends.items():
            self.ledger.commit(
                GROUP, (topics.PIPELINE_IN.name, partition), end, is_read_back=False, known_at_begin=known)
            self._next[partition] = end
        return True
