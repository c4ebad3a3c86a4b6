"""Predictions of the past, made again by another version: `headrace correct`, over kills, and who reads them."""

import collections
import signal

import numpy
import pytest
from test_models import PARTITIONS, events
from test_rollout import Rollout, wait_for

KILLS = ["correct.before-end:1", "correct.after-end:1", "correct.before-end:2", "correct.after-end:2"]


class Corrected(Rollout):
    """Two versions, of which the first one has answered everything."""

    def run_stream(self, count):
        assert [self.add(1), self.add(2)] == [1, 2]
        self.models("promote", 1)
        worker = self.worker()
        try:
            rows = list(events(count, seed=11))
            self.publish(rows)
            worker.wait_until_applied(self.topic, count)
            wait_for("predictions", lambda: len(self.predictions()) == sum(row["amount"] > 0 for row in rows))
        finally:
            assert worker.stop() == 0, worker.text()
        self.originals = {record["value"]["id"]: record for record in self.predictions()}

    def correct(self, *arguments, code=0, kill_at=None):
        if kill_at:
            self.cli.environment["HEADRACE_KILL_AT"] = kill_at
        try:
            result = self.cli(
                "correct", "--model", "fraud", "--topology", self.name, "--tables", self.tables, "--output", "json",
                *arguments, code=code)
        finally:
            self.cli.environment.pop("HEADRACE_KILL_AT", None)
        return result.json if code == 0 else result

    def ends(self):
        ends = collections.Counter()
        for record in self.cli.records(self.topic):
            ends[record["partition"]] = max(ends[record["partition"]], record["offset"] + 1)
        return ends

    def whole(self):
        ends = self.ends()
        return ["--from", ",".join(f"{p}:0" for p in ends), "--to", ",".join(f"{p}:{end}" for p, end in ends.items())]

    def revisions(self):
        """By id, what the topic says, oldest first."""
        found = collections.defaultdict(list)
        for record in self.predictions():
            found[record["value"]["id"]].append(record)
        return {key: sorted(records, key=lambda record: record["offset"]) for key, records in found.items()}

    def expect_corrected(self, ids, version=2):
        """Exactly one correction of each of these, none of others, with the version's own scores."""
        revisions = self.revisions()
        assert set(revisions) == set(self.originals)
        values = []
        for key, records in revisions.items():
            assert len(records) == (2 if key in ids else 1), [record["value"] for record in records]
            if key not in ids:
                continue
            first, second = records
            value = second["value"]
            assert value["revision"] == 1 and value["corrects"] == first["offset"]
            assert second["partition"] == first["partition"] and second["key"] == first["key"]
            assert value["version"] == version and value["arm"] == "correction"
            for name in ("id", "model", "service", "service_version", "features", "topic", "partition", "offset", "event_time"):
                assert value[name] == first["value"][name], name
            values.append(value)
        vectors = numpy.array([value["features"] for value in values], dtype=numpy.float32).astype(numpy.float64)
        scores = self.boosters[version].predict(vectors)
        assert scores.tolist() == [value["score"] for value in values]
        assert [bool(score >= 0.5) for score in scores] == [value["label"] for value in values]
        return values


@pytest.fixture
def corrected(tmp_path, request, cli):
    found = Corrected(tmp_path, f"c{abs(hash(request.node.name)) % 10**9}", cli)
    cli("topics", "create", found.topic, "--partitions", PARTITIONS)
    return found


def test_a_range_is_made_again_once(corrected):
    corrected.run_stream(1_500)
    ends = corrected.ends()
    partition, end = max(ends.items(), key=lambda item: item[1])
    inside = {key for key, record in corrected.originals.items()
              if record["partition"] == partition and 100 <= record["value"]["offset"] < end - 50}
    window = ["--from", 100, "--to", end - 50, "--partition", partition, "--version", 2]

    dry = corrected.correct(*window, "--dry-run")
    assert dry["dry_run"] and dry["corrected"] == dry["predictions"] == len(inside) and dry["record"] is None
    assert dry["scores_changed"] > 0 and {example["id"] for example in dry["examples"]} <= inside
    assert len(corrected.predictions()) == len(corrected.originals), "a dry run published something"

    done = corrected.correct(*window, "--reason", "version 1 was trained on cents")
    assert done["corrected"] == len(inside) and not done["was_done"]
    assert done["record"]["corrected"] == len(inside) and done["record"]["reason"] == "version 1 was trained on cents"
    assert {key: done[key] for key in ("scores_changed", "labels_changed", "mean_difference")} == {
        key: dry[key] for key in ("scores_changed", "labels_changed", "mean_difference")}
    corrected.expect_corrected(inside)

    again = corrected.correct(*window)
    assert again["was_done"] and again["corrected"] == 0 and again["already"] == len(inside)
    corrected.expect_corrected(inside)

    listed = corrected.cli("correct", "--model", "fraud", "--list", "--output", "json").json
    mine = [record for record in listed if record["topology"] == corrected.name]
    assert len(mine) == 1 and mine[0]["ranges"] == [{"partition": partition, "from": 100, "to": end - 50}]
    assert mine[0]["actor"] and mine[0]["version"] == 2

    # Back to the first version: another revision on top.
    back = corrected.correct(*window, "--version", 1)
    assert back["corrected"] == len(inside)
    for key, records in corrected.revisions().items():
        if key in inside:
            assert [record["value"].get("revision", 0) for record in records] == [0, 1, 2]
            assert records[2]["value"]["corrects"] == records[1]["offset"]
            assert records[2]["value"]["score"] == records[0]["value"]["score"]


def test_kills_double_nothing(corrected):
    """More predictions than a transaction holds, killed in front of and behind the ends of transactions."""
    corrected.run_stream(13_000)
    window = [*corrected.whole(), "--version", 2, "--reason", "kills"]
    for point in KILLS:
        result = corrected.correct(*window, code=None, kill_at=point)
        assert result.code in (-signal.SIGKILL, 0), result
    done = corrected.correct(*window)
    assert done["record"]["corrected"] == len(corrected.originals) == done["record"]["predictions"]
    corrected.expect_corrected(set(corrected.originals))
    listed = corrected.cli("correct", "--model", "fraud", "--list", "--output", "json").json
    assert len([record for record in listed if record["topology"] == corrected.name]) == 1


def test_a_task_that_lost_its_offsets_does_not_take_corrections_for_its_own(corrected):
    """Corrections name no source record: they say nothing about how far the task has emitted."""
    corrected.run_stream(600)
    corrected.correct(*corrected.whole(), "--version", 2)
    worker = corrected.worker()
    try:
        more = list(events(700, seed=11))[600:]
        corrected.publish(more)
        worker.wait_until_applied(corrected.topic, 700)
        wanted = len(corrected.originals) + sum(row["amount"] > 0 for row in more)
        wait_for("predictions", lambda: len(corrected.revisions()) == wanted)
    finally:
        assert worker.stop() == 0, worker.text()
    fresh = {key: records for key, records in corrected.revisions().items() if key not in corrected.originals}
    assert all(len(records) == 1 and records[0]["value"]["version"] == 1 for records in fresh.values())


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--from", "5", "--to", "9"], "name one by --partition"),
        (["--from", "0:5", "--to", "1:9"], "different partitions"),
        (["--from", "0:9", "--to", "0:5"], "must lie behind"),
        (["--from", "7:1", "--to", "7:5"], "is not there"),
        (["--from", "x", "--to", "0:5"], "expected an offset"),
    ],
)
def test_ranges_are_checked(corrected, arguments, words):
    assert corrected.add(1) == 1
    corrected.models("promote", 1)
    worker = corrected.worker()
    assert worker.stop() == 0, worker.text()
    result = corrected.correct(*arguments, code=2)
    assert words in result.err, result


def test_what_cannot_be_corrected_says_why(corrected, cli):
    assert corrected.add(1) == 1
    corrected.models("promote", 1)
    worker = corrected.worker()
    assert worker.stop() == 0, worker.text()
    result = cli("correct", "--model", "fraudd", "--topology", corrected.name, "--tables", corrected.tables, "--from", 0,
                 "--to", 5, code=1)
    assert "did you mean `fraud`" in result.err
    result = corrected.correct("--from", "0:0", "--to", "0:5", "--version", 9, code=1)
    assert "version" in result.err
