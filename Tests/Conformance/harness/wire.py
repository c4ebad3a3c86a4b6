"""Raw Kafka frames: requests that no client library would send, and record batches with every field free.

Well-formed requests and all responses go through kafka-python's schema code, which is not ours; batches are built
here, since a test must be able to get each of their fields wrong.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Sequence

from kafka.protocol.api_header import ResponseClassRegistry
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest
from kafka.record.memory_records import MemoryRecords
from kafka.record.util import calc_crc32c, encode_varint

SOCKET_TIMEOUT_SECONDS = 10.0


class Connection:
    """One socket to a broker; requests are answered in order."""

    def __init__(self, bootstrap: str, *, timeout: float = SOCKET_TIMEOUT_SECONDS):
        host, port = bootstrap.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.correlation = 0

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def call(self, request):
        """Sends a kafka-python request object (with its version set) and returns the decoded response."""
        self.send(request)
        return self.receive(type(request), request.API_VERSION)

    def send(self, request) -> None:
        self.correlation += 1
        request.with_header(correlation_id=self.correlation, client_id="conformance")
        self.socket.sendall(request.encode(framed=True, header=True))

    def receive(self, request_class, version: int):
        frame = self.receive_frame()
        if frame is None:
            raise ConnectionResetError("closed by the broker")
        response_class = ResponseClassRegistry._response_class_registry[request_class.API_KEY][version]
        return response_class.decode(frame, header=True)

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_frame(self) -> bytes | None:
        """The next frame without its length; None when the broker closed the connection."""
        try:
            prefix = self._receive_exactly(4)
            return None if prefix is None else self._receive_exactly(struct.unpack(">i", prefix)[0])
        except (ConnectionResetError, BrokenPipeError):
            return None

    def _receive_exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                return None
            parts += part
        return bytes(parts)

    def is_closed_within(self, seconds: float) -> bool:
        """Whether the broker ends the connection in that time; whatever it answers before is read and dropped."""
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65536):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
        return False


def frame(api_key: int, version: int, body: bytes, *, correlation: int = 1, flexible: bool = False) -> bytes:
    """A request frame with a header of version 1 (or 2) around any body."""
    client = b"raw"
    header = struct.pack(">hhih", api_key, version, correlation, len(client)) + client + (b"\0" if flexible else b"")
    return struct.pack(">i", len(header) + len(body)) + header + body


@dataclass
class Batch:
    """A record batch of magic 2; every derived field can be overridden to be wrong."""

    records: Sequence[tuple[bytes | None, bytes | None]] = ((None, b"value"),)
    producer_id: int = -1
    producer_epoch: int = -1
    base_sequence: int = -1
    base_offset: int = 0
    timestamp: int = field(default_factory=lambda: int(time.time() * 1000))
    transactional: bool = False
    control: bool = False
    compression: int = 0
    leader_epoch: int = -1
    magic: int = 2
    payload: bytes | None = None
    count: int | None = None
    last_offset_delta: int | None = None
    length: int | None = None
    crc: int | None = None

    def encode(self) -> bytes:
        payload = (
            self.payload
            if self.payload is not None
            else b"".join(encode_record(delta, key, value) for delta, (key, value) in enumerate(self.records))
        )
        count = len(self.records) if self.count is None else self.count
        last_delta = count - 1 if self.last_offset_delta is None else self.last_offset_delta
        attributes = self.compression | (0x10 if self.transactional else 0) | (0x20 if self.control else 0)
        covered = (
            struct.pack(
                ">hiqqqhii",
                attributes,
                last_delta,
                self.timestamp,
                self.timestamp,
                self.producer_id,
                self.producer_epoch,
                self.base_sequence,
                count,
            )
            + payload
        )
        crc = calc_crc32c(covered) if self.crc is None else self.crc
        length = 4 + 1 + 4 + len(covered) if self.length is None else self.length
        return struct.pack(">qiibI", self.base_offset, length, self.leader_epoch, self.magic, crc) + covered


def varint(value: int) -> bytes:
    out = bytearray()
    encode_varint(value, out.append)
    return bytes(out)


def encode_record(
    offset_delta: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[bytes, bytes | None]] = ()
) -> bytes:
    body = b"\0" + varint(0) + varint(offset_delta) + _sized(key) + _sized(value) + varint(len(headers))
    for name, content in headers:
        body += _sized(name) + _sized(content)
    return varint(len(body)) + body


def _sized(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


@dataclass(frozen=True)
class ProduceAnswer:
    error: int
    base_offset: int
    log_append_time: int


def produce(
    connection: Connection,
    topic: str,
    batch: Batch | bytes,
    *,
    partition: int = 0,
    acks: int = -1,
    transactional_id: str | None = None,
    version: int = 7,
) -> ProduceAnswer | None:
    """One batch to one partition; None for acks = 0, which has no answer."""
    data = batch.encode() if isinstance(batch, Batch) else batch
    request = ProduceRequest(
        version=version,
        transactional_id=transactional_id,
        acks=acks,
        timeout_ms=5000,
        topic_data=[
            ProduceRequest.TopicProduceData(
                name=topic,
                partition_data=[ProduceRequest.TopicProduceData.PartitionProduceData(index=partition, records=data)],
            )
        ],
    )
    if acks == 0:
        connection.send(request)
        return None
    answer = connection.call(request).responses[0].partition_responses[0]
    return ProduceAnswer(answer.error_code, answer.base_offset, answer.log_append_time_ms)


def init_producer(
    connection: Connection,
    transactional_id: str | None = None,
    *,
    timeout_milliseconds: int = 60_000,
    producer_id: int = -1,
    producer_epoch: int = -1,
    version: int = 4,
):
    """InitProducerId; asks again while an earlier transaction of the id is being ended (51)."""
    for _ in range(200):
        answer = connection.call(
            InitProducerIdRequest(
                version=version,
                transactional_id=transactional_id,
                transaction_timeout_ms=timeout_milliseconds,
                producer_id=producer_id,
                producer_epoch=producer_epoch,
            )
        )
        if answer.error_code != 51:
            return answer
        time.sleep(0.02)
    raise AssertionError("CONCURRENT_TRANSACTIONS for 4 s")


def wait_for_coordinator(connection: Connection, key: str, *, transactions: bool = False) -> None:
    """A fresh cluster may need a moment before it names a coordinator; ours never does."""
    for _ in range(200):
        if connection.call(FindCoordinatorRequest(version=2, key=key, key_type=int(transactions))).error_code == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"no coordinator for {key}")


def topic_id(bootstrap: str, topic: str):
    with Connection(bootstrap) as connection:
        request = MetadataRequest(
            version=10,
            topics=[MetadataRequest.MetadataRequestTopic(name=topic)],
            allow_auto_topic_creation=False,
            include_cluster_authorized_operations=False,
            include_topic_authorized_operations=False,
        )
        return connection.call(request).topics[0].topic_id


@dataclass(frozen=True)
class Fetched:
    """One partition of a Fetch answer; `batches` are kafka-python's, `aborted` pairs of (producer id, first offset)
    or None.
    """

    error: int
    high_watermark: int
    last_stable_offset: int
    log_start_offset: int
    aborted: list[tuple[int, int]] | None
    batches: list
    size_bytes: int


def fetch(
    connection: Connection,
    topic: str,
    offset: int,
    *,
    partition: int = 0,
    committed_only: bool = False,
    max_wait_milliseconds: int = 0,
    min_bytes: int = 1,
    max_bytes: int = 1 << 20,
    partition_max_bytes: int = 1 << 20,
) -> Fetched:
    partition_request = FetchRequest.FetchTopic.FetchPartition(
        partition=partition,
        current_leader_epoch=-1,
        fetch_offset=offset,
        log_start_offset=-1,
        partition_max_bytes=partition_max_bytes,
    )
    answer = connection.call(
        FetchRequest(
            version=11,
            replica_id=-1,
            max_wait_ms=max_wait_milliseconds,
            min_bytes=min_bytes,
            max_bytes=max_bytes,
            isolation_level=int(committed_only),
            session_id=0,
            session_epoch=-1,
            rack_id="",
            forgotten_topics_data=[],
            topics=[FetchRequest.FetchTopic(topic=topic, partitions=[partition_request])],
        )
    )
    found = answer.responses[0].partitions[0]
    aborted = found.aborted_transactions
    records = MemoryRecords(found.records or b"")
    batches = []
    while (batch := records.next_batch()) is not None:
        batches.append(batch)
    return Fetched(
        found.error_code,
        found.high_watermark,
        found.last_stable_offset,
        found.log_start_offset,
        None if aborted is None else [(entry.producer_id, entry.first_offset) for entry in aborted],
        batches,
        len(found.records or b""),
    )
