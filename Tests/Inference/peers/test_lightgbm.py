"""LightGBM: scores equal to the bit, for every objective and option, on rows made of the model's own thresholds."""
import lightgbm as lgb
import numpy as np
import pytest
from scoring import SEED, hard_rows, instruction_sets, same

ROWS = 20_000


def data(features=8, count=3_000, classes=2, positive=False, seed=SEED):
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((count, features)).astype(np.float32)
    rows[:, 1] = np.round(rows[:, 1])
    rows[:, 3] = generator.integers(0, 70, count)
    rows[:, 4] = generator.integers(0, 600, count)
    value = rows[:, 0] + rows[:, 1] * (rows[:, 2] > 0) + np.sin(rows[:, 3]) + np.cos(rows[:, 4]) * 0.5
    value = value + generator.standard_normal(count) * 0.3
    rows[generator.random((count, features)) < 0.08] = np.nan
    if classes > 2:
        return rows, np.digitize(value, np.quantile(value, np.linspace(0, 1, classes + 1)[1:-1]))
    if positive:
        return rows, np.exp(value / 4)
    return rows, (value > 0).astype(int) if classes == 2 else value


def thresholds_of(text):
    """Numeric thresholds by column, out of the model's text."""
    found = {}
    features = []
    for line in text.splitlines():
        if line.startswith("split_feature="):
            features = [int(word) for word in line[14:].split()]
        if line.startswith("threshold="):
            with np.errstate(over="ignore"):
                for column, word in zip(features, line[10:].split()):
                    found.setdefault(column, []).append(np.float32(float(word)))
    return found


CASES = {
    "binary": (dict(objective="binary"), {}),
    "binary-sigmoid": (dict(objective="binary", sigmoid=0.7), {}),
    "binary-zero-missing": (dict(objective="binary", zero_as_missing=True), {}),
    "binary-no-missing": (dict(objective="binary", use_missing=False), {}),
    "binary-wide": (dict(objective="binary", max_bin=2_000, min_data_in_bin=1, num_leaves=200, min_data_in_leaf=2), {}),
    "binary-deep": (dict(objective="binary", num_leaves=700, min_data_in_leaf=1, min_sum_hessian_in_leaf=0), {}),
    "binary-stump": (dict(objective="binary", num_leaves=2), {}),
    "binary-dart": (dict(objective="binary", boosting="dart"), {}),
    "binary-rf": (dict(objective="binary", boosting="rf", bagging_freq=1, bagging_fraction=0.6), {}),
    "regression": (dict(objective="regression"), dict(classes=0)),
    "regression-sqrt": (dict(objective="regression", reg_sqrt=True), dict(classes=0)),
    "regression-rf": (dict(objective="regression", boosting="rf", bagging_freq=1, bagging_fraction=0.6), dict(classes=0)),
    "regression_l1": (dict(objective="regression_l1"), dict(classes=0)),
    "huber": (dict(objective="huber"), dict(classes=0)),
    "fair": (dict(objective="fair"), dict(classes=0)),
    "quantile": (dict(objective="quantile", alpha=0.3), dict(classes=0)),
    "mape": (dict(objective="mape"), dict(positive=True)),
    "poisson": (dict(objective="poisson"), dict(positive=True)),
    "gamma": (dict(objective="gamma"), dict(positive=True)),
    "tweedie": (dict(objective="tweedie"), dict(positive=True)),
    "cross_entropy": (dict(objective="cross_entropy"), {}),
    "cross_entropy_lambda": (dict(objective="cross_entropy_lambda"), {}),
    "multiclass": (dict(objective="multiclass", num_class=5), dict(classes=5)),
    "multiclassova": (dict(objective="multiclassova", num_class=4, sigmoid=0.6), dict(classes=4)),
}


@pytest.mark.parametrize("is_categorical", [False, True], ids=["numeric", "categorical"])
@pytest.mark.parametrize("case", CASES)
def test_scores_are_equal_to_the_bit(scoring, case, is_categorical):
    options, shape = CASES[case]
    rows, target = data(**{"classes": 2, **shape} if shape.get("positive") is None else dict(classes=0, positive=True))
    categorical = [3, 4] if is_categorical else []
    options = dict(num_leaves=31, learning_rate=0.1, verbosity=-1, num_threads=1, seed=SEED) | options
    if is_categorical:
        options |= dict(max_cat_to_onehot=4, min_data_per_group=5, cat_smooth=1)
    model = lgb.train(options, lgb.Dataset(rows, target, categorical_feature=categorical), 25)
    path = scoring.folder / f"{case}.txt"
    model.save_model(path)
    hard = hard_rows(8, ROWS, thresholds_of(model.model_to_string()))
    generator = np.random.default_rng(SEED)
    for column in categorical:
        hard[::2, column] = generator.integers(-3, 700, len(hard[::2]))
    expected = model.predict(hard, num_threads=1)
    for batch in (1, 5, 64, 1024):
        found = scoring.scores(path, hard, batch)
        assert same(found, expected).all(), f"batch {batch}: {np.argwhere(~same(found, expected))[:3]}"
    for instructions in instruction_sets(scoring, path):
        for batch in (100, 1024):
            found = scoring.scores(path, hard, batch, instructions)
            assert same(found, expected).all(), f"{instructions}, batch {batch}"


@pytest.mark.parametrize("trees", [1, 2, 3, 300, 2_000])
def test_any_number_of_trees_of_any_shape(scoring, trees):
    """Shapes are drawn by the seed: leaves, rate, share of columns and rows, depth."""
    generator = np.random.default_rng([SEED, trees])
    rows, target = data(seed=SEED + trees)
    options = dict(
        objective="binary", verbosity=-1, num_threads=1, seed=SEED, learning_rate=float(generator.uniform(0.005, 0.4)),
        num_leaves=int(generator.integers(2, 64)), max_depth=int(generator.integers(-1, 12)),
        feature_fraction=float(generator.uniform(0.4, 1)), bagging_fraction=float(generator.uniform(0.4, 1)), bagging_freq=1,
    )
    model = lgb.train(options, lgb.Dataset(rows, target, categorical_feature=[3]), trees)
    path = scoring.folder / f"drawn-{trees}.txt"
    model.save_model(path)
    hard = hard_rows(8, 4_000, thresholds_of(model.model_to_string()))
    hard[::2, 3] = generator.integers(-3, 90, len(hard[::2]))
    expected = model.predict(hard, num_threads=1)
    for batch in (1, 64, 1024):
        found = scoring.scores(path, hard, batch)
        assert same(found, expected).all(), f"{options}, batch {batch}: {np.argwhere(~same(found, expected))[:3]}"


def test_linear_trees_are_refused_by_name(scoring):
    rows, target = data(classes=0)
    rows = np.nan_to_num(rows)
    model = lgb.train(dict(objective="regression", linear_tree=True, verbosity=-1, num_threads=1), lgb.Dataset(rows, target), 5)
    model.save_model(scoring.folder / "linear.txt")
    with pytest.raises(ValueError, match="linear_tree"):
        scoring.load(scoring.folder / "linear.txt")


def test_corrupted_files_are_read_or_refused(scoring):
    rows, target = data()
    model = lgb.train(
        dict(objective="binary", verbosity=-1, num_leaves=12, num_threads=1), lgb.Dataset(rows, target, categorical_feature=[3]), 4
    )
    model.save_model(scoring.folder / "whole.txt")
    read, refused = map(int, scoring.ask("break", scoring.folder / "whole.txt", 2_000, SEED).split())
    assert read + refused == 2_000 and refused > 200
