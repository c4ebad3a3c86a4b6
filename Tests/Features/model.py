"""All features of all views, recomputed from the records that were published: nothing is kept but the events."""

from __future__ import annotations

import random
from bisect import bisect_left
from pathlib import Path

from aggregates import Bounds, Expectation, aggregate
from evaluation import Table
from plan import Feature, Plan, View
from rules import Contract, SourceRules
from streams import Event


class ViewModel:
    """The rows of one view by entity key: (time, partition, offset, arguments…), in that order."""

    def __init__(self, view: View, bounds: Bounds):
        self.view = view
        self.bounds = bounds
        self.expressions: list[str] = [*view.keys, *([view.filter] if view.filter else [])]
        for feature in view.features:
            self.expressions += [text for text in (feature.argument, feature.filter) if text is not None]
        self.position = {text: index + 3 for index, text in enumerate(self.expressions)}
        self.rows: dict[tuple, list[tuple]] = {}
        self.memory: dict[tuple, Expectation] = {}

    def add(self, event: Event, values: tuple) -> None:
        key = values[:len(self.view.keys)]
        if any(part is None for part in key):
            return
        if self.view.filter and values[len(self.view.keys)] is not True:
            return
        self.rows.setdefault(key, []).append((event.time, event.partition, event.offset, *values))

    def settle(self) -> None:
        """After new rows: order, and nothing remembered."""
        for rows in self.rows.values():
            rows.sort(key=lambda row: row[:3])
        self.memory.clear()

    def newest(self, key: tuple, at: int) -> int | None:
        rows = self.rows.get(key, [])
        end = bisect_left(rows, (at + 1,))
        return rows[end - 1][0] if end else None

    def expect(self, feature: Feature, key: tuple, at: int) -> Expectation:
        rows = self.rows.get(key, [])
        first, last = feature.window.rows(rows, at)
        depends_on_time = feature.function.name in ("ewma", "rate")
        place = (feature, key, first, last, at if depends_on_time else 0)
        found = self.memory.get(place)
        if found is None:
            found = self.memory[place] = self._compute(feature, rows[first:last], at)
        return found

    def _compute(self, feature: Feature, rows: list[tuple], at: int) -> Expectation:
        if feature.filter is not None:
            chosen = self.position[feature.filter]
            rows = [row for row in rows if row[chosen] is True]
        if feature.argument is None:
            values = [True] * len(rows)
        else:
            column = self.position[feature.argument]
            rows = [row for row in rows if row[column] is not None]
            values = [row[column] for row in rows]
        low, high = feature.window.bounds(at)
        span = high - low if feature.window.kind == "sliding" else feature.window.length
        return aggregate(feature.function, rows, values, at, span, self.bounds)


class Model:
    """Takes the records as they are published; answers what each feature is."""

    def __init__(self, plan: Plan, schemas: Path, bounds: Bounds = Bounds()):
        self.plan = plan
        self.views = {name: ViewModel(view, bounds) for name, view in plan.views.items()}
        self.sources: dict[str, SourceRules] = {}
        self.tables: dict[str, Table] = {}
        for name, source in plan.sources.items():
            contract = Contract(schemas / f"{source.topic}.avsc")
            views = [view for view in plan.views.values() if view.source == name]
            self.sources[name] = SourceRules(source, contract, views)
            self.tables[name] = Table(source, contract)

    def apply(self, topic: str, events: list[Event]) -> None:
        for name, source in self.plan.sources.items():
            if source.topic == topic:
                self._apply(name, events)
        for view in self.views.values():
            view.settle()

    def _apply(self, name: str, events: list[Event]) -> None:
        rules, table = self.sources[name], self.tables[name]
        documents = rules.parse(events)
        valid = [index for index, document in enumerate(documents) if document is not None]
        views = [model for model in self.views.values() if model.view.source == name]
        condition = [rules.source.filter] if rules.source.filter is not None else []
        expressions = condition + [text for model in views for text in model.expressions]
        values = table.evaluate([events[index] for index in valid], [documents[index] for index in valid], expressions)
        by_event = dict(zip(valid, values))
        for index, event in enumerate(events):
            row = by_event.get(index, ())
            passes = row[0] is True if condition and row else True
            if rules.decide(event, documents[index], passes) not in ("applied", "repaired"):
                continue
            start = len(condition)
            for model in views:
                end = start + len(model.expressions)
                model.add(event, row[start:end])
                start = end

    def keys(self, view: str, count: int, random_source: random.Random) -> list[tuple]:
        """Some keys of the view, and now and then one that nobody has seen."""
        known = sorted(self.views[view].rows, key=repr)
        chosen = random_source.sample(known, min(count, len(known)))
        return [*chosen, ("never seen",) * len(self.plan.views[view].keys)]
