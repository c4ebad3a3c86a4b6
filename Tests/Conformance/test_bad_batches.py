"""Broken and hostile record batches: refused or harmless, flat memory, and everybody else keeps working."""

from __future__ import annotations

import gzip
import random
import struct

import lz4.frame
import pytest
import zstandard

from harness.watch import PeakMemory
from harness.wire import (
    Batch,
    Connection,
    encode_record,
    fetch,
    init_producer,
    produce,
    varint,
)

CORRUPT_MESSAGE, INVALID_RECORD = 2, 87
GIB = 1 << 30
pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.mark.parametrize(
    "change",
    (
        {"crc": 0},
        {"crc": 0xFFFFFFFF},
        {"magic": 1},
        {"magic": 3},
        {"magic": -1},
        {"length": -1},
        {"length": 0},
        {"length": 48},
        {"length": 2**31 - 1},
        {"length": 10**6},
        {"count": 0},
        {"count": -1},
        {"count": 2**31 - 1},
        {"count": 2},
        {"last_offset_delta": -1},
        {"last_offset_delta": 5},
        {"last_offset_delta": 2**31 - 1},
        {"compression": 5},
        {"compression": 7},
        {"producer_id": 5},
        {"producer_id": 5, "producer_epoch": 0},
        {"base_sequence": -5, "producer_id": 5, "producer_epoch": 0},
        {"control": True},
    ),
    ids=str,
)
def test_broken_batches_are_refused_and_not_stored(cluster, connection, topic, change):
    try:
        assert produce(connection, topic, Batch(**change)).error != 0
    except ConnectionResetError:
        pass
    with Connection(cluster.bootstrap) as fresh:
        assert fetch(fresh, topic, 0).high_watermark == 0


@pytest.mark.parametrize(
    "payload",
    (
        b"",
        b"\x01",
        varint(-1),
        varint(2**31 - 1),
        varint(10) + b"\0" * 3,
        varint(1 << 40),
        b"\xff" * 20,
        encode_record(5, None, b"x"),
        encode_record(-1, None, b"x"),
        varint(8) + b"\0" + varint(0) + varint(0) + varint(-2) + varint(0) + varint(0) + b"\0\0",
        varint(8) + b"\0" + varint(0) + varint(0) + varint(100) + varint(0) + varint(0) + b"\0\0",
        varint(7) + b"\0" + varint(0) + varint(0) + varint(-1) + varint(-1) + varint(-1) + b"\0",
        varint(9) + b"\0" + varint(0) + varint(0) + varint(-1) + varint(-1) + varint(2**20),
        encode_record(0, None, b"x") + b"trailing",
        encode_record(0, b"k", b"v", headers=[(None, b"x")]),
    ),
    ids=lambda payload: payload[:12].hex() or "empty",
)
def test_broken_records_never_break_the_broker(connection, cluster, topic, payload):
    """The checksum is right, the records inside are not. A broker may store what it does not look into, as Apache
    Kafka does for some of these; then it must still serve it, and the partition must still be readable for what
    follows.
    """
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
    """A raw snappy block: the length says 1 GiB, then one literal and copies of 64 bytes; cut after a mebibyte, since
    a block that keeps its promise would itself be 50 MiB.
    """
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
    return {
        "gzip": (1, gzip_bomb()),
        "snappy": (2, snappy_bomb()),
        "lz4": (3, lz4_bomb()),
        "zstd": (4, zstd_bomb()),
        "xerial": (2, xerial_bomb()),
    }


@pytest.mark.parametrize("kind", ("gzip", "snappy", "lz4", "zstd", "xerial"))
def test_decompression_bombs(connection, cluster, kind, bombs):
    """Whether the broker refuses the batch or stores it unseen, also in a compacted topic, where it must look inside:
    its memory stays flat while it does.
    """
    codec, payload = bombs[kind]
    peak = PeakMemory(cluster.broker)
    for topic in (
        cluster.create_topic(max_message_bytes=20 << 20),
        cluster.create_topic(max_message_bytes=20 << 20, cleanup_policy="compact"),
    ):
        for _ in range(3):
            produce(connection, topic, Batch(payload=payload, compression=codec, count=1))
        assert produce(connection, topic, Batch(records=[(b"k", b"sound")])).error == 0
    peak.finish()


@pytest.mark.parametrize(
    "codec, payload",
    (
        (1, b"\x1f\x8b\x08\0"),
        (1, b""),
        (2, b"\xff" * 20),
        (2, b""),
        (2, b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\x7f\xff\xff\xff"),
        (2, b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\xff\xff\xff\xff"),
        (3, b"\x04\x22\x4d\x18"),
        (3, b"\x04\x22\x4d\x18\x60\x70\x73"),
        (4, b"\x28\xb5\x2f\xfd"),
        (4, b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + b"\0" * 8),
        (4, b"garbage"),
    ),
    ids=lambda value: value.hex()[:16] if isinstance(value, bytes) else str(value),
)
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
        produce(
            connection,
            topic,
            Batch(
                records=[(None, b"x")] * 5, producer_id=identity.producer_id, producer_epoch=0, base_sequence=sequence
            ),
        )
    for producer_id in (2**63 - 1, -2, -(2**63)):
        produce(connection, topic, Batch(producer_id=producer_id, producer_epoch=32767, base_sequence=0))
    assert produce(connection, topic, Batch()).error == 0
