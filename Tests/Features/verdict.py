"""Holds answers against the model, and says what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Iterator

from faults import Fault
from model import Model
from plan import Derived, View

SHOWN_DIFFERENCES = 20


def is_same(value: object, expected: object) -> bool:
    if isinstance(value, (int, float)) and isinstance(expected, (int, float)):
        return abs(value - expected) <= 1e-12 * max(abs(expected), 1e-300)
    return value == expected


class Comparison:
    """`planted`: every one of these faults must be seen as at least one difference."""

    def __init__(self, model: Model, planted: tuple[Fault, ...]):
        self.model = model
        self.planted = planted
        self.points = 0
        self.told = 0
        self.values = 0
        self.differences: list[str] = []
        self.seen: Counter[str] = Counter()
        self.by_feature: Counter[str] = Counter()
        self.statuses: dict[str, Counter[str]] = defaultdict(Counter)

    def compare(self, view: str, key: tuple, at: int, row: dict[str, tuple]) -> None:
        self.points += 1
        self.differences += self._differences(self.model.plan.views[view], key, at, row, is_own=True)
        for fault in self.planted:
            if not self.seen[fault.name]:
                wrong = fault.planted(self.model.plan.views[view])
                self.seen[fault.name] += sum(1 for _ in self._differences(wrong, key, at, row, is_own=False))

    def news(self) -> list[str]:
        """The first differences, each once: a run that is ended early has told them."""
        told, self.told = self.told, min(len(self.differences), SHOWN_DIFFERENCES)
        return self.differences[told:self.told]

    def check(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            self.differences.append(f"{what}: expected {expected}, found {found}")

    def _differences(self, view: View, key: tuple, at: int, row: dict[str, tuple], is_own: bool) -> Iterator[str]:
        """Differences as text, one for each feature that is not what it must be."""
        known = self.model.views[view.name]
        newest = known.newest(key, at)
        is_outside = newest is not None and view.ttl is not None and at - newest > view.ttl
        for feature in view.features:
            value, status = row[f"{view.name}__{feature.name}"]
            place = f"{view.name}:{feature.name} of {'/'.join(map(str, key))} at {at}"
            if is_own:
                self.values += 1
                self.statuses[view.name][status] += 1
            if is_outside:
                if value is not None or status not in ("OUTSIDE_MAX_AGE", "NOT_FOUND"):
                    yield f"{place}: expected null as the newest event is {at - newest} ms old, found {value!r} {status}"
                continue
            if newest is None:
                if status != "NOT_FOUND":
                    yield f"{place}: expected NOT_FOUND, as there is no event, found {value!r} {status}"
                continue
            if status == "NOT_FOUND":
                # A row whose windows are all empty may be gone.
                if at - newest > view.longest(at) and feature.window.kind in ("sliding", "tumbling"):
                    continue
            expectation = known.expect(feature, key, at)
            if not expectation.accepts(value):
                if is_own:
                    self.by_feature[f"{view.name}:{feature.name}"] += 1
                yield f"{place}: expected {expectation.text}, found {value!r} {status}"
            elif (value is None) != (status != "PRESENT"):
                yield f"{place}: {value!r} with status {status}"
        for derived in view.derived:
            yield from self._derived(view, derived, key, at, row)

    def _derived(self, view: View, derived: Derived, key: tuple, at: int, row: dict[str, tuple]) -> Iterator[str]:
        """A derived feature is its expression over what was served: its inputs are held to account by themselves."""
        value, status = row[f"{view.name}__{derived.name}"]
        if status in ("NOT_FOUND", "OUTSIDE_MAX_AGE"):
            return
        self.values += 1
        before = [item.name for item in view.derived[:view.derived.index(derived)]]
        names = [*(feature.name for feature in view.features), *before]
        inputs = {name: row[f"{view.name}__{name}"][0] for name in names}
        expected = self.model.tables[view.source].scalar(derived.expression, inputs)
        if not is_same(value, expected):
            yield (f"{view.name}:{derived.name} of {key} at {at}: expected {expected!r} by {derived.expression}, "
                   f"found {value!r}")

    def report(self) -> int:
        for view, statuses in sorted(self.statuses.items()):
            print(f"{view}: " + ", ".join(f"{count:,} {status}" for status, count in statuses.most_common()))
        for source, rules in sorted(self.model.sources.items()):
            print(f"{source}: " + ", ".join(f"{count:,} {outcome}" for outcome, count in rules.counts.most_common()))
        for text in self.news():
            print(f"  {text}")
        if len(self.differences) > SHOWN_DIFFERENCES:
            print(f"  … and {len(self.differences) - SHOWN_DIFFERENCES} more: {dict(self.by_feature.most_common(30))}")
        blind = [fault.name for fault in self.planted if not self.seen[fault.name]]
        for fault in self.planted:
            print(f"{'FAILED' if fault.name in blind else 'ok    '} planted: {fault.name}")
        print(f"{self.points:,} points, {self.values:,} features, {len(self.differences)} differences"
              + (f", {len(blind)} of {len(self.planted)} planted faults not seen" if self.planted else ""))
        return len(self.differences) + len(blind) + (0 if self.values else 1)
