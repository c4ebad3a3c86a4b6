"""A training that is killed goes on to the same bits; nothing of a command survives whoever started it."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest
from conftest import Dataset, binary

POINTS = ["training.checkpoint-before:2", "training.checkpoint-after:1", "training.checkpoint-after:3",
          "training.model-before", "training.model-after", "training.result-after"]
FLAGS = ["--rounds", 60, "--set", "checkpoint_rounds=10", "--set", "subsample=0.6", "--set", "colsample_bytree=0.5",
         "--set", "early_stopping_rounds=0", "--seed", 5]


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    return dataset.train(tmp_path_factory.mktemp("whole") / "w", *FLAGS)["model"]["sha256"]


@pytest.mark.parametrize("point", POINTS)
def test_death_at_each_line(dataset, tmp_path, whole, point):
    dataset.train(tmp_path / "w", *FLAGS, code=-signal.SIGKILL, environment={"HEADRACE_KILL_AT": point})
    assert dataset.train(tmp_path / "w", *FLAGS)["model"]["sha256"] == whole
    left = {path.name for path in (tmp_path / "w").iterdir()}
    assert left == {"lock", "job", "model", "result.json"}


def test_death_at_any_moment(dataset, tmp_path, whole):
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 32)
    chance = random.Random(seed)
    command = [binary(), "train", "--dataset", dataset.folder, "--label", "won", "--work", tmp_path / "w", *FLAGS]
    for _ in range(8):
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.02, 0.4))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
    assert dataset.train(tmp_path / "w", *FLAGS)["model"]["sha256"] == whole, f"SEED={seed}"


def test_a_torn_checkpoint_is_none(dataset, tmp_path, whole):
    dataset.train(tmp_path / "w", *FLAGS, code=-signal.SIGKILL, environment={"HEADRACE_KILL_AT": POINTS[2]})
    checkpoint = tmp_path / "w" / "checkpoint"
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    assert dataset.train(tmp_path / "w", *FLAGS)["model"]["sha256"] == whole


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_dies_with_whoever_started_it(tmp_path):
    dataset = Dataset(tmp_path / "d", count=500)
    script = tmp_path / "trainer.py"
    script.write_text(
        "import os, subprocess, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "time.sleep(1000)\n")
    command = [binary(), "train", "--dataset", dataset.folder, "--label", "won", "--work", tmp_path / "w",
               "--command", sys.executable, script]
    process = subprocess.Popen([*map(str, command)])
    wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"))
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(is_alive(pid) for pid in pids)
    process.kill()
    process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
