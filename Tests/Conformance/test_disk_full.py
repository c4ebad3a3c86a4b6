"""A full disk: the broker says so, loses nothing that it acknowledged, keeps answering, and goes on when there is
room.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.clients import CONFLUENT
from harness.records import Record, values
from harness.waiting import eventually
from harness.wire import Batch, Connection, fetch, produce

KAFKA_STORAGE_ERROR = 56
pytestmark = pytest.mark.own_broker


@pytest.fixture
def small_disk(tmp_path: Path):
    """Starts commands in a mount namespace of their own, in which `data` is a tmpfs of 12 MiB."""
    mount = tmp_path / "broker-0" / "data"
    mount.mkdir(parents=True)
    script = tmp_path / "in-namespace"
    script.write_text(f'#!/bin/sh\nmount -t tmpfs -o size=12m tmpfs "{mount}" || exit 77\nexec "$@"\n')
    script.chmod(0o755)
    prefix = [*([] if os.geteuid() == 0 else ["sudo", "-n", "-E"]), "unshare", "-m", str(script)]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs in a namespace of its own is not permitted here")
    if os.geteuid() != 0:
        pytest.skip("needs root: below sudo the broker could not be signalled")
    return prefix


def inside(cluster, path: str) -> Path:
    """A path as the broker's own namespace sees it."""
    return Path(f"/proc/{cluster.broker.pid}/root{cluster.broker.data}/{path}")


def test_a_full_disk(start_broker, small_disk):
    cluster = start_broker({"log.segment.bytes": 1 << 20}, command_prefix=small_disk)
    topic, other = cluster.create_topic(), cluster.create_topic()
    ballast = inside(cluster, "ballast")
    ballast.write_bytes(b"\0" * (4 << 20))
    acknowledged: list[bytes] = []
    with Connection(cluster.bootstrap) as connection:
        error = fill(connection, topic, acknowledged)
        assert error == KAFKA_STORAGE_ERROR
        # Still full: every producer is told so, nothing else breaks.
        assert produce(connection, other, Batch(records=[(None, b"x" * 200_000)])).error == KAFKA_STORAGE_ERROR
        assert fetch(connection, topic, 0).error == 0
        assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == acknowledged
        assert cluster.broker.is_running()
        ballast.unlink()

        def accepted() -> bool:
            answer = produce(connection, topic, Batch(records=[(None, b"room again")]))
            if answer.error == 0:
                acknowledged.append(b"room again")
            return answer.error == 0

        eventually(accepted, within=20, what="produce works when there is room")
    assert values(CONFLUENT.consume(cluster.bootstrap, topic)) == acknowledged
    CONFLUENT.produce(cluster.bootstrap, other, [Record(value=b"through a client")])


def fill(connection: Connection, topic: str, acknowledged: list[bytes]) -> int:
    """Writes 100 kB records until one is refused; the error."""
    for number in range(400):
        value = f"{number} ".encode() + b"x" * 100_000
        answer = produce(connection, topic, Batch(records=[(None, value)]))
        if answer.error != 0:
            return answer.error
        acknowledged.append(value)
    raise AssertionError("the disk never filled")


def test_a_client_rides_out_a_full_disk(start_broker, small_disk):
    """librdkafka retries the storage error: an idempotent producer ends with each record once."""
    cluster = start_broker({"log.segment.bytes": 1 << 20}, command_prefix=small_disk)
    topic = cluster.create_topic()
    ballast = inside(cluster, "ballast")
    ballast.write_bytes(b"\0" * (7 << 20))
    import confluent_kafka

    failures = []
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "enable.idempotence": True,
            "linger.ms": 1,
            "retry.backoff.ms": 100,
            "retry.backoff.max.ms": 200,
        }
    )
    for number in range(80):
        producer.produce(
            topic,
            f"{number} ".encode() + b"x" * 100_000,
            partition=0,
            on_delivery=lambda error, _: error and failures.append(error),
        )
    producer.flush(2)
    assert len(producer) > 0, "the disk never filled"
    ballast.unlink()
    assert producer.flush(40) == 0 and failures == []
    read = values(CONFLUENT.consume(cluster.bootstrap, topic))
    assert [int(value.split()[0]) for value in read] == list(range(80))
