"""Many processes that write one table at once.

    python Tests/Delta/races.py [--tool .build/debug/headrace-delta] [--writers 8] [--commits 1000] [--duels 40] [--seed N]

Writers with a row in each commit, some of them killed and started again, beside one that compacts and checkpoints all the
while; and duels: two processes with the same rows of one application, of which one must win. delta-rs counts the rows."""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
from deltalake import DeltaTable

from interchange import Checks, Tool, spark_schema

SCHEMA = spark_schema([("app", "string"), ("number", "long")])


def found_rows(path):
    table = pa.table(DeltaTable(path).to_pyarrow_table())
    return sorted(zip(table["app"].to_pylist(), table["number"].to_pylist()))


def crowd(checks, tool, folder, writers, commits, kills, choose):
    """Every writer's rows are there once, in as many versions as there were commits."""
    name = "crowd"
    tool.run("create", name, "--schema", SCHEMA)
    stop = f"{folder}/stop"
    tidy = tool.start("tidy", name, "--until", stop)

    def start(app):
        return tool.start("race", name, "--app", app, "--commits", str(commits), "--rows", "1")

    begun = time.monotonic()
    running = {app: start(app) for app in (f"w{n}" for n in range(writers))}
    killed = 0
    for _ in range(kills):
        app = choose.choice(sorted(running))
        try:
            running[app].wait(choose.uniform(0.05, 0.4))
        except subprocess.TimeoutExpired:
            running[app].kill()
            running[app].wait()
            killed += 1
            running[app] = start(app)
    for app, process in running.items():
        out, _ = process.communicate()
        checks.equal(f"{app} ends well", (process.returncode, out), (0, ""))
    seconds = time.monotonic() - begun
    open(stop, "w").close()
    out, _ = tidy.communicate()
    checks.equal(f"the one that tidies up ends well: {out.strip()}", tidy.returncode, 0)
    expected = sorted((f"w{writer}", number) for writer in range(writers) for number in range(commits))
    checks.equal("rows of all writers by delta-rs", found_rows(f"{folder}/{name}"), expected)
    checks.equal("rows by headrace", tool.describe(name)["rows"], len(expected))
    table = DeltaTable(f"{folder}/{name}")
    for writer in range(writers):
        checks.equal(f"w{writer}: its offset", table.transaction_version(f"w{writer}"), commits)
    print(
        f"{writers} writers x {commits} commits in {seconds:.1f} s, {killed} killed and started again, "
        f"{out.strip()} times, newest version {table.version()}")


def duels(checks, tool, name, rounds, read):
    """Two processes that bring the same rows: the one that loses is told so."""
    tool.run("create", name, "--schema", SCHEMA)
    for number in range(rounds):
        progress = ["--app", "duel", *(["--from", str(number)] if number else []), "--to", str(number + 1)]
        pair = [tool.start("append", name, *progress, stdin=subprocess.PIPE) for _ in range(2)]
        for process in pair:
            process.stdin.write(f'{{"app": "duel", "number": {number}}}\n')
            process.stdin.flush()
        outs = [process.communicate()[0] for process in pair]
        won = sum("committed" in out for out in outs)
        lost = sum("transactionMoved" in out for out in outs)
        checks.equal(f"{name} {number}: one wins, the other is told ({outs})", (won, lost), (1, 1))
    checks.equal(f"{name}: rows", read(), [("duel", number) for number in range(rounds)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=".build/release/headrace-delta")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--duels", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    folder = tempfile.mkdtemp(prefix="headrace-race-")
    checks = Checks()
    tool = Tool(arguments.tool, folder)
    try:
        crowd(
            checks, tool, folder, arguments.writers, arguments.commits, arguments.kills, random.Random(arguments.seed))
        duels(checks, tool, "duel", arguments.duels, lambda: found_rows(f"{folder}/duel"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"races: {checks.passed} checks passed, {len(checks.failed)} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
