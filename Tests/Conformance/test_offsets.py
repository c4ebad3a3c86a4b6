"""Positions: the ends of a partition, look-up by time, seek, deleted records, offsets out of range."""

from __future__ import annotations

import confluent_kafka
import kafka
import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec
from kafka.admin import OffsetSpec as KafkaPythonSpec

from harness.clients import ALL_CLIENTS, COMPRESSIONS, CONFLUENT, KAFKA_PYTHON, run_kcat
from harness.records import Record, text_records, values
from harness.wire import Connection, fetch

START = 1_357_000_000_000


@pytest.fixture
def timed_topic(cluster):
    """Ten records, ten seconds apart, in two batches."""

    def write(compression: str) -> str:
        topic = cluster.create_topic()
        for half in (range(5), range(5, 10)):
            records = [Record(value=str(n).encode(), timestamp=START + n * 10_000) for n in half]
            CONFLUENT.produce(cluster.bootstrap, topic, records, compression=compression)
        return topic

    return write


def list_offset(
    cluster, topic: str, spec: OffsetSpec, *, partition: int = 0, isolation=IsolationLevel.READ_UNCOMMITTED
):
    where = TopicPartition(topic, partition)
    return cluster.admin.list_offsets({where: spec}, isolation_level=isolation)[where].result(20)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_offsets_for_times(cluster, timed_topic, compression, finally_close):
    """The first offset whose timestamp is not earlier: between two records, inside a batch, before all, after all."""
    topic = timed_topic(compression)
    expected = {
        START - 1: 0,
        START: 0,
        START + 1: 1,
        START + 35_000: 4,
        START + 50_000: 5,
        START + 90_000: 9,
        START + 90_001: None,
    }
    consumer = finally_close(confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "unused"}))
    other = finally_close(kafka.KafkaConsumer(bootstrap_servers=cluster.bootstrap))
    for time, offset in expected.items():
        found = consumer.offsets_for_times([TopicPartition(topic, 0, time)], timeout=20)[0].offset
        assert found == (confluent_kafka.OFFSET_END if offset is None else offset), time
        found = other.offsets_for_times({kafka.TopicPartition(topic, 0): time})[kafka.TopicPartition(topic, 0)]
        assert (found and (found.offset, found.timestamp)) == (
            offset if offset is None else (offset, START + offset * 10_000)
        )


def test_kcat_starts_and_stops_at_times(cluster, timed_topic):
    topic = timed_topic("none")
    found = run_kcat(
        cluster.bootstrap,
        ["-C", "-t", topic, "-p", "0", "-o", f"s@{START + 20_000}", "-o", f"e@{START + 50_000}", "-e", "-f", "%s,"],
    )
    assert found == b"2,3,4,"
    assert run_kcat(cluster.bootstrap, ["-Q", "-t", f"{topic}:0:{START + 20_001}"]).decode().split() == [
        topic,
        "[0]",
        "offset",
        "3",
    ]


def test_times_out_of_order_find_the_first_offset_that_is_late_enough(cluster, topic):
    stamps = [START + 5, START + 1, START + 9, START + 3, START + 9]
    for stamp in stamps:
        CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"x", timestamp=stamp)])
    lookup = lambda time: list_offset(cluster, topic, OffsetSpec.for_timestamp(time)).offset
    assert [lookup(START + n) for n in (0, 2, 5, 6, 9)] == [0, 0, 0, 2, 2]
    assert lookup(START + 10) == -1
    newest = list_offset(cluster, topic, OffsetSpec.max_timestamp())
    assert (newest.offset, newest.timestamp) == (2, START + 9)


def test_ends_of_a_partition(cluster, topic):
    assert list_offset(cluster, topic, OffsetSpec.earliest()).offset == 0
    assert list_offset(cluster, topic, OffsetSpec.latest()).offset == 0
    assert list_offset(cluster, topic, OffsetSpec.max_timestamp()).offset == -1
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 7))
    assert list_offset(cluster, topic, OffsetSpec.earliest()).offset == 0
    assert list_offset(cluster, topic, OffsetSpec.latest()).offset == 7
    where = kafka.TopicPartition(topic, 0)
    admin = cluster.kafka_python_admin()
    try:
        for spec, offset in (
            (KafkaPythonSpec.EARLIEST, 0),
            (KafkaPythonSpec.LATEST, 7),
            (KafkaPythonSpec.MAX_TIMESTAMP, None),
        ):
            found = admin.list_partition_offsets({where: spec})[where].offset
            assert 0 <= found < 7 if offset is None else found == offset
    finally:
        admin.close()


def test_seek_forwards_and_backwards(cluster, topic, finally_close):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 1000))
    consumer = finally_close(confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "unused"}))
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert consumer.poll(20).offset() == 0
    for offset in (900, 3, 999, 500):
        consumer.seek(TopicPartition(topic, 0, offset))
        assert consumer.poll(20).offset() == offset


def test_deleted_records_are_gone_for_every_client(cluster, topic):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 100))
    deleted = cluster.admin.delete_records([TopicPartition(topic, 0, 40)])
    assert [future.result(20).low_watermark for future in deleted.values()] == [40]
    assert list_offset(cluster, topic, OffsetSpec.earliest()).offset == 40
    for client in ALL_CLIENTS:
        read = client.consume(cluster.bootstrap, topic, offset=40)
        assert [record.offset for record in read] == list(range(40, 100)), client.name
    with Connection(cluster.bootstrap) as connection:
        assert fetch(connection, topic, 39).error == 1
        assert fetch(connection, topic, 40).log_start_offset == 40


def test_deleting_to_the_end_and_beyond(cluster, topic):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 10))
    beyond = cluster.admin.delete_records([TopicPartition(topic, 0, 11)])
    with pytest.raises(KafkaException) as raised:
        next(iter(beyond.values())).result(20)
    assert raised.value.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE
    # -1 is the high watermark: everything goes, and the log continues at its offset.
    everything = cluster.admin.delete_records([TopicPartition(topic, 0, confluent_kafka.OFFSET_END)])
    assert next(iter(everything.values())).result(20).low_watermark == 10
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"next")])
    assert [record.offset for record in KAFKA_PYTHON.consume(cluster.bootstrap, topic, offset=10)] == [10]


def test_an_offset_out_of_range_follows_the_clients_policy(cluster, topic, finally_close):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 10))
    next(iter(cluster.admin.delete_records([TopicPartition(topic, 0, 4)]).values())).result(20)
    settings = {"bootstrap.servers": cluster.bootstrap, "group.id": "unused", "enable.partition.eof": True}
    for policy, start, expected in (("earliest", 2, 4), ("earliest", 50, 4)):
        consumer = finally_close(confluent_kafka.Consumer({**settings, "auto.offset.reset": policy}))
        consumer.assign([TopicPartition(topic, 0, start)])
        assert consumer.poll(20).offset() == expected
    consumer = finally_close(confluent_kafka.Consumer({**settings, "auto.offset.reset": "error"}))
    consumer.assign([TopicPartition(topic, 0, 50)])
    assert consumer.poll(20).error().code() == KafkaError._AUTO_OFFSET_RESET


def test_watermarks_by_every_client(cluster, topic, finally_close):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 10))
    next(iter(cluster.admin.delete_records([TopicPartition(topic, 0, 4)]).values())).result(20)
    consumer = finally_close(confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "unused"}))
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20) == (4, 10)
    other = finally_close(kafka.KafkaConsumer(bootstrap_servers=cluster.bootstrap))
    where = kafka.TopicPartition(topic, 0)
    assert (other.beginning_offsets([where])[where], other.end_offsets([where])[where]) == (4, 10)
    assert len(values(KAFKA_PYTHON.consume(cluster.bootstrap, topic, offset=4))) == 6
