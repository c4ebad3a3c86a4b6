"""XGBoost: sums equal to the bit in float32; what goes through expf within two units in the last place."""
import json

import numpy as np
import pytest
import xgboost as xgb
from scoring import SEED, hard_rows, instruction_sets, same
from test_lightgbm import data

ROWS = 20_000

CASES = {
    "logistic": (dict(objective="binary:logistic"), {}),
    "logistic-base": (dict(objective="binary:logistic", base_score=0.3), {}),
    "logistic-deep": (dict(objective="binary:logistic", max_depth=12, min_child_weight=0, max_bin=1024), {}),
    "logistic-lossguide": (dict(objective="binary:logistic", grow_policy="lossguide", max_leaves=40, max_depth=0), {}),
    "logistic-exact": (dict(objective="binary:logistic", tree_method="exact"), {}),
    "logitraw": (dict(objective="binary:logitraw"), {}),
    "hinge": (dict(objective="binary:hinge"), {}),
    "forest": (dict(objective="binary:logistic", num_parallel_tree=4, subsample=0.6, colsample_bynode=0.7, eta=1), {}),
    "dart": (dict(objective="binary:logistic", booster="dart", rate_drop=0.3, one_drop=1), {}),
    "dart-regression": (dict(objective="reg:squarederror", booster="dart", rate_drop=0.3), dict(classes=0)),
    "squarederror": (dict(objective="reg:squarederror"), dict(classes=0)),
    "reg-logistic": (dict(objective="reg:logistic"), {}),
    "pseudohuber": (dict(objective="reg:pseudohubererror"), dict(classes=0)),
    "absoluteerror": (dict(objective="reg:absoluteerror"), dict(classes=0)),
    "quantile": (dict(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]), dict(classes=0)),
    "poisson": (dict(objective="count:poisson"), dict(positive=True)),
    "gamma": (dict(objective="reg:gamma"), dict(positive=True)),
    "tweedie": (dict(objective="reg:tweedie"), dict(positive=True)),
    "cox": (dict(objective="survival:cox"), dict(positive=True)),
    "squaredlog": (dict(objective="reg:squaredlogerror"), dict(positive=True)),
    "softprob": (dict(objective="multi:softprob", num_class=5), dict(classes=5)),
    "softmax": (dict(objective="multi:softmax", num_class=4), dict(classes=4)),
}


def thresholds_of(path):
    document = json.load(open(path))["learner"]["gradient_booster"]
    found = {}
    for tree in document.get("gbtree", document)["model"]["trees"]:
        for left, column, threshold in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
            if left != -1:
                found.setdefault(column, []).append(np.float32(threshold))
    return found


@pytest.mark.parametrize("is_categorical", [False, True], ids=["numeric", "categorical"])
@pytest.mark.parametrize("case", CASES)
def test_scores(scoring, case, is_categorical):
    options, shape = CASES[case]
    if is_categorical and options.get("tree_method") == "exact":
        pytest.skip("tree_method=exact knows no categories")
    rows, target = data(**{"classes": 2, **shape} if shape.get("positive") is None else dict(classes=0, positive=True))
    types = ["c" if is_categorical and column in (3, 4) else "q" for column in range(8)]
    settings = dict(max_depth=6, eta=0.2, tree_method="hist", nthread=1, seed=SEED, max_cat_to_onehot=5) | options
    model = xgb.train(settings, xgb.DMatrix(rows, target, feature_types=types, enable_categorical=True), 20)
    paths = [scoring.folder / f"{case}.{kind}" for kind in ("json", "ubj")]
    for path in paths:
        model.save_model(path)
    hard = hard_rows(8, ROWS, thresholds_of(paths[0]))
    hard[np.isinf(hard)] = 3e38
    generator = np.random.default_rng(SEED)
    for column in (3, 4) if is_categorical else ():
        hard[:, column] = generator.integers(0, 600 if column == 4 else 70, len(hard))
        hard[::9, column] = np.nan
        hard[1::9, column] = -1
        hard[2::9, column] = 5_000
    expected = model.inplace_predict(hard).astype(np.float64)
    for path in paths:
        for batch in (1, 7, 64, 1024):
            check(scoring.scores(path, hard, batch), expected, f"{path.suffix}, batch {batch}")
    for instructions in instruction_sets(scoring, paths[1]):
        check(scoring.scores(paths[1], hard, 1024, instructions), expected, instructions)


@pytest.mark.parametrize("trees", [1, 2, 3, 300, 2_000])
def test_any_number_of_trees_of_any_shape(scoring, trees):
    """Shapes are drawn by the seed: depth, rate, share of columns and rows."""
    generator = np.random.default_rng([SEED, trees])
    rows, target = data(seed=SEED + trees)
    settings = dict(
        objective="binary:logistic", tree_method="hist", nthread=1, seed=SEED, eta=float(generator.uniform(0.005, 0.4)),
        max_depth=int(generator.integers(1, 10)), subsample=float(generator.uniform(0.4, 1)),
        colsample_bytree=float(generator.uniform(0.4, 1)),
    )
    model = xgb.train(settings, xgb.DMatrix(rows, target), trees)
    path, text = scoring.folder / f"drawn-{trees}.ubj", scoring.folder / f"drawn-{trees}.json"
    model.save_model(path)
    model.save_model(text)
    hard = hard_rows(8, 4_000, thresholds_of(text))
    hard[np.isinf(hard)] = 3e38
    expected = model.inplace_predict(hard).astype(np.float64)
    for batch in (1, 64, 1024):
        check(scoring.scores(path, hard, batch), expected, f"{settings}, batch {batch}")


def check(found, expected, where):
    """Nearly all rows to the bit; none off by more than two units of float32, which is what expf may do."""
    assert found.shape == expected.shape
    off = ~same(found, expected)
    bound = 2 * np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
    assert (np.abs(found - expected)[off] <= bound[off]).all(), f"{where}: {np.abs(found - expected).max()}"
    assert off.mean() < 0.01, f"{where}: {off.mean():.2%} of the scores are not equal to the bit"


def test_gblinear_is_refused_by_name(scoring):
    rows, target = data()
    model = xgb.train(dict(objective="binary:logistic", booster="gblinear"), xgb.DMatrix(np.nan_to_num(rows), target), 3)
    model.save_model(scoring.folder / "linear.json")
    with pytest.raises(ValueError, match="gblinear"):
        scoring.load(scoring.folder / "linear.json")


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_corrupted_files_are_read_or_refused(scoring, kind):
    rows, target = data()
    matrix = xgb.DMatrix(rows, target, feature_types=["q"] * 3 + ["c"] + ["q"] * 4, enable_categorical=True)
    model = xgb.train(dict(objective="binary:logistic", max_depth=3), matrix, 3)
    model.save_model(scoring.folder / f"whole.{kind}")
    read, refused = map(int, scoring.ask("break", scoring.folder / f"whole.{kind}", 2_000, SEED).split())
    assert read + refused == 2_000 and refused > 200
