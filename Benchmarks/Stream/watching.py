#!/usr/bin/env python3
"""What the monitors take: events a second of a model in the stream with all monitors on, in ratio to the same without.

The model is LightGBM, 100 trees of 31 leaves, over a service of 30 features of payments; its predictions carry them in
both topologies. Watched are all features, the prediction, two segments and the label: drift tests, detectors, quality and
estimates, in windows of a minute of 60,000 events. Both read the same topic in turns, as often as --runs says. Monitors
count behind the scoring, at a lower priority: the run ends when they have counted every prediction, and their rate and
what they take of the processors are printed beside it.

usage: watching.py [--records N] [--runs N]      needs lightgbm
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import lightgbm
import numpy
import stream

WINDOWS = ("1m", "10m", "1h", "6h", "24h")
VIEW = "\n".join(
    [f"      n: count over {', '.join(WINDOWS)}"]
    + [f"      {name}: {function}(amount) over {', '.join(WINDOWS)}" for name, function in (
        ("total", "sum"), ("mean", "mean"), ("least", "min"), ("most", "max"))])
FEATURES = ["request:amount", *(f"by_user:{name}_{window}" for name in ("n", "total", "mean", "least", "most")
                                for window in WINDOWS), "jump", "share", "burst", "range"]
TOPOLOGY = f"""topology: NAME
sources:
  payments: {{topic: {stream.TOPIC}, key: user_id, event_time: {{field: ts, unit: ms}}, lateness: 1m}}
entities: {{user: [user_id]}}
views:
  by_user:
    source: payments
    entity: user
    features:
{VIEW}
on_demand:
  jump: amount - by_user:mean_24h
  share: amount / nullif(by_user:total_24h, 0)
  burst: by_user:n_1m / nullif(by_user:n_24h, 0)
  range: by_user:most_24h - by_user:least_24h
services:
  watched_v1: [{', '.join(f'"{name}"' for name in FEATURES)}]
models:
  fraud:
    service: watched_v1
    each: payments
    file: fraud.txt
    output: NAME.predictions
    features: full
    label: {{source: payments, match: event_id, value: is_fraud > 0, within: 1m}}
"""
MONITOR = """monitors:
  watch:
    model: fraud
    window: 1m
    tests: {psi: 0.2, ks: 0.1, jensenshannon: 0.1, wasserstein: 0.1, missing: 0.05}
    segments: [country, channel]
    performance: {auc: {min: 0.4}}
"""


def names() -> list[str]:
    return [name.rsplit(":", 1)[-1] for name in FEATURES]


def train(folder: Path) -> None:
    generator = numpy.random.default_rng(7)
    rows = numpy.exp(generator.standard_normal((50_000, len(FEATURES)))) * 100
    rows[generator.random(rows.shape) < 0.05] = numpy.nan
    target = (numpy.nansum(rows[:, ::2], axis=1) + generator.normal(0, 300, len(rows)) > 2_400).astype(int)
    settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "seed": 1, "num_threads": 2}
    lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=names()), 100).save_model(folder / "fraud.txt")


def counted(worker: stream.Server) -> float:
    with urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((
        "headrace_monitor_predictions_total{", "headrace_monitor_late_predictions_total{")))


def run(folder: Path, broker: stream.Server, file: Path, records: int, is_watched: bool) -> dict[str, float]:
    data = folder / "state"
    shutil.rmtree(data, ignore_errors=True)
    worker = stream.Server(folder, "worker", [
        "run", str(file), "--bootstrap", broker.address, "--data", str(data), "--listen", "127.0.0.1:0", "--workers", "1",
        "--schemas", str(stream.ROOT / "schemas")])
    try:
        began, cpu = None, 0.0
        marks: list[tuple[float, int]] = []
        while not marks or marks[-1][1] < records:
            if worker.process.poll() is not None:
                raise SystemExit((folder / "worker.log").read_text()[-2000:])
            marks.append((time.monotonic(), stream.records_read(worker)))
            if began is None and marks[-1][1] > 0:
                began, cpu = marks[-1][0], worker.processor_seconds()
            time.sleep(0.05)
        first = next(mark for mark in marks if mark[1] >= records * 0.1)
        last = next(mark for mark in marks if mark[1] >= records * 0.9)
        result = {"rate": (last[1] - first[1]) / (last[0] - first[0])}
        if is_watched:
            while counted(worker) < records:
                if time.monotonic() - marks[-1][0] > 60:
                    raise SystemExit(f"the monitors counted {counted(worker):.0f} of {records}")
                time.sleep(0.05)
            result["watched"] = records / (time.monotonic() - began)
        result["nanoseconds"] = (worker.processor_seconds() - cpu) / records * 1e9
        return result
    finally:
        worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=900_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    broker = stream.Server(folder, "broker", [
        "broker", "--data", str(folder / "log"), "--listen", "127.0.0.1:0", "--log-level", "warning"])
    try:
        train(folder)
        subprocess.run([stream.HEADRACE, "topics", "create", stream.TOPIC, "--partitions", "2", "--bootstrap",
                        broker.address], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([stream.HEADRACE, "generate", "payments", "--count", str(arguments.records), "--rate", "0", "--seed",
                        "7", "--users", "100000", "--topic", stream.TOPIC, "--bootstrap", broker.address],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rates: dict[str, list[float]] = {"plain": [], "watched": []}
        for number in range(arguments.runs):
            for kind in rates:
                file = folder / f"{kind}-{number}.yaml"
                file.write_text((TOPOLOGY + (MONITOR if kind == "watched" else "")).replace("NAME", file.stem))
                result = run(folder, broker, file, arguments.records, kind == "watched")
                rates[kind].append(result["rate"])
                print(f"run {number + 1}: {kind} {result['rate'] / 1e6:.3f} M/s, {result['nanoseconds']:.0f} ns of processor "
                      "an event" + (f", {result['watched'] / 1e6:.3f} M/s until all are counted" if "watched" in result
                                    else ""), flush=True)
        plain, watched = (statistics.median(rates[name]) for name in ("plain", "watched"))
        print(f"median: {watched / 1e6:.3f} M/s watched, {plain / 1e6:.3f} M/s without: {watched / plain:.0%}", flush=True)
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
