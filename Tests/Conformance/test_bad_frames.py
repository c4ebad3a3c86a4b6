"""Broken and hostile frames: an error code or a closed connection, flat memory, and everybody else keeps working."""

from __future__ import annotations

import random
import struct
import time

import pytest
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from harness.wire import Connection, frame

pytestmark = pytest.mark.usefixtures("unharmed")


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
    """What gets past the first checks: sound headers of every API with a random body, many in one connection while it
    lives.
    """
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
    greetings = (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 512,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"*1\r\n$4\r\nPING\r\n",
    )
    for greeting in greetings:
        with Connection(cluster.bootstrap) as connection:
            connection.send_bytes(greeting)
            assert connection.is_closed_within(10), greeting[:8]
