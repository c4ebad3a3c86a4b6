"""The broker's own fault switches do what they say; the tests of other modules lean on them."""

from __future__ import annotations

import time

import confluent_kafka
import pytest

from harness.clients import CONFLUENT
from harness.records import Record, values
from harness.wire import Batch, Connection, fetch, produce

NOT_ENOUGH_REPLICAS = 19


def test_dropped_answers_are_retried_without_duplicates(start_broker):
    cluster = start_broker(faults=["produce:drop-response:every=7"])
    topic = cluster.create_topic()
    sent = [Record(value=str(number).encode()) for number in range(3000)]
    CONFLUENT.produce(
        cluster.bootstrap,
        topic,
        sent,
        settings={
            "enable.idempotence": True,
            "batch.num.messages": 50,
            "socket.timeout.ms": 500,
            "request.timeout.ms": 500,
            "retry.backoff.ms": 10,
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 50,
        },
    )
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == values(sent)


def test_a_dropped_request_has_no_effect(start_broker):
    cluster = start_broker(faults=["produce:drop-request:first=1"])
    topic = cluster.create_topic()
    with Connection(cluster.bootstrap, timeout=2) as connection, pytest.raises((TimeoutError, ConnectionResetError)):
        produce(connection, topic, Batch(records=[(None, b"lost")]))
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch(records=[(None, b"kept")])).base_offset == 0


def test_a_dropped_response_has_its_effect(start_broker):
    cluster = start_broker(faults=["produce:drop-response:first=1"])
    topic = cluster.create_topic()
    with Connection(cluster.bootstrap, timeout=2) as connection, pytest.raises((TimeoutError, ConnectionResetError)):
        produce(connection, topic, Batch())
    with Connection(cluster.bootstrap) as connection:
        assert fetch(connection, topic, 0).high_watermark == 1


def test_delays_hold_up_only_their_api(start_broker):
    cluster = start_broker(faults=["produce:delay=700:first=1"])
    topic = cluster.create_topic()
    with Connection(cluster.bootstrap) as connection:
        started = time.monotonic()
        assert produce(connection, topic, Batch()).error == 0
        assert time.monotonic() - started > 0.6
        started = time.monotonic()
        assert produce(connection, topic, Batch()).error == 0
        assert fetch(connection, topic, 0).error == 0
        assert time.monotonic() - started < 0.6


def test_error_codes_reach_the_client(start_broker):
    cluster = start_broker(faults=[f"produce:error={NOT_ENOUGH_REPLICAS}:every=2"])
    topic = cluster.create_topic()
    with Connection(cluster.bootstrap) as connection:
        errors = [produce(connection, topic, Batch()).error for _ in range(6)]
        assert sorted(errors) == [0] * 3 + [NOT_ENOUGH_REPLICAS] * 3
        assert fetch(connection, topic, 0).high_watermark == 3
    sent = [Record(value=str(number).encode()) for number in range(500)]
    CONFLUENT.produce(cluster.bootstrap, topic, sent, settings={"batch.num.messages": 20, "retry.backoff.ms": 10})
    # Without idempotence a retried batch may be overtaken.
    assert sorted(values(CONFLUENT.consume(cluster.bootstrap, topic, offset=3))) == sorted(values(sent))


def test_throttling_is_announced(start_broker):
    cluster = start_broker(faults=["produce:throttle=1500"])
    topic = cluster.create_topic()
    throttled = []
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "throttle_cb": lambda event: throttled.append(event)}
    )
    producer.produce(topic, b"x")
    assert producer.flush(20) == 0
    producer.poll(1)
    assert throttled and throttled[0].throttle_time == pytest.approx(1.5)


def test_an_unknown_switch_is_refused(start_broker):
    for fault in (
        "nonsense",
        "produce:explode",
        "no-such-api:delay=5",
        "produce:delay=soon",
        "produce:drop-request:every=0",
    ):
        with pytest.raises(Exception) as raised:
            start_broker(faults=[fault])
        assert fault.split(":")[0] in str(raised.value) and "before it was ready" in str(raised.value)
