#!/usr/bin/env python3
"""Whether `headrace plan` says what the state of a topology takes: its estimate beside what a worker really keeps.

Payments of so many users come in over twice as much event time as a row lives after its last event, so that windows
have filled and rows have ended. A worker with room for all rows reads them. Compared are the number of rows, their memory (the
worker's own gauge, without rows that ended and wait to be driven out) and the files of its RocksDB, compacted; beside them
how much the process grew, and how large the folder was before. Fails where an estimate is more than 20 % away.

usage: state.py [--users N] [--events-per-user N] [--topology FILE]...
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from stream import HEADRACE, HERE, ROOT, Server, records_read

TOPIC = "payments"
# The law that the generator draws users by.
SKEW = 1.1
MERCHANTS = 5_000
COUNTRIES_AND_CHANNELS = 24
TOLERANCE = 0.2
# How long a row of a user stays after its last event: the longest of ttl and window with hop, and twice the lateness.
LIVES_SECONDS = {"bench-w2": 65 * 60 + 2 * 180, "bench-w2-day": 25 * 3600 + 2 * 180, "payments": 7 * 86_400 + 2 * 600}


def gauge(worker: Server, name: str) -> float:
    with urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=30) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    raise SystemExit(f"/metrics has no {name}")


def last_checkpoints(worker: Server) -> bool:
    """Whether the state of every task is on the disk as far as it was read."""
    with urllib.request.urlopen(f"http://{worker.address}/api/tasks", timeout=30) as answer:
        inputs = [item for task in json.load(answer)["tasks"] for item in task["inputs"]]
    return all(item["lag_records"] == 0 for item in inputs) and gauge(worker, "headrace_state_dirty_bytes") == 0


def folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.name != "RESERVE")


def estimate(topology: Path, users: int, events_per_hour: float) -> dict:
    names = {entity["name"] for entity in json.loads(plan(topology))["entities"]}
    known = {"user": users, "merchant": MERCHANTS, "country_channel": COUNTRIES_AND_CHANNELS}
    keys = [f"{name}={known[name]}" for name in sorted(names)]
    return json.loads(plan(topology, "--keys", *keys, "--events-per-hour", f"{events_per_hour:.6f}", "--skew", str(SKEW)))


def plan(topology: Path, *arguments: str) -> bytes:
    return subprocess.run(
        [HEADRACE, "plan", str(topology), "--offline", "--output", "json", "--schemas", str(ROOT / "schemas"), *arguments],
        check=True, capture_output=True).stdout


def run(topology: Path, users: int, events_per_user: float, folder: Path, compact: Path) -> list[str]:
    """Returns what is too far off."""
    folder.mkdir()
    name = json.loads(plan(topology))["topology"]
    lives = LIVES_SECONDS[name]
    seconds = 2 * lives
    records = int(users * events_per_user)
    expected = estimate(topology, users, events_per_user / seconds * 3600)
    broker = Server(folder, "broker", [
        "broker", "--data", str(folder / "log"), "--listen", "127.0.0.1:0", "--log-level", "warning"])
    try:
        subprocess.run([HEADRACE, "topics", "create", TOPIC, "--partitions", "2", "--bootstrap", broker.address],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run([HEADRACE, "generate", "payments", "--count", str(records), "--rate", "0", "--event-rate",
                        f"{records / seconds:.6f}", "--users", str(users), "--merchants", str(MERCHANTS), "--topic", TOPIC,
                        "--bootstrap", broker.address], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        budget = max(expected["state"]["memory_bytes"] * 3, 64 << 20)
        worker = Server(folder, "worker", [
            "run", str(topology), "--bootstrap", broker.address, "--data", str(folder / "state"), "--listen", "127.0.0.1:0",
            "--schemas", str(ROOT / "schemas"), "--memory", str(budget), "--checkpoint-interval", "2s", "--tables", "none"])
        try:
            before = worker.memory_mebibytes("VmRSS") * 2**20
            deadline = time.monotonic() + 1_800
            while records_read(worker) < records or not last_checkpoints(worker):
                if worker.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the worker does not finish:\n" + (folder / "worker.log").read_text()[-2000:])
                time.sleep(0.5)
            memory = gauge(worker, "headrace_state_memory_bytes")
            grown = worker.memory_mebibytes("VmRSS") * 2**20 - before
        finally:
            worker.stop()
    finally:
        broker.stop()
    left = folder_bytes(folder / "state")
    rows, shares = 0, []
    for task in (folder / "state" / "state" / name).iterdir():
        found = subprocess.run([str(compact), str(task), str(lives * 1000)], check=True, capture_output=True, text=True)
        rows += int(found.stdout.split()[0])
        shares.append(float(found.stdout.split()[1]))
    memory *= sum(shares) / len(shares)
    disk = folder_bytes(folder / "state")
    print(f"{name}: {records:,} payments of {users:,} users over {seconds / 3600:.1f} h of event time; the plan says "
          f"{sum(view['rows'] for view in expected['state']['views']):,} rows, there are {rows:,}", flush=True)
    off = []
    for what, said, found in (("rows in memory", expected["state"]["memory_bytes"], memory),
                              ("files, compacted", expected["state"]["disk_bytes"], disk)):
        verdict = "" if abs(said / found - 1) <= TOLERANCE else "  TOO FAR OFF"
        print(f"  {what:17} plan {said / 1e6:8.1f} MB, found {found / 1e6:8.1f} MB: {said / found - 1:+.1%}{verdict}", flush=True)
        if verdict:
            off.append(f"{name}: {what}")
    print(f"  the process grew by {grown / 1e6:.1f} MB; the folder had {left / 1e6:.1f} MB before it was compacted", flush=True)
    return off


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--events-per-user", type=float, default=20)
    parser.add_argument("--topology", type=Path, action="append")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        compact = folder / "compact"
        subprocess.run(["gcc", "-O2", str(HERE / "compact.c"), "-o", str(compact), "-lrocksdb"], check=True)
        off: list[str] = []
        for topology in arguments.topology or [HERE / "w2.yaml", ROOT / "topologies/payments.yaml"]:
            off += run(topology, arguments.users, arguments.events_per_user, folder / topology.stem, compact)
            shutil.rmtree(folder / topology.stem)
        return 1 if off else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
