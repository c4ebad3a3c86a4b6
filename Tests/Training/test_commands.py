"""Programs of others as trainers: the examples, liars, leaks, and that the champion does not notice."""

import json
import pathlib
import sys

import numpy
import pyarrow
import pytest
import sklearn.metrics
from conftest import ROOT, Dataset, headrace, metrics

TRAINERS = ROOT / "topologies" / "trainers"


def example(name):
    return ["--command", sys.executable, TRAINERS / name, "{dataset}", "{manifest}", "{output}"]


@pytest.mark.parametrize("name, format", [("train_lightgbm.py", "lightgbm"), ("train_sklearn.py", "onnx")])
@pytest.mark.parametrize("objective, label", [("binary", "won"), ("regression", "value"), ("multiclass", "level")])
def test_examples(dataset, tmp_path, name, format, objective, label):
    data = tmp_path / "data"
    answer = dataset.train(
        tmp_path / "w", "--objective", objective, "--data", data, "--model", "m", "--add", "--alias", "challenger",
        *example(name), label=label)
    assert answer["model"]["format"] == format and answer["added"] == {"model": "m", "version": 1, "new": True, "alias": "challenger"}
    metric = {"binary": "auc", "regression": "mae", "multiclass": "log_loss"}[objective]
    found = next(found for found in answer["evaluation"]["differences"] if found["metric"] == metric)
    assert found["low"] > 0 if metric == "auc" else found["high"] < 0, found
    assert not answer["evaluation"]["findings"]
    versions = headrace("models", "show", "m", "--data", data, "--output", "json")
    assert "challenger" in json.dumps(versions)


def test_the_score_of_a_forest_is_scikit_learns(dataset, tmp_path):
    answer = dataset.train(tmp_path / "w", *example("train_sklearn.py"))
    import onnxruntime

    session = onnxruntime.InferenceSession(pathlib.Path(answer["model"]["path"]).read_bytes())
    scores = session.run(None, {session.get_inputs()[0].name: dataset.matrix("test")})[1][:, 1]
    expected = sklearn.metrics.roc_auc_score(dataset.won[dataset.is_test], scores)
    assert metrics(answer)["auc"]["value"] == pytest.approx(expected, abs=1e-5)


HOSTILE = {
    "hangs": ("import time; time.sleep(1000)", "TRAINING_TIMEOUT"),
    "crashes": ("import os; os.abort()", "TRAINER_FAILED"),
    "writes garbage": ("import os, sys; open(sys.argv[1], 'wb').write(os.urandom(10_000))", "TRAINER_OUTPUT"),
    "writes nothing": ("pass", "TRAINER_OUTPUT"),
    "fills the disk": ("import sys; f = open(sys.argv[1], 'wb')\nwhile True: f.write(bytes(1 << 20))", "TRAINER_"),
    "fills the disk with many files": (
        "import os, time\nfor i in range(40): open(os.environ['TMPDIR'] + f'/{i}', 'wb').write(bytes(1 << 20))\ntime.sleep(1000)",
        "TRAINER_OUTPUT"),
    "takes all memory": ("import time; b = bytearray(4 << 30); time.sleep(1000)", "TRAINER_FAILED"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_trainers_leave_the_champion_alone(tmp_path, what):
    script, code = HOSTILE[what]
    data, dataset = tmp_path / "data", Dataset(tmp_path / "d", count=800)
    dataset.train(tmp_path / "c", "--trainer", "logistic", "--data", data, "--model", "m", "--add", "--alias", "champion")
    before = headrace("models", "show", "m", "--data", data, "--output", "json")
    timeout = "3s" if what == "hangs" else "60s"
    error = dataset.train(
        tmp_path / "w", "--data", data, "--model", "m", "--add", "--timeout", timeout, "--disk", "16MiB", "--memory", "1GiB",
        "--command", sys.executable, "-c", script, "{output}", code=1)
    assert code in error, error
    assert headrace("models", "show", "m", "--data", data, "--output", "json") == before


def test_leaks_are_found_and_not_added(tmp_path):
    dataset = Dataset(tmp_path / "d", count=2_000)
    dataset.extra = {
        "answer": pyarrow.array(dataset.won.astype(float)),
        "nearly": pyarrow.array(dataset.won + numpy.random.default_rng(3).normal(size=2_000) * 0.1),
    }
    dataset.time[-10:] = dataset.time[:10]
    dataset.user[-10:] = dataset.user[:10]
    dataset.write()
    flags = ["--trainer", "logistic", "--data", tmp_path / "data", "--model", "m", "--entity", "user"]
    answer = dataset.train(tmp_path / "w", *flags)
    found = {(finding["kind"], finding["subject"], finding["severity"]) for finding in answer["evaluation"]["findings"]}
    assert found == {("feature_is_label", "answer", "error"), ("feature_too_good", "nearly", "error"),
                     ("time_overlap", "at", "error"), ("row_overlap", "user", "error")}
    error = dataset.train(tmp_path / "w", *flags, "--add", code=1)
    assert "not added: answer" in error
    assert dataset.train(tmp_path / "w", *flags, "--add", "--accept-findings")["added"]["version"] == 1


def test_a_liar_is_found_out(dataset, tmp_path):
    model = json.dumps({"model": "linear", "weights": [0, 0, 0, 0, 1], "missing": [0] * 5, "link": "logistic"})
    script = f"import sys; open(sys.argv[1], 'w').write({model!r}); print('{{\"type\": \"metric\", \"name\": \"auc\", \"value\": 0.97}}')"
    answer = dataset.train(tmp_path / "w", "--command", sys.executable, "-c", script, "{output}")
    assert [finding["kind"] for finding in answer["evaluation"]["findings"]] == ["claim"]


@pytest.mark.parametrize("flags, code", [
    (["--trainer", "forest"], 2), (["--set", "depth"], 2), (["--timeout", "long"], 2), (["--alias", "a"], 2),
    (["--set", "max_dept=3"], 1), (["--slice", "amont"], 1), (["--entity", "usr"], 1), (["--champion", "nobody@x"], 1)])
def test_wrong_words(dataset, tmp_path, flags, code):
    if "--champion" in flags:
        flags = [*flags, "--data", tmp_path / "data"]
    error = dataset.train(tmp_path / "w", *flags, code=code)
    assert "error:" in error.lower()
