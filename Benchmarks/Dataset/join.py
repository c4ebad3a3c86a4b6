#!/usr/bin/env python3
"""Point-in-time join, Parquet to Parquet (zstd), TTL 24 h: `headrace dataset join` beside DuckDB's ASOF and polars' join_asof.

    join.py [--headrace BINARY] [--data DIR] [--runs 3] [--features 5000000] [--labels 1000000]

Needs duckdb, polars, pyarrow and numpy (Tests/requirements.txt). Each run is a process of its own, in turns, so that all see the
same machine; time and peak memory are those of the whole process. What we wrote is held against what DuckDB wrote, row for row.
Of each engine the fastest run counts. The last lines say how many times faster we are than the fastest other.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = [f"f{index}" for index in range(10)]
START, SPAN = 1_790_000_000_000_000, 30 * 86_400 * 1_000_000


def make_data(folder: Path, features: int, labels: int) -> None:
    """Feature rows in the order of a stream, labels in no order; small counts, amounts, and numbers of full precision."""
    import numpy
    import pyarrow
    import pyarrow.parquet
    generator = numpy.random.default_rng(7)
    users = max(features // 50, 1)
    moments = numpy.sort(generator.integers(0, SPAN, features)) + START
    columns = {"user_id": pyarrow.array(generator.integers(0, users, features), pyarrow.int64()),
               "event_timestamp": pyarrow.array(moments, pyarrow.timestamp("us", "UTC"))}
    for index, name in enumerate(COLUMNS):
        if index < 3:
            columns[name] = generator.poisson(5 * (index + 1), features).astype(numpy.float64)
        elif index < 7:
            columns[name] = numpy.round(generator.lognormal(3, 1, features), 2)
        else:
            columns[name] = generator.standard_normal(features)
    pyarrow.parquet.write_table(
        pyarrow.table(columns), folder / "features.parquet", compression="zstd", row_group_size=500_000)
    pyarrow.parquet.write_table(pyarrow.table({
        "user_id": pyarrow.array(generator.integers(0, users, labels), pyarrow.int64()),
        "event_timestamp": pyarrow.array(generator.integers(0, SPAN, labels) + START, pyarrow.timestamp("us", "UTC")),
        "label": pyarrow.array(generator.integers(0, 2, labels), pyarrow.int64())}),
        folder / "labels.parquet", compression="zstd")


def join_by_duckdb(features: Path, labels: Path, out: Path) -> None:
    import duckdb
    shown = ",".join(
        f"CASE WHEN f.event_timestamp >= l.event_timestamp - INTERVAL 24 HOUR THEN f.{name} END AS {name}" for name in COLUMNS)
    duckdb.sql(f"COPY (SELECT l.user_id, l.event_timestamp, l.label, {shown} FROM '{labels}' l ASOF LEFT JOIN '{features}' f "
               f"ON l.user_id = f.user_id AND l.event_timestamp >= f.event_timestamp) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def join_by_polars(features: Path, labels: Path, out: Path) -> None:
    import polars
    left = polars.scan_parquet(labels).sort("event_timestamp")
    right = polars.scan_parquet(features).sort("event_timestamp")
    left.join_asof(right, on="event_timestamp", by="user_id", strategy="backward", tolerance="24h").collect().write_parquet(
        out, compression="zstd")


def run(command: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of processors, and peak memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def differences(ours: Path, theirs: Path) -> tuple[int, int]:
    """Rows that one has and the other one has not; and rows with a match."""
    import duckdb
    columns = ", ".join(["user_id", "epoch_us(event_timestamp::timestamptz) AS t", "label", *COLUMNS])
    left, right = (f"SELECT {columns} FROM '{file}'" for file in (ours, theirs))
    count = duckdb.sql(f"SELECT (SELECT count(*) FROM (({left}) EXCEPT ALL ({right}))) + "
                       f"(SELECT count(*) FROM (({right}) EXCEPT ALL ({left})))").fetchall()[0][0]
    return count, duckdb.sql(f"SELECT count(f0) FROM '{ours}'").fetchall()[0][0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", default=str(Path(__file__).resolve().parents[2] / ".build" / "release" / "headrace"))
    parser.add_argument("--data", type=Path, help="where data are made, or found from an earlier run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--features", type=int, default=5_000_000)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--peer", choices=["duckdb", "polars"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.data or Path(tempfile.mkdtemp(prefix="headrace-join-"))
    features, labels = folder / "features.parquet", folder / "labels.parquet"
    if arguments.peer:
        {"duckdb": join_by_duckdb, "polars": join_by_polars}[arguments.peer](features, labels, arguments.out)
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    if not labels.exists():
        make_data(folder, arguments.features, arguments.labels)
    engines = {name: [sys.executable, __file__, "--data", str(folder), "--peer", name, "--out", str(folder / f"{name}.parquet")]
               for name in ("duckdb", "polars")}
    engines["headrace"] = [
        arguments.headrace, "dataset", "join", "--labels", str(labels), "--features", str(features), "--on", "user_id",
        "--label-time", "event_timestamp", "--ttl", "24h", "--out", str(folder / "headrace.parquet")]
    best: dict[str, tuple[float, float, float]] = {}
    for _ in range(arguments.runs):
        for name, command in engines.items():
            (folder / f"{name}.parquet").unlink(missing_ok=True)
            best[name] = min(best.get(name, (float("inf"), 0.0, 0.0)), run(command))
    for name, (seconds, processors, memory) in best.items():
        print(f"{name:9} {seconds:6.2f} s  {processors:6.2f} s of processors  {memory:7.0f} MB")
    count, matched = differences(folder / "headrace.parquet", folder / "duckdb.parquet")
    print(f"{count} rows differ from DuckDB's; {matched:,} labels have a row")
    others = [best[name] for name in ("duckdb", "polars")]
    ratio = min(other[0] for other in others) / best["headrace"][0]
    memory = best["headrace"][2] / min(other[2] for other in others)
    print(f"{ratio:.2f}x faster than the fastest other, {memory:.2f} of the memory of the most frugal one")
    return 0 if count == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
