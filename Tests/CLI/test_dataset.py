"""`headrace dataset`: what it says of places where there is nothing, what it leaves when it dies, and what changed."""

import json
import os
import random
import subprocess

import pyarrow
import pyarrow.parquet
import pytest
from conftest import binary

KILL_POINTS = ["dataset.before-data", "dataset.between-files", "dataset.before-manifest", "dataset.after-manifest"]
START = 1_760_000_000_000
HOUR = 3_600_000


def test_reading_makes_no_folder(cli, tmp_path):
    missing = tmp_path / "nowhere"
    for command in (["list"], ["show", "a"], ["verify", "a"]):
        result = cli("dataset", *command, "--data", str(missing), code=1)
        assert "there are no tables" in result.err and "TABLES_MISSING" in result.err
    assert not missing.exists()


class Shop:
    """A topic of orders, a topology of it, labels, and builds from the log."""

    def __init__(self, cli, folder, topic):
        self.cli, self.folder, self.topic = cli, folder, topic
        (folder / "schemas").mkdir()
        (folder / "schemas" / f"{topic}.avsc").write_text(json.dumps({
            "type": "record", "name": "orders", "fields": [
                {"name": "user", "type": "string"}, {"name": "amount", "type": "double"}, {"name": "ts", "type": "long"}]}))
        self.topology = self.write("orders", "1h, 6h")
        chance = random.Random(7)
        events = folder / "orders.jsonl"
        events.write_text("".join(
            json.dumps({"user": f"u{chance.randrange(20)}", "amount": float(chance.randrange(100)),
                        "ts": START + number * 10_000}) + "\n" for number in range(2_000)))
        cli("topics", "create", topic, "--partitions", "2", "--config", "retention.ms=-1")
        cli("publish", topic, events, "--key", "user", "--event-time", "ts")
        self.labels = folder / "labels.parquet"
        self.count = 300
        self.write_labels(self.labels, self.count)

    def write(self, name, windows):
        path = self.folder / f"{name}.yaml"
        path.write_text(
            f"topology: {name}\n"
            f"sources: {{orders: {{topic: {self.topic}, key: user, event_time: {{field: ts, unit: ms}}, archive: off}}}}\n"
            "entities: {user: [user]}\n"
            f"views: {{v: {{source: orders, entity: user, features: {{spent: 'sum(amount) over {windows}', "
            "n: count over 1h}}}\n"
            "services: {s: {features: ['v:*']}}\n")
        return path

    def write_labels(self, path, count):
        chance = random.Random(8)
        pyarrow.parquet.write_table(pyarrow.table({
            "user": [f"u{chance.randrange(22)}" for _ in range(count)],
            "at": [START + chance.randrange(8 * HOUR) for _ in range(count)]}), path)

    def build(self, *flags, topology=None, labels=None, code=0, kill=None):
        command = [binary(), "dataset", "build", "d", "--topology", topology or self.topology, "--schemas",
                   self.folder / "schemas", "--service", "s", "--labels", labels or self.labels, "--label-time", "at",
                   "--as-known", "false", "--output", "json", *flags]
        environment = {**self.cli.environment, **({"HEADRACE_KILL_AT": kill} if kill else {})}
        result = subprocess.run([*map(str, command)], env=environment, capture_output=True, timeout=60)
        assert result.returncode == code, result
        return json.loads(result.stdout) if code == 0 else result.stderr.decode()


@pytest.fixture
def shop(cli, tmp_path, topic):
    return Shop(cli, tmp_path, topic)


@pytest.mark.parametrize("point", KILL_POINTS)
def test_death_in_a_build(shop, cli, tmp_path, point):
    """Nothing half-made is ever a dataset; the next build works, and leaves nothing of the dead one."""
    out = tmp_path / "out"
    split = ("--split", "entity:0.5", "--threads", "1")
    shop.build("--out", out, *split, code=-9, kill=point)
    if point == "dataset.after-manifest":
        cli("dataset", "verify", out)
        assert "DATASET_EXISTS" in shop.build("--out", out, *split, code=1)
    else:
        assert not (out / "manifest.json").exists()
        assert "DATASET_MISSING" in cli("dataset", "show", out, code=1).err
        shop.build("--out", out, *split)
        cli("dataset", "verify", out)
        left = {path.name for path in out.iterdir()}
        # What a dead process wrote under a temporary name goes with the first build an hour later.
        assert left - {".headrace-temporary"} == {"manifest.json", "train-00000.parquet", "test-00000.parquet"}
    tables = tmp_path / "tables"
    tables.mkdir()
    shop.build("--tables", tables, code=-9, kill=point)
    found = cli("dataset", "list", "--tables", tables, "--output", "json").text
    assert (found != "") == (point == "dataset.after-manifest")
    shop.build("--tables", tables)
    cli("dataset", "verify", "d", "--tables", tables)


def test_what_is_refused(shop, cli, tmp_path):
    """Wrong names and times are told before anything is read, and leave nothing."""
    out = tmp_path / "out"
    for text in (tmp_path / "labels.csv", "../labels", "./x/labels.txt"):
        error = shop.build("--out", out, labels=text, code=1)
        assert "LABELS_INVALID" in error and ".parquet" in error
    assert "earlier" in shop.build("--out", out, "--from", "2025-02-01", "--to", "2025-01-01", code=2)
    flags = ("--topology", shop.topology, "--service", "s", "--labels", shop.labels, "--label-time", "at", "--out", out)
    for name in ("a/b", "../d", ""):
        assert "no name of a dataset" in cli("dataset", "build", name, *flags, code=2).err
    assert not out.exists()


def test_an_abandoned_version_is_removed(shop, cli, tmp_path):
    tables = tmp_path / "tables"
    tables.mkdir()
    shop.build("--tables", tables, code=-9, kill="dataset.before-manifest")
    orphan = tables / "datasets" / "d" / "1" / "data-00000.parquet"
    assert orphan.exists()
    os.utime(orphan, (0, 0))
    shop.build("--tables", tables)
    # Its number is free again.
    assert orphan.stat().st_mtime > 0
    assert [path.name for path in (tables / "datasets" / "d").iterdir()] == ["1"]
    cli("dataset", "verify", "d/1", "--tables", tables)


def test_the_hash_depends_on_nothing_but_the_rows(shop, cli, tmp_path):
    hashes = set()
    for number, flags in enumerate([
            (), ("--threads", "1"), ("--threads", "7", "--memory", "1KiB"), ("--memory", "1GiB")]):
        hashes.add(shop.build("--out", tmp_path / f"out{number}", *flags)["content_hash"])
    assert len(hashes) == 1
    manifest = tmp_path / "out0" / "manifest.json"
    cli("dataset", "build", "d", "--topology", shop.topology, "--schemas", shop.folder / "schemas", "--from-manifest", manifest,
        "--out", tmp_path / "again")
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["content_hash"] in hashes
    # Events that came since do not count; labels that have changed are noticed.
    shop.write_labels(shop.labels, shop.count + 1)
    result = cli("dataset", "build", "d", "--topology", shop.topology, "--schemas", shop.folder / "schemas", "--from-manifest",
                 manifest, "--out", tmp_path / "changed", code=1)
    assert "DATASET_NOT_REPRODUCED" in result.err


def test_many_rows_and_parts(shop, cli, tmp_path):
    """More rows than a file takes, split by time: parts in order, each row once."""
    labels = tmp_path / "many.parquet"
    count = 150_000
    shop.write_labels(labels, count)
    manifest = shop.build("--out", tmp_path / "out", "--split", "time:0.95", labels=labels)
    assert [file["name"] for file in manifest["files"]] == [
        "train-00000.parquet", "train-00001.parquet", "test-00000.parquet"]
    cli("dataset", "verify", tmp_path / "out")
    parts = {part: pyarrow.concat_tables(
        pyarrow.parquet.read_table(tmp_path / "out" / file["name"]) for file in manifest["files"] if file["part"] == part)
        for part in ("train", "test")}
    border = min(parts["test"]["at"].to_pylist())
    asked = pyarrow.parquet.read_table(labels)
    for part, wanted in (("train", lambda at: at < border), ("test", lambda at: at >= border)):
        rows = [(user, at) for user, at in zip(asked["user"].to_pylist(), asked["at"].to_pylist()) if wanted(at)]
        assert list(zip(parts[part]["user"].to_pylist(), parts[part]["at"].to_pylist())) == rows
    assert abs(parts["train"].num_rows / count - 0.95) < 0.01
    # A part of the labels, in another order of files: the same values.
    whole = shop.build("--out", tmp_path / "whole", labels=labels)
    assert whole["row_count"] == count and len(whole["files"]) == 2


def test_diff(shop, cli, tmp_path):
    shop.build("--out", tmp_path / "a")
    shop.build("--out", tmp_path / "b")
    assert "nothing differs" in cli("dataset", "diff", tmp_path / "a", tmp_path / "b").text
    shop.build("--out", tmp_path / "c", topology=shop.write("other", "30m, 6h"))
    result = cli("dataset", "diff", tmp_path / "a", tmp_path / "c", "--output", "json", code=1).json
    changed = {change["what"] for change in result["changes"]}
    assert {"service fingerprint", "view v", "column spent_1h", "column spent_30m", "content hash"} <= changed
    assert result["common_rows"] == shop.count and result["features"] == []
    labels = tmp_path / "more.parquet"
    shop.write_labels(labels, shop.count + 5)
    shop.build("--out", tmp_path / "d", labels=labels)
    # A late correction: one event more.
    event = tmp_path / "event.jsonl"
    event.write_text(json.dumps({"user": "u1", "amount": 1000.0, "ts": START + HOUR}) + "\n")
    cli("publish", shop.topic, event, "--key", "user", "--event-time", "ts")
    shop.build("--out", tmp_path / "e")
    result = cli("dataset", "diff", tmp_path / "a", tmp_path / "e", "--output", "json", code=1).json
    assert any(change["what"] == "source orders" for change in result["changes"])
    (feature,) = [feature for feature in result["features"] if feature["name"] == "spent_6h"]
    assert feature["row_count"] > 0 and all("user=u1 " in example["label"] for example in feature["examples"])
    assert "spent_6h" in cli("dataset", "diff", tmp_path / "a", tmp_path / "e", code=1).text


def test_a_manifest_that_was_changed(shop, cli, tmp_path):
    """Whatever is in a manifest, it is an error that names the file, and no file elsewhere is touched."""
    shop.build("--out", tmp_path / "out")
    path = tmp_path / "out" / "manifest.json"
    good = json.loads(path.read_text())
    changes = [
        {"files": [{**good["files"][0], "name": "../labels.parquet"}]}, {"files": [{**good["files"][0], "name": "/etc/passwd"}]},
        {"files": {}}, {"row_count": -1}, {"row_count": 1 << 70}, {"format_version": 99}, {"split": "time:7"},
        {"labels": {"kind": "elsewhere", "place": ""}}, {"schema": [1]}, {"views": None}, {"tables": [{"name": "x"}]}]
    for change in changes:
        path.write_text(json.dumps({**good, **change}))
        assert "MANIFEST_INVALID" in cli("dataset", "verify", tmp_path / "out", code=1).err, change
    for text in ("", "{", "[" * 100_000, path.read_text()[:200]):
        path.write_text(text)
        result = cli("dataset", "show", tmp_path / "out", code=1)
        assert "MANIFEST_INVALID" in result.err and "manifest.json" in result.err
    path.write_text(json.dumps({**good, "files": [{**good["files"][0], "row_count": 1}]}))
    assert "the file has" in cli("dataset", "verify", tmp_path / "out", code=1).err


def test_join(cli, tmp_path):
    features, labels, out = (tmp_path / name for name in ("features.parquet", "labels.parquet", "out.parquet"))
    pyarrow.parquet.write_table(pyarrow.table({"k": ["a", "a", "b"], "t": [1, 5, 2], "x": [1.0, 2.0, 3.0], "y": ["p", None, "q"]}),
                                features)
    pyarrow.parquet.write_table(pyarrow.table({"k": ["b", "a", "a", None, "c"], "t": [2, 4, 9, 9, 9]}), labels)
    flags = ("--labels", labels, "--features", features, "--on", "k", "--label-time", "t")
    cli("dataset", "join", *flags, "--out", out)
    assert pyarrow.parquet.read_table(out).to_pydict() == {
        "k": ["b", "a", "a", None, "c"], "t": [2, 4, 9, 9, 9], "x": [3.0, 1.0, 2.0, None, None], "y": ["q", "p", None, None, None]}
    assert "FILE_EXISTS" in cli("dataset", "join", *flags, "--out", out, code=1).err
    cli("dataset", "join", *flags, "--ttl", "3ms", "--columns", "x", "--out", tmp_path / "ttl.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "ttl.parquet")["x"].to_pylist() == [3.0, 1.0, None, None, None]
    missing = cli("dataset", "join", *flags, "--columns", "z", "--out", tmp_path / "z.parquet", code=1).err
    assert "JOIN_COLUMN" in missing and "there are k, t, x, y" in missing
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "features.parquet", "labels.parquet", "out.parquet", "ttl.parquet"]


def test_lineage_of_a_build(shop, tmp_path):
    """What it read, what it wrote, and that it failed when it did; a folder that takes no file stops nothing."""
    out, file = tmp_path / "out", tmp_path / "lineage.jsonl"
    manifest = shop.build("--out", out, "--openlineage-file", file)
    shop.build("--out", out, "--openlineage-file", file, code=1)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE", "START", "FAIL"]
    runs = [event["run"]["runId"] for event in events]
    assert runs[0] == runs[1] != runs[2] == runs[3]
    assert {event["job"]["name"] for event in events} == {"dataset.d"}
    assert {item["name"] for item in events[1]["inputs"]} == {shop.topic, str(shop.labels)}
    written = events[1]["outputs"][0]
    assert written["facets"]["version"]["datasetVersion"] == manifest["content_hash"]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == manifest["row_count"] == shop.count
    assert "DATASET_EXISTS" in events[3]["run"]["facets"]["errorMessage"]["message"]
    shop.build("--out", tmp_path / "other", "--openlineage-file", tmp_path)
