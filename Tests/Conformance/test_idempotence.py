"""Idempotent producers: a retry after a lost answer writes nothing twice, in any order of faults, over restarts."""

from __future__ import annotations

import pytest

from harness.clients import CONFLUENT, KAFKA_PYTHON
from harness.records import Record, values
from harness.wire import Batch, Connection, fetch, init_producer, produce

OUT_OF_ORDER_SEQUENCE, INVALID_PRODUCER_EPOCH = 45, 47
IDEMPOTENT = {
    "confluent": {
        "enable.idempotence": True,
        "linger.ms": 1,
        "batch.num.messages": 50,
        "retry.backoff.ms": 10,
        "reconnect.backoff.ms": 10,
        "reconnect.backoff.max.ms": 50,
    },
    "kafka-python": {
        "batch_size": 2000,
        "retry_backoff_ms": 10,
        "reconnect_backoff_ms": 10,
        "reconnect_backoff_max_ms": 50,
    },
}


@pytest.mark.parametrize(
    "client, count", ((CONFLUENT, 20_000), (KAFKA_PYTHON, 3_000)), ids=("confluent", "kafka-python")
)
@pytest.mark.parametrize("action", ("reset-response", "reset-request"))
def test_forced_retries_neither_lose_nor_duplicate(cluster, topic, proxy, client, count, action):
    rule = proxy.add("Produce", action, probability=0.1)
    sent = [Record(value=str(number).encode()) for number in range(count)]
    client.produce(proxy.bootstrap, topic, sent, settings=IDEMPOTENT[client.name])
    assert rule.fired >= 5, "the proxy forced too few retries to show anything"
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == values(sent)


def test_plain_retries_may_duplicate_but_never_lose(cluster, topic, proxy):
    """The planted fault of the test above: without idempotence the same proxy does produce duplicates."""
    rule = proxy.add("Produce", "reset-response", probability=0.1)
    sent = [Record(value=str(number).encode()) for number in range(20_000)]
    CONFLUENT.produce(
        proxy.bootstrap,
        topic,
        sent,
        settings={**IDEMPOTENT["confluent"], "enable.idempotence": False, "max.in.flight.requests.per.connection": 5},
    )
    read = values(CONFLUENT.consume(cluster.bootstrap, topic))
    assert set(read) == set(values(sent))
    assert rule.fired >= 5 and len(read) > len(sent)


def test_slow_answers_do_not_duplicate(cluster, topic, proxy):
    proxy.add("Produce", "delay", probability=0.2, seconds=0.7)
    settings = {**IDEMPOTENT["confluent"], "socket.timeout.ms": 500, "request.timeout.ms": 500}
    sent = [Record(value=str(number).encode()) for number in range(2_000)]
    CONFLUENT.produce(proxy.bootstrap, topic, sent, settings=settings)
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == values(sent)


@pytest.fixture
def sender(connection, topic):
    """Sends numbered batches of three records for one producer id."""
    return Sender(connection, topic)


class Sender:
    def __init__(self, connection: Connection, topic: str):
        self.connection, self.topic = connection, topic
        identity = init_producer(connection)
        assert identity.error_code == 0
        self.producer_id, self.epoch = identity.producer_id, identity.producer_epoch

    def send(self, sequence: int, *, count: int = 3, epoch: int | None = None, producer_id: int | None = None):
        records = [(None, f"{sequence + delta}".encode()) for delta in range(count)]
        return produce(
            self.connection,
            self.topic,
            Batch(
                records=records,
                producer_id=self.producer_id if producer_id is None else producer_id,
                producer_epoch=self.epoch if epoch is None else epoch,
                base_sequence=sequence,
            ),
        )


def test_a_repeated_batch_gets_its_first_offset(connection, topic, sender):
    first = [sender.send(sequence) for sequence in range(0, 15, 3)]
    again = [sender.send(sequence) for sequence in range(0, 15, 3)]
    assert [answer.base_offset for answer in first] == [0, 3, 6, 9, 12]
    assert [(answer.error, answer.base_offset) for answer in again] == [(0, answer.base_offset) for answer in first]
    assert fetch(connection, topic, 0).high_watermark == 15


def test_a_gap_is_refused_and_changes_nothing(connection, topic, sender):
    assert sender.send(0).error == 0
    assert sender.send(6).error == OUT_OF_ORDER_SEQUENCE
    assert sender.send(3).error == 0
    assert fetch(connection, topic, 0).high_watermark == 6


def test_a_batch_older_than_the_window_is_refused(connection, topic, sender):
    for sequence in range(0, 18, 3):
        assert sender.send(sequence).error == 0
    # Five batches are remembered; the sixth back can only be answered as out of order (45) or as a duplicate (46).
    assert sender.send(0).error in (45, 46)
    assert fetch(connection, topic, 0).high_watermark == 18


def test_a_part_of_an_old_batch_is_not_a_duplicate(sender):
    assert sender.send(0).error == 0
    assert sender.send(3).error == 0
    assert sender.send(0, count=2).error in (45, 46)


def test_a_new_epoch_starts_at_zero_and_shuts_the_old_one_out(sender):
    assert sender.send(0).error == 0
    assert sender.send(3, epoch=sender.epoch + 1).error == OUT_OF_ORDER_SEQUENCE
    assert sender.send(0, epoch=sender.epoch + 1).error == 0
    assert sender.send(3).error == INVALID_PRODUCER_EPOCH


def test_sequences_wrap_after_the_largest_int32(connection, topic):
    """A producer that the broker has forgotten may start anywhere; the next sequence after 2^31-1 is 0."""
    sender = Sender(connection, topic)
    largest = 2**31 - 1
    answer = sender.send(largest - 2)
    if answer.error == OUT_OF_ORDER_SEQUENCE:
        pytest.skip("this broker wants an unknown producer to start at 0")
    assert sender.send(0).error == 0
    assert sender.send(largest - 2).base_offset == answer.base_offset
    assert sender.send(1).error == OUT_OF_ORDER_SEQUENCE


def test_producers_do_not_share_sequences(connection, topic):
    first, second = Sender(connection, topic), Sender(connection, topic)
    assert first.producer_id != second.producer_id
    assert [sender.send(0).error for sender in (first, second)] == [0, 0]
    assert fetch(connection, topic, 0).high_watermark == 6


def test_partitions_do_not_share_sequences(cluster, connection):
    topic = cluster.create_topic(partitions=2)
    identity = init_producer(connection)
    batch = Batch(producer_id=identity.producer_id, producer_epoch=identity.producer_epoch, base_sequence=0)
    assert [produce(connection, topic, batch, partition=partition).error for partition in (0, 1)] == [0, 0]


@pytest.mark.parametrize("end", ("kill", "stop"))
def test_sequences_survive_the_end_of_the_broker(start_broker, end):
    cluster = start_broker()
    topic = cluster.create_topic()
    with Connection(cluster.bootstrap) as connection:
        sender = Sender(connection, topic)
        first = [sender.send(sequence) for sequence in range(0, 15, 3)]
    getattr(cluster.broker, end)()
    cluster.broker.start()
    with Connection(cluster.bootstrap) as connection:
        sender.connection = connection
        again = [sender.send(sequence) for sequence in range(0, 15, 3)]
        assert [(answer.error, answer.base_offset) for answer in again] == [(0, answer.base_offset) for answer in first]
        assert sender.send(18).error == OUT_OF_ORDER_SEQUENCE
        assert sender.send(15).base_offset == 15
        fresh = init_producer(connection)
        assert fresh.producer_id != sender.producer_id
