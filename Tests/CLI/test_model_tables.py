"""`archive: on` of a model: predictions and labels as Delta tables, a row for each record, whoever dies meanwhile."""

import json
import time

import deltalake
import pytest
from test_models import PARTITIONS, SCHEMA, TOPOLOGY, Project, events, lines
from test_worker import Worker

COUNT = 1_500
TRUTHS = SCHEMA.replace("Payment", "Truth").replace('"amount", "type": "double"', '"bad", "type": ["null", "boolean"]')
SOURCE = """\
  truths: {topic: TRUTHS, key: user, event_time: {field: ts, unit: ms}}
entities:"""
LABEL = """\
features: full, FORMAT
    archive: on, label: {source: truths, match: user, value: bad, within: 24h}}"""


class Archived(Project):
    def __init__(self, folder, name, form="json"):
        super().__init__(folder, name)
        self.truths = f"{name}.truths"
        (folder / "schemas" / f"{self.truths}.avsc").write_text(TRUTHS)
        text = self.file.read_text().replace("entities:", SOURCE.replace("TRUTHS", self.truths))
        self.file.write_text(text.replace("features: full}", LABEL.replace("FORMAT", f"format: {form},")))


def rows_of(data, table):
    path = data / "tables" / table
    if not (path / "_delta_log").exists():
        return []
    return deltalake.DeltaTable(str(path)).to_pyarrow_table().to_pylist()


def wait_for(data, table, count):
    deadline = time.monotonic() + 60
    while len(rows := rows_of(data, table)) < count:
        assert time.monotonic() < deadline, f"{len(rows)} of {count} rows"
        time.sleep(0.2)
    return rows


def places(rows):
    found = [(row["_partition"], row["_offset"]) for row in rows]
    assert len(set(found)) == len(found), "a row came twice"
    return set(found)


@pytest.mark.parametrize("form", ["json", "avro"])
def test_each_prediction_and_each_label_is_a_row_once(cli, tmp_path, form):
    project = Archived(tmp_path, f"archived{form}{time.time_ns() % 10**9}", form)
    plan = cli("plan", project.file, "--offline").text
    assert "archive predictions/fraud, labels/fraud" in plan
    for topic in (project.topic, project.truths):
        cli("topics", "create", topic, "--partitions", PARTITIONS)
    data = tmp_path / "data"
    flags = ("run", project.file, "--data", data, "--table-freshness", "300ms")
    rows = list(events(COUNT, seed=3))
    cli.environment["HEADRACE_KILL_AT"] = "delta.commit-before-log:9"
    worker = Worker(cli, tmp_path, *flags)
    cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[:500]))
    truths = [{"user": f"u{number % 40}", "bad": None if number % 7 == 0 else number % 3 == 0, "ts": rows[number]["ts"]}
              for number in range(300)]
    cli.publish(project.truths, "-", "--key", "user", stdin=lines(truths))
    deadline = time.monotonic() + 30
    while worker.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.kill()
    del cli.environment["HEADRACE_KILL_AT"]
    worker = Worker(cli, tmp_path, *flags)
    try:
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[500:]))
        worker.wait_until_applied(project.topic, COUNT)
        expected = sum(row["amount"] > 0 for row in rows)
        found = wait_for(data, "predictions/fraud", expected)
        labels = wait_for(data, "labels/fraud", sum(truth["bad"] is not None for truth in truths))
    finally:
        assert worker.stop() == 0, worker.text()
    # Nothing comes behind the last record.
    assert len(rows_of(data, "predictions/fraud")) == expected == len(places(found))
    arguments = ("--format", "avro", "--schema", tmp_path / "schemas" / f"{project.topic}.predictions.avsc")
    records = cli.records(f"{project.topic}.predictions", *(arguments if form == "avro" else ()))
    assert places(found) == {(record["partition"], record["offset"]) for record in records}
    by_place = {(row["_partition"], row["_offset"]): row for row in found}
    for record in records:
        value, row = record["value"], by_place[record["partition"], record["offset"]]
        for name in ("id", "model_version", "version", "arm", "service", "service_version", "score", "topic", "partition",
                     "offset", "latency_ms", "error"):
            assert row[name] == value.get(name), (name, row, value)
        assert row["label"] == int(value["label"]) and json.loads(row["features"]) == value["features"]
        assert int(row["event_time"].timestamp() * 1000) == value["event_time"]
    truth_of = {(record["partition"], record["offset"]): record["value"] for record in cli.records(project.truths)}
    assert places(labels) == {place for place, value in truth_of.items() if value["bad"] is not None}
    for row in labels:
        value = truth_of[row["_partition"], row["_offset"]]
        assert (row["user"], row["label"]) == (value["user"], float(value["bad"]))
        assert int(row["event_time"].timestamp() * 1000) == value["ts"]
    newest = deltalake.DeltaTable(str(data / "tables" / "predictions" / "fraud")).history()
    assert any(f"{project.topic}.predictions" in commit.get("headrace", {}).get("offsets", {}) for commit in newest)
