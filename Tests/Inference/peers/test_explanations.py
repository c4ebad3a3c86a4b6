"""Contributions beside LightGBM's pred_contrib (float64) and XGBoost's pred_contribs (which adds up in float32)."""
import lightgbm as lgb
import numpy as np
import onnx
import pytest
import xgboost as xgb
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from scoring import SEED, hard_rows, instruction_sets
from test_lightgbm import CASES as LIGHTGBM, data, thresholds_of as lightgbm_thresholds
from test_xgboost import CASES as XGBOOST, thresholds_of as xgboost_thresholds

ROWS = 200


def training_data(shape):
    return data(**{"classes": 2, **shape} if shape.get("positive") is None else dict(classes=0, positive=True))


def check_sums(found, margins, bound):
    """Features and base value together are the margin."""
    sums = found.reshape(len(found), -1, 9).sum(axis=2)
    assert np.abs(sums - margins.reshape(sums.shape)).max() <= bound * max(1, np.abs(margins).max())


@pytest.mark.parametrize("is_categorical", [False, True], ids=["numeric", "categorical"])
@pytest.mark.parametrize("case", LIGHTGBM)
def test_lightgbm(scoring, case, is_categorical):
    options, shape = LIGHTGBM[case]
    rows, target = training_data(shape)
    options = dict(num_leaves=31, learning_rate=0.1, verbosity=-1, num_threads=1, seed=SEED) | options
    model = lgb.train(options, lgb.Dataset(rows, target, categorical_feature=[3, 4] if is_categorical else []), 12)
    path = scoring.folder / f"{case}.txt"
    model.save_model(path)
    hard = hard_rows(8, ROWS, lightgbm_thresholds(model.model_to_string()))
    if is_categorical:
        generator = np.random.default_rng(SEED)
        for column in (3, 4):
            hard[:, column] = generator.integers(-1, 650, len(hard))
    trees_of_forest = 12 if options.get("boosting") == "rf" else 1
    # A forest predicts the mean of its trees; LightGBM's contributions and raw scores are those of the sum.
    expected = model.predict(hard, pred_contrib=True) / trees_of_forest
    for instructions in instruction_sets(scoring, path):
        for batch in (1, 100):
            found = scoring.contributions(path, hard, batch, instructions)
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() <= 1e-9 * max(1, np.abs(expected).max())
    check_sums(found, model.predict(hard, raw_score=True) / trees_of_forest, 1e-11)


@pytest.mark.parametrize("is_categorical", [False, True], ids=["numeric", "categorical"])
@pytest.mark.parametrize("case", XGBOOST)
def test_xgboost(scoring, case, is_categorical):
    options, shape = XGBOOST[case]
    if is_categorical and options.get("tree_method") == "exact":
        pytest.skip("tree_method=exact knows no categories")
    rows, target = training_data(shape)
    types = ["c" if is_categorical and column in (3, 4) else "q" for column in range(8)]
    settings = dict(max_depth=6, eta=0.2, tree_method="hist", nthread=1, seed=SEED, max_cat_to_onehot=5) | options
    model = xgb.train(settings, xgb.DMatrix(rows, target, feature_types=types, enable_categorical=True), 12)
    path = scoring.folder / f"{case}.ubj"
    model.save_model(path)
    model.save_model(scoring.folder / f"{case}.json")
    hard = hard_rows(8, ROWS, xgboost_thresholds(scoring.folder / f"{case}.json"))
    hard[np.isinf(hard)] = 3e38
    if is_categorical:
        generator = np.random.default_rng(SEED)
        for column in (3, 4):
            hard[:, column] = generator.integers(0, 650, len(hard))
    matrix = xgb.DMatrix(hard, feature_types=types, enable_categorical=True)
    expected = model.predict(matrix, pred_contribs=True).astype(np.float64).reshape(len(hard), -1)
    margins = model.predict(matrix, output_margin=True).astype(np.float64)
    found = scoring.contributions(path, hard, 100)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 2e-6 * max(1, np.abs(expected).max(), np.abs(margins).max())
    check_sums(found, margins, 2e-6)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_onnx_beside_its_training_set(scoring, classes):
    """ONNX has no covers: with the training set as background its contributions are those of the model it came from."""
    rows, target = data(classes=classes)
    rows = np.nan_to_num(rows).astype(np.float32)
    objective = {0: "regression", 2: "binary", 4: "multiclass"}[classes]
    options = dict(objective=objective, verbosity=-1, num_threads=1, seed=SEED) | (
        dict(num_class=4) if classes == 4 else {})
    booster = lgb.train(options, lgb.Dataset(rows, target), 12)
    path = scoring.folder / f"explained-{classes}.onnx"
    onnx.save(convert_lightgbm(
        booster, initial_types=[("x", FloatTensorType([None, 8]))], target_opset=15, zipmap=False), path)
    some = rows[:ROWS]
    expected = booster.predict(some, pred_contrib=True)
    with pytest.raises(ValueError, match="background"):
        scoring.contributions(path, some, 100)
    for instructions in instruction_sets(scoring, path):
        found = scoring.contributions(path, some, 100, instructions, background=rows)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 2e-6 * max(1, np.abs(expected).max())
    check_sums(found, booster.predict(some, raw_score=True), 2e-6)
    # Fewer rows are another question, with an answer of its own that adds up as well.
    check_sums(scoring.contributions(path, some, 7, background=rows[:50]), booster.predict(some, raw_score=True), 2e-6)
