"""Histories of views: which rows there must be, by their definition and from the published events, and what is in them."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import deltalake
import duckdb
import yaml

from model import Model, ViewModel
from plan import View
from streams import Event

# Key, event time, revision, partition and offset: what makes a row the only one of its kind.
Place = tuple[tuple, int, int, int, int]
RECOMPUTED_ROWS = 300


@dataclass
class History:
    places: list[Place] = field(default_factory=list)
    # None where rows come added up, and only that none comes twice can be said of them.
    expected: set[Place] | None = None
    differences: list[str] = field(default_factory=list)
    recomputed_values: int = 0


def with_histories(topology: Path, folder: Path) -> Path:
    """The topology with a history of its local views, by tiles and by updates in turn, and of one that is repartitioned.

    One of cheap features: in a load of weeks within seconds its tiles end by the thousand.
    """
    document = yaml.safe_load(topology.read_text())
    local, repartitioned = 0, 0
    for name, view in document["views"].items():
        has_tiles = not any(word in str(text) for text in view["features"].values()
                            for word in ("lifetime", "session(", "last("))
        keys = document["entities"][view["entity"]]
        keys = [keys] if isinstance(keys, str) else keys
        if keys == [document["sources"][view["source"]].get("key")]:
            view["history"] = "tiles" if has_tiles and local % 2 == 0 else "updates"
            local += 1
        elif has_tiles and not repartitioned and not any(word in str(text) for text in view["features"].values()
                                                         for word in ("distinct", "topk", "last_k", "percentile")):
            view["history"] = "tiles"
            repartitioned += 1
    file = folder / topology.name
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def kinds(topology: Path) -> dict[str, str]:
    views = yaml.safe_load(topology.read_text())["views"]
    return {name: view["history"] for name, view in views.items() if view.get("history", "off") != "off"}


class Reader:
    """One view's table beside what it must hold."""

    def __init__(self, tables: Path, model: Model, view: View, kind: str, events: list[Event]):
        self.folder = tables / "features" / view.name
        self.model: ViewModel = model.views[view.name]
        self.view = view
        self.kind = kind
        source = model.plan.sources[view.source]
        self.lateness = source.lateness
        self.table = model.tables[view.source]
        self.is_local = view.keys == [source.key]
        self.windows = [feature.window for feature in view.features]
        self.partitions: dict[int, list[Event]] = defaultdict(list)
        for event in events:
            self.partitions[event.partition].append(event)
        self.rows = {(row[1], row[2]): (key, row) for key, rows in self.model.rows.items() for row in rows}

    def read(self, chance: random.Random) -> History:
        history = History()
        rows = self._stored()
        names = [*self.view.keys, "event_time", "_revision", "_partition", "_offset"]
        for row in rows:
            key = tuple(row[name] for name in self.view.keys)
            history.places.append((key, *(row[name] for name in names[len(key):])))
        if not self.is_local:
            return history
        history.expected = self._expected()
        sound = [row for row in rows if row["_exact"] and row["_status"] == "PRESENT"]
        for row in chance.sample(sound, min(RECOMPUTED_ROWS, len(sound))):
            self._recompute(row, history)
        return history

    def _stored(self) -> list[dict]:
        if not self.folder.exists():
            return []
        files = deltalake.DeltaTable(str(self.folder)).file_uris()
        if not files:
            return []
        with duckdb.connect() as connection:
            result = connection.execute(
                "select * exclude (_known_at) replace (epoch_ms(event_time) as event_time) "
                "from read_parquet(?, union_by_name = true)",
                [files])
            names = [column[0] for column in result.description]
            return [dict(zip(names, row)) for row in result.fetchall()]

    def _expected(self) -> set[Place]:
        places: set[Place] = set()
        for partition, events in self.partitions.items():
            watermark = -1 << 62
            tiles: dict[int, dict[tuple, list[bool]]] = {}
            for event in sorted(events, key=lambda event: event.offset):
                if event.outcome == "dead_lettered":
                    continue
                after = max(watermark, min(event.time, event.arrival))
                if self.kind == "tiles":
                    places |= self._closed(tiles, partition, event.offset, watermark, after)
                watermark = after
                key, _ = self.rows.get((partition, event.offset), (None, None))
                is_late = event.time < watermark - self.lateness
                if key is None or is_late and not any(
                        window.counts(event.time, watermark, self.lateness) for window in self.windows):
                    continue
                if self.kind == "updates":
                    places.add((key, event.time, int(is_late), partition, event.offset))
                else:
                    self._touch(tiles, key, event.time, watermark)
        return places

    @property
    def _span(self) -> int:
        return min(window.hop if window.kind == "sliding" else window.length for window in self.windows)

    def _touch(self, tiles: dict, key: tuple, time: int, watermark: int) -> None:
        end = time // self._span * self._span + self._span
        if end > watermark:
            tiles.setdefault(end, {}).setdefault(key, [False, False])
            return
        if end > watermark - self.lateness:
            tiles.setdefault(end, {}).setdefault(key, [True, True])
        for other, keys in tiles.items():
            if end <= other <= watermark and other > watermark - self.lateness and key in keys:
                keys[key][1] = True

    def _closed(self, tiles: dict, partition: int, offset: int, before: int, after: int) -> set[Place]:
        places = set()
        for end in list(tiles):
            for key, (is_late, has_changed) in tiles[end].items():
                if before < end <= after and not is_late:
                    places.add((key, end - 1, 0, partition, offset))
                elif end <= before and end <= after - self.lateness and has_changed:
                    places.add((key, end - 1, 0 if is_late else 1, partition, offset))
            if end <= after - self.lateness:
                del tiles[end]
        return places

    def _recompute(self, row: dict, history: History) -> None:
        """From the events that came before the record that made the row; of updates that record as well."""
        key = tuple(row[name] for name in self.view.keys)
        at, bound = row["event_time"], row["_offset"] + (self.kind == "updates")
        known = [item for item in self.model.rows.get(key, ()) if item[1] == row["_partition"] and item[2] < bound]
        for feature in self.view.features:
            first, last = feature.window.rows(known, at)
            expectation = self.model._compute(feature, known[first:last], at)
            value = row[feature.name]
            if feature.function.name in ("topk", "last_k") and value is not None:
                value = json.loads(value)
            history.recomputed_values += 1
            if not expectation.accepts(value):
                history.differences.append(
                    f"{self.view.name}:{feature.name} of {key} at {at}: expected {expectation.text}, found {value!r}")
        for derived in self.view.derived:
            inputs = {feature.name: row[feature.name] for feature in self.view.features}
            expected = self.table.scalar(derived.expression, inputs)
            if expected != row[derived.name]:
                history.differences.append(
                    f"{self.view.name}:{derived.name} of {key} at {at}: expected {expected!r}, found {row[derived.name]!r}")


def violations(history: History) -> list[str]:
    """What is there that should not be, and what is missing."""
    counts = Counter(history.places)
    found = [f"{place} is there {count} times" for place, count in counts.items() if count > 1]
    if history.expected is None:
        revisions = Counter(place[:3] for place in counts)
        return found + [f"{place} has several rows" for place, count in revisions.items() if count > 1]
    found += [f"{place} is missing" for place in history.expected - counts.keys()]
    found += [f"{place} does not belong there" for place in counts.keys() - history.expected]
    return found + history.differences
