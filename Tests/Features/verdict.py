"""Holds answers against the model, and says what differs."""

from __future__ import annotations

from collections import Counter, defaultdict

from model import Model

SHOWN_DIFFERENCES = 20


class Comparison:
    """`planted`: models with a fault in each; every fault must be seen as at least one difference."""

    def __init__(self, model: Model, planted: dict[str, Model]):
        self.model = model
        self.planted = planted
        self.points = 0
        self.values = 0
        self.differences: list[str] = []
        self.seen: Counter[str] = Counter()
        self.by_feature: Counter[str] = Counter()
        self.statuses: dict[str, Counter[str]] = defaultdict(Counter)

    def compare(self, view: str, key: tuple, at: int, row: dict[str, tuple]) -> None:
        self.points += 1
        for text in self._differences(self.model, view, key, at, row):
            self.differences.append(text)
        for name, model in self.planted.items():
            if not self.seen[name]:
                self.seen[name] += sum(1 for _ in self._differences(model, view, key, at, row))

    def check(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            self.differences.append(f"{what}: expected {expected}, found {found}")

    def _differences(self, model: Model, view: str, key: tuple, at: int, row: dict[str, tuple]):
        """Differences as text, one for each feature that is not what it must be."""
        known = model.views[view]
        is_own = model is self.model
        newest = known.newest(key, at)
        ttl = known.view.ttl
        is_outside = newest is not None and ttl is not None and at - newest > ttl
        for feature in known.view.features:
            value, status = row[f"{view}__{feature.name}"]
            place = f"{view}:{feature.name} of {'/'.join(map(str, key))} at {at}"
            if is_own:
                self.values += 1
                self.statuses[view][status] += 1
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
                if at - newest > known.view.longest(at) and feature.window.kind in ("sliding", "tumbling"):
                    continue
            expectation = known.expect(feature, key, at)
            if not expectation.accepts(value):
                if is_own:
                    self.by_feature[f"{view}:{feature.name}"] += 1
                yield f"{place}: expected {expectation.text}, found {value!r} {status}"
            elif (value is None) != (status != "PRESENT"):
                yield f"{place}: {value!r} with status {status}"
        for feature in known.view.derived:
            yield from self._derived(model, view, feature, key, at, row)

    def _derived(self, model: Model, view: str, feature, key: tuple, at: int, row: dict[str, tuple]):
        """A derived feature is its expression over what was served: its inputs are held to account by themselves."""
        value, status = row[f"{view}__{feature.name}"]
        names = {item.name: row[f"{view}__{item.name}"][0] for item in model.plan.views[view].features}
        for earlier in model.plan.views[view].derived:
            if earlier.name == feature.name:
                break
            names[earlier.name] = row[f"{view}__{earlier.name}"][0]
        if status in ("NOT_FOUND", "OUTSIDE_MAX_AGE"):
            return
        if model is self.model:
            self.values += 1
        expected = model.tables[model.plan.views[view].source].scalar(feature.expression, names)
        is_equal = value is expected if value is None or expected is None else (
            abs(value - expected) <= 1e-12 * max(abs(expected), 1e-300)
            if isinstance(expected, (int, float)) and isinstance(value, (int, float)) else value == expected)
        if not is_equal:
            yield f"{view}:{feature.name} of {key} at {at}: expected {expected!r} by {feature.expression}, found {value!r}"

    def report(self) -> int:
        for view, statuses in sorted(self.statuses.items()):
            print(f"{view}: " + ", ".join(f"{count:,} {status}" for status, count in statuses.most_common()))
        for source, rules in sorted(self.model.sources.items()):
            print(f"{source}: " + ", ".join(f"{count:,} {outcome}" for outcome, count in rules.counts.most_common()))
        for text in self.differences[:SHOWN_DIFFERENCES]:
            print(f"  {text}")
        if len(self.differences) > SHOWN_DIFFERENCES:
            print(f"  … and {len(self.differences) - SHOWN_DIFFERENCES} more: {dict(self.by_feature.most_common(30))}")
        blind = [name for name in self.planted if not self.seen[name]]
        for name in self.planted:
            print(f"{'FAILED' if name in blind else 'ok    '} planted: {name}")
        print(f"{self.points:,} points, {self.values:,} features, {len(self.differences)} differences"
              + (f", {len(blind)} of {len(self.planted)} planted faults not seen" if self.planted else ""))
        return len(self.differences) + len(blind) + (0 if self.values else 1)
