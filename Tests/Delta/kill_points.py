"""A writer that dies, as by kill -9, at each named point of a commit, a checkpoint, a clean-up, a compaction and a vacuum.

    python Tests/Delta/kill_points.py [--tool .build/debug/headrace-delta] [--passes N]

After each death, and once the writer has been started again: delta-rs finds every row that the table's own offset claims,
once; every file that it names is there; the versions that are pinned still read as they did; and after a vacuum nothing
is left on the disk that neither the table nor a pin names."""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pyarrow as pa
from deltalake import DeltaTable

from interchange import Checks, Tool, spark_schema

NAME = "table"
COMMITS = 12
PINNED = 4


def rows(path, version=None):
    table = DeltaTable(path, version=version)
    found = sorted(pa.table(table.to_pyarrow_table())["number"].to_pylist())
    return table, found


def named_files(path, versions):
    """The data files that these versions need, by delta-rs."""
    return {
        os.path.relpath(uri.removeprefix("file://"), path) for version in versions for uri in DeltaTable(path, version=version).file_uris()
    }


def data_files(path):
    return {str(file.relative_to(path)) for file in pathlib.Path(path).rglob("*.parquet") if "_delta_log" not in file.parts}


def judge(checks, path, when, pinned_rows):
    table, found = rows(path)
    reached = table.transaction_version("life") or 0
    checks.equal(f"{when}: rows", found, list(range(reached)))
    missing = named_files(path, [table.version()]) - data_files(path)
    checks.equal(f"{when}: files that are named and not there", missing, set())
    if pinned_rows is not None:
        checks.equal(f"{when}: the pinned version", rows(path, PINNED)[1], pinned_rows)
    return reached


def live(tool, kill_at=None):
    environment = {**tool.environment, **({"HEADRACE_KILL_AT": kill_at} if kill_at else {})}
    return subprocess.run(
        [tool.path, "life", tool.store, NAME, "--commits", str(COMMITS), "--pin", str(PINNED)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def new_table(tool):
    """What a version removes may go at once, and the log as soon as a checkpoint stands for it: one before the pinned
    version, so that there is something to clean up in front of it."""
    tool.run(
        "create", NAME, "--schema", spark_schema([("app", "string"), ("number", "long")]),
        "--property", "delta.deletedFileRetentionDuration=interval 0 seconds",
        "--property", "delta.logRetentionDuration=interval 0 seconds")
    for number in range(PINNED):
        lines = [{"app": "life", "number": 2 * number + row} for row in range(2)]
        progress = ["--app", "life", *(["--from", str(2 * number)] if number else []), "--to", str(2 * number + 2)]
        tool.run("append", NAME, *progress, rows=lines)
        if number == PINNED - 2:
            tool.run("checkpoint", NAME)


def die_and_go_on(checks, path_of_tool, point, number):
    """- Returns: whether the point was reached so often."""
    store = tempfile.mkdtemp(prefix="headrace-kill-")
    try:
        tool = Tool(path_of_tool, store)
        new_table(tool)
        path = f"{store}/{NAME}"
        pinned_rows = rows(path, PINNED)[1]
        ended = live(tool, f"{point}:{number}")
        if ended.returncode == 0:
            judge(checks, path, f"{point}:{number} not reached", pinned_rows)
            return False
        checks.equal(f"{point}:{number} kills ({ended.stdout.strip()})", ended.returncode, -signal.SIGKILL)
        judge(checks, path, f"{point}:{number} dead", pinned_rows)
        again = live(tool)
        checks.equal(f"{point}:{number} goes on", (again.returncode, again.stdout), (0, ""))
        checks.equal(f"{point}:{number} reaches its end", judge(checks, path, f"{point}:{number} heir", pinned_rows), 2 * COMMITS)
        tool.run("vacuum", NAME, "--retention", "0", "--pin", str(PINNED))
        needed = named_files(path, [DeltaTable(path).version(), PINNED])
        checks.equal(f"{point}:{number} orphans after vacuum", data_files(path) - needed, set())
        judge(checks, path, f"{point}:{number} vacuumed", pinned_rows)
        return True
    finally:
        shutil.rmtree(store, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=".build/release/headrace-delta")
    parser.add_argument("--passes", type=int, default=4, help="how many deaths at each point, at most")
    arguments = parser.parse_args()
    points = subprocess.run([arguments.tool, "kill-points"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    checks = Checks()
    deaths = 0
    for point in points:
        reached = [number for number in range(1, arguments.passes + 1) if die_and_go_on(checks, arguments.tool, point, number)]
        checks.true(f"{point} is reached", reached)
        deaths += len(reached)
    print(f"kill points: {len(points)} points, {deaths} deaths; {checks.passed} checks passed, {len(checks.failed)} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
