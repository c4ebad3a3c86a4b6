"""Connections that are slow, silent, gone or too many: nobody else notices, and nothing stays open or in memory."""

from __future__ import annotations

import socket
import struct
import time

import pytest
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from harness.clients import CONFLUENT, KAFKA_PYTHON
from harness.records import Record, values
from harness.waiting import eventually
from harness.watch import MEMORY_LIMIT_BYTES, PeakMemory
from harness.wire import Batch, Connection, frame, produce

pytestmark = pytest.mark.usefixtures("unharmed")


def test_slow_senders_do_not_hold_up_others(cluster):
    """A byte now and then on 50 connections; the bystander of this file measures the others."""
    connections = [Connection(cluster.bootstrap) for _ in range(50)]
    data = frame(MetadataRequest.API_KEY, 1, struct.pack(">i", 0))
    for byte in data:
        for connection in connections:
            connection.send_bytes(bytes([byte]))
        time.sleep(0.01)
    for connection in connections:
        assert connection.receive_frame() is not None
        connection.close()


def test_a_reader_that_never_reads_holds_bounded_memory(cluster):
    """It asks for a mebibyte two hundred times and takes nothing: the broker must stop answering, not collect
    answers.
    """
    topic = cluster.create_topic()
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"x" * 100_000)] * 12)
    peak = PeakMemory(cluster.broker)
    request = FetchRequest(
        version=11,
        replica_id=-1,
        max_wait_ms=0,
        min_bytes=1,
        max_bytes=1 << 20,
        isolation_level=0,
        session_id=0,
        session_epoch=-1,
        rack_id="",
        forgotten_topics_data=[],
        topics=[
            FetchRequest.FetchTopic(
                topic=topic,
                partitions=[
                    FetchRequest.FetchTopic.FetchPartition(
                        partition=0,
                        current_leader_epoch=-1,
                        fetch_offset=0,
                        log_start_offset=-1,
                        partition_max_bytes=1 << 20,
                    )
                ],
            )
        ],
    )
    with Connection(cluster.bootstrap) as connection:
        connection.socket.settimeout(1)
        try:
            for _ in range(200):
                connection.send(request)
        except TimeoutError:
            pass
        time.sleep(1)
        peak.finish()


def test_connections_that_vanish(cluster):
    """Reset in the middle of frames, after requests, before answers: nothing stays open."""
    before = cluster.broker.open_files() if cluster.broker else 0
    data = frame(MetadataRequest.API_KEY, 1, struct.pack(">i", 0))
    for number in range(300):
        connection = Connection(cluster.bootstrap)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.send_bytes((data * 3)[: number % (3 * len(data))])
        connection.close()
    if cluster.broker:
        eventually(lambda: cluster.broker.open_files() <= before + 5, what="the sockets are closed")


def test_half_open_connections_are_answered(cluster):
    """A client that has closed its sending side still gets what it asked for."""
    with Connection(cluster.bootstrap) as connection:
        connection.send_bytes(frame(MetadataRequest.API_KEY, 1, struct.pack(">i", 0)))
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.receive_frame()
        assert answer is None or struct.unpack_from(">i", answer) == (1,)


def test_connections_up_to_the_limit_and_beyond(start_broker):
    cluster = start_broker({"max.connections": 500})
    topic = cluster.create_topic()
    worker = Connection(cluster.bootstrap)
    assert produce(worker, topic, Batch()).error == 0
    before = cluster.broker.resident_bytes()
    idle = []
    for _ in range(700):
        try:
            idle.append(Connection(cluster.bootstrap, timeout=5))
        except OSError:
            break
    assert produce(worker, topic, Batch()).error == 0, "those inside keep working"
    eventually(lambda: cluster.broker.open_files() < 600, what="no more than the limit is open")
    assert cluster.broker.resident_bytes() - before < MEMORY_LIMIT_BYTES
    for connection in idle:
        connection.close()

    def served() -> bool:
        with Connection(cluster.bootstrap, timeout=5) as connection:
            try:
                return connection.call(ApiVersionsRequest(version=0)).error_code == 0
            except OSError:
                return False

    eventually(served, what="a new client is served when there is room")
    assert values(KAFKA_PYTHON.consume(cluster.bootstrap, topic)) == [b"value", b"value"]
    worker.close()


def test_thousands_of_connections(start_broker):
    """Two thousand idle ones cost little memory and no one's service."""
    cluster = start_broker({"max.connections": 3000, "max.connections.per.ip": 3000})
    topic = cluster.create_topic()
    before = cluster.broker.resident_bytes()
    idle = [Connection(cluster.bootstrap) for _ in range(2000)]
    with Connection(cluster.bootstrap) as worker:
        assert produce(worker, topic, Batch()).error == 0
    for connection in idle[::100]:
        assert connection.call(ApiVersionsRequest(version=0)).error_code == 0
    assert cluster.broker.resident_bytes() - before < MEMORY_LIMIT_BYTES
    for connection in idle:
        connection.close()
