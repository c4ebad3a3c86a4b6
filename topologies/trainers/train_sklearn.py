#!/usr/bin/env python3
"""Trains a scikit-learn pipeline on what Headrace hands over, and writes it as ONNX.

usage: train_sklearn.py DATASET MANIFEST OUTPUT
"""

import json
import pathlib
import sys

import numpy
import sklearn.ensemble
import sklearn.impute
import sklearn.pipeline
from rows import read, say
from skl2onnx import to_onnx


def model(objective, seed):
    if objective == "regression":
        return sklearn.ensemble.RandomForestRegressor(100, min_samples_leaf=20, random_state=seed, n_jobs=1)
    return sklearn.ensemble.RandomForestClassifier(100, min_samples_leaf=20, random_state=seed, n_jobs=1)


def main(dataset, manifest_path, output):
    manifest = json.loads(pathlib.Path(manifest_path).read_text())
    parts = [read(dataset, manifest, part) for part in ("train", "validation")]
    features, labels = (numpy.concatenate(found) for found in zip(*parts))
    is_class = manifest["objective"] != "regression"
    pipeline = sklearn.pipeline.make_pipeline(
        sklearn.impute.SimpleImputer(), model(manifest["objective"], manifest["seed"])
    )
    pipeline.fit(features, labels.astype(int) if is_class else labels)
    say(type="metric", name="train_score", value=pipeline.score(features, labels))
    options = {"zipmap": False} if is_class else {}
    file = to_onnx(pipeline, features[:1], options={id(pipeline): options} if options else None, target_opset=17)
    pathlib.Path(output).write_bytes(file.SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
