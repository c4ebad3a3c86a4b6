"""Hostile and broken input: an error code or a closed connection, flat memory, and everybody else keeps working."""
from __future__ import annotations

import gzip
import random
import socket
import struct
import threading
import time

import lz4.frame
import pytest
import zstandard
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from harness.broker import Broker
from harness.clients import CONFLUENT, KAFKA_PYTHON
from harness.records import Record, values
from harness.waiting import eventually
from harness.wire import Batch, Connection, encode_record, fetch, frame, init_producer, produce, varint

CORRUPT_MESSAGE, INVALID_RECORD = 2, 87
MEMORY_LIMIT_BYTES = 64 << 20
GIB = 1 << 30


@pytest.fixture
def connection(cluster):
    with Connection(cluster.bootstrap) as connection:
        yield connection


class Bystander:
    """A client that produces and reads one record after another while somebody misbehaves; `finish` fails if it was ever disturbed."""

    def __init__(self, bootstrap: str, topic: str):
        self.bootstrap, self.topic = bootstrap, topic
        self.rounds, self.slowest_seconds = 0, 0.0
        self.failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with Connection(self.bootstrap) as connection:
                while not self._stop.is_set():
                    started = time.monotonic()
                    written = produce(connection, self.topic, Batch(records=[(None, str(self.rounds).encode())]))
                    found = fetch(connection, self.topic, written.base_offset)
                    record, = found.batches[0]
                    assert written.error == 0 and record.value == str(self.rounds).encode()
                    self.rounds += 1
                    self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
                    time.sleep(0.005)
        except Exception as error:
            self.failure = error

    def finish(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert self.failure is None, self.failure
        assert self.rounds >= 3 and self.slowest_seconds < 5, (self.rounds, self.slowest_seconds)


@pytest.fixture
def unharmed(cluster):
    """Around a test: the broker lives, its memory stays flat, and a bystander is served all the time."""
    topic = cluster.create_topic()
    bystander = Bystander(cluster.bootstrap, topic)
    eventually(lambda: bystander.rounds >= 3 or bystander.failure)
    before = cluster.broker.resident_bytes() if cluster.broker else 0
    yield
    rounds = bystander.rounds
    eventually(lambda: bystander.rounds >= rounds + 3 or bystander.failure)
    bystander.finish()
    if cluster.broker:
        assert cluster.broker.is_running()
        growth = cluster.broker.resident_bytes() - before
        assert growth < MEMORY_LIMIT_BYTES, f"resident memory grew by {growth >> 20} MiB"


pytestmark = pytest.mark.usefixtures("unharmed")


# Frames.


@pytest.mark.parametrize("length", (-1, -(2**31), 2**31 - 1, 1 << 30, 200 << 20, 0, 1, 7))
def test_impossible_frame_lengths_close_the_connection(cluster, length):
    """Nothing of such a size is allocated or waited for. Lengths below a header's cannot be a request either."""
    with Connection(cluster.bootstrap) as connection:
        connection.send_bytes(struct.pack(">i", length) + b"\0" * 64)
        assert connection.is_closed_within(10)


def test_many_half_sent_frames_hold_no_memory(cluster):
    """Forty connections announce 90 MiB each, which is below the limit, and send nothing more."""
    connections = [Connection(cluster.bootstrap) for _ in range(40)]
    for connection in connections:
        connection.send_bytes(struct.pack(">i", 90 << 20) + b"\0" * 100)
    time.sleep(0.5)
    if cluster.broker:
        assert cluster.broker.is_running()
    for connection in connections:
        connection.close()


def test_bodies_that_end_too_early(cluster):
    """Every API that the broker offers, in every version, with a body cut at each of its first bytes."""
    with Connection(cluster.bootstrap) as connection:
        offered = connection.call(ApiVersionsRequest(version=0)).api_keys
    body = random.Random(5).randbytes(24)
    for entry in offered:
        for version in {entry.min_version, entry.max_version}:
            for length in (0, 1, 3, 9, 24):
                with Connection(cluster.bootstrap, timeout=10) as connection:
                    connection.send_bytes(frame(entry.api_key, version, body[:length], flexible=version > 5))
                    connection.socket.settimeout(0.2)
                    try:
                        connection.receive_frame()
                    except TimeoutError:
                        pass


def test_arrays_and_strings_longer_than_their_frame(cluster):
    bodies = [struct.pack(">i", count) for count in (2**31 - 1, -2, -(2**31), 1 << 20)]
    bodies += [struct.pack(">ih", 1, length) for length in (32767, -2, -32768)]
    for body in bodies:
        with Connection(cluster.bootstrap) as connection:
            connection.send_bytes(frame(MetadataRequest.API_KEY, 1, body))
            assert connection.is_closed_within(10), body


def test_endless_varints_and_tags(cluster):
    """Compact lengths of ten and more bytes, a tag count of 2^32, a tag longer than the frame."""
    for body in (b"\xff" * 40, b"\0\xff\xff\xff\xff\x0f", b"\x01\0\xff\xff\xff\xff\x07" + b"\0" * 8, b"\x80" * 64):
        with Connection(cluster.bootstrap) as connection:
            connection.send_bytes(frame(MetadataRequest.API_KEY, 9, body, flexible=True))
            assert connection.is_closed_within(10), body


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes(cluster, seed):
    generator = random.Random(seed)
    for _ in range(60):
        with Connection(cluster.bootstrap) as connection:
            try:
                connection.send_bytes(generator.randbytes(generator.randrange(1, 4000)))
            except OSError:
                pass


@pytest.mark.parametrize("seed", range(5))
def test_random_bodies_in_sound_frames(cluster, seed):
    """What gets past the first checks: sound headers of every API with a random body, many in one connection while it lives."""
    generator = random.Random(seed)
    with Connection(cluster.bootstrap) as connection:
        offered = connection.call(ApiVersionsRequest(version=0)).api_keys
    for _ in range(150):
        entry = generator.choice(offered)
        version = generator.randint(max(entry.min_version, 0), entry.max_version)
        body = generator.randbytes(generator.randrange(0, 200))
        with Connection(cluster.bootstrap) as connection:
            connection.send_bytes(frame(entry.api_key, version, body, flexible=generator.random() < 0.5))
            connection.socket.settimeout(0.02)
            try:
                connection.receive_frame()
            except (TimeoutError, OSError):
                pass


def test_other_protocols_are_turned_away(cluster):
    greetings = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 512,
                 b"SSH-2.0-OpenSSH_9.2\r\n", b"*1\r\n$4\r\nPING\r\n")
    for greeting in greetings:
        with Connection(cluster.bootstrap) as connection:
            connection.send_bytes(greeting)
            assert connection.is_closed_within(10), greeting[:8]


# Record batches.


@pytest.mark.parametrize("change", (
    {"crc": 0}, {"crc": 0xFFFFFFFF}, {"magic": 1}, {"magic": 3}, {"magic": -1}, {"length": -1}, {"length": 0}, {"length": 48},
    {"length": 2**31 - 1}, {"length": 10**6}, {"count": 0}, {"count": -1}, {"count": 2**31 - 1}, {"count": 2},
    {"last_offset_delta": -1}, {"last_offset_delta": 5}, {"last_offset_delta": 2**31 - 1}, {"compression": 5}, {"compression": 7},
    {"producer_id": 5}, {"producer_id": 5, "producer_epoch": 0}, {"base_sequence": -5, "producer_id": 5, "producer_epoch": 0},
    {"control": True},
), ids=str)
def test_broken_batches_are_refused_and_not_stored(cluster, connection, topic, change):
    try:
        assert produce(connection, topic, Batch(**change)).error != 0
    except ConnectionResetError:
        pass
    with Connection(cluster.bootstrap) as fresh:
        assert fetch(fresh, topic, 0).high_watermark == 0


@pytest.mark.parametrize("payload", (
    b"", b"\x01", varint(-1), varint(2**31 - 1), varint(10) + b"\0" * 3, varint(1 << 40), b"\xff" * 20,
    encode_record(5, None, b"x"), encode_record(-1, None, b"x"),
    varint(8) + b"\0" + varint(0) + varint(0) + varint(-2) + varint(0) + varint(0) + b"\0\0",
    varint(8) + b"\0" + varint(0) + varint(0) + varint(100) + varint(0) + varint(0) + b"\0\0",
    varint(7) + b"\0" + varint(0) + varint(0) + varint(-1) + varint(-1) + varint(-1) + b"\0",
    varint(9) + b"\0" + varint(0) + varint(0) + varint(-1) + varint(-1) + varint(2**20),
    encode_record(0, None, b"x") + b"trailing", encode_record(0, b"k", b"v", headers=[(None, b"x")]),
), ids=lambda payload: payload[:12].hex() or "empty")
def test_broken_records_never_break_the_broker(connection, cluster, topic, payload):
    """The checksum is right, the records inside are not. A broker may store what it does not look into, as Apache Kafka does for some
    of these; then it must still serve it, and the partition must still be readable for what follows."""
    answer = produce(connection, topic, Batch(payload=payload))
    sound = produce(connection, topic, Batch(records=[(None, b"sound")]))
    assert sound.error == 0
    last = fetch(connection, topic, sound.base_offset).batches[-1]
    assert [record.value for record in last] == [b"sound"]
    if answer.error == 0:
        assert fetch(connection, topic, 0).error == 0


def test_batches_around_the_end_of_the_records_field(connection, topic):
    """Empty, cut, one and a half, two, and a batch with bytes behind it: all or nothing is stored."""
    whole = Batch(records=[(None, b"x" * 100)]).encode()
    for data in (b"", whole[:5], whole[:60], whole[:-1], whole + whole[:30], whole + b"\0\0\0"):
        assert produce(connection, topic, data).error != 0, len(data)
    assert fetch(connection, topic, 0).high_watermark == 0
    assert produce(connection, topic, whole).error == 0


def test_a_wrong_checksum_anywhere_in_a_batch(connection, topic):
    whole = bytearray(Batch(records=[(b"key", b"value" * 20)] * 5).encode())
    generator = random.Random(3)
    for _ in range(100):
        damaged = bytearray(whole)
        # From the attributes on: what lies before is not covered by the checksum.
        damaged[generator.randrange(21, len(whole))] ^= 1 << generator.randrange(8)
        assert produce(connection, topic, bytes(damaged)).error in (CORRUPT_MESSAGE, INVALID_RECORD)
    assert fetch(connection, topic, 0).high_watermark == 0


def gzip_bomb() -> bytes:
    """A gibibyte of zeros, twice compressed away; made of many members so that it is cheap to make."""
    member = gzip.compress(b"\0" * (64 << 20), 9)
    return member * 16


def lz4_bomb() -> bytes:
    return lz4.frame.compress(b"\0" * (256 << 20), compression_level=0, store_size=False)


def zstd_bomb() -> bytes:
    compressor = zstandard.ZstdCompressor(level=1, write_content_size=False).compressobj()
    zeros = b"\0" * (16 << 20)
    return b"".join(compressor.compress(zeros) for _ in range(64)) + compressor.flush()


def snappy_bomb() -> bytes:
    """A raw snappy block: the length says 1 GiB, then one literal and copies of 64 bytes; cut after a mebibyte, since a block that
    keeps its promise would itself be 50 MiB."""
    return varint_unsigned(GIB) + b"\0\0" + struct.pack("<BH", 0b11111110, 1) * 300_000


def xerial_bomb() -> bytes:
    block = snappy_bomb()
    return b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, len(block)) + block


def varint_unsigned(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


@pytest.fixture(scope="module")
def bombs() -> dict[str, tuple[int, bytes]]:
    return {"gzip": (1, gzip_bomb()), "snappy": (2, snappy_bomb()), "lz4": (3, lz4_bomb()), "zstd": (4, zstd_bomb()),
            "xerial": (2, xerial_bomb())}


@pytest.mark.parametrize("kind", ("gzip", "snappy", "lz4", "zstd", "xerial"))
def test_decompression_bombs(connection, cluster, kind, bombs):
    """Whether the broker refuses the batch or stores it unseen, also in a compacted topic, where it must look inside: its memory stays
    flat while it does."""
    codec, payload = bombs[kind]
    peak = PeakMemory(cluster.broker)
    for topic in (cluster.create_topic(max_message_bytes=20 << 20),
                  cluster.create_topic(max_message_bytes=20 << 20, cleanup_policy="compact")):
        for _ in range(3):
            produce(connection, topic, Batch(payload=payload, compression=codec, count=1))
        assert produce(connection, topic, Batch(records=[(b"k", b"sound")])).error == 0
    peak.finish()


class PeakMemory:
    """Samples resident memory until `finish`, which fails when it was ever more than the limit above its start."""

    def __init__(self, broker: Broker | None):
        self.broker = broker
        self.start = self.peak = broker.resident_bytes() if broker else 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self.broker and self.broker.is_running() and not self._stop.wait(0.002):
            self.peak = max(self.peak, self.broker.resident_bytes())

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        # The frames themselves (a few MiB) are held while they arrive.
        assert self.peak - self.start < MEMORY_LIMIT_BYTES, f"peak {(self.peak - self.start) >> 20} MiB above the start"


@pytest.mark.parametrize("codec, payload", (
    (1, b"\x1f\x8b\x08\0"), (1, b""), (2, b"\xff" * 20), (2, b""), (2, b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\x7f\xff\xff\xff"),
    (2, b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\xff\xff\xff\xff"), (3, b"\x04\x22\x4d\x18"), (3, b"\x04\x22\x4d\x18\x60\x70\x73"),
    (4, b"\x28\xb5\x2f\xfd"), (4, b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + b"\0" * 8), (4, b"garbage"),
), ids=lambda value: value.hex()[:16] if isinstance(value, bytes) else str(value))
@pytest.mark.parametrize("policy", ("delete", "compact"))
def test_broken_compression(connection, cluster, policy, codec, payload):
    topic = cluster.create_topic(cleanup_policy=policy)
    produce(connection, topic, Batch(payload=payload, compression=codec, count=1))
    sound = produce(connection, topic, Batch(records=[(b"k", b"sound")]))
    assert sound.error == 0
    assert fetch(connection, topic, sound.base_offset).batches[-1].base_offset == sound.base_offset


def test_absurd_numbers_in_sound_requests(connection, topic):
    """Limits and offsets at the ends of their types: an error or an empty answer, never a trap."""
    assert produce(connection, topic, Batch()).error == 0
    for offset in (-1, -(2**63), 2**63 - 1, 2**62, 2):
        assert fetch(connection, topic, offset).error == 1
    for limit in (0, -1, -(2**31), 2**31 - 1):
        assert fetch(connection, topic, 0, max_bytes=limit, partition_max_bytes=limit).error == 0
    assert fetch(connection, topic, 0, min_bytes=-1, max_wait_milliseconds=-1).error == 0
    for partition in (-1, 2**31 - 1, -(2**31)):
        assert fetch(connection, topic, 0, partition=partition).error == 3
    for timestamp in (-(2**63), 2**63 - 1, -1):
        produce(connection, topic, Batch(timestamp=timestamp))
    for sequence in (2**31 - 1, 2**31 - 3):
        identity = init_producer(connection)
        produce(connection, topic, Batch(records=[(None, b"x")] * 5, producer_id=identity.producer_id, producer_epoch=0,
                                         base_sequence=sequence))
    for producer_id in (2**63 - 1, -2, -(2**63)):
        produce(connection, topic, Batch(producer_id=producer_id, producer_epoch=32767, base_sequence=0))
    assert produce(connection, topic, Batch()).error == 0


# Connections.


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
    """It asks for a mebibyte two hundred times and takes nothing: the broker must stop answering, not collect answers."""
    topic = cluster.create_topic()
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"x" * 100_000)] * 12)
    peak = PeakMemory(cluster.broker)
    request = FetchRequest(
        version=11, replica_id=-1, max_wait_ms=0, min_bytes=1, max_bytes=1 << 20, isolation_level=0, session_id=0, session_epoch=-1,
        rack_id="", forgotten_topics_data=[], topics=[FetchRequest.FetchTopic(topic=topic, partitions=[
            FetchRequest.FetchTopic.FetchPartition(partition=0, current_leader_epoch=-1, fetch_offset=0, log_start_offset=-1,
                                                   partition_max_bytes=1 << 20)])])
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
        connection.send_bytes((data * 3)[:number % (3 * len(data))])
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
    cluster = start_broker({"max.connections": 3000})
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
