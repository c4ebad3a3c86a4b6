#!/usr/bin/env python3
"""The same jobs in other libraries, on as many rows; called by Benchmarks/Drift/run. Prints name, median, unit.

Which libraries is said by the arguments: scipy, evidently, nannyml, river, and whylogs, which wants another numpy.
"""
import logging
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
# No reports of use to anybody.
os.environ["NML_DISABLE_USAGE_LOGGING"] = os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd

ROWS, WIDTH = 100_000, 30


def data():
    random = np.random.default_rng(11)
    reference, current = {}, {}
    for feature in range(WIDTH):
        shift = 0.02 * feature if feature % 3 == 0 else 0
        scale = 1 + 0.02 * feature if feature % 3 == 1 else 1
        reference[f"n{feature}"] = random.standard_normal(ROWS).astype(np.float32).astype(float)
        current[f"n{feature}"] = (random.standard_normal(ROWS) * scale + shift).astype(np.float32).astype(float)
    for feature in range(5):
        names = np.array([f"v{k}" for k in range(4 * (feature + 1))], dtype=object)
        for frame in (reference, current):
            frame[f"c{feature}"] = names[(random.random(ROWS) ** 2 * len(names)).astype(int)]
    return pd.DataFrame(reference), pd.DataFrame(current)


def median(name, work, runs=3):
    work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    print(f"{name}\t{sorted(times)[runs // 2] * 1e3}\tms", flush=True)


def main():
    reference, current = data()
    numbers, names = [c for c in reference if c[0] == "n"], [c for c in reference if c[0] == "c"]
    which = sys.argv[1:] or ["scipy", "evidently", "nannyml", "river"]
    if "whylogs" in which:
        import whylogs

        for name, frame in (("profile_all", current), ("profile_numbers", current[numbers])):
            whylogs.log(pandas=frame)
            times = []
            for _ in range(3):
                begin = time.perf_counter()
                whylogs.log(pandas=frame)
                times.append(time.perf_counter() - begin)
            print(f"{name}\t{ROWS / sorted(times)[1]}\trows/s", flush=True)
    if "scipy" in which:
        from scipy import stats

        pairs = [(reference[c].values, current[c].values) for c in numbers]
        median("batch_scipy_ks", lambda: [stats.ks_2samp(a, b, method="asymp") for a, b in pairs])
        median("batch_scipy_wasserstein", lambda: [stats.wasserstein_distance(a, b) for a, b in pairs])

        def psi(a, b):
            edges = np.quantile(a, np.linspace(0, 1, 11))
            edges[0], edges[-1] = -np.inf, np.inf
            edges = np.unique(edges)
            p, q = (np.maximum(np.histogram(x, edges)[0] / len(x), 1e-4) for x in (a, b))
            return ((q - p) * np.log(q / p)).sum()

        median("batch_numpy_psi", lambda: [psi(a, b) for a, b in pairs])
    if "evidently" in which:
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        definition = DataDefinition(numerical_columns=numbers, categorical_columns=names)

        def report(**options):
            datasets = [Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)]
            return Report([DataDriftPreset(**options)]).run(*datasets).dict()

        median("batch_evidently_default", report, 1)
        median("batch_evidently_psi", lambda: report(method="psi"), 1)
    if "nannyml" in which:
        import nannyml

        def calculate():
            calculator = nannyml.UnivariateDriftCalculator(
                column_names=list(reference), treat_as_categorical=names, chunk_size=ROWS,
                continuous_methods=["jensen_shannon", "kolmogorov_smirnov", "wasserstein"],
                categorical_methods=["jensen_shannon", "chi2"])
            return calculator.fit(reference).calculate(current)

        median("batch_nannyml", calculate, 1)
    if "river" in which:
        from river import drift

        values = current["n0"].tolist()
        for name, make in (("adwin", drift.ADWIN), ("page_hinkley", drift.PageHinkley)):

            def run():
                detector = make()
                for value in values:
                    detector.update(value)

            begin = time.perf_counter()
            run()
            print(f"{name}\t{ROWS / (time.perf_counter() - begin)}\tvalues/s", flush=True)


if __name__ == "__main__":
    main()
