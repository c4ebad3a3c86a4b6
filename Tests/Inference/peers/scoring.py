"""Scores through headrace-score, and rows on which models are likely to differ."""
import os
import pathlib
import subprocess
import tempfile

import numpy as np

PROGRAM = os.environ.get("HEADRACE_SCORE", ".build/release/headrace-score")
SEED = int(os.environ.get("SEED", "1"))
SPECIAL = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 1e-35, -1e-35, 3e-35, 3.4028235e38, -0.5, -1.0, 2147483648.0, 16777216.0, 1e9],
    dtype=np.float32,
)


class Scoring:
    """One headrace-score process: a command a line, an answer a line."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-peers-"))
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer, f"headrace-score died on: {words}"
        if answer.startswith("error "):
            raise ValueError(answer[6:])
        return answer[3:]

    def load(self, model, *options):
        outputs, features, _ = self.ask("load", model, *options).split(" ", 2)
        return int(outputs), int(features)

    def scores(self, model, rows, batch, *options):
        """What our program makes of float32 rows, in batches of this size."""
        outputs, features = self.load(model, *options)
        assert rows.dtype == np.float32 and rows.shape[1] == features
        matrix, result = self.folder / "matrix.f32", self.folder / "scores.f64"
        np.ascontiguousarray(rows).tofile(matrix)
        self.ask("score", matrix, len(rows), batch, result)
        found = np.fromfile(result, dtype=np.float64)
        return found if outputs == 1 else found.reshape(len(rows), outputs)

    def contributions(self, model, rows, batch, *options, background=None):
        """What each feature contributes, row by row, and the base value."""
        self.load(model, *options)
        assert rows.dtype == np.float32
        matrix, result = self.folder / "matrix.f32", self.folder / "contributions.f64"
        np.ascontiguousarray(rows).tofile(matrix)
        beside = []
        if background is not None:
            beside = [self.folder / "background.f32"]
            np.ascontiguousarray(background, dtype=np.float32).tofile(beside[0])
        width = int(self.ask("explain", matrix, len(rows), batch, result, *beside))
        return np.fromfile(result, dtype=np.float64).reshape(len(rows), width)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def instruction_sets(scoring, model):
    """Those of this processor."""
    found = []
    for name in ("baseline", "avx2", "avx512"):
        try:
            scoring.load(model, name)
            found.append(name)
        except ValueError as error:
            assert "is not there" in str(error), error
    return found


def hard_rows(features, count, thresholds=None, seed=SEED):
    """Rows of which many values are the model's own thresholds, their neighbours, or what is special about floats."""
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((count, features)).astype(np.float32)
    for column in range(features):
        known = np.array((thresholds or {}).get(column, [0.0]), dtype=np.float32)
        chosen = known[generator.integers(0, len(known), count)]
        kind = generator.integers(0, 10, count)
        rows[:, column] = np.where(kind < 3, chosen, rows[:, column])
        rows[:, column] = np.where(kind == 3, np.nextafter(chosen, np.float32(np.inf)), rows[:, column])
        rows[:, column] = np.where(kind == 4, np.nextafter(chosen, np.float32(-np.inf)), rows[:, column])
        rows[:, column] = np.where(kind == 5, SPECIAL[generator.integers(0, len(SPECIAL), count)], rows[:, column])
    return rows


def same(found, expected):
    """Equal to the bit, NaN equal to NaN."""
    return (found == expected) | (np.isnan(found) & np.isnan(expected))
