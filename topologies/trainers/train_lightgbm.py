#!/usr/bin/env python3
"""Trains a LightGBM model on what Headrace hands over.

usage: train_lightgbm.py DATASET MANIFEST OUTPUT
"""

import json
import pathlib
import sys

import lightgbm
from rows import read, say

ROUNDS = 300
STOP_AFTER = 20


def main(dataset, manifest_path, output):
    manifest = json.loads(pathlib.Path(manifest_path).read_text())
    features, labels = read(dataset, manifest, "train")
    settings = {
        "objective": manifest["objective"],
        "learning_rate": 0.05,
        "num_leaves": 31,
        "seed": manifest["seed"],
        "deterministic": True,
        "num_threads": 1,
        "verbose": -1,
    }
    if manifest["objective"] == "multiclass":
        settings["num_class"] = int(labels.max()) + 1
    train = lightgbm.Dataset(features, labels, feature_name=manifest["features"])
    callbacks = [lambda state: say(type="progress", done=state.iteration + 1, total=ROUNDS)]
    validation = []
    if manifest["parts"]["validation"]["rows"] > 0:
        validation = [lightgbm.Dataset(*read(dataset, manifest, "validation"), reference=train)]
        callbacks.append(lightgbm.early_stopping(STOP_AFTER, verbose=False))
    booster = lightgbm.train(settings, train, ROUNDS, valid_sets=validation, callbacks=callbacks)
    for found in booster.best_score.values():
        for metric, value in found.items():
            say(type="metric", name=f"validation_{metric}", value=value)
    booster.save_model(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
