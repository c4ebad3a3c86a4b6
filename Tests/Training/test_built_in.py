"""Trainers that are built in, beside XGBoost and scikit-learn; what Headrace measures, beside scikit-learn and DeLong."""

import json
import pathlib

import numpy
import pytest
import sklearn.impute
import sklearn.linear_model
import sklearn.metrics
import sklearn.pipeline
import sklearn.preprocessing
import xgboost
from conftest import FEATURES, difference, metrics
from scipy.stats import norm


def score(path, rows):
    booster = xgboost.Booster(model_file=str(path))
    assert booster.feature_names == FEATURES
    return booster.inplace_predict(rows)


def ubjson(answer, tmp_path):
    """The library tells formats by the name."""
    target = tmp_path / "model.ubj"
    target.write_bytes(pathlib.Path(answer["model"]["path"]).read_bytes())
    return target


def delong(labels, first, second):
    """AUCs of two models, and the standard error of their difference, from all pairs."""
    parts = []
    for scores in (first, second):
        positive, negative = scores[labels == 1], scores[labels == 0]
        wins = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
        parts.append((wins.mean(axis=1), wins.mean(axis=0), wins.mean()))
    ten, one = parts[0][0] - parts[1][0], parts[0][1] - parts[1][1]
    error = numpy.sqrt(ten.var(ddof=1) / len(ten) + one.var(ddof=1) / len(one))
    return parts[0][2], parts[1][2], error


def of_numbers(labels, scores):
    return {
        "mae": sklearn.metrics.mean_absolute_error(labels, scores),
        "rmse": sklearn.metrics.mean_squared_error(labels, scores) ** 0.5, "r2": sklearn.metrics.r2_score(labels, scores)}


def of_answers(labels, scores):
    said = scores >= 0.5
    return {
        "auc": sklearn.metrics.roc_auc_score(labels, scores),
        "average_precision": sklearn.metrics.average_precision_score(labels, scores),
        "log_loss": sklearn.metrics.log_loss(labels, scores), "brier": sklearn.metrics.brier_score_loss(labels, scores),
        "accuracy": sklearn.metrics.accuracy_score(labels, said),
        "precision": sklearn.metrics.precision_score(labels, said), "recall": sklearn.metrics.recall_score(labels, said),
        "f1": sklearn.metrics.f1_score(labels, said)}


def check_differences(answer, labels, ours, theirs, figures):
    """Every figure that a gate may ask for: scikit-learn's values, and intervals as wide as a bootstrap's."""
    random = numpy.random.default_rng(7)
    draws = [random.integers(0, len(labels), len(labels)) for _ in range(400)]
    moved = [
        {name: first - second for (name, first), second in
         zip(figures(labels[draw], ours[draw]).items(), figures(labels[draw], theirs[draw]).values())}
        for draw in draws]
    own, other = figures(labels, ours), figures(labels, theirs)
    for name, value in own.items():
        found = metrics(answer)[name]
        assert found["value"] == pytest.approx(value, abs=1e-5), name
        assert found["low"] < found["value"] < found["high"], name
        gap = difference(answer, name, "champion")
        assert gap["value"] == pytest.approx(value - other[name], abs=1e-5), name
        width = 2 * norm.ppf(0.975) * numpy.std([one[name] for one in moved])
        assert gap["high"] - gap["low"] == pytest.approx(width, rel=0.2), name


def test_trees_beside_the_library(dataset, tmp_path):
    answer = dataset.train(tmp_path / "w", "--rounds", 80, "--set", "early_stopping_rounds=0", "--set", "max_depth=4",
                           "--validation", 0)
    scores = score(ubjson(answer, tmp_path), dataset.matrix("test"))
    labels = dataset.won[dataset.is_test]
    found = metrics(answer)
    assert found["auc"]["value"] == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores), abs=1e-6)
    assert found["log_loss"]["value"] == pytest.approx(sklearn.metrics.log_loss(labels, scores), abs=1e-6)
    assert found["brier"]["value"] == pytest.approx(sklearn.metrics.brier_score_loss(labels, scores), abs=1e-6)
    assert found["accuracy"]["value"] == pytest.approx(sklearn.metrics.accuracy_score(labels, scores >= 0.5), abs=1e-3)
    settings = {"objective": "binary:logistic", "eta": 0.1, "max_depth": 4, "tree_method": "hist", "nthread": 1, "seed": 1}
    peer = xgboost.train(settings, xgboost.DMatrix(dataset.matrix("train"), dataset.won[~dataset.is_test]), 80)
    theirs = sklearn.metrics.roc_auc_score(labels, peer.predict(xgboost.DMatrix(dataset.matrix("test"))))
    assert found["auc"]["value"] == pytest.approx(theirs, abs=0.01)


@pytest.mark.parametrize("objective, label, metric", [("regression", "value", "rmse"), ("multiclass", "level", "log_loss")])
def test_numbers_and_classes(dataset, tmp_path, objective, label, metric):
    answer = dataset.train(tmp_path / "w", "--objective", objective, "--rounds", 60, label=label)
    scores = score(ubjson(answer, tmp_path), dataset.matrix("test"))
    if objective == "regression":
        expected = numpy.sqrt(numpy.mean((scores - dataset.value[dataset.is_test]) ** 2))
    else:
        expected = sklearn.metrics.log_loss(dataset.level[dataset.is_test], scores)
    assert metrics(answer)[metric]["value"] == pytest.approx(expected, abs=1e-5)
    assert difference(answer, metric, "baseline")["high"] < 0


def test_early_stopping_keeps_the_best_round(dataset, tmp_path):
    answer = dataset.train(tmp_path / "w", "--rounds", 2_000, "--set", "learning_rate=0.5", "--set", "early_stopping_rounds=10")
    rounds = next(claim["value"] for claim in answer["evaluation"]["models"][0]["claims"] if claim["name"] == "rounds")
    assert 1 <= rounds < 500
    assert xgboost.Booster(model_file=str(ubjson(answer, tmp_path))).num_boosted_rounds() == rounds


@pytest.mark.parametrize("l2", [0.1, 1, 30])
def test_logistic_beside_scikit_learn(dataset, tmp_path, l2):
    answer = dataset.train(tmp_path / "w", "--trainer", "logistic", "--set", f"l2={l2}")
    model = json.loads(pathlib.Path(answer["model"]["path"]).read_text())
    rows, labels = dataset.matrix("train").astype(float), dataset.won[~dataset.is_test]
    pipeline = sklearn.pipeline.make_pipeline(
        sklearn.impute.SimpleImputer(), sklearn.preprocessing.StandardScaler(),
        sklearn.linear_model.LogisticRegression(C=1 / l2, tol=1e-12, max_iter=10_000, solver="newton-cholesky"))
    pipeline.fit(rows, labels)
    scaler, regression = pipeline[1], pipeline[2]
    weights = regression.coef_[0] / scaler.scale_
    assert model["features"] == FEATURES
    assert model["weights"] == pytest.approx(weights, rel=1e-6)
    assert model["intercept"] == pytest.approx(regression.intercept_[0] - weights @ scaler.mean_, rel=1e-6)
    assert model["missing"] == pytest.approx(pipeline[0].statistics_, rel=1e-9)
    scores = pipeline.predict_proba(dataset.matrix("test").astype(float))[:, 1]
    assert metrics(answer)["auc"]["value"] == pytest.approx(
        sklearn.metrics.roc_auc_score(dataset.won[dataset.is_test], scores), abs=1e-5)


def test_difference_to_the_champion_is_delongs(dataset, tmp_path):
    data = tmp_path / "data"
    champion = dataset.train(tmp_path / "c", "--trainer", "logistic", "--data", data, "--model", "m", "--add", "--alias", "champion")
    answer = dataset.train(tmp_path / "w", "--rounds", 60, "--data", data, "--model", "m", "--slice", "is_web", "--slice", "amount > 50")
    labels = dataset.won[dataset.is_test]
    ours = score(ubjson(answer, tmp_path), dataset.matrix("test"))
    linear = json.loads(pathlib.Path(champion["model"]["path"]).read_text())
    rows = dataset.matrix("test").astype(float)
    rows = numpy.where(numpy.isnan(rows), linear["missing"], rows)
    theirs = 1 / (1 + numpy.exp(-(rows @ linear["weights"] + linear["intercept"])))
    first, second, error = delong(labels.astype(int), ours, theirs)
    found = difference(answer, "auc", "champion")
    assert found["value"] == pytest.approx(first - second, abs=1e-5) and found["method"] == "delong"
    assert found["high"] - found["low"] == pytest.approx(2 * norm.ppf(0.975) * error, abs=1e-5)
    check_differences(answer, labels.astype(int), ours.astype(float), theirs, of_answers)
    terms = [numpy.where(labels, -numpy.log(scores), -numpy.log(1 - scores)) for scores in (ours.astype(float), theirs)]
    gap = terms[0] - terms[1]
    found = difference(answer, "log_loss", "champion")
    assert found["value"] == pytest.approx(gap.mean(), abs=1e-6)
    assert found["high"] - found["low"] == pytest.approx(2 * norm.ppf(0.975) * gap.std(ddof=1) / len(gap) ** 0.5, abs=1e-6)
    slices = {found["name"]: found for found in answer["evaluation"]["slices"]}
    assert set(slices) == {"is_web = true", "is_web = false", "amount > 50"}
    chosen = dataset.amount[dataset.is_test] > 50
    expected = sklearn.metrics.roc_auc_score(labels[chosen], ours[chosen])
    of_slice = next(model for model in slices["amount > 50"]["models"] if model["role"] == "challenger")
    assert of_slice["metrics"][0]["value"] == pytest.approx(expected, abs=1e-6)
    assert slices["amount > 50"]["rows"] == chosen.sum()


def test_difference_of_numbers_to_the_champion(dataset, tmp_path):
    data = tmp_path / "data"
    flags = ["--objective", "regression", "--data", data, "--model", "m"]
    champion = dataset.train(tmp_path / "c", "--rounds", 8, *flags, "--add", "--alias", "champion", label="value")
    answer = dataset.train(tmp_path / "w", "--rounds", 60, *flags, label="value")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    ours = score(ubjson(answer, tmp_path / "one"), dataset.matrix("test")).astype(float)
    theirs = score(ubjson(champion, tmp_path / "two"), dataset.matrix("test")).astype(float)
    check_differences(answer, dataset.value[dataset.is_test].astype(float), ours, theirs, of_numbers)
