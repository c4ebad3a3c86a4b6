"""Tables written here and read by delta-rs, polars and DuckDB, and the other way round; writers of both kinds on one table.

    python Tests/Delta/interchange.py [--tool .build/debug/headrace-delta] [--seed N]

Ends with one line that counts the checks; a check that fails says what differs."""

import argparse
import datetime
import decimal
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import duckdb
import polars
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

EPOCH = datetime.date(1970, 1, 1)
SCHEMA = [
    ("id", "long"), ("flag", "boolean"), ("small", "integer"), ("ratio", "double"), ("name", "string"), ("raw", "binary"),
    ("day", "date"), ("at", "timestamp"), ("price", "decimal(10,2)"),
]
ARROW = pa.schema([
    ("id", pa.int64()), ("flag", pa.bool_()), ("small", pa.int32()), ("ratio", pa.float64()), ("name", pa.string()),
    ("raw", pa.binary()), ("day", pa.date32()), ("at", pa.timestamp("us", tz="UTC")), ("price", pa.decimal128(10, 2)),
])


def spark_schema(fields):
    return json.dumps({
        "type": "struct",
        "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in fields],
    })


class Rows:
    """Random rows, in the tool's JSON form: what both sides are compared in."""

    NAMES = ["", "a", "b c", "d/e=f", "%41é", "漢" * 20, "x" * 33, None]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.next_id = 0

    def take(self, count):
        return [self.one() for _ in range(count)]

    def one(self):
        choose = self.random
        self.next_id += 1
        row = {
            "id": self.next_id, "flag": choose.random() < 0.5, "small": choose.randrange(-(2**31), 2**31),
            "ratio": choose.uniform(-1e6, 1e6), "name": choose.choice(self.NAMES), "raw": choose.randbytes(3).hex(),
            "day": choose.choice([-1, 0, 15706, 15707]), "at": choose.randrange(-(10**15), 2 * 10**15),
            "price": str(decimal.Decimal(choose.randrange(-(10**9), 10**9)).scaleb(-2)),
        }
        return {key: None if key != "id" and choose.random() < 0.1 else value for key, value in row.items()}


def to_arrow(rows, schema=ARROW):
    def cell(row, field):
        value = row.get(field.name)
        if value is None:
            return None
        if field.name == "raw":
            return bytes.fromhex(value)
        if field.name == "day":
            return EPOCH + datetime.timedelta(days=value)
        if field.name == "price":
            return decimal.Decimal(value)
        return value

    arrays = []
    for field in schema:
        cells = [cell(row, field) for row in rows]
        if field.name == "at":
            arrays.append(pa.array(cells, pa.int64()).cast(field.type))
        else:
            arrays.append(pa.array(cells, field.type))
    return pa.table(arrays, schema=schema)


def from_arrow(table):
    rows = []
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if name == "at":
            column = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        columns[name] = column.to_pylist()
    for index in range(table.num_rows):
        row = {name: cells[index] for name, cells in columns.items()}
        if row.get("raw") is not None:
            row["raw"] = row["raw"].hex()
        if row.get("day") is not None:
            row["day"] = (row["day"] - EPOCH).days
        if row.get("price") is not None:
            row["price"] = str(row["price"])
        rows.append(row)
    return rows


def ordered(rows):
    return sorted(rows, key=lambda row: row["id"])


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = []

    def equal(self, what, found, expected):
        if found == expected:
            self.passed += 1
            return
        self.failed.append(what)
        print(f"FAILED {what}", flush=True)
        if isinstance(found, list) and isinstance(expected, list):
            print(f"  {len(found)} rows, expected {len(expected)}")
            for left, right in zip(found, expected):
                if left != right:
                    print(f"  found    {left}\n  expected {right}")
                    break
        else:
            print(f"  found    {found}\n  expected {expected}")

    def true(self, what, condition):
        self.equal(what, bool(condition), True)


class Tool:
    def __init__(self, path, store, environment=None):
        self.path = path
        self.store = store
        self.environment = {**os.environ, **(environment or {})}

    def start(self, command, table, *options, **pipes):
        return subprocess.Popen(
            [self.path, command, self.store, table, *options], env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, **pipes)

    def run(self, command, table, *options, rows=None):
        process = self.start(command, table, *options, stdin=subprocess.PIPE)
        out, _ = process.communicate("".join(json.dumps(row) + "\n" for row in rows or []))
        if process.returncode != 0:
            raise RuntimeError(f"{command} {table}: {out.strip()}")
        return out

    def refusal(self, command, table, *options):
        try:
            self.run(command, table, *options)
        except RuntimeError as error:
            return str(error)
        return "no error"

    def rows(self, table, *options):
        return ordered([json.loads(line) for line in self.run("read", table, *options).splitlines()])

    def describe(self, table):
        return json.loads(self.run("describe", table))


def nothing_for_empty(rows, partitions):
    """As a partition's value an empty text is null: the protocol has no other."""
    return [
        {key: None if key in partitions and value == "" else value for key, value in row.items()} for row in rows
    ]


def by_delta_rs(path, names, version=None):
    return ordered(from_arrow(pa.table(DeltaTable(path, version=version).to_pyarrow_table()).select(names)))


def by_polars(path, names, version=None):
    return ordered(from_arrow(polars.read_delta(path, version=version).to_arrow().select(names)))


def by_duckdb(path, names, version=None):
    """DuckDB's Parquet reader on the files of a version: rows with the values of their file's partition, which is in the
    log and not in the file."""
    table = DeltaTable(path, version=version)
    partitions = table.metadata().partition_columns
    rows = []
    actions = pa.table(table.get_add_actions(flatten=True))
    for action in actions.to_pylist():
        file = f"{path}/{urllib.parse.unquote(action['path'])}"
        found = pa.table(duckdb.read_parquet(file, hive_partitioning=False).arrow())
        for name in names:
            if name in partitions:
                found = found.append_column(name, pa.array([action[f"partition.{name}"]] * found.num_rows))
            elif name not in found.column_names:
                found = found.append_column(name, pa.nulls(found.num_rows, pa.string()))
        rows += from_arrow(found.select(names))
    return ordered(rows)


READERS = {"delta-rs": by_delta_rs, "polars": by_polars, "DuckDB": by_duckdb}


def compare(checks, tool, name, what, expected, names=ARROW.names, version=None):
    """All four read the same rows."""
    path = f"{tool.store}/{name}"
    for reader, read in READERS.items():
        checks.equal(f"{name} {what}: {reader}", read(path, names, version), expected)
    checks.equal(f"{name} {what}: headrace", tool.rows(name, *([] if version is None else ["--version", str(version)])), expected)


def compare_times(checks, tool, name, history):
    """Between two versions every reader finds the older one."""
    path = f"{tool.store}/{name}"
    times = [os.stat(f"{path}/_delta_log/{version:020d}.json").st_mtime for version in range(len(history))]
    for version, rows in enumerate(history[:-1]):
        between = (times[version] + times[version + 1]) / 2
        old = DeltaTable(path)
        old.load_as_version(datetime.datetime.fromtimestamp(between, datetime.timezone.utc))
        checks.equal(f"{name} between {version} and the next: delta-rs", old.version(), version)
        checks.equal(
            f"{name} between {version} and the next: headrace", tool.rows(name, "--timestamp", str(int(between * 1000))), rows)


def ours_read_by_others(checks, tool, folder, seed, partitions):
    name = f"ours-{'-'.join(partitions) or 'plain'}"
    path = f"{folder}/{name}"
    source = Rows(seed)
    options = ["--schema", spark_schema(SCHEMA)] + (["--partition", ",".join(partitions)] if partitions else [])
    tool.run("create", name, *options)
    history = [[]]
    expected = []
    for number in range(6):
        expected = expected + nothing_for_empty(source.take(40), partitions)
        time.sleep(0.02)
        tool.run(
            "append", name, "--app", "app", *(["--from", str(number)] if number else []), "--to", str(number + 1),
            rows=expected[-40:])
        history.append(expected)
    compare(checks, tool, name, "appended", expected)
    table = DeltaTable(path)
    checks.equal(f"{name} transaction_version", table.transaction_version("app"), 6)
    checks.equal(f"{name} provenance", table.history()[0]["headrace"]["offsets"], {"app": {"0": 6}})
    compare_times(checks, tool, name, history)
    tool.run("checkpoint", name)
    compare(checks, tool, name, "with a checkpoint", expected)
    tool.run("compact", name)
    compare(checks, tool, name, "compacted", expected)
    tool.run("add-columns", name, "--schema", spark_schema([("more", "string")]))
    later = [{**row, "more": "new"} for row in nothing_for_empty(source.take(10), partitions)]
    tool.run("append", name, rows=later)
    both = [{**row, "more": None} for row in expected] + later
    compare(checks, tool, name, "evolved", both, [*ARROW.names, "more"])
    tool.run("compact", name)
    tool.run("checkpoint", name)
    compare(checks, tool, name, "evolved, compacted, with a checkpoint", both, [*ARROW.names, "more"])
    # Whatever came later, an older version is what it was: in its rows and in its columns.
    for version, rows in enumerate(history):
        compare(checks, tool, name, f"version {version}", rows, version=version)
    for version in range(4):
        os.remove(f"{path}/_delta_log/{version:020d}.json")
    compare(checks, tool, name, "from its checkpoint", both, [*ARROW.names, "more"])
    compare(checks, tool, name, "version 6 from its checkpoint", history[6], version=6)
    checks.equal(f"{name} from its checkpoint: transaction", DeltaTable(path).transaction_version("app"), 6)
    # Pruning by delta-rs with our statistics must not lose rows.
    limit = both[len(both) // 2]["id"]
    pruned = pa.table(DeltaTable(path).to_pyarrow_table(filters=[("id", ">", limit)]))
    checks.equal(f"{name} pruned by delta-rs", pruned.num_rows, sum(row["id"] > limit for row in both))
    tool.run("vacuum", name, "--retention", "0")
    compare(checks, tool, name, "vacuumed", both, [*ARROW.names, "more"])


def others_read_by_us(checks, tool, folder, seed, partitions):
    name = f"theirs-{'-'.join(partitions) or 'plain'}"
    path = f"{folder}/{name}"
    source = Rows(seed)
    expected = []
    history = []
    for number in range(5):
        rows = nothing_for_empty(source.take(30), partitions)
        expected = expected + rows
        write_deltalake(path, to_arrow(rows), mode="append", partition_by=partitions or None)
        history.append(expected)
    checks.equal(f"{name} appended", tool.rows(name), expected)
    for version, rows in enumerate(history):
        checks.equal(f"{name} version {version}", tool.rows(name, "--version", str(version)), rows)
    table = DeltaTable(path)
    table.create_checkpoint()
    checks.equal(f"{name} with a checkpoint", tool.rows(name), expected)
    os.remove(f"{path}/_delta_log/{0:020d}.json")
    checks.equal(f"{name} from its checkpoint", tool.rows(name), expected)
    table.delete("id <= 20")
    expected = [row for row in expected if row["id"] > 20]
    checks.equal(f"{name} with removes", tool.rows(name), expected)
    DeltaTable(path).optimize.compact()
    checks.equal(f"{name} compacted by delta-rs", tool.rows(name), expected)
    rows = nothing_for_empty(source.take(5), partitions)
    evolved = ARROW.append(pa.field("more", pa.string()))
    more = to_arrow(rows).append_column("more", pa.array(["new"] * 5))
    write_deltalake(path, more.cast(evolved), mode="append", schema_mode="merge", partition_by=partitions or None)
    expected = [{**row, "more": None} for row in expected] + [{**row, "more": "new"} for row in rows]
    checks.equal(f"{name} evolved", tool.rows(name), expected)
    rows = [{**row, "more": "ours"} for row in nothing_for_empty(source.take(5), partitions)]
    tool.run("append", name, rows=rows)
    expected += rows
    checks.equal(f"{name} appended to by us: headrace", tool.rows(name), expected)
    found = pa.table(DeltaTable(path).to_pyarrow_table()).select(ARROW.names + ["more"])
    checks.equal(f"{name} appended to by us: delta-rs", ordered(from_arrow(found)), expected)
    limit = expected[len(expected) // 2]["id"]
    pruned = tool.rows(name, "--where", f"id,>,{limit}")
    checks.equal(f"{name} pruned", [row for row in pruned if row["id"] > limit], [row for row in expected if row["id"] > limit])


def refusals(checks, tool, folder):
    path = f"{folder}/refused"
    write_deltalake(
        path, pa.table({"id": [1, 2, 3]}), configuration={"delta.enableDeletionVectors": "true"})
    write_deltalake(f"{folder}/feed", pa.table({"id": [1]}), configuration={"delta.enableChangeDataFeed": "true"})
    checks.true("deletion vectors are refused by name", "deletionVectors" in tool.refusal("read", "refused"))
    checks.equal("a change feed does not hinder reading", tool.rows("feed"), [{"id": 1}])
    checks.true("a change feed hinders writing", "hange" in tool.refusal("append", "feed"))
    checks.true("no table is no table", "NO_TABLE" in tool.refusal("read", "nowhere"))


def race(checks, tool, folder, writers, commits, theirs):
    """Writers of ours, some killed on the way and started again, beside one of delta-rs."""
    name = "race"
    path = f"{folder}/{name}"
    tool.run("create", name, "--schema", spark_schema([("app", "string"), ("number", "long")]))
    running = {
        app: tool.start("race", name, "--app", app, "--commits", str(commits)) for app in (f"w{n}" for n in range(writers))
    }
    foreign = []

    def other():
        for number in range(theirs):
            while True:
                try:
                    write_deltalake(path, pa.table({"app": ["rs"], "number": pa.array([number], pa.int64())}), mode="append")
                    foreign.append(number)
                    break
                except Exception as error:  # delta-rs gives up after some lost races
                    if "ommit" not in str(error) and "onflict" not in str(error):
                        raise

    thread = threading.Thread(target=other)
    thread.start()
    killed = 0
    for app in list(running)[: writers // 2]:
        try:
            running[app].wait(0.3)
        except subprocess.TimeoutExpired:
            running[app].kill()
            running[app].wait()
            killed += 1
            running[app] = tool.start("race", name, "--app", app, "--commits", str(commits))
    for app, process in running.items():
        out, _ = process.communicate()
        checks.equal(f"race: {app} ends well", (process.returncode, out), (0, ""))
    thread.join()
    found = pa.table(DeltaTable(path).to_pyarrow_table())
    rows = sorted(zip(found["app"].to_pylist(), found["number"].to_pylist()))
    expected = sorted(
        [(f"w{writer}", number) for writer in range(writers) for number in range(3 * commits)]
        + [("rs", number) for number in range(theirs)])
    checks.equal(f"race of {writers} writers x {commits} commits, {killed} killed, beside delta-rs x {theirs}", rows, expected)
    checks.equal("race: rows by headrace", tool.describe(name)["rows"], len(expected))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=".build/release/headrace-delta")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--commits", type=int, default=25)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    folder = tempfile.mkdtemp(prefix="headrace-delta-")
    checks = Checks()
    tool = Tool(arguments.tool, folder)
    try:
        for partitions in ([], ["day"], ["name", "flag"]):
            ours_read_by_others(checks, tool, folder, arguments.seed, partitions)
            others_read_by_us(checks, tool, folder, arguments.seed + 1, partitions)
        refusals(checks, tool, folder)
        race(checks, tool, folder, arguments.writers, arguments.commits, arguments.commits)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"interchange: {checks.passed} checks passed, {len(checks.failed)} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
