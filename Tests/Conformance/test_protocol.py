"""Frames: version negotiation, order of answers, what Fetch returns and when."""

from __future__ import annotations

import struct
import threading
import time

import pytest
from kafka.protocol import admin, consumer, metadata, producer, sasl
from kafka.protocol.consumer import FetchRequest, ListOffsetsRequest
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.producer import ProduceRequest

from harness.wire import Batch, Connection, fetch, frame, produce

UNSUPPORTED_VERSION = 35
API_VERSIONS_KEY = ApiVersionsRequest.API_KEY

# What the clients that this project names need: the oldest and the newest version each of them may use (see the table
# of broker versions in Apache Kafka 4 and librdkafka 2.0.2). The broker's range must overlap each at the given
# versions.
NEEDED = {
    "Produce": (0, 3, 7, 9),
    "Fetch": (4, 10, 11, 12),
    "ListOffsets": (1, 2, 6, 7),
    "Metadata": (0, 1, 4, 9, 12),
    "OffsetCommit": (2, 7, 8),
    "OffsetFetch": (1, 7, 8),
    "FindCoordinator": (0, 1, 2, 4),
    "JoinGroup": (0, 5, 6, 9),
    "Heartbeat": (0, 3, 4),
    "LeaveGroup": (0, 1, 4),
    "SyncGroup": (0, 3, 5),
    "DescribeGroups": (0, 4),
    "ListGroups": (0, 4),
    "SaslHandshake": (0, 1),
    "ApiVersions": (0, 3),
    "CreateTopics": (2, 4, 5),
    "DeleteTopics": (1, 4),
    "DeleteRecords": (0, 1),
    "InitProducerId": (0, 4),
    "OffsetForLeaderEpoch": (2, 3),
    "AddPartitionsToTxn": (0, 3),
    "AddOffsetsToTxn": (0, 3),
    "EndTxn": (0, 1, 3),
    "TxnOffsetCommit": (0, 3),
    "DescribeConfigs": (1, 2),
    "AlterConfigs": (0, 1),
    "CreatePartitions": (0, 1),
    "DeleteGroups": (0, 1),
    "IncrementalAlterConfigs": (0, 1),
    "SaslAuthenticate": (0, 2),
    "DescribeCluster": (0,),
}


def supported(connection: Connection, version: int = 3) -> dict[int, tuple[int, int]]:
    answer = connection.call(
        ApiVersionsRequest(version=version, client_software_name="conformance", client_software_version="1")
    )
    assert answer.error_code == 0
    return {entry.api_key: (entry.min_version, entry.max_version) for entry in answer.api_keys}


def test_every_version_of_api_versions_says_the_same(connection):
    answers = [supported(connection, version) for version in range(4)]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.own_broker
def test_the_versions_that_clients_need_are_offered(connection):
    offered = supported(connection)
    requests = {
        name: each for module in (producer, consumer, admin, metadata, sasl) for name, each in vars(module).items()
    }
    missing = {}
    for name, needed in NEEDED.items():
        oldest, newest = offered.get(requests[f"{name}Request"].API_KEY, (0, -1))
        if not all(oldest <= version <= newest for version in needed):
            missing[name] = (needed, (oldest, newest))
    assert missing == {}


def test_an_unknown_version_of_api_versions_gets_the_oldest_answer(connection):
    """KIP-511: error 35 in the shape of version 0 with the range of ApiVersions in it; the connection stays open."""
    connection.send_bytes(frame(API_VERSIONS_KEY, 99, b"\2c\2v\0", correlation=77, flexible=True))
    answer = connection.receive_frame()
    correlation, error, count = struct.unpack_from(">ihi", answer)
    assert (correlation, error) == (77, UNSUPPORTED_VERSION) and count >= 1
    entries = [struct.unpack_from(">hhh", answer, 10 + 6 * index) for index in range(count)]
    assert len(answer) == 10 + 6 * count
    assert any(key == API_VERSIONS_KEY and low <= 0 and high >= 3 for key, low, high in entries)
    assert supported(connection)


@pytest.mark.parametrize("key, version", ((0, 99), (3, 99), (1, -1), (999, 0), (-1, 0)))
def test_unknown_requests_end_the_connection_or_get_error_35(connection, cluster, key, version):
    connection.send_bytes(frame(key, version, b"\0" * 16, correlation=5))
    connection.socket.settimeout(5)
    answer = connection.receive_frame()
    assert answer is None or struct.unpack_from(">ih", answer) == (5, UNSUPPORTED_VERSION)
    with Connection(cluster.bootstrap) as other:
        assert supported(other)


def test_answers_come_in_the_order_of_the_requests(connection, topic):
    """Also when the first has to wait: 50 requests in one write, behind a fetch that waits for data."""
    waiting = FetchRequest(
        version=11,
        replica_id=-1,
        max_wait_ms=500,
        min_bytes=1,
        max_bytes=1000,
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
                        partition_max_bytes=1000,
                    )
                ],
            )
        ],
    )
    requests = [waiting] + [MetadataRequest(version=1, topics=[]) for _ in range(50)]
    data = b""
    for number, request in enumerate(requests):
        request.with_header(correlation_id=1000 + number, client_id="conformance")
        data += request.encode(framed=True, header=True)
    connection.send_bytes(data)
    order = [struct.unpack_from(">i", connection.receive_frame())[0] for _ in requests]
    assert order == list(range(1000, 1051))


def test_acks_zero_gets_no_answer(connection, topic):
    for _ in range(3):
        assert produce(connection, topic, Batch(), acks=0) is None
    assert fetch(connection, topic, 0).high_watermark == 3


def test_a_frame_in_pieces_is_one_frame(connection, topic):
    request = ProduceRequest(
        version=7,
        transactional_id=None,
        acks=-1,
        timeout_ms=1000,
        topic_data=[
            ProduceRequest.TopicProduceData(
                name=topic,
                partition_data=[
                    ProduceRequest.TopicProduceData.PartitionProduceData(index=0, records=Batch().encode())
                ],
            )
        ],
    )
    request.with_header(correlation_id=9, client_id="conformance")
    for byte in request.encode(framed=True, header=True):
        connection.send_bytes(bytes([byte]))
    assert struct.unpack_from(">i", connection.receive_frame()) == (9,)
    assert fetch(connection, topic, 0).high_watermark == 1


def test_a_fetch_returns_whole_batches_and_at_least_one(connection, topic):
    for number in range(5):
        produce(connection, topic, Batch(records=[(None, bytes([number]) * 1000)] * 3))
    found = fetch(connection, topic, 0, max_bytes=1, partition_max_bytes=1)
    assert [batch.base_offset for batch in found.batches] == [0], "the first batch comes whatever the limits (KIP-74)"
    found = fetch(connection, topic, 7)
    assert found.batches[0].base_offset == 6, "a batch is not cut: it starts before the offset that was asked for"
    found = fetch(connection, topic, 0, partition_max_bytes=7000)
    assert 1 <= len(found.batches) <= 3


def test_a_fetch_waits_for_data_no_longer_than_it_must(connection, cluster, topic):
    started = time.monotonic()
    assert fetch(connection, topic, 0, max_wait_milliseconds=500).batches == []
    assert 0.4 < time.monotonic() - started < 3

    def write_later():
        with Connection(cluster.bootstrap) as other:
            time.sleep(0.3)
            produce(other, topic, Batch())

    writer = threading.Thread(target=write_later)
    writer.start()
    started = time.monotonic()
    assert len(fetch(connection, topic, 0, max_wait_milliseconds=8000).batches) == 1
    assert 0.2 < time.monotonic() - started < 4
    writer.join()


def test_a_fetch_waits_until_there_are_enough_bytes(connection, cluster, topic):
    produce(connection, topic, Batch())
    started = time.monotonic()
    found = fetch(connection, topic, 0, max_wait_milliseconds=400, min_bytes=10_000)
    assert len(found.batches) == 1 and time.monotonic() - started > 0.3


def test_offsets_and_leader_epochs_are_the_brokers(connection, topic):
    """Whatever a client writes into those two fields, which lie outside the checksum."""
    assert produce(connection, topic, Batch(base_offset=12345, leader_epoch=99)).base_offset == 0
    (batch,) = fetch(connection, topic, 0).batches
    assert batch.base_offset == 0 and batch.leader_epoch != 99 and batch.validate_crc()


def test_list_offsets_of_an_unknown_partition(connection):
    answer = connection.call(
        ListOffsetsRequest(
            version=2,
            replica_id=-1,
            isolation_level=0,
            topics=[
                ListOffsetsRequest.ListOffsetsTopic(
                    name="no-such-topic",
                    partitions=[
                        ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition(partition_index=0, timestamp=-1)
                    ],
                )
            ],
        )
    )
    assert answer.topics[0].partitions[0].error_code == 3
