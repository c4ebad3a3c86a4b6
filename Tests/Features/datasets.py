"""Training sets against the model: features at random times of the whole history, as they were known then.

After the last slice the worker drains, which brings all rows into the tables. For each view a service of all its features
is added to a copy of the topology, `headrace dataset build` makes a dataset of random (key, time) labels, and each value
is held against the published records whose event time and whose arrival are not after the label.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import duckdb
import yaml

from aggregates import Expectation
from model import Model, ViewModel
from plan import Feature, View
from processes import environment, find_binary
from verdict import Comparison, is_same


class DatasetCheck:
    def __init__(self, topology: Path, schemas: Path, data: Path, folder: Path, model: Model, streams: list):
        self.schemas, self.data, self.folder, self.model = schemas, data, folder, model
        self.events = {stream.topic: {(event.partition, event.offset): event for event in stream.events
                                      if event.offset >= 0} for stream in streams}
        self.arrivals = [event.arrival for stream in streams for event in stream.events if event.offset >= 0]
        document = yaml.safe_load(topology.read_text())
        document["services"] = {f"check_{name}": [f"{name}:*"] for name in model.views}
        document.pop("models", None), document.pop("monitors", None), document.pop("policies", None)
        self.topology = folder / "checked.yaml"
        self.topology.write_text(yaml.safe_dump(document, sort_keys=False, width=1000))

    def run(self, points: int, chance: random.Random, comparison: Comparison) -> int:
        compared = 0
        for name in self.model.views:
            labels = self.labels(name, points, chance)
            rows = self.build(name, labels)
            for (key, at), row in zip(labels, rows, strict=True):
                compared += self.compare(self.model.plan.views[name], key, at, row, comparison)
        return compared

    def labels(self, name: str, points: int, chance: random.Random) -> list[tuple[tuple, int]]:
        keys = self.model.keys(name, 40, chance)
        first, last = min(self.arrivals), max(self.arrivals)
        return [(chance.choice(keys), chance.randrange(first, last + (last - first) // 10)) for _ in range(points)]

    def build(self, name: str, labels: list[tuple[tuple, int]]) -> list[dict]:
        view = self.model.plan.views[name]
        file, out = self.folder / f"{name}.parquet", self.folder / f"dataset-{name}"
        types = ["BIGINT" if all(isinstance(key[index], int) for key, _ in labels) else "VARCHAR"
                 for index in range(len(view.keys))]
        with duckdb.connect() as connection:
            columns = ", ".join(f'"{join}" {kind}' for join, kind in zip(view.keys, types))
            connection.execute(f"create table labels ({columns}, label_time BIGINT)")
            marks = ", ".join("?" for _ in range(len(view.keys) + 1))
            connection.executemany(f"insert into labels values ({marks})", [[*key, at] for key, at in labels])
            connection.execute(f"copy labels to '{file}' (format parquet)")
        subprocess.run(
            [find_binary(), "dataset", "build", f"check-{name}", "--topology", str(self.topology), "--schemas", str(self.schemas),
             "--service", f"check_{name}", "--labels", str(file), "--label-time", "label_time", "--data", str(self.data),
             "--out", str(out), "--output", "json"], check=True, stdout=subprocess.DEVNULL, env=environment())
        manifest = json.loads((out / "manifest.json").read_text())
        assert sorted(path.name for path in out.iterdir()) == ["data-00000.parquet", "manifest.json"]
        with duckdb.connect() as connection:
            answer = connection.execute(f"select * from read_parquet('{out}/data-00000.parquet')")
            names = [column[0] for column in answer.description]
            rows = [dict(zip(names, row)) for row in answer.fetchall()]
        assert manifest["row_count"] == len(rows) == len(labels)
        for field in manifest["schema"]:
            assert field["null_count"] == sum(1 for row in rows if row[field["name"]] is None), field
        return rows

    def counted(self, view: View, key: tuple, at: int, _position: tuple[int, int] | None = None) -> list[tuple]:
        """The rows of an entity that had happened and were known at a time."""
        events = self.events[self.model.plan.sources[view.source].topic]
        return [row for row in self.model.views[view.name].rows.get(key, [])
                if row[0] <= at and events[row[1], row[2]].arrival <= at]

    def in_time(self, view: View, rows: list[tuple]) -> list[tuple]:
        """Without those that came later than the source allows: no session waits for them."""
        source = self.model.plan.sources[view.source]
        events = self.events[source.topic]
        return [row for row in rows
                if row[0] >= min(events[row[1], row[2]].watermark, events[row[1], row[2]].arrival) - source.lateness]

    def expect(self, view: View, feature: Feature, key: tuple, at: int, counted: list[tuple]) -> Expectation:
        then = ViewModel(view, self.model.views[view.name].bounds)
        then.rows = {key: self.in_time(view, counted) if feature.window.kind == "session" else counted}
        return then.expect(feature, key, at)

    def compare(self, view: View, key: tuple, at: int, row: dict, comparison: Comparison,
                position: tuple[int, int] | None = None) -> int:
        counted = self.counted(view, key, at, position)
        newest = counted[-1][0] if counted else None
        is_gone = newest is None or (view.ttl is not None and at - newest > view.ttl)
        for feature in view.features:
            value = row[feature.name]
            if isinstance(value, str) and feature.function.name in ("last_k", "topk"):
                value = json.loads(value)
            place = f"dataset {view.name}:{feature.name} of {'/'.join(map(str, key))} at {at}"
            if is_gone:
                if value is not None:
                    comparison.differences.append(f"{place}: expected null, found {value!r}")
                continue
            # A row whose windows are all empty may be gone.
            if value is None and at - newest > view.longest(at) and feature.window.kind in ("sliding", "tumbling"):
                continue
            expectation = self.expect(view, feature, key, at, counted)
            if not expectation.accepts(value):
                comparison.differences.append(f"{place}: expected {expectation.text}, found {value!r}")
        if not is_gone:
            self.compare_derived(view, key, at, row, comparison)
        return len(view.features) + len(view.derived)

    def compare_derived(self, view: View, key: tuple, at: int, row: dict, comparison: Comparison) -> None:
        inputs = {feature.name: row[feature.name] for feature in view.features}
        for derived in view.derived:
            expected = self.model.tables[view.source].scalar(derived.expression, inputs)
            found = inputs[derived.name] = row[derived.name]
            if not is_same(found, expected) and found is not None:
                comparison.differences.append(
                    f"dataset {view.name}:{derived.name} of {key} at {at}: expected {expected!r}, found {found!r}")
