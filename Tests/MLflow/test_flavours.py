"""Models of every flavour that can be read, logged to a real MLflow server and taken from it: the same file, and the same
scores as the library that made it. The others are refused by their names."""

import hashlib
import os
import subprocess
import uuid

import lightgbm
import mlflow
import numpy
import onnxruntime
import pytest
import xgboost
from mlflow.tracking import MlflowClient
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from conftest import ROOT

FEATURES = ["n_1h", "amount", "distance"]


def data():
    random = numpy.random.default_rng(5)
    rows = random.normal(size=(600, 3)).astype(numpy.float32)
    labels = (rows[:, 0] - rows[:, 2] + random.normal(size=600) > 0).astype(int)
    return rows, labels


def log_lightgbm(rows, labels, name):
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(rows, labels), 20)
    mlflow.lightgbm.log_model(booster, name="model", registered_model_name=name)
    return booster.predict(rows)


def log_xgboost(rows, labels, name, file_format):
    matrix = xgboost.DMatrix(rows, labels)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, matrix, 20)
    mlflow.xgboost.log_model(booster, name="model", registered_model_name=name, model_format=file_format)
    return booster.predict(matrix)


def log_xgboost_classifier(rows, labels, name):
    model = xgboost.XGBClassifier(n_estimators=12, max_depth=3).fit(rows, labels)
    mlflow.xgboost.log_model(model, name="model", registered_model_name=name)
    return model.predict_proba(rows)[:, 1]


def log_onnx(rows, labels, name):
    from skl2onnx import to_onnx

    trained = GradientBoostingClassifier(n_estimators=15, max_depth=3).fit(rows, labels)
    model = to_onnx(trained, rows[:1], options={"zipmap": False})
    mlflow.onnx.log_model(model, name="model", registered_model_name=name)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: rows})[1][:, 1]


LOGS = {
    "lightgbm": log_lightgbm,
    "xgboost": lambda *arguments: log_xgboost(*arguments, "ubj"),
    "xgboost as JSON": lambda *arguments: log_xgboost(*arguments, "json"),
    "xgboost by scikit-learn's interface": log_xgboost_classifier,
    "onnx": log_onnx,
}


def score(file, rows, folder):
    """The scores of our program's own code, of the last output."""
    program = os.environ.get("HEADRACE_SCORE", str(ROOT / ".build" / "release" / "headrace-score"))
    matrix, scores = folder / "rows.f32", folder / "scores.f64"
    rows.astype(numpy.float32).tofile(matrix)
    commands = f"load {file}\nscore {matrix} {len(rows)} 64 {scores}\n"
    out = subprocess.run([program], input=commands, capture_output=True, text=True, check=True).stdout.splitlines()
    assert all(line.startswith("ok") for line in out) and len(out) == 2, out
    return numpy.fromfile(scores).reshape(len(rows), -1)[:, -1]


@pytest.mark.parametrize("flavour", LOGS)
def test_scores_are_those_of_the_library(cluster, server, tmp_path, flavour):
    mlflow.set_tracking_uri(server.url)
    name = f"flavour-{uuid.uuid4().hex[:8]}"
    rows, labels = data()
    with mlflow.start_run():
        expected = LOGS[flavour](rows, labels, name)
    MlflowClient(server.url).set_registered_model_alias(name, "champion", "1")
    added = cluster.cli(
        "models", "add", "taken", f"models:/{name}@champion", "--data", tmp_path / "data", "--mlflow", server.url,
        "--output", "json").json
    assert added["format"].split("-")[0] == flavour.split(" ")[0]
    assert added["lineage"]["fetched_from"] == f"models:/{name}/1"
    file = tmp_path / "data" / "models" / added["content_hash"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == added["content_hash"]
    found = score(file, rows, tmp_path)
    assert numpy.abs(found - expected).max() < 2e-6


def log_pickle(rows, labels, name):
    mlflow.sklearn.log_model(
        LogisticRegression().fit(rows, labels), name="model", registered_model_name=name, serialization_format="pickle")


class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.5] * len(model_input)


def log_function(rows, labels, name):
    mlflow.pyfunc.log_model(name="model", python_model=Constant(), registered_model_name=name)


@pytest.mark.parametrize("flavour, log", [("sklearn", log_pickle), ("python_function", log_function)])
def test_other_flavours_are_refused_by_name(cluster, server, tmp_path, flavour, log):
    mlflow.set_tracking_uri(server.url)
    name = f"other-{uuid.uuid4().hex[:8]}"
    with mlflow.start_run():
        log(*data(), name)
    refused = cluster.cli(
        "models", "add", "taken", f"models:/{name}/1", "--data", tmp_path / "data", "--mlflow", server.url, code=1)
    assert "MLFLOW_FLAVOUR" in refused.err and flavour in refused.err, refused.err
    assert "lightgbm, xgboost, onnx" in refused.err, refused.err
