#!/usr/bin/env python3
"""The training set of a year of flights in one command: every feature of every view, at each arrival.

    year.py --events DIR [--topology FILE] [--runs 3] [--keep]

Needs pyarrow and confluent_kafka (Tests/requirements.txt). The events (departures, arrivals, cancellations and weather, as in
samples/flights) go through a broker and a worker into the archive; that is not timed. Then `headrace dataset build` runs as a
process of its own, and once more from its manifest. Printed are labels, features, seconds and peak memory of each run, and
whether all content hashes are one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "Features"))

import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402
import yaml  # noqa: E402

from processes import Broker, Worker, environment, find_binary  # noqa: E402
from progress import tasks_of  # noqa: E402
from samples import FILES  # noqa: E402

PARTITIONS = 4
KEYS = ("carrier", "origin", "dest", "tailnum")


def headrace(*arguments: str) -> None:
    subprocess.run([find_binary(), *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=environment())


def fill(arguments: argparse.Namespace, document: dict, folder: Path) -> Path:
    """Brings the year into the archive; the worker's data folder."""
    broker = Broker(folder)
    for source in document["sources"].values():
        headrace("topics", "create", source["topic"], "--partitions", str(PARTITIONS), "--config", "retention.ms=-1",
                 "--bootstrap", broker.address)
    worker = Worker(folder, "worker", arguments.topology, broker.address, flags=("--table-freshness", "2s"))
    try:
        worker.require_serving()
        began = time.monotonic()
        for source in document["sources"].values():
            topic = source["topic"]
            headrace("publish", topic, str(arguments.events / f"{FILES[topic]}.jsonl.gz"), "--key", source["key"],
                     "--event-time", "ts", "--bootstrap", broker.address)
        while True:
            inputs = [item for task in tasks_of([worker]) or [] for item in task["inputs"]]
            if inputs and all(item["lag_records"] == 0 for item in inputs):
                break
            if not worker.is_running:
                raise SystemExit(worker.log_tail())
            time.sleep(0.2)
        worker.stop(timeout=120.0)
        print(f"archive: {time.monotonic() - began:.1f} s for all events", flush=True)
    finally:
        worker.close()
        broker.close()
    return folder / "worker-data"


def write_labels(events: Path, file: Path) -> int:
    with gzip.open(events / "arrivals.jsonl.gz", "rt") as lines:
        arrivals = [json.loads(line) for line in lines]
    columns = {key: [arrival[key] for arrival in arrivals] for key in KEYS}
    columns["label_time"] = pyarrow.array([arrival["ts"] for arrival in arrivals], pyarrow.int64())
    columns["late"] = [None if arrival["arr_delay"] is None else arrival["arr_delay"] > 15 for arrival in arrivals]
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return len(arrivals)


def build(topology: Path, schemas: Path, data: Path, out: Path, *flags: str) -> tuple[dict, float, float]:
    """The manifest, seconds, and peak memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [find_binary(), "dataset", "build", "year", "--topology", str(topology), "--schemas", str(schemas), "--data", str(data),
         "--out", str(out), *flags], stdout=subprocess.DEVNULL, env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"the build into {out} ended with status {status}")
    return json.loads((out / "manifest.json").read_text()), time.monotonic() - began, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--topology", type=Path, default=REPOSITORY / "topologies" / "flights.yaml")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-year-"))
    document = yaml.safe_load(arguments.topology.read_text())
    data = fill(arguments, document, folder)
    labels = folder / "labels.parquet"
    count = write_labels(arguments.events, labels)
    schemas = arguments.topology.resolve().parent.parent / "schemas"
    topology = folder / "year.yaml"
    document["services"] = {"everything": [f"{view}:*" for view in document["views"]]}
    for part in ("models", "monitors", "policies", "on_demand"):
        document.pop(part, None)
    topology.write_text(yaml.safe_dump(document, sort_keys=False, width=1000))
    flags = ("--service", "everything", "--labels", str(labels), "--label-time", "label_time")
    hashes = set()
    for number in range(arguments.runs + 1):
        again = number == arguments.runs
        manifest, seconds, memory = build(
            topology, schemas, data, folder / f"out{number}",
            *(("--from-manifest", str(folder / "out0" / "manifest.json")) if again else flags))
        hashes.add(manifest["content_hash"])
        features = sum("feature" in field for field in manifest["schema"])
        print(f"{'again' if again else 'build'}: {manifest['row_count']:,} labels, {features} features, {seconds:.1f} s, "
              f"{memory:.0f} MB", flush=True)
        if manifest["row_count"] != count:
            raise SystemExit(f"{count} labels were wanted")
    print(f"{len(hashes)} content hash of {arguments.runs + 1} builds")
    if not arguments.keep:
        shutil.rmtree(folder)
    return 0 if len(hashes) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
