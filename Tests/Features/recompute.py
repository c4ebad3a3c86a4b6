#!/usr/bin/env python3
"""Recomputes every feature of a topology from its raw events and holds it against what a running Headrace answers.

    recompute.py [--topology FILE] [--events DIR] [--slices N] [--points N] [--mischief] [--self-test]

The events are published slice by slice, in the order of their arrival. After each slice, when all of it is applied, random
(key, time) points of every view are read over HTTP: at the slice's end, and at times after it, where windows move on
without any event. What they must be is computed from the published records alone (DuckDB for expressions, plain Python
with exact sums for aggregates): exact for counts, min, max, first, last; within 1e-12 for sums and means; within the
stated bound of the sketch for percentiles and distinct counts.

`--events` takes a folder with the whole year; the default is the month in samples/flights. Payments are made up.
`--mischief` adds duplicates, disorder, late, broken and future events. `--self-test` then plants faults in the model and
demands that each is seen.
The last line is `N points, N features, N differences`.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import plan as plans  # noqa: E402
from datasets import DatasetCheck  # noqa: E402
from faults import FAULTS  # noqa: E402
from model import Model  # noqa: E402
from processes import REPOSITORY, Broker, Worker  # noqa: E402
from progress import counters_of, wait_until_applied  # noqa: E402
from samples import read_source  # noqa: E402
from streams import Mischief, Publisher, Stream, disturb  # noqa: E402
from verdict import Comparison  # noqa: E402

DAY = 86_400_000


def read_streams(plan: plans.Plan, events: Path, mischief: Mischief, seed: int) -> list[Stream]:
    streams: dict[str, Stream] = {}
    for source in plan.sources.values():
        if source.topic in streams:
            continue
        read = read_source(source, events, seed)
        chance = random.Random(f"{seed}/{source.topic}")
        streams[source.topic] = Stream(source.topic, disturb(read, mischief, source.lateness, chance))
    return list(streams.values())


def slice_ends(streams: list[Stream], count: int) -> list[int]:
    arrivals = sorted(event.arrival for stream in streams for event in stream.events)
    return [arrivals[len(arrivals) * (index + 1) // count - 1] for index in range(count)]


class Run:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.arguments = arguments
        self.folder = folder
        self.chance = random.Random(arguments.seed)
        self.plan = plans.load(arguments.topology)
        schemas = arguments.topology.resolve().parent.parent / "schemas"
        mischief = Mischief(60_000, 0.02, 0.005, 0.005, 0.002) if arguments.mischief else Mischief()
        self.streams = read_streams(self.plan, arguments.events, mischief, arguments.seed)
        self.model = Model(self.plan, schemas)
        self.comparison = Comparison(self.model, FAULTS if arguments.self_test else ())
        self.broker = Broker(folder)
        self.publisher = Publisher(self.broker.address, arguments.partitions)
        self.publisher.create([stream.topic for stream in self.streams])
        self.worker = Worker(folder, "worker", arguments.topology, self.broker.address)
        self.worker.require_serving()

    def go(self) -> None:
        total = sum(len(stream.events) for stream in self.streams)
        print(f"recompute: {total:,} events of {len(self.streams)} topics, {len(self.plan.views)} views, "
              f"seed {self.arguments.seed}", flush=True)
        for number, end in enumerate(slice_ends(self.streams, self.arguments.slices), 1):
            began = time.monotonic()
            published = self.publish(end)
            wait_until_applied([self.worker], self.publisher.next_offset, self.broker.address)
            applied = time.monotonic()
            self.read(end)
            for text in self.comparison.news():
                print(f"  {text}", flush=True)
            print(f"slice {number:2}: {published:7,} events applied in {applied - began:5.1f} s, "
                  f"{self.comparison.points:6,} points and {self.comparison.values:9,} features compared so far, "
                  f"{len(self.comparison.differences)} differences", flush=True)
        self.publisher.check_ends()
        self.check_counts()
        if self.arguments.dataset_points:
            self.check_datasets()

    def check_datasets(self) -> None:
        self.worker.stop()
        began = time.monotonic()
        schemas = self.arguments.topology.resolve().parent.parent / "schemas"
        check = DatasetCheck(
            self.arguments.topology, schemas, self.folder / "worker-data", self.folder, self.model, self.streams)
        compared = check.run(self.arguments.dataset_points, self.chance, self.comparison)
        print(f"datasets: {compared:,} features at random times of the history in {time.monotonic() - began:.1f} s, "
              f"{len(self.comparison.differences)} differences", flush=True)

    def publish(self, end: int) -> int:
        count = 0
        for stream in self.streams:
            events = stream.due(end)
            self.publisher.publish(stream.topic, events)
            self.model.apply(stream.topic, events)
            count += len(events)
        self.publisher.flush()
        return count

    def read(self, end: int) -> None:
        """Every view at several times from the slice's end on."""
        watermark = max(rules.watermark() for rules in self.model.sources.values())
        for name, view in self.plan.views.items():
            reach = max(view.longest(watermark), DAY) * 3 // 2
            left = self.arguments.points
            while left > 0:
                # Most of them near the end, some far behind it, where windows run empty.
                later = int(reach * self.chance.random() ** 6) if left < self.arguments.points else 0
                keys = self.model.keys(name, min(left, self.arguments.keys), self.chance)
                entities = {join: [key[index] for key in keys] for index, join in enumerate(view.keys)}
                features = [f"{name}:{feature.name}" for feature in [*view.features, *view.derived]]
                at = max(end, watermark) + later
                rows = self.worker.client.features(features, entities, as_of=at)
                for key, row in zip(keys, rows):
                    self.comparison.compare(name, key, at, row)
                left -= len(keys)

    def check_counts(self) -> None:
        """The program's own counters: conserved, and the same as ours."""
        counters = counters_of([self.worker])
        for name, rules in self.model.sources.items():
            found = counters[name]
            expected = {outcome: rules.counts.get(outcome, 0) for outcome in (
                "applied", "repaired", "filtered", "deduplicated", "late", "dead_lettered")}
            shown = {outcome: found.get(outcome, 0) for outcome in expected}
            self.comparison.check(f"counters of {name}", expected, shown)
            self.comparison.check(f"conservation of {name}", found.get("read", 0), sum(shown.values()))

    def close(self) -> None:
        for process in (self.worker, self.broker):
            process.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topology", type=Path, default=REPOSITORY / "topologies" / "flights.yaml")
    parser.add_argument("--events", type=Path, default=REPOSITORY / "samples" / "flights", help="folder of the events")
    parser.add_argument("--slices", type=int, default=20, help="how often it is stopped and read (default 20)")
    parser.add_argument("--points", type=int, default=100, help="points of each view in each slice (default 100)")
    parser.add_argument("--keys", type=int, default=20, help="keys that are read at the same time (default 20)")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--dataset-points", type=int, default=0, help="labels of each view's dataset (default 0: none)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--mischief", action="store_true", help="disorder, duplicates, late, broken and future events")
    parser.add_argument("--self-test", action="store_true", help="also prove that planted faults are seen")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-recompute-"))
    run = None
    try:
        run = Run(arguments, folder)
        run.go()
        failures = run.comparison.report()
    finally:
        if run is not None:
            run.close()
    if failures:
        print(f"FAILED with seed {arguments.seed}; the folder is {folder}")
    elif not arguments.keep:
        shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
