"""What the tests of transactions share."""

from __future__ import annotations

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec

from .clients import ALL_CLIENTS
from .records import values


def send(producer, topic: str, *texts: str, partition: int = 0) -> None:
    """Sends and waits until the broker has them, so that the order between producers is the test's."""
    failures = []
    for text in texts:
        producer.produce(
            topic, text.encode(), partition=partition, on_delivery=lambda error, _: error and failures.append(error)
        )
    assert producer.flush(20) == 0 and not failures, failures


def committed_by_all(cluster, topic: str) -> list[bytes]:
    """What read_committed readers of all three clients see; they must agree."""
    seen = {
        client.name: values(client.consume(cluster.bootstrap, topic, committed_only=True)) for client in ALL_CLIENTS
    }
    assert len(set(map(tuple, seen.values()))) == 1, seen
    return seen["confluent"]


def end_offset(cluster, topic: str, isolation=IsolationLevel.READ_UNCOMMITTED) -> int:
    where = TopicPartition(topic, 0)
    return cluster.admin.list_offsets({where: OffsetSpec.latest()}, isolation_level=isolation)[where].result(20).offset
