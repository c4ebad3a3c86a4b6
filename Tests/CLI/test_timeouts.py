"""Local versions that are too slow for their time-out, and shadows that the topology declares."""

import collections

import lightgbm
import numpy
import pytest
from test_models import FEATURES, PARTITIONS, Project, events, lines
from test_rollout import Rollout, wait_for
from test_worker import Worker


def slow():
    """Thousands of leaves for each row: no machine scores a batch of them in a millisecond."""
    generator = numpy.random.default_rng(1)
    rows = generator.uniform(0, 1, (4_000, len(FEATURES))) * [40, 4_000, 200, 200, 1]
    target = (rows[:, 3] / 200 + generator.normal(0, 0.4, 4_000) > 0.5).astype(int)
    settings = {"objective": "binary", "num_leaves": 255, "min_data_in_leaf": 2, "num_threads": 1, "verbose": -1}
    return lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=FEATURES), 300)


def run(cli, tmp_path, project, count):
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    cli.publish(project.topic, "-", "--key", "user", stdin=lines(events(count, seed=3)))
    worker = Worker(cli, tmp_path, "run", project.file, "--data", tmp_path / "data")
    try:
        worker.wait_until_applied(project.topic, count)
        status = worker.get("/api/models")["models"][0]
    finally:
        assert worker.stop() == 0, worker.text()
    return status, [record["value"] for record in cli.records(f"{project.topic}.predictions")], worker.text()


@pytest.mark.parametrize("fallback", [True, False])
def test_a_version_that_is_too_slow(cli, tmp_path, request, fallback):
    """Batches that overran count; those after them have the fallback's score. Without a fallback it is only told."""
    project = Project(tmp_path, f"o{abs(hash(request.node.name)) % 10**9}")
    project.put(slow())
    more = ", fallback: [0.125]" if fallback else ""
    project.file.write_text(project.file.read_text().replace("threshold: 0.5", f"threshold: 0.5, timeout: 1ms{more}"))
    status, predictions, log = run(cli, tmp_path, project, 12_000)
    timeout = status["timeouts"][0]
    assert timeout["arm"] == "champion" and timeout["timeout_ms"] == 1 and timeout["overruns"] >= 1, status
    assert timeout["longest_ms"] > 1 and "a model is too slow" in log
    ids = collections.Counter(value["id"] for value in predictions)
    assert max(ids.values()) == 1 and len(predictions) == sum(row["amount"] > 0 for row in events(12_000, seed=3))
    fallen = [value for value in predictions if "error" in value]
    assert bool(fallen) == fallback
    assert all(value["score"] == 0.125 and value["error"] == "breaker_open" for value in fallen)
    answered = [value for value in predictions if "error" not in value]
    vectors = numpy.array([value["features"] for value in answered], dtype=numpy.float32).astype(numpy.float64)
    assert answered and project.booster.predict(vectors).tolist() == [value["score"] for value in answered]


def test_a_version_that_is_in_time(cli, tmp_path, request):
    project = Project(tmp_path, f"o{abs(hash(request.node.name)) % 10**9}")
    project.file.write_text(
        project.file.read_text().replace("threshold: 0.5", "threshold: 0.5, timeout: 1m, fallback: [0.125]"))
    status, predictions, _ = run(cli, tmp_path, project, 2_000)
    assert status["timeouts"] == [
        {"arm": "champion", "version": None, "timeout_ms": 60_000, "overruns": 0, "longest_ms": 0.0, "state": "scores"}]
    assert not [value for value in predictions if "error" in value]


def test_a_declared_shadow_has_its_figures(cli, tmp_path, request):
    """`/api/models` says of a shadow in the topology what it says of one that a command began."""
    rollout = Rollout(tmp_path, f"o{abs(hash(request.node.name)) % 10**9}", cli)
    cli("topics", "create", rollout.topic, "--partitions", PARTITIONS)
    rollout.file.write_text(
        rollout.file.read_text().replace(f"use: {rollout.model}@champion",
                                         f"use: {rollout.model}@champion, shadow: '{rollout.model}:2'"))
    rollout.add(1), rollout.add(2)
    rollout.models("promote", 1)
    worker = rollout.worker()
    try:
        rollout.publish(list(events(800, seed=4)))
        worker.wait_until_applied(rollout.topic, 800)
        count = sum(row["amount"] > 0 for row in events(800, seed=4))
        wait_for("every comparison", lambda: [
            report["difference"]["compared"] for report in worker.get("/api/models")["rollouts"]] == [count])
        report = worker.get("/api/models")["rollouts"][0]
        assert (report["kind"], report["version"], report["champion"]) == ("shadow", 2, 1)
        assert report["difference"]["max"] > 0 and report["gates"] == []
        # Once the champion is that version there is nothing to compare.
        rollout.models("promote", 2)
        wait_for("no comparison", lambda: not worker.get("/api/models")["rollouts"])
    finally:
        assert worker.stop() == 0, worker.text()
    shadows = [record["value"] for record in rollout.predictions("predictions.shadow")]
    assert len(shadows) == count and {value["version"] for value in shadows} == {2}
