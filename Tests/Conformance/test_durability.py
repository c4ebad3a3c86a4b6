"""The end of the broker at any moment, damaged files, and a second broker on the same folder."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from harness.broker import BrokerDied, find_binary
from harness.clients import CONFLUENT, KAFKA_PYTHON
from harness.records import Record, text_records, values
from harness.wire import Batch, Connection, fetch, produce


def segments(cluster, topic: str) -> list[Path]:
    """The topic's segment files, oldest first."""
    return sorted(path for path in cluster.broker.data.rglob("*.log") if topic in str(path.parent))


@pytest.fixture
def filled(start_broker):
    """A broker with a topic of 500 records in several small segments."""
    cluster = start_broker({"log.segment.bytes": 16_384})
    topic = cluster.create_topic()
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 500), settings={"batch.num.messages": 10})
    return cluster, topic


def test_a_clean_stop_keeps_everything_and_exits_with_zero(filled):
    cluster, topic = filled
    assert cluster.broker.stop() == 0
    cluster.broker.start()
    assert values(KAFKA_PYTHON.consume(cluster.bootstrap, topic)) == values(text_records(1, 500))


def test_a_kill_keeps_everything_that_was_acknowledged(filled):
    cluster, topic = filled
    for round_number in range(3):
        cluster.broker.kill()
        cluster.broker.start()
        CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=f"after {round_number}".encode())])
    expected = values(text_records(1, 500)) + [f"after {number}".encode() for number in range(3)]
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == expected


@pytest.mark.parametrize("cut", (1, 7, 60, 61, 62, 100))
def test_a_torn_tail_is_cut_at_the_last_whole_batch(filled, cut):
    cluster, topic = filled
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch(records=[(None, b"last" * 20)])).base_offset == 500
    cluster.broker.kill()
    last = segments(cluster, topic)[-1]
    with last.open("r+b") as file:
        file.truncate(last.stat().st_size - cut)
    cluster.broker.start()
    read = values(CONFLUENT.consume(cluster.bootstrap, topic))
    assert read == values(text_records(1, 500))
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch(records=[(None, b"again")])).base_offset == 500


@pytest.mark.parametrize("garbage", (b"\0" * 100, b"\xff" * 500, random.Random(1).randbytes(3000), b"\0" * 100_000))
def test_garbage_behind_the_last_batch_is_cut(filled, garbage):
    """Preallocated zeros and half-written pages after a power loss."""
    cluster, topic = filled
    cluster.broker.kill()
    with segments(cluster, topic)[-1].open("ab") as file:
        file.write(garbage)
    cluster.broker.start()
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == values(text_records(1, 500))
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch()).base_offset == 500


def test_lost_indexes_are_rebuilt(filled):
    cluster, topic = filled
    cluster.broker.kill()
    removed = [
        path for path in segments(cluster, topic)[0].parent.iterdir() if path.suffix not in (".log",) and path.is_file()
    ]
    for path in removed:
        path.unlink()
    cluster.broker.start()
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == values(text_records(1, 500))
    with Connection(cluster.bootstrap) as connection:
        assert fetch(connection, topic, 400).batches[0].base_offset <= 400


def test_damage_inside_the_log_is_never_served_as_data(filled):
    """A flipped bit in an old segment: the broker refuses to start, or the reader gets an error, or the checksum
    fails in the client.
    """
    cluster, topic = filled
    cluster.broker.kill()
    damaged = segments(cluster, topic)[0]
    with damaged.open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 0x10]))
    try:
        cluster.broker.start()
    except BrokerDied as death:
        assert death.return_code == 1
        return
    try:
        read = values(CONFLUENT.consume(cluster.bootstrap, topic, settings={"check.crcs": True}))
    except Exception:
        return
    expected = values(text_records(1, 500))
    assert set(read) <= set(expected), "damaged bytes were served as a record"


def test_a_second_broker_on_the_same_folder_is_refused(filled):
    cluster, topic = filled
    done = subprocess.run(
        [find_binary(), "broker", "--data", cluster.broker.data, "--listen", "127.0.0.1:0"],
        capture_output=True,
        timeout=30,
    )
    assert done.returncode not in (0, -9)
    assert str(cluster.broker.data) in done.stderr.decode()
    assert len(CONFLUENT.consume(cluster.bootstrap, topic)) == 500


def test_a_port_in_use_is_a_clear_error(filled, tmp_path):
    cluster, _ = filled
    done = subprocess.run(
        [find_binary(), "broker", "--data", tmp_path / "other", "--listen", cluster.bootstrap],
        capture_output=True,
        timeout=30,
    )
    assert done.returncode not in (0, -9)
    assert cluster.bootstrap in done.stderr.decode()


def test_connections_are_drained_on_a_clean_stop(filled):
    """What was acknowledged before and during the stop is there after it."""
    cluster, topic = filled
    acknowledged = []
    with Connection(cluster.bootstrap) as connection:
        try:
            for number in range(10_000):
                if number == 50:
                    cluster.broker.process.terminate()
                answer = produce(connection, topic, Batch(records=[(None, f"drain {number}".encode())]))
                if answer.error == 0:
                    acknowledged.append(f"drain {number}".encode())
        except OSError:
            pass
    assert cluster.broker.reap() == 0
    cluster.broker.start()
    assert values(CONFLUENT.consume(cluster.bootstrap, topic, offset=500))[: len(acknowledged)] == acknowledged
    assert len(acknowledged) >= 50
