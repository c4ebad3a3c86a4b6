"""`headrace score`: predictions of a table into another one, exactly once for each version, held against LightGBM."""

import json

import lightgbm
import numpy
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

FEATURES = ["n_24h", "total_24h", "share", "is_web"]


def matrix(count, seed):
    generator = numpy.random.default_rng(seed)
    rows = generator.uniform(0, 1, (count, len(FEATURES))) * [40, 4_000, 1, 2]
    rows[:, 0], rows[:, 3] = rows[:, 0].astype(int), rows[:, 3].astype(int)
    return rows


def train(path, seed=1, classes=None):
    rows = matrix(3_000, seed)
    target = (rows[:, 0] / 40 + rows[:, 2] + rows[:, 3] / 2 > 1.2).astype(int)
    settings = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "verbose": -1, "seed": seed}
    if classes:
        settings |= {"objective": "multiclass", "num_class": classes}
        target += rows[:, 1] > 2_000
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=FEATURES), 20)
    booster.save_model(str(path))
    return booster


class Input:
    """A table of rows in the order of their ids, some values missing."""

    def __init__(self, folder):
        self.path = folder / "data" / "tables" / "features" / "by_user"
        self.rows = numpy.empty((0, len(FEATURES)))

    def append(self, count, seed, **options):
        rows = matrix(count, seed)
        rows[::7, 2] = numpy.nan
        first = len(self.rows)
        self.rows = numpy.vstack([self.rows, rows])
        shares = pa.array([None if numpy.isnan(value) else value for value in rows[:, 2]], pa.float64())
        table = pa.table({
            "id": pa.array(range(first, first + count), pa.int64()),
            "name": [f"n{index}" for index in range(first, first + count)],
            "n_24h": pa.array(rows[:, 0].astype(int), pa.int64()),
            "total_24h": pa.array(rows[:, 1], pa.float64()),
            "share": shares,
            "is_web": pa.array(rows[:, 3] > 0, pa.bool_()),
        })
        self.path.mkdir(parents=True, exist_ok=True)
        write_deltalake(str(self.path), table, mode="append", **options)

    def expected(self, booster):
        narrow = self.rows.astype(numpy.float32).astype(numpy.float64)
        return booster.predict(narrow)


@pytest.fixture
def source(tmp_path):
    source = Input(tmp_path)
    source.append(3_000, 2)
    source.append(1_000, 3)
    return source


class Scoring:
    def __init__(self, cli, folder):
        self.cli, self.data = cli, folder / "data"

    def __call__(self, *flags, code=0, into="predictions/fraud"):
        result = self.cli(
            "score", "--data", self.data, "--table", "features/by_user", "--into", into, *flags, "--output", "json",
            code=code)
        return result.json if code == 0 else result.err

    def rows(self, into="predictions/fraud"):
        table = DeltaTable(str(self.data / "tables" / into)).to_pyarrow_table()
        return table.sort_by("id") if "id" in table.column_names else table


@pytest.fixture
def scoring(cli, tmp_path, source):
    return Scoring(cli, tmp_path)


def test_scores_are_those_of_the_library(scoring, source, tmp_path, cli):
    booster = train(tmp_path / "m.txt")
    cli("models", "add", "fraud", tmp_path / "m.txt", "--data", scoring.data)
    report = scoring("--model", "fraud")
    assert report["rows"] == 4_000 and report["model_version"] == "1" and report["input_version"] == 1
    rows = scoring.rows()
    assert rows.column_names == ["id", "name", *FEATURES, "score", "model_version"]
    assert rows["id"].to_pylist() == list(range(4_000)) and set(rows["model_version"].to_pylist()) == {"1"}
    numpy.testing.assert_array_equal(rows["score"].to_numpy(), source.expected(booster))


def test_each_version_is_scored_once(scoring, source, tmp_path, cli):
    booster = train(tmp_path / "m.txt")
    cli("models", "add", "fraud", tmp_path / "m.txt", "--data", scoring.data, "--alias", "champion")
    assert scoring("--model", "fraud@champion")["rows"] == 4_000
    again = scoring("--model", "fraud@champion")
    assert again["output_version"] is None and again["rows"] == 0
    source.append(500, 4)
    DeltaTable(str(source.path)).optimize.compact()
    assert scoring("--model", "fraud:1")["rows"] == 500, "what came since; a compaction is nothing new"
    rows = scoring.rows()
    assert rows["id"].to_pylist() == list(range(4_500))
    numpy.testing.assert_array_equal(rows["score"].to_numpy(), source.expected(booster))
    DeltaTable(str(source.path)).delete("id < 100")
    assert "[SCORED_ROWS_CHANGED]" in scoring("--model", "fraud", code=1)
    second = train(tmp_path / "2.txt", seed=2)
    cli("models", "add", "fraud", tmp_path / "2.txt", "--data", scoring.data)
    report = scoring("--model", "fraud:2", "--overwrite", "--threads", 3)
    assert report["rows"] == 4_400
    rows = scoring.rows()
    assert rows["id"].to_pylist() == list(range(100, 4_500)) and set(rows["model_version"].to_pylist()) == {"2"}
    numpy.testing.assert_array_equal(rows["score"].to_numpy(), source.expected(second)[100:])


def test_a_file_of_several_classes_and_columns_of_choice(scoring, source, tmp_path):
    booster = train(tmp_path / "m.txt", classes=3)
    report = scoring("--file", tmp_path / "m.txt", "--columns", "id", "--score", "p", into="predictions/classes")
    rows = scoring.rows("predictions/classes")
    assert rows.column_names == ["id", "p_0", "p_1", "p_2", "model_version"]
    assert set(rows["model_version"].to_pylist()) == {report["model_version"]} and len(report["model_version"]) == 64
    found = numpy.column_stack([rows[f"p_{index}"].to_numpy() for index in range(3)])
    numpy.testing.assert_array_equal(found, source.expected(booster))


def test_what_does_not_fit_is_said_with_names(scoring, source, tmp_path, cli):
    names, FEATURES[:] = list(FEATURES), ["n_24h", "total_24", "share", "name"]
    train(tmp_path / "other.txt")
    FEATURES[:] = names
    refused = scoring("--file", tmp_path / "other.txt", code=1)
    assert "there is no column `total_24`, did you mean `total_24h`?" in refused
    assert "column `name` is string, no number" in refused
    train(tmp_path / "m.txt")
    assert "4 features, and 2 are named" in scoring("--file", tmp_path / "m.txt", "--features", "share,n_24h", code=1)
    assert "there is no column `idd`; did you mean `id`?" in scoring("--file", tmp_path / "m.txt", "--columns", "idd", code=1)
    assert "a column `share` already" in scoring("--file", tmp_path / "m.txt", "--score", "share", code=1)
    scoring("--file", tmp_path / "m.txt", "--columns", "id")
    assert "[SCORE_OUTPUT]" in scoring("--file", tmp_path / "m.txt", "--overwrite", code=1)
    assert "[REGISTRY_MISSING]" in scoring("--model", "fraud", code=1)
    cli("models", "add", "fraud", tmp_path / "m.txt", "--data", scoring.data)
    assert "did you mean `fraud`" in scoring("--model", "frauds", code=1)
    assert "no such alias" in scoring("--model", "fraud@champion", code=1)
    assert "found version 1 only" in scoring("--model", "fraud:9", code=1)


def test_smaller_weights_take_effect_and_are_told(scoring, source, tmp_path, cli):
    weights = numpy.array([0.31, -0.0127, 2.5, 0.7])
    model = tmp_path / "linear.json"
    model.write_text(json.dumps({
        "model": "linear", "features": FEATURES, "weights": weights.tolist(), "intercept": 0.125, "missing": [0, 0, 0, 0]}))
    rows = numpy.nan_to_num(source.rows)
    scale = weights.max() / 127
    place = ["--data", scoring.data, "--table", "features/by_user", "--columns", "id"]
    for kind, kept, into in [
        ("float32", weights, "predictions/exact"), ("int8", numpy.round(weights / scale) * scale, "predictions/small"),
    ]:
        told = cli("score", *place, "--into", into, "--file", model, "--weights", kind).err
        assert ("int8 weights: scores differ by" in told) == (kind == "int8"), told
        found = scoring.rows(into)["score"].to_numpy()
        numpy.testing.assert_allclose(found, rows @ kept + 0.125, rtol=1e-4, atol=1e-3)
    assert numpy.abs(found - (rows @ weights + 0.125)).max() > 1
    train(tmp_path / "m.txt")
    assert "[WEIGHTS_WITHOUT_EFFECT]" in scoring("--file", tmp_path / "m.txt", "--weights", "int8", code=1)

    def models(*arguments, code=0):
        return cli("models", *arguments, "--data", scoring.data, code=code)

    assert "bf16 weights: scores differ by" in models("add", "small", model, "--weights", "bf16").err
    assert "int8 weights: scores differ by" in models("show", "small:1", "--weights", "int8").err
    assert "NAME:VERSION" in models("show", "small", "--weights", "int8", code=2).err
    assert "[WEIGHTS_WITHOUT_EFFECT]" in models("add", "trees", tmp_path / "m.txt", "--weights", "int8", code=1).err
    again = cli("score", *place, "--into", "predictions/registered", "--model", "small", "--weights", "int8").err
    assert "int8 weights: scores differ by" in again
    numpy.testing.assert_array_equal(scoring.rows("predictions/registered")["score"].to_numpy(), found)
