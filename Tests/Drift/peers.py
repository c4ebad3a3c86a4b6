#!/usr/bin/env python3
"""Drift, detectors and model performance against the libraries that people compare with: scipy, numpy, Evidently,
NannyML, river and scikit-learn, each by its own definition, on random data with every kind of awkward value.

usage: peers.py [--seed N] [--rounds N] [--probe PATH] [--only PART]
"""
import argparse
import logging
import math
import os
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
# No reports of use to anybody.
os.environ["NML_DISABLE_USAGE_LOGGING"] = os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Checks:
    """Counts comparisons and remembers what differed."""

    def __init__(self, seed):
        self.seed = seed
        self.count = 0
        self.failures = []

    def near(self, what, found, expected, relative=1e-9, absolute=1e-12):
        self.count += 1
        if isinstance(expected, float) and math.isnan(expected) and math.isnan(found):
            return
        if found == expected or abs(found - expected) <= max(absolute, relative * abs(expected)):
            return
        self.failures.append(f"{what}: found {found!r}, expected {expected!r}")

    def within(self, what, low, value, high, slack=1e-12):
        self.count += 1
        if not low - slack <= value <= high + slack:
            self.failures.append(f"{what}: {value!r} is not in [{low!r}, {high!r}]")

    def same(self, what, found, expected):
        self.count += 1
        if found != expected:
            self.failures.append(f"{what}: found {found!r}, expected {expected!r}")


class Probe:
    """Runs the probe on tables that are written for it."""

    def __init__(self, path):
        self.path = path
        self.folder = tempfile.mkdtemp(prefix="headrace-drift-")

    def table(self, name, frame):
        path = os.path.join(self.folder, name)
        columns = [[field(value) for value in frame[column]] for column in frame]
        with open(path, "w") as file:
            file.write(",".join(frame) + "\n")
            for row in zip(*columns):
                file.write(",".join(row) + "\n")
        return path

    def run(self, *arguments):
        result = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"{arguments}: {result.stdout}{result.stderr}")
        return [line.split("\t") for line in result.stdout.splitlines()]

    def scores(self, definition, tests, reference, current):
        rows = self.run("compare", definition, tests, self.table("r.csv", reference), self.table("c.csv", current))
        return {(r[0], r[1]): (float(r[2]), float(r[3]), r[4] == "true", float(r[5])) for r in rows}


def field(value):
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def frames(random, rows, current_rows, awkward):
    """A reference and a current window; with `awkward` ones, values that are missing and new, ties and tails."""
    reference, current = {}, {}
    normal, other = random.standard_normal(rows), random.standard_normal(current_rows)
    shift = random.choice([0.0, 0.05, 0.3])
    reference["n_normal"], current["n_normal"] = normal, other * random.choice([1.0, 1.3]) + shift
    reference["n_tail"], current["n_tail"] = np.exp(2 * normal), np.exp(2 * other + shift)
    reference["n_ties"], current["n_ties"] = np.round(normal, 1), np.round(other + shift, 1)
    reference["n_few"] = random.integers(0, 4, rows).astype(float)
    current["n_few"] = random.integers(0, 5, current_rows).astype(float)
    reference["i_counts"] = random.integers(0, 300, rows)
    current["i_counts"] = random.integers(0, 340, current_rows)
    names = np.array(list("abcdefghij"), dtype=object)
    weights = np.arange(10, 0, -1.0)
    reference["c_many"] = random.choice(names, rows, p=weights / weights.sum())
    current["c_many"] = random.choice(names, current_rows, p=weights[::-1] / weights.sum() if shift else weights / weights.sum())
    reference["c_two"] = random.choice(names[:2], rows, p=[0.6, 0.4])
    current["c_two"] = random.choice(names[:2], current_rows, p=[0.55, 0.45])
    if awkward:
        reference["c_new"] = random.choice(names[:4], rows)
        current["c_new"] = random.choice(names[:6], current_rows)
        for frame, size in ((reference, rows), (current, current_rows)):
            frame["n_missing"] = np.where(random.random(size) < 0.1, np.nan, random.standard_normal(size))
            frame["c_missing"] = np.where(random.random(size) < 0.1, None, random.choice(names[:3], size))
        current["n_normal"][:3] = [50.0, -50.0, 1e6]
    return pd.DataFrame(reference), pd.DataFrame(current)


def numbers(frame):
    return [column for column in frame if column[0] != "c"]


def classic(checks, probe, reference, current):
    """scipy's functions and numpy's quantiles."""
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    tests = "psi,ks,ks_p,wasserstein,js,hellinger,tv,chi2,missing,new_categories,out_of_range,l_infinity,kl"
    found = probe.scores("classic", tests, reference, current)

    def shares(p, q, what):
        total = (p.sum(), q.sum())
        p, q = p / total[0], q / total[1]
        floored = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
        checks.near(f"{what} psi", found[what, "psi"][0], ((floored[1] - floored[0]) * np.log(floored[1] / floored[0])).sum())
        checks.near(f"{what} js", found[what, "js"][0], jensenshannon(p, q), absolute=1e-9)
        checks.near(f"{what} hellinger", found[what, "hellinger"][0], np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2))
        checks.near(f"{what} tv", found[what, "tv"][0], np.abs(p - q).sum() / 2)
        checks.near(f"{what} l_infinity", found[what, "l_infinity"][0], np.abs(p - q).max())
        checks.near(f"{what} kl", found[what, "kl"][0], stats.entropy(*floored), absolute=1e-11)

    for name in reference:
        all_rows, all_current = reference[name], current[name]
        a, b = all_rows.dropna(), all_current.dropna()
        checks.near(f"{name} missing", found[name, "missing"][0], abs(all_current.isna().mean() - all_rows.isna().mean()))
        if name[0] == "c":
            table = pd.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0).sort_index().values
            checks.near(f"{name} chi2", found[name, "chi2"][0], stats.chi2_contingency(table, correction=False)[1])
            checks.near(f"{name} new", found[name, "new_categories"][0], (~b.isin(set(a))).mean())
            shares(table[:, 0], table[:, 1], name)
            continue
        a, b = a.values.astype(float), b.values.astype(float)
        result = stats.ks_2samp(a, b)
        checks.near(f"{name} ks", found[name, "ks"][0], result.statistic)
        checks.near(f"{name} ks_p {len(a)} {len(b)}", found[name, "ks_p"][0], result.pvalue, relative=1e-8)
        distance = stats.wasserstein_distance(a, b)
        checks.near(f"{name} wasserstein", found[name, "wasserstein"][0], distance / a.std())
        outside = ((b < a.min()) | (b > a.max())).mean()
        checks.near(f"{name} out_of_range", found[name, "out_of_range"][0], outside)
        edges = np.quantile(a, np.linspace(0, 1, 11))
        edges[0], edges[-1] = -np.inf, np.inf
        edges = np.unique(edges)
        p, q = np.histogram(a, edges)[0], np.histogram(b, edges)[0]
        shares(p, q, name)
        table = np.stack([p, q])[:, (p + q) > 0]
        expected = 1.0 if table.shape[1] == 1 else stats.chi2_contingency(table, correction=False)[1]
        checks.near(f"{name} chi2", found[name, "chi2"][0], expected, relative=1e-8)


def profiles(checks, probe, reference, current):
    """Sketches: what all values say must lie within the stated bounds."""
    from scipy import stats

    clean = numbers(reference)
    for fine in (1, 10):
        paths = probe.table("r.csv", reference[clean]), probe.table("c.csv", current[clean])
        rows = probe.run("profiles", fine, "ks,wasserstein,missing", *paths)
        for name, test, value, low, high in rows:
            low, high = float(low), float(high)
            a, b = reference[name].dropna().values.astype(float), current[name].dropna().values.astype(float)
            if test == "ks":
                checks.within(f"{name} ks of sketches", low, stats.ks_2samp(a, b).statistic, high)
                if fine == 10 and name != "n_few":
                    checks.within(f"{name} width of the bounds", 0, high - low, 0.1)
            elif test == "wasserstein":
                checks.within(f"{name} wasserstein of sketches", low, stats.wasserstein_distance(a, b) / a.std(), high, 1e-9)


def distributions(checks, probe, random):
    """Probabilities over the whole range, from small samples to large ones."""
    from scipy import stats
    from scipy.stats import norm, chi2, kstwo, binomtest

    rows, expected = [], []

    def add(kind, a, b, c, value):
        rows.append((kind, float(a), float(b), float(c)))
        expected.append(value)

    for _ in range(60):
        n, m = (int(2 ** random.uniform(1, 10)) for _ in range(2))
        n = m if random.random() < 0.3 else n
        lcm = n // math.gcd(n, m) * m
        statistic = random.integers(1, lcm + 1) / lcm
        x, y = np.arange(n), None
        success, d, value = stats._stats_py._attempt_exact_2kssamp(n, m, math.gcd(n, m), statistic, "two-sided")
        if success and value > 1e-250:
            add("ks_exact", statistic, n, m, value)
        add("ks_asymptotic", statistic, n, m, kstwo.sf(statistic, np.round(n * m / (n + m))))
    for _ in range(150):
        n = int(2 ** random.uniform(0, 18))
        d = min(10 ** random.uniform(-2, 1) / math.sqrt(n), 1.0)
        add("kstwo", d, n, 0, kstwo.sf(d, n))
    for _ in range(60):
        k = int(2 ** random.uniform(0, 11))
        x = k * 10 ** random.uniform(-1, 0.7)
        add("chi2", x, k, 0, chi2.sf(x, k))
        z = random.uniform(0, 12)
        add("normal", z, 0, 0, 2 * norm.sf(z))
        p = 10 ** random.uniform(-12, 0)
        add("quantile", p, 0, 0, norm.ppf(p))
        n = int(2 ** random.uniform(0, 16))
        hits = int(random.integers(0, n + 1))
        low, high = binomtest(hits, n).proportion_ci(method="wilson")
        add("wilson", hits, n, 0, low)
        add("wilson", hits, n, 1, high)
    frame = pd.DataFrame(rows, columns=["kind", "a", "b", "c"])
    for row, (answer,), value in zip(rows, probe.run("distributions", probe.table("d.csv", frame)), expected):
        checks.near(str(row), float(answer), float(value), relative=1e-9, absolute=1e-13 if row[0] != "quantile" else 1e-14)


def evidently(checks, probe, reference, current):
    from evidently.legacy.calculations.stattests.registry import get_stattest
    from evidently.legacy.calculations.stattests.registry import _impls  # noqa: F401
    from evidently.legacy.core import ColumnType
    import evidently.legacy.calculations.stattests  # noqa: F401

    names = {"psi": "psi", "ks": "ks", "wasserstein": "wasserstein", "jensenshannon": "js", "kl_div": "kl",
             "hellinger": "hellinger", "chisquare": "chi2", "z": "z"}
    asked = {True: ["psi", "ks", "wasserstein", "jensenshannon", "kl_div", "hellinger"],
             False: ["psi", "jensenshannon", "kl_div", "hellinger", "chisquare", "z"]}
    found = probe.scores("evidently", ",".join(names), reference, current)
    chosen = probe.scores("evidently", "default", reference, current)
    for name in reference:
        is_number = name[0] != "c"
        kind = ColumnType.Numerical if is_number else ColumnType.Categorical

        def score(method):
            a, b = reference[name].dropna(), current[name].dropna()
            result = get_stattest(a, b, kind, method)(a.copy(), b.copy(), kind, None)
            return result

        for method in asked[is_number]:
            if method == "z" and reference[name].nunique() > 2:
                continue
            result = score(method)
            value, _, drift, _ = found[name, names[method]]
            # A p-value that is one minus a number near one has few digits left.
            absolute = 1e-14 if method == "z" else 1e-11
            checks.near(f"evidently {name} {method}", value, float(result.drift_score), absolute=absolute)
            checks.same(f"evidently {name} {method} verdict", drift, bool(result.drifted))
        result = score(None)
        (test, (value, _, drift, _)), = [(key[1], got) for key, got in chosen.items() if key[0] == name]
        checks.near(f"evidently {name} chose {test}", value, float(result.drift_score), absolute=1e-11)
        checks.same(f"evidently {name} default verdict", drift, bool(result.drifted))


def nannyml(checks, probe, reference, current):
    from nannyml.chunk import DefaultChunker
    from nannyml.drift.univariate import FeatureType
    from nannyml.drift.univariate.methods import MethodFactory
    from nannyml.thresholds import StandardDeviationThreshold

    names = {"jensen_shannon": "js", "kolmogorov_smirnov": "ks", "wasserstein": "wasserstein", "hellinger": "hellinger",
             "chi2": "chi2", "l_infinity": "l_infinity"}
    asked = {True: ["jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger"],
             False: ["jensen_shannon", "hellinger", "chi2", "l_infinity"]}
    found = probe.scores("nannyml", ",".join(names.values()), reference, current)
    for name in reference:
        is_number = name[0] != "c"
        kind = FeatureType.CONTINUOUS if is_number else FeatureType.CATEGORICAL
        a, b = (frame[name].astype(float) if is_number else frame[name].astype("category") for frame in (reference, current))
        for method in asked[is_number]:
            calculator = MethodFactory.create(
                key=method, feature_type=kind, chunker=DefaultChunker(), threshold=StandardDeviationThreshold())
            calculator.fit(a)
            expected = float(calculator.calculate(b))
            value, threshold, drift, p_value = found[name, names[method]]
            # Rounding alone puts 1e-16 of the rows into a bin of their own there: 1e-8 of a distance of zero.
            checks.near(f"nannyml {name} {method}", value, expected, absolute=2e-8 if expected < 1e-6 else 1e-11)
            if method == "chi2":
                checks.near(f"nannyml {name} chi2 p", p_value, float(calculator._p_value))
                checks.same(f"nannyml {name} chi2 verdict", drift, bool(calculator._p_value < 0.05))
            else:
                checks.near(f"nannyml {name} {method} limit", threshold, float(calculator.upper_threshold_value), 1e-8)


def detectors(checks, probe, random):
    from river import drift

    parts = [random.standard_normal(int(random.integers(300, 2000))) * scale + shift
             for scale, shift in ((1, 0), (1, 0.7), (3, 0.7), (0.2, -1), (1, -1.3))]
    values = np.concatenate(parts)
    path = probe.table("x.csv", pd.DataFrame({"x": values}))
    for delta, clock, grace in ((0.002, 32, 10), (0.05, 1, 10), (0.0001, 7, 50)):
        detector, at = drift.ADWIN(delta=delta, clock=clock, grace_period=grace), []
        for row, value in enumerate(values):
            detector.update(float(value))
            if detector.drift_detected:
                at.append(row)
        checks.same(f"adwin {delta} {clock}", [int(r[0]) for r in probe.run("detect", "adwin", path, delta, clock, grace)], at)
    for minimum, delta, threshold, alpha in ((30, 0.005, 50, 0.9999), (10, 0.1, 15, 0.99), (100, 0.0, 30, 1.0)):
        detector = drift.PageHinkley(min_instances=minimum, delta=delta, threshold=threshold, alpha=alpha)
        at = []
        for row, value in enumerate(values):
            detector.update(float(value))
            if detector.drift_detected:
                at.append(row)
        rows = probe.run("detect", "page_hinkley", path, minimum, delta, threshold, alpha)
        checks.same(f"page_hinkley {threshold}", [int(r[0]) for r in rows], at)


def delong_variance(scores, labels):
    """The textbook form: all pairs."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives[None, :]) + 0.5 * (positives[:, None] == negatives[None, :])
    return wins.mean(1).var(ddof=1) / len(positives) + wins.mean(0).var(ddof=1) / len(negatives)


def performance(checks, probe, random):
    from sklearn import metrics

    rows = int(random.integers(300, 3000))
    for kind in ("smooth", "ties", "extremes"):
        truth = random.random(rows)
        label = (random.random(rows) < truth).astype(int)
        score = np.clip(truth + random.normal(0, 0.15, rows), 0, 1)
        if kind == "ties":
            score = np.round(score, 1)
        if kind == "extremes":
            score = np.where(random.random(rows) < 0.3, np.round(score), score)
        path = probe.table("s.csv", pd.DataFrame({"score": score, "label": label}))
        threshold = 0.5
        found = {name: float(value) for name, value in probe.run("scores", path, threshold)}
        auc = metrics.roc_auc_score(label, score)
        checks.near(f"{kind} auc", found["auc"], auc)
        checks.within(f"{kind} auc of bins", found["auc_lower"], auc, found["auc_upper"])
        checks.within(f"{kind} width of auc of bins", 0, found["auc_upper"] - found["auc_lower"], 0.25 if kind == "ties" else 0.2)
        checks.near(f"{kind} auc variance", found["auc_variance"], delong_variance(score, label))
        checks.near(f"{kind} log loss", found["log_loss"], metrics.log_loss(label, score))
        checks.near(f"{kind} brier", found["brier"], metrics.brier_score_loss(label, score))
        predicted = score >= threshold
        checks.near(f"{kind} precision", found["precision"], metrics.precision_score(label, predicted))
        checks.near(f"{kind} recall", found["recall"], metrics.recall_score(label, predicted))
        checks.near(f"{kind} f1", found["f1"], metrics.f1_score(label, predicted))
        checks.near(f"{kind} accuracy", found["accuracy"], metrics.accuracy_score(label, predicted))
        bins = np.minimum((score * 16).astype(int), 15)
        error = sum(abs(score[bins == k].mean() - label[bins == k].mean()) * (bins == k).mean() for k in set(bins))
        checks.near(f"{kind} ece", found["ece"], error)
    truth = random.standard_normal(rows) * 10 ** random.uniform(-3, 3) + 100
    prediction = truth + random.standard_normal(rows)
    path = probe.table("t.csv", pd.DataFrame({"prediction": prediction, "truth": truth}))
    found = {name: float(value) for name, value in probe.run("regression", path)}
    checks.near("mae", found["mae"], metrics.mean_absolute_error(truth, prediction))
    errors = np.abs(prediction - truth)
    lower = errors.mean() - 1.959963984540054 * errors.std(ddof=1) / math.sqrt(rows)
    checks.near("mae lower", found["mae_lower"], lower)
    checks.near("rmse", found["rmse"], metrics.root_mean_squared_error(truth, prediction))
    checks.near("r2", found["r2"], metrics.r2_score(truth, prediction), relative=1e-8)
    checks.near("bias", found["bias"], (prediction - truth).mean(), absolute=1e-11)


def cbpe(checks, probe, random):
    from nannyml.calibration import IsotonicCalibrator
    from nannyml.performance_estimation.confidence_based import metrics

    rows = int(random.integers(500, 3000))
    score = np.round(random.random(rows), 3)
    label = (random.random(rows) < score**1.5).astype(int)
    current = random.random(rows) * 0.8 + 0.1
    calibrator = IsotonicCalibrator()
    calibrator.fit(score, label)
    probability = calibrator.calibrate(current)
    paths = (probe.table("r.csv", pd.DataFrame({"score": score, "label": label})),
             probe.table("c.csv", pd.DataFrame({"score": current})))
    found = {name: float(value) for name, value in probe.run("cbpe", *paths, 0.5)}
    predicted = (current >= 0.5).astype(int)
    # NannyML rounds cumulated counts to five digits in its curve.
    checks.near("cbpe roc_auc", found["roc_auc"], metrics.estimate_roc_auc(probability, current), relative=1e-6)
    for name in ("f1", "precision", "recall", "specificity", "accuracy"):
        checks.near(f"cbpe {name}", found[name], getattr(metrics, f"estimate_{name}")(predicted, probability))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--probe", default=os.path.join(ROOT, ".build/release/headrace-drift-probe"))
    parser.add_argument("--only")
    arguments = parser.parse_args()
    checks = Checks(arguments.seed)
    probe = Probe(arguments.probe)
    sizes = [(300, 250), (999, 1700), (3000, 3000), (4001, 1234), (12000, 11000)]
    for turn in range(arguments.rounds):
        random = np.random.default_rng([arguments.seed, turn])
        rows, current_rows = sizes[turn % len(sizes)]
        reference, current = frames(random, rows, current_rows, awkward=turn % 2 == 1)
        parts = {
            "classic": lambda: classic(checks, probe, reference, current),
            "profiles": lambda: profiles(checks, probe, reference, current),
            "distributions": lambda: distributions(checks, probe, random),
            "evidently": lambda: evidently(checks, probe, reference, current),
            "nannyml": lambda: nannyml(checks, probe, reference, current),
            "detectors": lambda: detectors(checks, probe, random),
            "performance": lambda: performance(checks, probe, random),
            "cbpe": lambda: cbpe(checks, probe, random),
        }
        for name, part in parts.items():
            if arguments.only and name != arguments.only:
                continue
            before = checks.count
            part()
            print(f"round {turn}: {name}: {checks.count - before} figures of {rows} and {current_rows} rows", flush=True)
    for failure in checks.failures[:60]:
        print("DIFFERS", failure)
    print(f"seed {arguments.seed}: {checks.count} figures compared, {len(checks.failures)} differ")
    sys.exit(1 if checks.failures else 0)


if __name__ == "__main__":
    main()
