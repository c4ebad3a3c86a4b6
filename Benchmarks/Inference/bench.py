"""Rows a second of single-threaded scoring: ours beside LightGBM, XGBoost and ONNX Runtime, all in one run.

    .venv/bin/python Benchmarks/Inference/bench.py MODELS [--floor PROGRAM] [--seconds S]

MODELS is a folder with lgb_S.txt, lgb_M.txt, xgb_S.ubj, xgb_M.ubj and xt.f32 (rows of 30 floats); what is missing is
trained and written there. The libraries are called from Python, LightGBM's single rows through its C interface; at
batch 1 the others' figures hold Python's own time too. `--floor` names a program called as
PROGRAM MODEL.txt ROWS.f32 PREDICTIONS.f64 REPETITIONS 1 that prints lines `B=<batch> <kernel> <time> us/batch …`: its
fastest kernel is the floor, and the last column.
"""
import argparse
import ctypes
import pathlib
import re
import subprocess
import sys
import time

import lightgbm as lgb
import numpy as np
import onnxruntime
import xgboost as xgb
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Tests" / "Inference" / "peers"))
from scoring import Scoring, instruction_sets  # noqa: E402

FEATURES, ROWS, BATCHES = 30, 65_536, (1, 64, 1_024)
SHAPES = {"S": (100, 31, 6), "M": (500, 63, 8)}


def data(count, seed):
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((count, FEATURES)).astype(np.float32)
    rows[:, 10:20] = np.exp(rows[:, 10:20] * 0.8)
    rows[:, 25:30] = np.round(np.abs(rows[:, 25:30]) * 4)
    margin = 1.2 * rows[:, 0] - 0.8 * rows[:, 1] * rows[:, 2] + 0.7 * np.sin(3 * rows[:, 3]) + 0.15 * rows[:, 25] * (rows[:, 5] > 0)
    target = (generator.random(count) < 1 / (1 + np.exp(-margin))).astype(np.int32)
    rows[generator.random((count, FEATURES)) < 0.05] = np.nan
    return rows, target


def prepare(folder):
    folder.mkdir(parents=True, exist_ok=True)
    needed = [f"{kind}_{name}.{suffix}" for name in SHAPES for kind, suffix in (("lgb", "txt"), ("xgb", "ubj"))]
    if all((folder / file).exists() for file in needed + ["xt.f32"]):
        return
    rows, target = data(200_000, 7)
    data(ROWS, 8)[0].tofile(folder / "xt.f32")
    for name, (trees, leaves, depth) in SHAPES.items():
        options = dict(objective="binary", num_leaves=leaves, learning_rate=0.08, verbosity=-1, seed=1)
        lgb.train(options, lgb.Dataset(rows, target), trees).save_model(folder / f"lgb_{name}.txt")
        options = dict(objective="binary:logistic", max_depth=depth, eta=0.08, tree_method="hist", seed=1)
        xgb.train(options, xgb.DMatrix(rows, target), trees).save_model(folder / f"xgb_{name}.ubj")


def nanoseconds_per_row(predict, rows, batch, seconds):
    """The median of three walks over all rows."""
    found = []
    for _ in range(3):
        start = done = 0
        begun = time.perf_counter()
        while (elapsed := time.perf_counter() - begun) < seconds / 3:
            predict(rows[start : start + batch])
            done += batch
            start = 0 if start + 2 * batch > len(rows) else start + batch
        found.append(elapsed / done * 1e9)
    return sorted(found)[1]


def single_rows(booster):
    """LightGBM's fastest way for one row: LGBM_BoosterPredictForMatSingleRowFast, through ctypes."""
    library, handle = lgb.basic._LIB, ctypes.c_void_p()
    status = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, -1, 0, FEATURES, ctypes.c_char_p(b"num_threads=1"), ctypes.byref(handle)
    )
    assert status == 0, "LightGBM refused single rows"
    length, output = ctypes.c_int64(), (ctypes.c_double * 1)()
    predict, length_at = library.LGBM_BoosterPredictForMatSingleRowFast, ctypes.byref(length)
    return lambda rows: predict(handle, ctypes.c_void_p(rows.ctypes.data), length_at, output)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    runtime = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    output = runtime.get_outputs()[-1].name
    return lambda rows: runtime.run([output], {runtime.get_inputs()[0].name: rows})


def peers(kind, folder, name):
    if kind == "xgb":
        booster = xgb.Booster(model_file=folder / f"xgb_{name}.ubj")
        booster.set_param({"nthread": 1})
        onnx = convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, FEATURES]))], target_opset=15)
        return {"XGBoost": booster.inplace_predict, "ONNX Runtime": session(onnx)}
    booster = lgb.Booster(model_file=folder / f"lgb_{name}.txt")
    onnx = convert_lightgbm(booster, initial_types=[("x", FloatTensorType([None, FEATURES]))], target_opset=15, zipmap=False)
    single = single_rows(booster)
    batches = lambda rows: single(rows) if len(rows) == 1 else booster.predict(rows, num_threads=1)  # noqa: E731
    return {"LightGBM": batches, "ONNX Runtime": session(onnx)}


def floor(program, folder, name, rows):
    """The fastest kernel of a floor program for each batch, in nanoseconds a row."""
    model = folder / f"lgb_{name}.txt"
    predictions = folder / f"lgb_{name}_pred.f64"
    lgb.Booster(model_file=model).predict(rows, num_threads=1).tofile(predictions)
    output = subprocess.run([program, model, folder / "xt.f32", predictions, "3", "1"], capture_output=True, text=True, check=True).stdout
    found = {}
    for batch, time_of_batch in re.findall(r"^B=(\d+)\s+\S+\s+([\d.]+) us/batch", output, re.MULTILINE):
        time_of_row = float(time_of_batch) / int(batch) * 1e3
        found[int(batch)] = min(time_of_row, found.get(int(batch), time_of_row))
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("models", type=pathlib.Path)
    arguments.add_argument("--floor")
    arguments.add_argument("--seconds", type=float, default=0.9)
    arguments.add_argument("--only", choices=["lgb", "xgb"])
    arguments = arguments.parse_args()
    prepare(arguments.models)
    rows = np.fromfile(arguments.models / "xt.f32", dtype=np.float32).reshape(-1, FEATURES)
    scoring = Scoring()
    for kind in [arguments.only] if arguments.only else ["lgb", "xgb"]:
        for name in SHAPES:
            path = arguments.models / f"{kind}_{name}.{'txt' if kind == 'lgb' else 'ubj'}"
            floors = floor(arguments.floor, arguments.models, name, rows) if arguments.floor and kind == "lgb" else {}
            others = peers(kind, arguments.models, name)
            for batch in BATCHES:
                scoring.load(path)
                words = ("time", arguments.models / "xt.f32", len(rows), batch, arguments.seconds / 3)
                best = sorted(float(scoring.ask(*words)) for _ in range(3))[1]
                widest = {}
                for instructions in instruction_sets(scoring, path)[-2:]:
                    scoring.load(path, instructions)
                    widest[instructions] = sorted(float(scoring.ask(*words)) for _ in range(3))[1]
                line = f"{kind} {name}, batch {batch:5}: ours {1e9 / best:11,.0f} rows/s"
                for peer, predict in others.items():
                    theirs = nanoseconds_per_row(predict, rows, batch, arguments.seconds)
                    line += f" | {peer} {1e9 / theirs:9,.0f}, ours {theirs / best:5.1f}x"
                if "avx512" in widest:
                    line += f" | AVX2 takes {widest['avx2'] / widest['avx512']:.2f}x the time of AVX-512"
                if batch in floors:
                    line += f" | floor {1e9 / floors[batch]:11,.0f}, ours {floors[batch] / best:4.0%}"
                print(line, flush=True)
    scoring.close()


if __name__ == "__main__":
    main()
