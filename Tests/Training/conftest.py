"""Datasets as `headrace dataset build` writes them, and the command line as a function.

The binary is HEADRACE, else .build/release/headrace, else .build/debug/headrace.
"""

import json
import os
import pathlib
import subprocess

import numpy
import pyarrow
import pyarrow.parquet
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
START = 1_760_000_000_000
MINUTE = 60_000


def binary():
    candidates = [ROOT / ".build" / mode / "headrace" for mode in ("release", "debug")]
    chosen = os.environ.get("HEADRACE") or next((str(path) for path in candidates if path.exists()), None)
    assert chosen, "no headrace binary: build one, or name it by HEADRACE"
    return chosen


def headrace(*arguments, code=0, environment=None, timeout=120):
    """Runs a command; the answer of `--output json` as an object, or what it wrote to standard error."""
    result = subprocess.run(
        [binary(), *map(str, arguments)], capture_output=True, timeout=timeout, env={**os.environ, **(environment or {})})
    assert result.returncode == code, (result.returncode, result.stdout[-2000:], result.stderr[-2000:])
    return json.loads(result.stdout) if code == 0 and result.stdout[:1] == b"{" else result.stderr.decode()


FEATURES = ["amount", "count", "gap", "is_web", "noise"]


class Dataset:
    """Rows of a noisy problem, in a folder of Parquet files with a manifest."""

    def __init__(self, folder, count=6_000, seed=1, split="time:0.75"):
        self.folder = folder
        chance = numpy.random.default_rng(seed)
        self.amount = chance.uniform(0, 100, count)
        self.count = chance.integers(0, 20, count)
        self.gap = numpy.where(chance.uniform(size=count) < 0.2, numpy.nan, chance.exponential(10, count))
        self.is_web = chance.uniform(size=count) < 0.4
        self.noise = chance.normal(size=count)
        self.user = [f"u{number}" for number in chance.integers(0, 200, count)]
        self.time = START + numpy.arange(count) * MINUTE
        margin = self.amount / 40 + self.count / 10 - numpy.nan_to_num(self.gap, nan=5) / 8 + self.is_web - 2
        self.margin = margin
        self.won = chance.uniform(size=count) < 1 / (1 + numpy.exp(-margin))
        self.value = margin + chance.normal(size=count) / 2
        self.level = numpy.digitize(self.value, [-1, 1])
        self.extra = {}
        self.split = split
        self.write()

    def columns(self):
        labels = {
            "at": pyarrow.array(self.time, pyarrow.int64()), "user": pyarrow.array(self.user),
            "won": pyarrow.array(self.won), "value": pyarrow.array(self.value),
            "level": pyarrow.array(self.level, pyarrow.int64()),
        }
        features = {
            "amount": pyarrow.array(self.amount), "count": pyarrow.array(self.count, pyarrow.int64()),
            "gap": pyarrow.array(self.gap, from_pandas=True), "is_web": pyarrow.array(self.is_web),
            "noise": pyarrow.array(self.noise), **self.extra,
        }
        return labels, features

    def write(self):
        labels, features = self.columns()
        self.folder.mkdir(parents=True, exist_ok=True)
        table = pyarrow.table({**labels, **features})
        border = int(len(self.time) * 0.75)
        self.is_test = numpy.arange(len(self.time)) >= border
        files = []
        for part, rows in (("train", table.slice(0, border)), ("test", table.slice(border))):
            name = f"{part}-00000.parquet"
            pyarrow.parquet.write_table(rows, self.folder / name)
            size = (self.folder / name).stat().st_size
            files.append({"name": name, "part": part, "row_count": rows.num_rows, "size_bytes": size})
        types = {pyarrow.int64(): "integer", pyarrow.float64(): "double", pyarrow.bool_(): "boolean", pyarrow.string(): "string"}
        schema = []
        for name, column in {**labels, **features}.items():
            field = {"name": name, "type": types[column.type], "null_count": column.null_count}
            schema.append(field | ({"feature": name} if name in features else {}))
        (self.folder / "manifest.json").write_text(json.dumps({
            "format_version": 2, "name": "sample", "topology": "t", "service": "s", "service_fingerprint": "f",
            "label_time": "at", "split": self.split, "content_hash": "0" * 64, "as_known": True, "names_records": False,
            "row_count": table.num_rows, "views": [], "labels": {"kind": "parquet", "place": "labels.parquet"}, "tables": [],
            "topics": [], "schema": schema, "files": files}))

    def matrix(self, part="all"):
        rows = numpy.column_stack([self.amount, self.count, self.gap, self.is_web, self.noise]).astype(numpy.float32)
        return rows[{"all": slice(None), "train": ~self.is_test, "test": self.is_test}[part]]

    def train(self, work, *flags, label="won", code=0, environment=None):
        return headrace("train", "--dataset", self.folder, "--label", label, "--work", work, "--output", "json", *flags,
                        code=code, environment=environment)


def metrics(answer, role="challenger"):
    model = next(model for model in answer["evaluation"]["models"] if model["role"] == role)
    return {metric["name"]: metric for metric in model["metrics"]}


def difference(answer, metric, role):
    return next(found for found in answer["evaluation"]["differences"] if (found["metric"], found["role"]) == (metric, role))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return Dataset(tmp_path_factory.mktemp("dataset") / "d")
