"""Transactions as clients see them: all or nothing, fenced, timed out, with the input's offsets inside."""

from __future__ import annotations

import time

import confluent_kafka
import kafka
import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition

from harness.clients import (
    ALL_CLIENTS,
    COMPRESSIONS,
    CONFLUENT,
    KAFKA_PYTHON,
    run_kcat,
)
from harness.cluster import unique_name
from harness.records import Record, values
from harness.transactions import committed_by_all, end_offset, send
from harness.waiting import eventually


def test_committed_records_show_and_aborted_ones_do_not(cluster, topic, transactional):
    producer = transactional()
    for number, end in enumerate((producer.commit_transaction, producer.abort_transaction) * 3):
        producer.begin_transaction()
        send(producer, topic, f"{number}a", f"{number}b")
        end(20)
    assert committed_by_all(cluster, topic) == [b"0a", b"0b", b"2a", b"2b", b"4a", b"4b"]
    for client in ALL_CLIENTS:
        assert len(client.consume(cluster.bootstrap, topic)) == 12, client.name


def test_every_marker_takes_one_offset(cluster, topic, transactional):
    producer = transactional()
    producer.begin_transaction()
    send(producer, topic, *map(str, range(10)))
    producer.commit_transaction(20)
    assert end_offset(cluster, topic) == 11
    producer.begin_transaction()
    send(producer, topic, "aborted")
    producer.abort_transaction(20)
    assert end_offset(cluster, topic) == 13
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"plain")])
    read = CONFLUENT.consume(cluster.bootstrap, topic, committed_only=True)
    assert [record.offset for record in read] == [*range(10), 13]


def test_an_open_transaction_holds_back_all_that_follows(cluster, topic, transactional):
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"before")])
    producer = transactional()
    producer.begin_transaction()
    send(producer, topic, "open")
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"after")])
    assert committed_by_all(cluster, topic) == [b"before"]
    assert end_offset(cluster, topic) == 3
    assert end_offset(cluster, topic, IsolationLevel.READ_COMMITTED) == 1
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == [b"before", b"open", b"after"]
    producer.commit_transaction(20)
    assert committed_by_all(cluster, topic) == [b"before", b"open", b"after"]
    assert end_offset(cluster, topic, IsolationLevel.READ_COMMITTED) == 4


def test_a_waiting_reader_is_woken_by_the_commit(cluster, topic, transactional, finally_close):
    producer = transactional()
    producer.begin_transaction()
    send(producer, topic, "x")
    consumer = finally_close(
        confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "unused",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20_000,
                "socket.timeout.ms": 60_000,
            }
        )
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert consumer.poll(1.0) is None
    producer.commit_transaction(20)
    started = time.monotonic()
    assert consumer.poll(15).value() == b"x"
    assert time.monotonic() - started < 5, "the reader waited for its fetch to time out"


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_interleaved_transactions(cluster, topic, transactional, compression):
    """Four producers in turns, two of them abort: exactly the others' records, in the order of the log."""
    producers = [transactional(compression_type=compression) for _ in range(4)]
    expected = []
    for round_number in range(5):
        for producer in producers:
            producer.begin_transaction()
        for step in range(3):
            for number, producer in enumerate(producers):
                text = f"{round_number}.{step}.{number} " + "padding " * 20
                send(producer, topic, text)
                if number % 2 == 0:
                    expected.append(text.encode())
        for number, producer in enumerate(producers):
            producer.commit_transaction(20) if number % 2 == 0 else producer.abort_transaction(20)
    assert committed_by_all(cluster, topic) == expected


def test_long_runs_of_aborted_records_are_passed(cluster, topic, transactional):
    producer = transactional()
    for _ in range(3):
        producer.begin_transaction()
        for number in range(3000):
            producer.produce(topic, b"x" * 200, partition=0)
        producer.flush(20)
        producer.abort_transaction(20)
    producer.begin_transaction()
    send(producer, topic, "kept")
    producer.commit_transaction(20)
    assert committed_by_all(cluster, topic) == [b"kept"]


def test_reading_from_the_middle_of_an_aborted_transaction(cluster, topic, transactional):
    """Also from its marker's offset, at which no record is."""
    producer = transactional()
    producer.begin_transaction()
    send(producer, topic, "a", "b", "c")
    producer.abort_transaction(20)
    producer.begin_transaction()
    send(producer, topic, "kept")
    producer.commit_transaction(20)
    for start in range(5):
        for client in ALL_CLIENTS:
            assert values(client.consume(cluster.bootstrap, topic, offset=start, committed_only=True)) == [b"kept"], (
                start,
                client.name,
            )


def test_a_transaction_over_many_partitions_is_one(cluster, transactional):
    topics = [cluster.create_topic(partitions=3) for _ in range(2)]
    producer = transactional()
    for end in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        for topic in topics:
            for partition in range(3):
                producer.produce(topic, b"x", partition=partition)
        end(20)
    for topic in topics:
        for partition in range(3):
            assert values(CONFLUENT.consume(cluster.bootstrap, topic, partition=partition, committed_only=True)) == [
                b"x"
            ]


def test_an_empty_transaction_ends(cluster, topic, transactional):
    producer = transactional()
    for end in (producer.commit_transaction, producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        end(20)
    assert end_offset(cluster, topic) == 0


def test_a_zombie_is_fenced(cluster, topic, transactional):
    name = unique_name("transaction")
    zombie = transactional(name)
    zombie.begin_transaction()
    send(zombie, topic, "zombie")
    heir = transactional(name)
    heir.begin_transaction()
    send(heir, topic, "heir")
    heir.commit_transaction(20)
    with pytest.raises(KafkaException) as raised:
        zombie.produce(topic, b"late", partition=0)
        zombie.commit_transaction(20)
    error = raised.value.args[0]
    assert error.fatal() and error.code() in (
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
    )
    assert committed_by_all(cluster, topic) == [b"heir"]
    assert end_offset(cluster, topic) == end_offset(cluster, topic, IsolationLevel.READ_COMMITTED)


def test_a_kafka_python_zombie_is_fenced(cluster, topic, transactional, finally_close):
    name = unique_name("transaction")
    zombie = finally_close(kafka.KafkaProducer(bootstrap_servers=cluster.bootstrap, transactional_id=name))
    zombie.init_transactions()
    zombie.begin_transaction()
    zombie.send(topic, b"zombie", partition=0).get(20)
    heir = transactional(name)
    heir.begin_transaction()
    send(heir, topic, "heir")
    heir.commit_transaction(20)
    with pytest.raises(kafka.errors.KafkaError):
        zombie.send(topic, b"late", partition=0).get(20)
        zombie.commit_transaction()
    assert committed_by_all(cluster, topic) == [b"heir"]


def test_a_silent_transaction_is_aborted_after_its_timeout(cluster, topic, transactional):
    producer = transactional(transaction_timeout_ms=2000, message_timeout_ms=2000)
    producer.begin_transaction()
    send(producer, topic, "forgotten")
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"after")])
    started = time.monotonic()
    # Apache Kafka looks every 10 s by default.
    eventually(
        lambda: end_offset(cluster, topic, IsolationLevel.READ_COMMITTED) == 3,
        within=5 if cluster.broker else 20,
        what="the last stable offset passes the forgotten transaction",
    )
    assert time.monotonic() - started > 1, "aborted before its time"
    assert committed_by_all(cluster, topic) == [b"after"]
    with pytest.raises(KafkaException):
        producer.commit_transaction(20)
    assert committed_by_all(cluster, topic) == [b"after"]


def test_the_same_id_works_again_after_a_timeout(cluster, topic, transactional):
    name = unique_name("transaction")
    producer = transactional(name, transaction_timeout_ms=1000, message_timeout_ms=1000)
    producer.begin_transaction()
    send(producer, topic, "forgotten")
    eventually(lambda: end_offset(cluster, topic, IsolationLevel.READ_COMMITTED) == 2, within=20)
    heir = transactional(name)
    heir.begin_transaction()
    send(heir, topic, "kept")
    heir.commit_transaction(20)
    assert committed_by_all(cluster, topic) == [b"kept"]


def test_kcat_writes_a_transaction(cluster, topic):
    settings = {"transactional.id": unique_name("transaction")}
    run_kcat(cluster.bootstrap, ["-P", "-t", topic, "-p", "0"], settings, standard_input=b"a\nb\nc\n")
    assert committed_by_all(cluster, topic) == [b"a", b"b", b"c"]
    assert end_offset(cluster, topic) == 4


def test_kafka_python_transactions(cluster, topic, finally_close):
    producer = finally_close(
        kafka.KafkaProducer(bootstrap_servers=cluster.bootstrap, transactional_id=unique_name("transaction"))
    )
    producer.init_transactions()
    for number, end in enumerate((producer.commit_transaction, producer.abort_transaction) * 2):
        producer.begin_transaction()
        producer.send(topic, str(number).encode(), partition=0).get(20)
        end()
    assert committed_by_all(cluster, topic) == [b"0", b"2"]


@pytest.mark.parametrize("api", ("EndTxn", "AddPartitionsToTxn", "Produce", "InitProducerId"))
def test_a_lost_answer_leaves_the_transaction_whole(cluster, topic, proxy, transactional, api):
    """The first answer of each call is lost after the broker acted; the client's retry must be taken for what it
    is.
    """
    rule = proxy.add(api, "reset-response", times=1)
    producer = transactional(bootstrap=proxy.bootstrap, retry_backoff_ms=10)
    for number in range(3):
        producer.begin_transaction()
        send(producer, topic, str(number))
        producer.commit_transaction(20)
    assert rule.fired == 1
    assert committed_by_all(cluster, topic) == [b"0", b"1", b"2"]
    assert end_offset(cluster, topic) == 6, "a retry wrote a second marker"


@pytest.mark.parametrize("end", ("kill", "stop"))
def test_an_open_transaction_survives_the_end_of_the_broker(start_broker, transactional, end):
    cluster = start_broker()
    topic = cluster.create_topic()
    producer = transactional(bootstrap=cluster.bootstrap)
    aborted = transactional(bootstrap=cluster.bootstrap)
    for each in (producer, aborted):
        each.begin_transaction()
    send(producer, topic, "before")
    send(aborted, topic, "never")
    getattr(cluster.broker, end)()
    cluster.broker.start()
    assert committed_by_all(cluster, topic) == []
    send(producer, topic, "after")
    producer.commit_transaction(20)
    aborted.abort_transaction(20)
    assert committed_by_all(cluster, topic) == [b"before", b"after"]


def test_a_finished_transaction_stays_finished(start_broker, transactional):
    cluster = start_broker()
    topic = cluster.create_topic()
    producer = transactional(bootstrap=cluster.bootstrap)
    for number, end in enumerate((producer.commit_transaction, producer.abort_transaction) * 3):
        producer.begin_transaction()
        send(producer, topic, str(number))
        end(20)
    cluster.broker.kill()
    cluster.broker.start()
    assert committed_by_all(cluster, topic) == [b"0", b"2", b"4"]
    assert end_offset(cluster, topic, IsolationLevel.READ_COMMITTED) == 12
    producer.begin_transaction()
    send(producer, topic, "6")
    producer.commit_transaction(20)
    assert committed_by_all(cluster, topic) == [b"0", b"2", b"4", b"6"]


def test_a_forgotten_transaction_times_out_after_a_restart(start_broker, transactional):
    cluster = start_broker()
    topic = cluster.create_topic()
    producer = transactional(bootstrap=cluster.bootstrap, transaction_timeout_ms=1500, message_timeout_ms=1500)
    producer.begin_transaction()
    send(producer, topic, "forgotten")
    cluster.broker.kill()
    cluster.broker.start()
    eventually(lambda: end_offset(cluster, topic, IsolationLevel.READ_COMMITTED) == 2, within=10)
    assert committed_by_all(cluster, topic) == []
    assert values(KAFKA_PYTHON.consume(cluster.bootstrap, topic)) == [b"forgotten"]
