"""Appends to a Delta table, opening it and compacting it: `Delta` of this repository beside delta-rs, in one run.

    python Benchmarks/Delta/append.py [--tool .build/release/headrace-delta] [--commits 100] [--rows 50000]

Rows are in memory and the table is open when the clock starts; it stops when the commit is in the log. Ours syncs file and
folder to the disk, delta-rs does not."""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake


def summary(name, times):
    appends, opens, compactions = times["append"], times["open"], times["compact"]
    print(
        f"{name:10} append median {statistics.median(appends):7.1f} ms, first 10 {statistics.median(appends[:10]):7.1f}, "
        f"last 10 {statistics.median(appends[-10:]):7.1f}; open {statistics.median(opens):6.2f} ms; "
        f"compact {compactions[0]:8.1f} ms")


def ours(tool, folder, commits, rows):
    times = {"append": [], "open": [], "compact": []}
    out = subprocess.run(
        [tool, "bench", folder, "ours", "--commits", str(commits), "--rows", str(rows)], check=True,
        stdout=subprocess.PIPE, text=True).stdout
    for line in out.splitlines():
        what, milliseconds = line.split()
        times[what].append(float(milliseconds))
    return times


def theirs(folder, commits, rows):
    path = f"{folder}/theirs"
    times = {"append": [], "open": [], "compact": []}
    choose = random.Random(7)
    table = None
    for commit in range(commits):
        first = commit * rows
        begin = 1_700_000_000_000_000 + first * 1000
        batch = pa.table({
            "id": pa.array(range(first, first + rows), pa.int64()),
            "key": [f"key-{choose.randrange(5000)}" for _ in range(rows)],
            "value": [choose.uniform(0, 1000) for _ in range(rows)],
            "ts": pa.array(range(begin, begin + rows * 1000, 1000), pa.timestamp("us", tz="UTC")),
        })
        begun = time.perf_counter()
        write_deltalake(
            table or path, batch, mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction("bench", commit + 1)]))
        times["append"].append((time.perf_counter() - begun) * 1000)
        table = table or DeltaTable(path)
    for _ in range(10):
        begun = time.perf_counter()
        DeltaTable(path)
        times["open"].append((time.perf_counter() - begun) * 1000)
    begun = time.perf_counter()
    DeltaTable(path).optimize.compact()
    times["compact"].append((time.perf_counter() - begun) * 1000)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=".build/release/headrace-delta")
    parser.add_argument("--commits", type=int, default=100)
    parser.add_argument("--rows", type=int, default=50_000)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="headrace-delta-bench-")
    try:
        summary("headrace", ours(arguments.tool, folder, arguments.commits, arguments.rows))
        summary("delta-rs", theirs(folder, arguments.commits, arguments.rows))
        for name in ("ours", "theirs"):
            size = sum(os.path.getsize(f"{root}/{file}") for root, _, files in os.walk(f"{folder}/{name}") for file in files)
            print(f"{name}: {size / 2**20:.1f} MiB on the disk, compacted files beside the old ones")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
