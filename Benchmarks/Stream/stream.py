#!/usr/bin/env python3
"""Events a second from a topic into windowed features, in ratio to plain librdkafka and simdjson in the same run.

Starts a broker, fills a topic with payments, and lets the limit (limit.cpp) and a worker read all of it in turns. The
worker is the program that users run: contract checks, RocksDB state, checkpoints and committed offsets are on. Its rate
is taken from its own counters between 10 % and 90 % of the records, so that neither joining the group nor the last
moments count; the limit is timed from its first batch to its last.

usage: stream.py [--records N] [--runs N] [--partitions N] [--workers N] [--users N] [--topology FILE]...
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HEADRACE = os.environ.get("HEADRACE", str(ROOT / ".build/release/headrace"))
TOPIC = "payments"


class Server:
    """A process of ours that writes its address into a file once it serves."""

    def __init__(self, folder: Path, name: str, arguments: list[str]):
        port_file = folder / f"{name}.port"
        port_file.unlink(missing_ok=True)
        self.log = open(folder / f"{name}.log", "w")
        self.process = subprocess.Popen(
            [HEADRACE, *arguments, "--port-file", str(port_file)], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not serve:\n{(folder / f'{name}.log').read_text()}")
            time.sleep(0.01)
        self.address = port_file.read_text().strip()

    def memory_mebibytes(self, what: str) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
        return 0.0

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.log.close()


def records_read(worker: Server) -> int:
    try:
        with urllib.request.urlopen(f"http://{worker.address}/api/tasks", timeout=10) as answer:
            return sum(source["read"] for source in json.load(answer)["sources"])
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 0


def run_limit(limit: Path, bootstrap: str, partitions: int, records: int) -> float:
    answer = subprocess.run([str(limit), bootstrap, TOPIC, str(partitions), str(records)], check=True, capture_output=True)
    result = json.loads(answer.stdout)
    assert result["faults"] == 0, result
    return result["records_per_second"]


def run_worker(folder: Path, bootstrap: str, topology: Path, records: int, workers: int) -> dict[str, float]:
    """One worker from nothing to the end of the topic."""
    data = folder / "state"
    shutil.rmtree(data, ignore_errors=True)
    worker = Server(folder, "worker", [
        "run", str(topology), "--bootstrap", bootstrap, "--data", str(data), "--listen", "127.0.0.1:0",
        "--workers", str(workers), "--schemas", str(ROOT / "schemas")])
    try:
        marks: list[tuple[float, int, float]] = []
        while not marks or marks[-1][1] < records:
            read = records_read(worker)
            marks.append((time.monotonic(), read, worker.processor_seconds()))
            if worker.process.poll() is not None:
                raise SystemExit("the worker ended:\n" + (folder / "worker.log").read_text()[-2000:])
            time.sleep(0.1)
        first = next(mark for mark in marks if mark[1] >= records * 0.1)
        last = next(mark for mark in marks if mark[1] >= records * 0.9)
        span = [mark for mark in marks if first[0] <= mark[0] <= last[0]]
        taken = last[1] - first[1]
        return {
            "rate": taken / (last[0] - first[0]),
            "nanoseconds": (last[2] - first[2]) / taken * 1e9,
            "samples": len(span),
            "resident": worker.memory_mebibytes("VmRSS"),
            "peak": worker.memory_mebibytes("VmHWM"),
        }
    finally:
        worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--topology", type=Path, action="append")
    arguments = parser.parse_args()
    topologies = arguments.topology or [HERE / "w2.yaml", HERE / "w2-day.yaml"]
    folder = Path(tempfile.mkdtemp())
    broker = None
    try:
        limit = folder / "limit"
        subprocess.run(["g++", "-O3", "-march=native", "-std=c++17", str(HERE / "limit.cpp"), "-o", str(limit),
                        "-lrdkafka", "-lsimdjson"], check=True)
        broker = Server(folder, "broker", [
            "broker", "--data", str(folder / "log"), "--listen", "127.0.0.1:0", "--log-level", "warning"])
        subprocess.run([HEADRACE, "topics", "create", TOPIC, "--partitions", str(arguments.partitions),
                        "--bootstrap", broker.address], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([HEADRACE, "generate", "payments", "--count", str(arguments.records), "--rate", "0", "--seed", "7",
                        "--users", str(arguments.users), "--topic", TOPIC, "--bootstrap", broker.address],
                       check=True, stdout=subprocess.DEVNULL)
        print(f"{arguments.records:,} payments of {arguments.users:,} users in {arguments.partitions} partitions; "
              f"load {os.getloadavg()[0]:.2f}", flush=True)
        rates: dict[str, list[float]] = {}
        for run in range(arguments.runs):
            ceiling = run_limit(limit, broker.address, arguments.partitions, arguments.records)
            rates.setdefault("limit", []).append(ceiling)
            print(f"run {run + 1}: limit {ceiling / 1e6:.2f} M/s", flush=True)
            for topology in topologies:
                result = run_worker(folder, broker.address, topology, arguments.records, arguments.workers)
                rates.setdefault(topology.stem, []).append(result["rate"])
                print(f"run {run + 1}: {topology.stem} {result['rate'] / 1e6:.2f} M/s, {result['rate'] / ceiling:.0%} of the limit, "
                      f"{result['nanoseconds']:.0f} ns of processor an event, "
                      f"resident {result['resident']:.0f} MiB, at most {result['peak']:.0f} MiB", flush=True)
        for name, values in rates.items():
            share = f", {statistics.median(values) / statistics.median(rates['limit']):.0%} of the limit" if name != "limit" else ""
            print(f"median {name}: {statistics.median(values) / 1e6:.2f} M/s "
                  f"({min(values) / 1e6:.2f} to {max(values) / 1e6:.2f}){share}")
    finally:
        if broker:
            broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
