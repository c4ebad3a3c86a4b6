"""Copies of the state in another place: a machine that is gone, and a log that has forgotten."""

import json
import shutil
import urllib.request

import confluent_kafka
from confluent_kafka.admin import AdminClient
from hard_records import await_true
from test_hard_records import hard  # noqa: F401
from test_worker import worker  # noqa: F401


def start(hard, data, *flags):  # noqa: F811
    hard.worker = hard.start(hard.cli, "run", hard.file, "--data", hard.folder / data, "--checkpoint-interval", "100ms", *flags)


def start_with_snapshots(hard, data):  # noqa: F811
    start(hard, data, "--snapshots", hard.folder / "bucket", "--snapshot-interval", "200ms")


def create_topic(hard):  # noqa: F811
    hard.cli("topics", "create", "readings", "--partitions", "1", "--config", "retention.ms=-1")


def task(hard):  # noqa: F811
    """As the worker tells it; nothing before the group has given it one."""
    return (hard.worker.get("/api/tasks")["tasks"] or [{}])[0]


def lose(hard, data):  # noqa: F811
    hard.worker.kill()
    shutil.rmtree(hard.folder / data)


def test_a_lost_disk_comes_back_although_the_log_has_forgotten(hard):  # noqa: F811
    create_topic(hard)
    start_with_snapshots(hard, "state")
    hard.send(*(hard.event(amount=float(number)) for number in range(50)))
    hard.settle()
    manifests = hard.folder / "bucket" / "snapshots" / "hard" / "0" / "manifests"

    def newest_offset():
        names = sorted(manifests.glob("*.json"))
        return json.loads(names[-1].read_text())["inputs"][0]["next_offset"] if names else 0

    await_true(lambda: newest_offset() >= hard.sent)
    before = hard.features()
    assert before["n_1h"] == 50
    await_true(lambda: task(hard).get("snapshot_lag_seconds") is not None)
    assert task(hard)["snapshot_failure"] is None
    assert len(list(manifests.glob("*.json"))) <= 2

    lose(hard, "state")
    admin = AdminClient({"bootstrap.servers": hard.broker.address})
    [deleted] = admin.delete_records([confluent_kafka.TopicPartition("readings", 0, hard.sent)]).values()
    deleted.result(10)
    start_with_snapshots(hard, "elsewhere")
    await_true(lambda: task(hard).get("readable"))
    assert hard.features() == before
    hard.send(hard.event())
    hard.worker.wait_until_applied("readings", hard.sent)
    assert hard.features()["n_1h"] == 51

    # Without snapshots the same start has nothing to go by, and says so.
    lose(hard, "elsewhere")
    start(hard, "elsewhere", "--tables", "none")
    await_true(lambda: "are gone from the log" in (task(hard).get("why_not_moving") or ""))


def test_a_place_that_cannot_be_written_is_told_and_stops_nobody(hard):  # noqa: F811
    (hard.folder / "bucket").mkdir()
    (hard.folder / "bucket" / "snapshots").write_text("a file where a folder should be")
    create_topic(hard)
    start_with_snapshots(hard, "state")
    hard.send(hard.event())
    # A task that cannot ask for a snapshot waits: it must not go on without what may be there.
    await_true(lambda: "snapshots" in json.dumps(hard.worker.get("/api/tasks")) or "snapshots" in hard.worker.text())
    (hard.folder / "bucket" / "snapshots").unlink()
    hard.settle()
    shutil.rmtree(hard.folder / "bucket" / "snapshots", ignore_errors=True)
    (hard.folder / "bucket" / "snapshots").write_text("again")
    hard.send(hard.event())
    hard.settle()
    await_true(lambda: task(hard).get("snapshot_failure"))
    assert hard.features()["n_1h"] == 2
    with urllib.request.urlopen(f"http://{hard.worker.address}/metrics") as answer:
        assert b'headrace_task_snapshot_failing{task="0"} 1' in answer.read()
