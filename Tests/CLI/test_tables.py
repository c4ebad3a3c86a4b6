"""`headrace tables` on tables that delta-rs wrote."""

import datetime
import json
import time

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

DAYS = {"delta.deletedFileRetentionDuration": "interval 0 days", "delta.logRetentionDuration": "interval 0 days"}


class Tables:
    """A folder of tables, as a worker's data folder has it."""

    def __init__(self, cli, folder):
        self.cli = cli
        self.folder = folder

    def path(self, name):
        return self.folder / "tables" / name

    def append(self, name, numbers, **options):
        self.path(name).mkdir(parents=True, exist_ok=True)
        rows = pa.table({"id": pa.array(numbers, pa.int64()), "name": [f"n{number}" for number in numbers]})
        write_deltalake(str(self.path(name)), rows, mode="append", **options)

    def __call__(self, command, *arguments, **options):
        return self.cli("tables", command, *arguments, "--data", str(self.folder), **options)

    def records(self, command, *arguments):
        return self(command, *arguments, "--output", "json").records

    def ids(self, name, **options):
        return sorted(DeltaTable(str(self.path(name)), **options).to_pyarrow_table()["id"].to_pylist())

    def pin(self, dataset, name, version):
        """A dataset that was made of a version of a table."""
        folder = self.folder / "tables" / "datasets" / dataset
        folder.mkdir(parents=True)
        manifest = {
            "format_version": 1, "name": dataset.split("/")[0], "service": "s", "label_time": "at", "row_count": 0,
            "content_hash": "00", "files": [], "tables": [{"name": name, "version": version, "offsets": {}}],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder


@pytest.fixture
def tables(cli, tmp_path):
    return Tables(cli, tmp_path)


def test_list_finds_the_tables_and_nothing_else(tables):
    tables.append("events/departed", range(5))
    tables.append("events/departed", range(5, 8))
    tables.append("events/arrived", range(3), partition_by=["id"])
    tables.append("top", range(1))
    tables.pin("late_v1/1", "events/departed", 1)
    found = tables.records("list")
    assert [(row["table"], row["version"], row["rows"], row["files"]) for row in found] == [
        ("events/arrived", 0, 3, 3), ("events/departed", 1, 8, 2), ("top", 0, 1, 1)]
    assert all(row["bytes"] > 0 and row["timestamp"].endswith("Z") for row in found)
    text = tables("list").text
    assert text.splitlines()[0].split() == ["table", "version", "rows", "files", "size", "newest"]
    assert len(text.splitlines()) == 4


def test_a_table_that_cannot_be_read_does_not_hide_the_others(tables):
    tables.append("good", range(2))
    tables.append("bad", range(2))
    (tables.path("bad") / "_delta_log" / f"{0:020d}.json").write_text('{"add":{"path":"../../etc/passwd"}}\n')
    result = tables("list", "--output", "json", code=1)
    assert [row["table"] for row in result.records] == ["good"]
    assert "DELTA_LOG_CORRUPT" in result.err and f"bad/_delta_log/{0:020d}.json:1" in result.err


def test_show_now_by_version_and_by_time(tables):
    tables.append(
        "t", range(4), configuration={"delta.appendOnly": "false"},
        commit_properties=CommitProperties(app_transactions=[Transaction("app/0", 4)]))
    time.sleep(0.05)
    between = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(0.05)
    tables.append("t", range(4, 10), commit_properties=CommitProperties(app_transactions=[Transaction("app/0", 10)]))
    shown = tables("show", "t", "--output", "json").json
    assert (shown["version"], shown["rows"], shown["applications"]) == (1, 10, {"app/0": 10})
    assert shown["properties"] == {"delta.appendOnly": "false"} and shown["partition_columns"] == []
    assert [field["name"] for field in shown["schema"]["fields"]] == ["id", "name"]
    moments = ["--at-version", "0"], ["--at", between.isoformat().replace("+00:00", "Z")], ["--at", str(int(between.timestamp() * 1000))]
    for moment in moments:
        old = tables("show", "t", *moment, "--output", "json").json
        assert (old["version"], old["rows"], old["applications"]) == (0, 4, {"app/0": 4})
    text = tables("show", "t").text
    assert "app/0" in text and "long" in text and "reader 1" in text
    assert "DELTA_NO_VERSION" in tables("show", "t", "--at-version", "7", code=1).err
    assert "DELTA_NO_VERSION" in tables("show", "t", "--at", "2001-01-01", code=1).err
    tables("show", "t", "--at", "soon", code=2)
    tables("show", "t", "--at-version", "0", "--at", "2001-01-01", code=2)


def test_a_missing_table_is_named_with_its_neighbour(tables):
    tables.append("events/departed", range(1))
    error = tables("show", "events/depatred", code=1).err
    assert "TABLE_MISSING" in error and "`events/departed`" in error
    assert "BLOB_NAME_INVALID" in tables("show", "../x", code=1).err


def test_history_newest_first(tables):
    for number in range(5):
        tables.append("t", range(number, number + 1))
    commits = tables.records("history", "t")
    assert [commit["version"] for commit in commits] == [4, 3, 2, 1, 0]
    assert all(commit["commit_info"]["operation"] == "WRITE" and commit["added_files"] == 1 for commit in commits)
    assert [commit["timestamp"] for commit in commits] == sorted((commit["timestamp"] for commit in commits), reverse=True)
    assert [commit["version"] for commit in tables.records("history", "t", "--limit", "2")] == [4, 3]
    assert len(tables("history", "t").text.splitlines()) == 6
    # What a commit's time is, is the time by which it is found.
    assert tables("show", "t", "--at", commits[2]["timestamp"], "--output", "json").json["version"] == 2


def test_compact_changes_no_row(tables):
    for number in range(6):
        tables.append("t", range(10 * number, 10 * number + 10))
    tables.append("one", range(3))
    result = {row["table"]: row for row in tables.records("compact")}
    assert (result["t"]["removed_files"], result["t"]["added_files"], result["t"]["version"]) == (6, 1, 6)
    assert (result["one"]["removed_files"], result["one"]["version"]) == (0, 0)
    assert tables.ids("t") == list(range(60)) and tables.ids("t", version=3) == list(range(40))
    assert "as they were" in tables("compact", "t").text
    tables("compact", "t", "--target-size", "much", code=2)
    write_deltalake(
        str(tables.path("t")), pa.table({"id": [60], "name": ["x"], "more": [1.5]}), mode="append", schema_mode="merge")
    tables("compact", "t")
    assert tables.ids("t") == list(range(61))


def data_files(tables, name):
    return {file.name for file in tables.path(name).glob("*.parquet")}


def test_vacuum_keeps_what_datasets_pin(tables):
    for number in range(3):
        tables.append("t", range(10 * number, 10 * number + 10), configuration=DAYS if number == 0 else None)
    folder = tables.pin("late_v1/2", "t", 1)
    tables("compact", "t")
    (tables.path("t") / "orphan.parquet").write_bytes(b"left behind")
    DeltaTable(str(tables.path("t"))).create_checkpoint()
    before = data_files(tables, "t")
    time.sleep(0.05)
    planned = tables("vacuum", "--dry-run", "--output", "json").json
    assert data_files(tables, "t") == before and planned["dry_run"]
    done = tables("vacuum", "t", "--output", "json").json
    assert done["deleted_files"] == planned["deleted_files"] and len(done["deleted_files"]) == 2
    assert "t/orphan.parquet" in done["deleted_files"] and len(done["kept_files"]) == 2
    assert done["pins"] == [{"dataset": "late_v1/2", "version": 1}] and done["deleted_log_entries"] == 0
    assert tables.ids("t") == list(range(30)) and tables.ids("t", version=1) == list(range(20))
    assert "late_v1/2 (version 1)" in tables("vacuum").text
    # Somewhere else it pins as long as it is named.
    elsewhere = tables.folder / "elsewhere"
    folder.rename(elsewhere)
    assert len(tables("vacuum", "--keep", str(elsewhere), "--output", "json").json["kept_files"]) == 2
    last = tables("vacuum", "--output", "json").json
    assert len(last["deleted_files"]) == 2 and last["deleted_log_entries"] == 3 and last["pins"] == []
    assert tables.ids("t") == list(range(30)) and tables("show", "t", "--output", "json").json["rows"] == 30


def test_vacuum_refuses_when_it_cannot_know(tables):
    tables.append("t", range(3))
    tables.append("t", range(3, 6))
    (tables.path("t") / "orphan.parquet").write_bytes(b"left behind")
    folder = tables.pin("a/1", "t", 9)
    assert "DELTA_PINNED_VERSION_LOST" in tables("vacuum", code=1).err
    (folder / "manifest.json").write_text("{")
    error = tables("vacuum", code=1).err
    assert "MANIFEST_INVALID" in error and "datasets/a/1/manifest.json" in error
    (folder / "manifest.json").unlink()
    assert "DELTA_RETENTION_REFUSED" in tables("vacuum", "--retention", "1h", code=1).err
    assert "DELTA_RETENTION_REFUSED" in tables("vacuum", "--retention", "300d", "--allow-short-retention", code=1).err
    assert tables("vacuum", "--output", "json").json["deleted_files"] == []
    time.sleep(0.05)
    short = tables("vacuum", "--retention", "0s", "--allow-short-retention", "--output", "json").json
    assert short["deleted_files"] == ["t/orphan.parquet"]
    tables("vacuum", "--retention", "long", code=2)


def test_reading_makes_no_folder(cli, tmp_path):
    missing = tmp_path / "nowhere"
    for command in (["list"], ["show", "a"], ["history", "a"], ["compact"], ["vacuum"]):
        assert "TABLES_MISSING" in cli("tables", *command, "--data", str(missing), code=1).err
    assert not missing.exists()
    assert "--data" in cli("tables", "list", code=2).err
