"""What a record carries comes back as it was sent: keys, headers, nulls, timestamps, sizes."""

from __future__ import annotations

import time

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from harness.clients import (
    ALL_CLIENTS,
    CONFLUENT,
    KAFKA_PYTHON,
    KCAT,
    name_of,
    run_kcat,
)
from harness.records import Record, contents, text_records, values
from harness.wire import Batch, Connection, fetch, produce

LIBRARIES = (CONFLUENT, KAFKA_PYTHON)


@pytest.mark.parametrize("consumer", ALL_CLIENTS, ids=name_of)
@pytest.mark.parametrize("producer", LIBRARIES, ids=name_of)
def test_headers_keep_order_duplicates_nulls_and_empties(cluster, topic, producer, consumer):
    # kafka-python cannot send a null header.
    nothing = None if producer is CONFLUENT else b"null"
    headers = (("a", b"1"), ("b", nothing), ("a", b"2"), ("empty", b""), ("", b"unnamed"), ("ü", "ö".encode()))
    producer.produce(cluster.bootstrap, topic, [Record(value=b"with", headers=headers), Record(value=b"without")])
    assert [record.headers for record in consumer.consume(cluster.bootstrap, topic)] == [headers, ()]


def test_kcat_headers_reach_the_libraries(cluster, topic):
    sent = [Record(value=b"one", headers=(("k", b"v"), ("k", b"w"))), Record(value=b"two", key=b"key")]
    KCAT.produce(cluster.bootstrap, topic, sent)
    for consumer in LIBRARIES:
        assert contents(consumer.consume(cluster.bootstrap, topic)) == sent


def test_a_thousand_headers(cluster, topic):
    sent = [Record(value=b"", headers=tuple((f"header-{n}", str(n).encode()) for n in range(1000)))]
    CONFLUENT.produce(cluster.bootstrap, topic, sent)
    assert contents(KAFKA_PYTHON.consume(cluster.bootstrap, topic)) == sent


@pytest.mark.parametrize("consumer", LIBRARIES, ids=name_of)
@pytest.mark.parametrize("producer", LIBRARIES, ids=name_of)
def test_null_and_empty_are_different_in_keys_and_values(cluster, topic, producer, consumer):
    sent = [
        Record(value=value, key=key)
        for key in (None, b"", b"k")
        for value in (None, b"", b"v")
        if producer is CONFLUENT or (key, value) != (None, None)
    ]
    producer.produce(cluster.bootstrap, topic, sent)
    assert contents(consumer.consume(cluster.bootstrap, topic)) == sent


def test_kcat_reads_and_writes_tombstones(cluster, topic):
    run_kcat(cluster.bootstrap, ["-P", "-t", topic, "-p", "0", "-Z", "-K", ":"], standard_input=b"gone:\n")
    for consumer in ALL_CLIENTS:
        assert contents(consumer.consume(cluster.bootstrap, topic)) == [Record(value=None, key=b"gone")]


@pytest.mark.parametrize("consumer", LIBRARIES, ids=name_of)
@pytest.mark.parametrize("producer", LIBRARIES, ids=name_of)
def test_binary_content_survives(cluster, topic, producer, consumer):
    every_byte = bytes(range(256))
    sent = [Record(value=every_byte * n, key=every_byte[:n], headers=(("h", every_byte),)) for n in range(1, 50)]
    producer.produce(cluster.bootstrap, topic, sent, compression="lz4")
    assert contents(consumer.consume(cluster.bootstrap, topic)) == sent


@pytest.mark.parametrize("consumer", ALL_CLIENTS, ids=name_of)
@pytest.mark.parametrize("producer", LIBRARIES, ids=name_of)
def test_create_time_is_kept_in_any_order(cluster, topic, producer, consumer):
    stamps = [1_357_035_420_000, 1, 1_700_000_000_000, 1_357_035_420_001, 1_600_000_000_000]
    producer.produce(cluster.bootstrap, topic, [Record(value=b"x", timestamp=stamp) for stamp in stamps])
    assert [record.timestamp for record in consumer.consume(cluster.bootstrap, topic)] == stamps


@pytest.mark.parametrize("compression", ("none", "zstd"))
def test_append_time_replaces_the_senders_time(cluster, compression):
    topic = cluster.create_topic(message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"x", timestamp=1)] * 3, compression=compression)
    after = int(time.time() * 1000)
    for consumer in ALL_CLIENTS:
        stamps = [record.timestamp for record in consumer.consume(cluster.bootstrap, topic)]
        assert all(before <= stamp <= after for stamp in stamps) and len(stamps) == 3, consumer.name
    with Connection(cluster.bootstrap) as connection:
        batch = fetch(connection, topic, 0).batches[0]
        assert batch.timestamp_type == 1 and batch.validate_crc()
        answer = produce(connection, topic, Batch(timestamp=5))
        assert answer.error == 0 and answer.log_append_time >= before


def test_append_time_type_reaches_the_consumer(cluster):
    topic = cluster.create_topic(message_timestamp_type="LogAppendTime")
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"x")])
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "unused"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        message = consumer.poll(20)
        assert message.timestamp()[0] == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
    finally:
        consumer.close()


@pytest.mark.parametrize("compression", ("none", "gzip"))
@pytest.mark.parametrize("producer", LIBRARIES, ids=name_of)
def test_a_message_of_900_kilobytes(cluster, topic, producer, compression):
    sent = [Record(value=bytes(index % 251 for index in range(900_000)), key=b"large"), Record(value=b"small")]
    producer.produce(cluster.bootstrap, topic, sent, compression=compression)
    for consumer in LIBRARIES:
        assert contents(consumer.consume(cluster.bootstrap, topic)) == sent


def test_a_message_larger_than_every_fetch_limit_is_still_delivered(cluster, topic):
    sent = [Record(value=b"x" * 500_000), Record(value=b"y")]
    CONFLUENT.produce(cluster.bootstrap, topic, sent)
    small = {"max_partition_fetch_bytes": 1000, "fetch_max_bytes": 1000}
    assert values(KAFKA_PYTHON.consume(cluster.bootstrap, topic, settings=small)) == values(sent)
    small = {"fetch.message.max.bytes": 1000, "fetch.max.bytes": 1000, "message.max.bytes": 1000}
    assert values(CONFLUENT.consume(cluster.bootstrap, topic, settings=small)) == values(sent)


def test_a_hundred_thousand_messages_in_order(cluster, topic):
    sent = [Record(value=str(number).encode()) for number in range(100_000)]
    CONFLUENT.produce(cluster.bootstrap, topic, sent, compression="lz4")
    for consumer in ALL_CLIENTS:
        assert values(consumer.consume(cluster.bootstrap, topic)) == values(sent), consumer.name


def test_partitions_are_independent(cluster):
    topic = cluster.create_topic(partitions=4)
    sent = [Record(value=f"{number}".encode(), partition=number % 4) for number in range(200)]
    KAFKA_PYTHON.produce(cluster.bootstrap, topic, sent)
    for partition in range(4):
        read = CONFLUENT.consume(cluster.bootstrap, topic, partition=partition)
        assert values(read) == [record.value for record in sent if record.partition == partition]
        assert [record.offset for record in read] == list(range(50))


@pytest.mark.parametrize("acks", ("0", "1", "all"))
@pytest.mark.parametrize("producer", ALL_CLIENTS, ids=name_of)
def test_acknowledgement_levels(cluster, topic, producer, acks):
    sent = text_records(3, 100)
    producer.produce(cluster.bootstrap, topic, sent, acks=acks)
    assert contents(CONFLUENT.consume(cluster.bootstrap, topic)) == sent


def test_invalid_acks_is_refused(cluster, topic):
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch(), acks=2).error == 21
        assert produce(connection, topic, Batch(), acks=-1).base_offset == 0


@pytest.mark.parametrize("producer", LIBRARIES, ids=name_of)
def test_a_message_over_the_topics_limit_fails_alone(cluster, producer):
    topic = cluster.create_topic(max_message_bytes=10_000)
    with pytest.raises(Exception) as raised:
        producer.produce(cluster.bootstrap, topic, [Record(value=b"x" * 20_000)])
    assert (
        "MSG_SIZE_TOO_LARGE" in str(raised.value) or "MessageSizeTooLarge" in f"{raised.type.__name__} {raised.value}"
    )
    producer.produce(cluster.bootstrap, topic, [Record(value=b"fits")])
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == [b"fits"]


def test_unknown_topic_is_an_error_for_producer_and_consumer(cluster, group, finally_close):
    with pytest.raises(KafkaException) as raised:
        CONFLUENT.produce(
            cluster.bootstrap, "no-such-topic", [Record(value=b"x")], settings={"message.timeout.ms": 3000}
        )
    assert raised.value.args[0].code() in (
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._MSG_TIMED_OUT,
    )
    consumer = finally_close(confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group}))
    consumer.subscribe(["no-such-topic"])
    assert consumer.poll(20).error().code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, "no-such-topic", Batch()).error == 3


def test_unknown_partition_is_an_error(cluster, topic):
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch(), partition=1).error == 3
        assert produce(connection, topic, Batch(), partition=-1).error == 3
        assert fetch(connection, topic, 0, partition=1).error == 3


def test_an_empty_topic_ends_at_once(cluster, topic):
    for consumer in ALL_CLIENTS:
        assert consumer.consume(cluster.bootstrap, topic) == []


def test_a_consumer_from_the_end_sees_only_what_comes_later(cluster, topic, finally_close):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 10))
    consumer = finally_close(
        confluent_kafka.Consumer(
            {"bootstrap.servers": cluster.bootstrap, "group.id": "unused", "enable.partition.eof": True}
        )
    )
    consumer.assign([TopicPartition(topic, 0, confluent_kafka.OFFSET_END)])
    assert consumer.poll(20).error().code() == KafkaError._PARTITION_EOF
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"later")])
    assert consumer.poll(20).value() == b"later"


def test_kcat_tail(cluster, topic):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 10))
    assert run_kcat(cluster.bootstrap, ["-C", "-t", topic, "-p", "0", "-o", "-3", "-e", "-f", "%o,"]) == b"7,8,9,"
