#!/usr/bin/env python3
"""Whether a worker's memory stays flat: tens of millions of payments through it, and its resident memory all the while.

The payments come in slices: one is written while the one before it is read, and the log forgets what was read (short
retention), so that the disk stays small. Event time goes on from slice to slice. Memory is sampled every half second.
Until the rows and the cache of blocks fill their budgets it may grow. From then on it is flat when the median of the last
quarter of the samples is at most a tenth above that of the first quarter. Rows in memory never exceed their budget by
more than a tenth.

usage: memory.py [--records N] [--slice N] [--users N] [--memory SIZE] [--tables PLACE]
                 [--topology FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from state import gauge
from stream import HEADRACE, HERE, ROOT, Server, records_read

TOPIC = "payments"
GROWTH_MAX = 0.1
# The worker's `blockCacheBytes`.
CACHE_MEBIBYTES = 128


class Samples(threading.Thread):
    def __init__(self, worker: Server):
        super().__init__(daemon=True)
        self.worker = worker
        self.resident: list[float] = []
        self.rows: list[float] = []
        self.cache: list[float] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.5):
            self.resident.append(self.worker.memory_mebibytes("VmRSS"))
            self.rows.append(gauge(self.worker, 'headrace_memory_bytes{part="rows"}') / 2**20)
            self.cache.append(gauge(self.worker, 'headrace_memory_bytes{part="block_cache"}') / 2**20)


def slices(arguments, bootstrap: str, worker: Server) -> float:
    """Streams everything; returns how many megabytes the log took at most."""
    most = 0.0
    written = 0
    start = 1_700_000_000_000
    while written < arguments.records:
        count = min(arguments.slice, arguments.records - written)
        subprocess.run([
            HEADRACE, "generate", "payments", "--count", str(count), "--rate", "0", "--event-rate", str(arguments.event_rate),
            "--start", str(start + written * 1_000 // arguments.event_rate), "--seed", str(written + 7),
            "--users", str(arguments.users), "--topic", TOPIC, "--bootstrap", bootstrap],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        written += count
        most = max(most, sum(file.stat().st_size for file in arguments.folder.rglob("log/**/*.log")) / 1e6)
        # At most one slice ahead: nothing that was not read is old enough to go.
        while records_read(worker) < written - arguments.slice:
            time.sleep(0.05)
            if worker.process.poll() is not None:
                raise SystemExit("the worker ended:\n" + (arguments.folder / "worker.log").read_text()[-2000:])
        forget(bootstrap, worker)
    while records_read(worker) < written:
        time.sleep(0.05)
    return most


def forget(bootstrap: str, worker: Server) -> None:
    """Deletes the records that the state holds already (S) from the log."""
    with urllib.request.urlopen(f"http://{worker.address}/api/tasks", timeout=30) as answer:
        inputs = [item for task in json.load(answer)["tasks"] for item in task["inputs"]]
    saved = [TopicPartition(item["topic"], item["partition"], item["state_offset"]) for item in inputs
             if item["topic"] == TOPIC and item.get("state_offset")]
    if saved:
        # Kept until its answers are there.
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for future in admin.delete_records(saved).values():
            future.result(30)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=50_000_000)
    parser.add_argument("--slice", type=int, default=2_500_000)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--event-rate", type=int, default=2_000, help="events in a second of event time")
    parser.add_argument("--memory", type=int, default=256, help="MiB of rows in memory")
    parser.add_argument("--tables", help="where tables go, or none; as the worker has it unless given")
    parser.add_argument("--topology", type=Path, default=HERE / "w2.yaml")
    arguments = parser.parse_args()
    folder = arguments.folder = Path(tempfile.mkdtemp())
    servers: list[Server] = []
    try:
        broker = Server(folder, "broker", [
            "broker", "--data", str(folder / "log"), "--listen", "127.0.0.1:0", "--log-level", "warning"])
        servers.append(broker)
        subprocess.run([HEADRACE, "topics", "create", TOPIC, "--partitions", "2", "--config", "segment.bytes=67108864",
                        "--bootstrap", broker.address], check=True, stdout=subprocess.DEVNULL)
        worker = Server(folder, "worker", [
            "run", str(arguments.topology), "--bootstrap", broker.address, "--data", str(folder / "state"),
            "--listen", "127.0.0.1:0", "--schemas", str(ROOT / "schemas"), "--memory", f"{arguments.memory}MiB",
            *(["--tables", arguments.tables] if arguments.tables else [])])
        servers.append(worker)
        samples = Samples(worker)
        samples.start()
        began = time.monotonic()
        log = slices(arguments, broker.address, worker)
        seconds = time.monotonic() - began
        samples.stopping.set()
        samples.join()
        return verdict(arguments, samples, worker, log, seconds)
    finally:
        for server in reversed(servers):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def verdict(arguments, samples: Samples, worker: Server, log: float, seconds: float) -> int:
    resident, rows = samples.resident, samples.rows
    full = next((index for index, value in enumerate(rows)
                 if value > 0.98 * arguments.memory and samples.cache[index] > 0.9 * CACHE_MEBIBYTES), len(rows))
    quarter = (len(resident) - full) // 4
    if quarter < 5:
        raise SystemExit(f"budgets were full too late to say anything: rows at most {max(rows):.0f} of "
                         f"{arguments.memory} MiB, cache {max(samples.cache):.0f} of {CACHE_MEBIBYTES}")
    early, late = statistics.median(resident[full:full + quarter]), statistics.median(resident[-quarter:])
    print(f"{arguments.records:,} payments of {arguments.users:,} users in {seconds:.0f} s; the log took at most {log:.0f} MB")
    step = max(len(resident) // 20, 1)
    print("resident MiB: " + " ".join(f"{value:.0f}" for value in resident[::step]))
    print("cache MiB:    " + " ".join(f"{value:.0f}" for value in samples.cache[::step]))
    print("rows MiB:     " + " ".join(f"{value:.0f}" for value in rows[::step]))
    print(f"the budgets were full after {full / len(rows):.0%} of the time; from then on: "
          f"median of the first quarter {early:.0f} MiB, of the last {late:.0f} MiB ({late / early - 1:+.1%}), "
          f"at most {worker.memory_mebibytes('VmHWM'):.0f} MiB; rows at most {max(rows):.0f} MiB of {arguments.memory}")
    with urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=30) as answer:
        parts = [line for line in answer.read().decode().splitlines() if line.startswith("headrace_memory_bytes{")]
    print("at the end: " + ", ".join(
        f"{line.split(chr(34))[1]} {float(line.split()[-1]) / 2**20:.0f} MiB" for line in parts))
    problems = []
    if late > early * (1 + GROWTH_MAX):
        problems.append("it grows")
    if max(rows) > 1.1 * arguments.memory:
        problems.append("the budget was exceeded")
    print("FAILED: " + ", ".join(problems) if problems else "flat")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
