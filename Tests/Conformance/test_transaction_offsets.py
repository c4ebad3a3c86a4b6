"""The input's offsets inside the transaction: consume, transform, produce, exactly once."""

from __future__ import annotations

import time

import confluent_kafka
import kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from harness.clients import CONFLUENT
from harness.cluster import unique_name
from harness.records import Record
from harness.transactions import committed_by_all
from harness.waiting import eventually


class Pipeline:
    """Reads `source`, writes upper case to `target`, offsets in the transaction."""

    def __init__(self, cluster, producer, source: str, target: str, group: str, **settings):
        self.producer, self.source, self.target = producer, source, target
        self.consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "session.timeout.ms": cluster.session_timeout_milliseconds,
                "heartbeat.interval.ms": cluster.session_timeout_milliseconds // 3,
                **settings,
            }
        )
        self.consumer.subscribe([source])

    def open_transaction(self, count: int) -> None:
        """Reads `count` records and writes them; the transaction with their offsets stays open."""
        messages = []
        deadline = time.monotonic() + 30
        while len(messages) < count:
            messages += self.consumer.consume(count - len(messages), 1.0)
            assert time.monotonic() < deadline, f"read {len(messages)} of {count}"
        self.producer.begin_transaction()
        for message in messages:
            self.producer.produce(self.target, message.value().upper(), partition=0)
        position = self.consumer.position(self.consumer.assignment())
        self.producer.send_offsets_to_transaction(position, self.consumer.consumer_group_metadata(), 20)

    def close(self) -> None:
        self.consumer.close()


@pytest.fixture
def pipeline(cluster, topic, group, transactional, finally_close):
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=f"r{number}".encode()) for number in range(20)])
    return finally_close(Pipeline(cluster, transactional(), topic, cluster.create_topic(), group))


def committed_offset(cluster, group: str, topic: str, *, stable: bool = True, within: float = 10) -> int:
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": group,
            "isolation.level": "read_committed" if stable else "read_uncommitted",
        }
    )
    try:
        return consumer.committed([TopicPartition(topic, 0)], timeout=within)[0].offset
    finally:
        consumer.close()


def test_offsets_move_with_the_commit_and_stay_with_the_abort(cluster, topic, group, pipeline):
    pipeline.open_transaction(10)
    pipeline.producer.commit_transaction(20)
    assert committed_offset(cluster, group, topic) == 10
    pipeline.open_transaction(5)
    pipeline.producer.abort_transaction(20)
    assert committed_offset(cluster, group, topic) == 10
    assert len(committed_by_all(cluster, pipeline.target)) == 10


def test_an_offset_in_an_open_transaction_makes_stable_readers_wait(cluster, topic, group, pipeline):
    pipeline.open_transaction(10)
    with pytest.raises(KafkaException) as raised:
        committed_offset(cluster, group, topic, within=1.5)
    assert raised.value.args[0].code() in (KafkaError._TIMED_OUT, KafkaError.UNSTABLE_OFFSET_COMMIT)
    assert committed_offset(cluster, group, topic, stable=False) == confluent_kafka.OFFSET_INVALID
    pipeline.producer.commit_transaction(20)
    assert committed_offset(cluster, group, topic) == 10


def test_a_member_that_lost_its_partitions_cannot_commit_their_offsets(cluster, topic, group, pipeline, finally_close):
    """KIP-447: the group's generation fences a zombie even though its transactional id is its own."""
    pipeline.open_transaction(5)
    pipeline.producer.commit_transaction(20)
    stale = pipeline.consumer.consumer_group_metadata()
    # A second member: the generation moves on.
    other = finally_close(
        confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": group,
                "session.timeout.ms": cluster.session_timeout_milliseconds,
                "heartbeat.interval.ms": cluster.session_timeout_milliseconds // 3,
            }
        )
    )
    other.subscribe([topic])

    def generation_moved():
        other.poll(0.05)
        pipeline.consumer.poll(0.05)
        group_id = lambda consumer: consumer.memberid()
        return (
            group_id(other)
            and len(other.assignment()) + len(pipeline.consumer.assignment()) == 1
            and joined(cluster, group) == 2
        )

    eventually(generation_moved, within=30, what="both members are in the group")
    pipeline.producer.begin_transaction()
    pipeline.producer.produce(pipeline.target, b"zombie", partition=0)
    with pytest.raises(KafkaException) as raised:
        pipeline.producer.send_offsets_to_transaction([TopicPartition(topic, 0, 7)], stale, 20)
    assert raised.value.args[0].txn_requires_abort()
    pipeline.producer.abort_transaction(20)
    assert committed_offset(cluster, group, topic) == 5
    assert len(committed_by_all(cluster, pipeline.target)) == 5


def joined(cluster, group: str) -> int:
    """The members of a stable group; 0 while it rebalances."""
    description = cluster.admin.describe_consumer_groups([group])[group].result(20)
    return len(description.members) if description.state == confluent_kafka.ConsumerGroupState.STABLE else 0


def test_a_kafka_python_pipeline(cluster, topic, group, finally_close):
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=f"r{number}".encode()) for number in range(20)])
    target = cluster.create_topic()
    producer = finally_close(
        kafka.KafkaProducer(bootstrap_servers=cluster.bootstrap, transactional_id=unique_name("transaction"))
    )
    producer.init_transactions()
    consumer = finally_close(
        kafka.KafkaConsumer(
            topic,
            bootstrap_servers=cluster.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=10,
        )
    )
    where = kafka.TopicPartition(topic, 0)
    for end, expected in ((producer.commit_transaction, 10), (producer.abort_transaction, 10)):
        batch = []
        eventually(lambda: batch.extend(consumer.poll(timeout_ms=500).get(where, ())) or len(batch) >= 10, within=30)
        producer.begin_transaction()
        for message in batch:
            producer.send(target, message.value.upper(), partition=0)
        offsets = {where: kafka.OffsetAndMetadata(batch[-1].offset + 1, "", -1)}
        producer.send_offsets_to_transaction(offsets, consumer.group_metadata())
        end()
        assert committed_offset(cluster, group, topic) == expected
    assert committed_by_all(cluster, target) == [f"R{number}".encode() for number in range(10)]


def test_metadata_of_an_offset_is_kept(cluster, topic, group, pipeline):
    pipeline.open_transaction(3)
    positions = [TopicPartition(topic, 0, 2, "epoch 7; digest 0a1b")]
    pipeline.producer.send_offsets_to_transaction(positions, pipeline.consumer.consumer_group_metadata(), 20)
    pipeline.producer.commit_transaction(20)
    found = pipeline.consumer.committed([TopicPartition(topic, 0)], timeout=20)[0]
    assert (found.offset, found.metadata) == (2, "epoch 7; digest 0a1b")
