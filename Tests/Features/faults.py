"""Faults planted in the model: if the comparison does not see one, it would not see it in the program either."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable

from aggregates import Function
from plan import Feature, View


@dataclass(frozen=True)
class Fault:
    name: str
    change: Callable[[Feature], Feature]

    def planted(self, view: View) -> View:
        return replace(view, features=[self.change(feature) for feature in view.features], derived=[])


def window(kind: str, **changes: Callable[[int], int]) -> Callable[[Feature], Feature]:
    def change(feature: Feature) -> Feature:
        if feature.window.kind != kind:
            return feature
        fields = {name: by(getattr(feature.window, name)) for name, by in changes.items()}
        return replace(feature, window=replace(feature.window, **fields))
    return change


def function(old: str, new: str) -> Callable[[Feature], Feature]:
    def change(feature: Feature) -> Feature:
        return replace(feature, function=Function(new, feature.function.parameter)) if (
            feature.function.name == old) else feature
    return change


def unfiltered(feature: Feature) -> Feature:
    return replace(feature, filter=None)


def neighbour(feature: Feature) -> Feature:
    return replace(feature, function=Function("percentile", (feature.function.parameter or 0) * 0.9)) if (
        feature.function.name == "percentile") else feature


FAULTS = (
    Fault("windows end at the hop", window("sliding", hop=lambda hop: hop * 2)),
    Fault("windows are a hop too long", window("sliding", length=lambda length: length + 60_000)),
    Fault("windows are too short", window("sliding", length=lambda length: length - 60_000)),
    Fault("filters are left out", unfiltered),
    Fault("mean is the maximum", function("mean", "max")),
    Fault("sum is the mean", function("sum", "mean")),
    Fault("a percentile of another rank", neighbour),
)
