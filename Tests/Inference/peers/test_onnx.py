"""ONNX Runtime: no row in another leaf; scores within 1e-5 of their size, which is what float32 sums may differ by."""
import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime
import pytest
import xgboost as xgb
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloat
from scoring import SEED, hard_rows, instruction_sets
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import (
    ExtraTreesRegressor, GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from test_lightgbm import data

ROWS = 10_000

MODELS = {
    "logistic": (LogisticRegression(), 2),
    "logistic-5": (LogisticRegression(), 5),
    "linear": (LinearRegression(), 0),
    "scaled-ridge": (make_pipeline(StandardScaler(), Ridge()), 0),
    "imputed": (make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), 2),
    "min-max": (make_pipeline(SimpleImputer(), MinMaxScaler(), LogisticRegression()), 3),
    "normalized": (make_pipeline(SimpleImputer(), Normalizer(), LogisticRegression()), 2),
    "tree": (DecisionTreeClassifier(max_depth=6), 2),
    "forest": (RandomForestClassifier(20, max_depth=8, n_jobs=1), 2),
    "forest-4": (RandomForestClassifier(20, n_jobs=1), 4),
    "forest-regression": (RandomForestRegressor(15, n_jobs=1), 0),
    "extra-trees": (ExtraTreesRegressor(15, max_depth=7), 0),
    "boosting": (GradientBoostingClassifier(n_estimators=25), 2),
    "boosting-4": (GradientBoostingClassifier(n_estimators=10), 4),
    "boosting-regression": (GradientBoostingRegressor(n_estimators=25), 0),
    "mlp": (make_pipeline(StandardScaler(), MLPClassifier((64, 32), max_iter=8)), 2),
    "mlp-4": (make_pipeline(StandardScaler(), MLPClassifier((20,), max_iter=8)), 4),
    "mlp-tanh": (MLPRegressor(hidden_layer_sizes=(17, 5), activation="tanh", max_iter=8), 0),
    "mlp-logistic": (MLPRegressor(hidden_layer_sizes=(64,), activation="logistic", max_iter=8), 0),
}


def runtime(model, rows):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    result = session.run(None, {session.get_inputs()[0].name: rows})[-1]
    if isinstance(result, list):
        result = np.array([list(row.values()) for row in result])
    return np.asarray(result, dtype=np.float64).squeeze()


def check(scoring, name, model, rows, bound=1e-5):
    path = scoring.folder / f"{name}.onnx"
    onnx.save(model, path)
    expected = runtime(model, rows)
    for instructions in instruction_sets(scoring, path):
        for batch in (1, 64, 1000):
            found = scoring.scores(path, rows, batch, instructions)
            assert found.shape == expected.shape
            off = np.abs(found - expected) > bound * np.maximum(np.abs(expected), 1)
            worst = np.unravel_index(np.nanargmax(np.abs(found - expected)), found.shape)
            assert not off.any(), f"{instructions}, batch {batch}: {found[worst]} for {expected[worst]}, {off.mean():.2%} are off"
            assert (np.isnan(found) == np.isnan(expected)).all()


@pytest.mark.parametrize("zipmap", [False, True], ids=["matrix", "zipmap"])
@pytest.mark.parametrize("name", MODELS)
def test_scikit_learn(scoring, name, zipmap):
    estimator, classes = MODELS[name]
    if zipmap and classes == 0:
        pytest.skip("regressors have no ZipMap")
    rows, target = data(classes=classes)
    takes_missing = "Imputer" in str(estimator)
    rows = rows if takes_missing else np.nan_to_num(rows)
    estimator.fit(rows, target)
    options = {id(estimator): {"zipmap": zipmap}} if classes else None
    model = to_onnx(estimator, initial_types=[("x", FloatTensorType([None, 8]))], target_opset={"": 15, "ai.onnx.ml": 3}, options=options)
    hard = hard_rows(8, ROWS)
    hard = np.where(np.abs(hard) > 1e6, np.float32(7), hard)
    hard = hard if takes_missing else np.nan_to_num(hard)
    check(scoring, name, model, hard)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_lightgbm_through_onnxmltools(scoring, classes):
    rows, target = data(classes=classes)
    objective = {0: "regression", 2: "binary", 4: "multiclass"}[classes]
    options = dict(objective=objective, verbosity=-1, num_threads=1) | (dict(num_class=4) if classes == 4 else {})
    booster = lgb.train(options, lgb.Dataset(rows, target), 20)
    model = convert_lightgbm(booster, initial_types=[("x", ToolsFloat([None, 8]))], target_opset=15, zipmap=False)
    hard = hard_rows(8, ROWS)
    check(scoring, f"lightgbm-{classes}", model, hard)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_xgboost_through_onnxmltools(scoring, classes):
    rows, target = data(classes=classes)
    kind = xgb.XGBRegressor if classes == 0 else xgb.XGBClassifier
    estimator = kind(n_estimators=20, max_depth=5, n_jobs=1).fit(rows, target)
    model = convert_xgboost(estimator, initial_types=[("x", ToolsFloat([None, 8]))], target_opset=15)
    check(scoring, f"xgboost-{classes}", model, hard_rows(8, ROWS))


def test_tree_ensemble_of_version_5(scoring):
    weights = numpy_helper.from_array(np.array([1.5, -2, 0.25, 8, 16], np.float32), "w")
    node = helper.make_node(
        "TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", n_targets=2, aggregate_function=1, post_transform=0, tree_roots=[0, 3],
        nodes_featureids=[0, 1, 2, 1], nodes_modes=numpy_helper.from_array(np.array([0, 6, 3, 4], np.uint8), "m"),
        nodes_splits=numpy_helper.from_array(np.array([0.5, 0, -1, 3], np.float32), "s"), nodes_truenodeids=[1, 0, 1, 3],
        nodes_falsenodeids=[2, 4, 2, 4], nodes_trueleafs=[0, 1, 1, 1], nodes_falseleafs=[0, 1, 1, 1],
        nodes_missing_value_tracks_true=[1, 0, 1, 0], leaf_targetids=[0, 1, 0, 1, 0], leaf_weights=weights,
        membership_values=numpy_helper.from_array(np.array([1, 2, 7], np.float32), "v"),
    )
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 5)], ir_version=9)
    rows = hard_rows(3, ROWS, {0: [0.5], 1: [1, 2, 3, 7], 2: [-1]})
    check(scoring, "version-5", model, rows)


TORCH = {
    # nn.Sequential(Linear, ReLU, Linear, Tanh, Linear, Sigmoid): how both of its exporters write a Linear with a bias.
    "binary": ([(64, "Relu"), (32, "Tanh"), (1, "Sigmoid")], True),
    "classes": ([(64, "Relu"), (17, "Relu"), (5, "Softmax")], True),
    "regression": ([(33, "Sigmoid"), (1, None)], True),
    # Without a bias a Linear is a product with the transposed weights, folded into an initializer.
    "no-bias": ([(24, "Relu"), (3, None)], False),
}


@pytest.mark.parametrize("opset, ir_version", [(17, 8), (18, 10)], ids=["torchscript", "dynamo"])
@pytest.mark.parametrize("name", TORCH)
def test_an_mlp_as_torch_exports_it(scoring, name, opset, ir_version):
    """Graphs of torch's shape: names with slashes and dots, weights [out, in] with transB, raw data, a named batch."""
    layers, has_bias = TORCH[name]
    generator = np.random.default_rng(SEED)
    nodes, weights, value, width = [], [], "input", 8
    for index, (outputs, activation) in enumerate(layers):
        matrix = generator.normal(0, width ** -0.5, (outputs, width)).astype(np.float32)
        out, node = f"/{2 * index}/Gemm_output_0", f"/{2 * index}/Gemm"
        if has_bias:
            bias = generator.normal(0, 0.1, outputs).astype(np.float32)
            weights += [numpy_helper.from_array(matrix, f"{2 * index}.weight"), numpy_helper.from_array(bias, f"{2 * index}.bias")]
            nodes.append(helper.make_node("Gemm", [value, f"{2 * index}.weight", f"{2 * index}.bias"], [out], name=node,
                                          alpha=1.0, beta=1.0, transB=1))
        else:
            weights.append(numpy_helper.from_array(np.ascontiguousarray(matrix.T), f"onnx::MatMul_{index}"))
            nodes.append(helper.make_node("MatMul", [value, f"onnx::MatMul_{index}"], [out], name=node))
        value, width = out, outputs
        if activation is not None:
            value = f"/{2 * index + 1}/{activation}_output_0"
            more = {"axis": -1} if activation == "Softmax" else {}
            nodes.append(helper.make_node(activation, [out], [value], name=f"/{2 * index + 1}/{activation}", **more))
    nodes[-1].output[0] = "output"
    graph = helper.make_graph(
        nodes, "main_graph", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 8])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", width])], weights)
    model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", opset)],
                              ir_version=ir_version)
    onnx.checker.check_model(model)
    rows = np.nan_to_num(hard_rows(8, ROWS))
    check(scoring, f"torch-{name}-{opset}", model, np.where(np.abs(rows) > 1e6, np.float32(7), rows))


@pytest.mark.parametrize("activation", ["LeakyRelu", "Elu"])
def test_layers_that_torch_exports_beside_matrices(scoring, activation):
    """BatchNorm1d in front and between, as both exporters write it, and activations with a slope below zero."""
    generator = np.random.default_rng(SEED)
    weights, nodes, value, width = [], [], "input", 8
    for index, outputs in enumerate((16, 3)):
        parts = {"weight": generator.uniform(0.5, 2, width), "bias": generator.normal(0, 1, width),
                 "mean": generator.normal(0, 1, width), "var": generator.uniform(0.1, 3, width)}
        weights += [numpy_helper.from_array(part.astype(np.float32), f"n{index}.{name}") for name, part in parts.items()]
        nodes.append(helper.make_node(
            "BatchNormalization", [value, *(f"n{index}.{name}" for name in parts)], [f"n{index}"], epsilon=1e-5,
            momentum=0.9, training_mode=0))
        matrix = generator.normal(0, width ** -0.5, (outputs, width)).astype(np.float32)
        bias = generator.normal(0, 0.1, outputs).astype(np.float32)
        weights += [numpy_helper.from_array(matrix, f"{index}.weight"), numpy_helper.from_array(bias, f"{index}.bias")]
        nodes.append(helper.make_node("Gemm", [f"n{index}", f"{index}.weight", f"{index}.bias"], [f"g{index}"], transB=1))
        nodes.append(helper.make_node(activation, [f"g{index}"], [f"a{index}"], alpha=0.3))
        value, width = f"a{index}", outputs
    graph = helper.make_graph(
        nodes, "main_graph", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 8])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["batch", width])], weights)
    model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    rows = np.nan_to_num(hard_rows(8, ROWS))
    check(scoring, f"torch-{activation}", model, np.where(np.abs(rows) > 1e6, np.float32(7), rows))


def gelu_by_erf(name, value, weights):
    """How torch writes nn.GELU before version 20 of the operators."""
    for constant, number in (("sqrt2", 1.4142135381698608), ("one", 1), ("half", 0.5)):
        if not any(weight.name == constant for weight in weights):
            weights.append(numpy_helper.from_array(np.array(number, np.float32), constant))
    return [
        helper.make_node("Div", [value, "sqrt2"], [f"{name}/Div"]), helper.make_node("Erf", [f"{name}/Div"], [f"{name}/Erf"]),
        helper.make_node("Add", [f"{name}/Erf", "one"], [f"{name}/Add"]),
        helper.make_node("Mul", [value, f"{name}/Add"], [f"{name}/Mul"]),
        helper.make_node("Mul", [f"{name}/Mul", "half"], [name])]


@pytest.mark.parametrize("opset, activation", [(17, "erf"), (20, "none"), (20, "tanh"), (17, "clip"), (20, "clip low")])
def test_blocks_of_layer_norm_and_gelu_as_torch_exports_them(scoring, opset, activation):
    """LayerNorm, Linear, GELU or ReLU6, Linear, with a residual sum around them."""
    generator = np.random.default_rng(SEED)
    weights, nodes, value = [], [], "input"
    for index in range(3):
        for part, shape, mean in (("scale", 8, 1), ("bias", 8, 0), ("up", (20, 8), 0), ("up.b", 20, 0), ("down", (8, 20), 0),
                                  ("down.b", 8, 0)):
            array = generator.normal(mean, 0.3, shape).astype(np.float32)
            weights.append(numpy_helper.from_array(array, f"{index}.{part}"))
        nodes.append(helper.make_node("LayerNormalization", [value, f"{index}.scale", f"{index}.bias"], [f"{index}/norm"],
                                      axis=-1, epsilon=1e-5))
        nodes.append(helper.make_node("Gemm", [f"{index}/norm", f"{index}.up", f"{index}.up.b"], [f"{index}/up"], transB=1))
        if activation == "erf":
            nodes += gelu_by_erf(f"{index}/act", f"{index}/up", weights)
        elif activation.startswith("clip"):
            bounds = [f"{index}/zero", f"{index}/six"] if activation == "clip" else [f"{index}/zero"]
            for name, number in zip(bounds, (0, 6)):
                constant = numpy_helper.from_array(np.array(number, np.float32))
                nodes.append(helper.make_node("Constant", [], [name], value=constant))
            nodes.append(helper.make_node("Clip", [f"{index}/up", *bounds], [f"{index}/act"]))
        else:
            nodes.append(helper.make_node("Gelu", [f"{index}/up"], [f"{index}/act"], approximate=activation))
        nodes.append(helper.make_node("Gemm", [f"{index}/act", f"{index}.down", f"{index}.down.b"], [f"{index}/down"], transB=1))
        nodes.append(helper.make_node("Add", [value, f"{index}/down"], [f"{index}/sum"]))
        value = f"{index}/sum"
    graph = helper.make_graph(
        nodes, "main_graph", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 8])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["batch", 8])], weights)
    model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", opset)],
                              ir_version=8 if opset < 18 else 10)
    onnx.checker.check_model(model)
    rows = generator.normal(0, 2, (ROWS, 8)).astype(np.float32)
    rows[::7, 3] = 0
    check(scoring, f"block-{opset}-{activation.replace(' ', '-')}", model, rows)


@pytest.mark.parametrize("kind", ["Erf", "Gelu", "Gelu tanh", "Clip", "LayerNormalization"])
def test_one_operator_alone(scoring, kind):
    """To a few units in the last place."""
    generator, name = np.random.default_rng(SEED), kind.split()[0]
    weights = {"Clip": {"low": np.array(-1.5), "high": np.array(2.25)},
               "LayerNormalization": {"scale": generator.normal(1, 0.3, 8), "bias": generator.normal(0, 0.3, 8)}}.get(name, {})
    more = {"approximate": "tanh"} if kind == "Gelu tanh" else {}
    graph = helper.make_graph(
        [helper.make_node(name, ["x", *weights], ["y"], **more)], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 8])],
        [numpy_helper.from_array(value.astype(np.float32), part) for part, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    rows = generator.normal(0, 3, (ROWS, 8)).astype(np.float32)
    check(scoring, f"alone-{kind.replace(' ', '-')}", model, rows, bound=1e-6)


def test_smaller_weights_are_close(scoring):
    rows, target = data()
    rows = np.nan_to_num(rows)
    estimator = make_pipeline(StandardScaler(), MLPClassifier((64, 32), max_iter=8)).fit(rows, target)
    model = to_onnx(estimator, initial_types=[("x", FloatTensorType([None, 8]))], target_opset=15)
    path = scoring.folder / "small.onnx"
    onnx.save(model, path)
    exact = scoring.scores(path, rows, 64)
    for weights, bound in (("bf16", 0.03), ("int8", 0.06)):
        assert "differ by" in scoring.ask("load", path, "baseline", weights)
        for instructions in instruction_sets(scoring, path):
            found = scoring.scores(path, rows, 64, instructions, weights)
            assert np.abs(found - exact).max() < bound


def test_unknown_operators_are_refused_by_name(scoring):
    node = helper.make_node("Softplus", ["x"], ["y"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 3]) for name in "xy"]
    onnx.save(helper.make_model(helper.make_graph([node], "g", values[:1], values[1:])), scoring.folder / "softplus.onnx")
    with pytest.raises(ValueError, match="the operator Softplus.*TreeEnsembleClassifier"):
        scoring.load(scoring.folder / "softplus.onnx")


@pytest.mark.parametrize("name", ["mlp", "boosting-4"])
def test_corrupted_files_are_read_or_refused(scoring, name):
    rows, target = data(classes=MODELS[name][1], count=300)
    estimator = MODELS[name][0]
    if name == "boosting-4":
        estimator = GradientBoostingClassifier(n_estimators=2, max_depth=2)
    model = to_onnx(estimator.fit(np.nan_to_num(rows), target), initial_types=[("x", FloatTensorType([None, 8]))], target_opset=15)
    onnx.save(model, scoring.folder / "whole.onnx")
    read, refused = map(int, scoring.ask("break", scoring.folder / "whole.onnx", 2_000, SEED).split())
    assert read + refused == 2_000 and refused > 100
