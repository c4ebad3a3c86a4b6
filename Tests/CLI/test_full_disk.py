"""A disk without room: the worker says so, loses nothing, and goes on when there is room. On a small disk of its own."""

import json
import os
import pathlib
import subprocess
import time

import pytest
from conftest import CLI, binary
from hard_records import OUTCOMES, T0, Hard, await_true
from test_worker import worker  # noqa: F401

# Room for whatever a slow machine lets gather until the first refusal.
DISK_MEBIBYTES = 512
RESERVE_MEBIBYTES = 8


class SmallDisk:
    """A tmpfs that only processes of its own mount namespace see; it goes with the last of them."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c",
             f'mount -t tmpfs -o size={DISK_MEBIBYTES}m none "$0" && echo mounted && exec sleep 100000', str(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"mounted":
            self.holder.wait()
            pytest.skip(f"no private mount: {self.holder.stderr.read().decode().strip()}")

    @property
    def seen_from_outside(self):
        return pathlib.Path(f"/proc/{self.holder.pid}/root{self.folder}")

    @property
    def inside(self):
        return ["nsenter", "-t", str(self.holder.pid), "-m"]

    @property
    def free_mebibytes(self):
        status = os.statvfs(self.seen_from_outside)
        return status.f_bavail * status.f_frsize >> 20

    def fill(self, left_mebibytes):
        """Somebody else's file."""
        with open(self.seen_from_outside / "other", "ab") as file:
            while self.free_mebibytes > left_mebibytes:
                file.write(b"\0" * (1 << 20))
                file.flush()

    def make_room(self):
        (self.seen_from_outside / "other").unlink()

    def close(self):
        self.holder.kill()
        self.holder.wait()


@pytest.fixture
def disk(tmp_path):
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.close()


@pytest.fixture
def hard(tmp_path, own_broker, worker):  # noqa: F811
    return Hard(tmp_path, own_broker(), worker)


class InsideCLI(CLI):
    """Starts `headrace` where the small disk is."""

    def __init__(self, address, disk):
        super().__init__(address)
        self.disk = disk

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen(
            [*self.disk.inside, binary(), *map(str, arguments)], env=self.environment, **options)


def run(hard, disk):
    hard.worker = hard.start(
        InsideCLI(hard.broker.address, disk), "run", hard.file, "--data", disk.folder / "state", "--disk-reserve",
        f"{RESERVE_MEBIBYTES}MiB", "--commit-interval", "50ms", "--checkpoint-interval", "200ms")
    return hard.worker


def why(running):
    return "".join(task["why_not_moving"] or "" for task in running.get("/api/tasks")["tasks"])


def saved_offset(running):
    return running.get("/api/tasks")["tasks"][0]["inputs"][0]["state_offset"]


@pytest.mark.parametrize("dies", [False, True])
def test_a_full_disk_stops_the_worker_and_loses_nothing(hard, disk, dies):
    hard.cli("topics", "create", "readings", "--partitions", "1", "--config", "retention.ms=-1")
    running = run(hard, disk)
    hard.send(*(hard.event(user=f"u{number % 50}", ts=T0 + number) for number in range(500)), at=T0 + 500)
    hard.settle()
    assert (disk.seen_from_outside / "state" / "RESERVE").stat().st_size == RESERVE_MEBIBYTES << 20
    await_true(lambda: saved_offset(running) == 500)
    disk.fill(left_mebibytes=RESERVE_MEBIBYTES // 2 + 1)
    hard.send(*(hard.event(user=f"u{number % 50}", ts=T0 + number) for number in range(500, 900)), at=T0 + 900)
    await_true(lambda: "STATE_DISK_FULL" in why(running))
    # It says what to do, is not ready, still answers, and has written nothing.
    assert "free space" in why(running) and "MiB" in why(running)
    running.wait_until_applied("readings", 900)
    assert hard.features("u7")["n_24h"] == 18
    assert saved_offset(running) <= 500 and "checkpoint refused" in running.text()
    if dies:
        # Also a start needs room, and says so; nothing is damaged by it.
        running.process.kill()
        running.process.wait()
        disk.fill(left_mebibytes=1)
        said = len(running.text())
        running = run(hard, disk)
        await_true(lambda: "STATE_DISK_FULL" in running.text()[said:])
        assert running.process.poll() is None
    disk.make_room()
    running.wait_until_applied("readings", 900)
    hard.send(*(hard.event(user=f"u{number % 50}", ts=T0 + number) for number in range(900, 1000)), at=T0 + 1000)
    source = hard.settle()
    assert source["applied"] == 1000 == sum(source[name] for name in OUTCOMES)
    await_true(lambda: saved_offset(running) == 1000 and not why(running))
    assert all(hard.features(f"u{number}")["n_24h"] == 20 for number in range(0, 50, 7))
    assert running.stop() == 0
    # What is on the disk is whole.
    running = run(hard, disk)
    running.wait_until_applied("readings", 1000)
    assert hard.features("u3")["n_24h"] == 20 and json.dumps(hard.features("u3")) and running.stop() == 0


def test_the_disk_fills_up_while_nobody_looks(hard, disk):
    """Not from one moment to the next, but by our own writes: never the end of the process."""
    hard.cli("topics", "create", "readings", "--partitions", "1", "--config", "retention.ms=-1")
    running = run(hard, disk)
    disk.fill(left_mebibytes=3 * RESERVE_MEBIBYTES)
    deadline = time.monotonic() + 120
    count = 0
    while "STATE_DISK_FULL" not in why(running):
        assert time.monotonic() < deadline and running.process.poll() is None, running.text()
        hard.send(
            *(hard.event(user=f"u{number}-{'x' * 900}", ts=T0 + number) for number in range(count, count + 2_000)),
            at=T0 + count + 2_000)
        count += 2_000
    disk.make_room()
    assert hard.settle()["applied"] == count
    try:
        await_true(lambda: saved_offset(running) == count and not why(running))
    except AssertionError:
        raise AssertionError(f"saved {saved_offset(running)} of {count}; {why(running)}; {running.text()[-4000:]}")
    assert running.stop() == 0
