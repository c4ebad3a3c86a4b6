"""Rows a second of single-threaded explanations: ours beside LightGBM's pred_contrib and XGBoost's pred_contribs.

    .venv/bin/python Benchmarks/Inference/explain.py MODELS [--seconds S]

MODELS is the folder of bench.py; what is missing in it is made.
"""
import argparse
import pathlib

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from bench import FEATURES, Scoring, nanoseconds_per_row, prepare

ROWS, BATCHES = 64, (1, 16, 64)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    prepare(arguments.models)
    rows = np.fromfile(arguments.models / "xt.f32", dtype=np.float32).reshape(-1, FEATURES)[:ROWS].copy()
    rows.tofile(arguments.models / "explained.f32")
    ours = Scoring()
    print("| model | rows | ours, rows/s | the library | ratio |\n|---|---|---|---|---|")
    for name in ("lgb_S.txt", "lgb_M.txt", "xgb_S.ubj", "xgb_M.ubj"):
        path = arguments.models / name
        if name.startswith("lgb"):
            booster = lgb.Booster(model_file=path)

            def predict(part):
                return booster.predict(part, pred_contrib=True, num_threads=1)
        else:
            model = xgb.Booster(dict(nthread=1), model_file=path)

            def predict(part):
                return model.predict(xgb.DMatrix(part, nthread=1), pred_contribs=True)

        expected, found = predict(rows), ours.contributions(path, rows, ROWS)
        difference = np.abs(expected - found).max()
        for batch in BATCHES:
            mine = float(ours.ask("time-explain", arguments.models / "explained.f32", ROWS, batch, arguments.seconds))
            theirs = nanoseconds_per_row(predict, rows, batch, arguments.seconds)
            print(f"| {name} | {batch} | {1e9 / mine:,.0f} | {1e9 / theirs:,.0f} | {theirs / mine:.1f} |", flush=True)
        print(f"<!-- {name}: largest difference {difference:.1e} -->")
    ours.close()


main()
