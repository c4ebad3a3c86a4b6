"""Aggregates by their definitions, in plain and slow Python: exact where arithmetic can be, sorted lists where sketches are used.

`values` are the arguments of the rows that a window covers, in the order (event time, partition, offset), nulls left out.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

SKETCH_RELATIVE_ERROR = 0.01
SUM_RELATIVE_ERROR = 1e-12


@dataclass(frozen=True)
class Function:
    name: str
    parameter: float | None = None


def exact_sum(values: list) -> float | int:
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def exact_variance(values: list) -> Fraction:
    """Of a sample: divided by one less than there are, as SQL's `variance`."""
    numbers = [Fraction(value) for value in values]
    mean = sum(numbers) / len(numbers)
    return sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)


def is_close(found: object, expected: float, relative: float) -> bool:
    if not isinstance(found, (int, float)) or isinstance(found, bool):
        return False
    if math.isnan(expected) or math.isinf(expected):
        return found == expected or (math.isnan(expected) and math.isnan(found))
    return abs(found - expected) <= relative * max(abs(expected), 1e-300)


def numbers(values: list) -> list:
    return [int(value) if isinstance(value, bool) else value for value in values]


class Expectation:
    """What one feature must be; `accepts` knows the error that its function is allowed."""

    def __init__(self, text: str, accepts, is_exact: bool = True):
        self.text = text
        self.accepts = accepts
        self.is_exact = is_exact


def exactly(expected: object) -> Expectation:
    def accepts(found: object) -> bool:
        if expected is None or found is None:
            return found is expected
        if isinstance(expected, float) and isinstance(found, (int, float)) and not isinstance(found, bool):
            return found == expected
        return found == expected and isinstance(found, bool) == isinstance(expected, bool)
    return Expectation(repr(expected), accepts)


def closely(expected: float, relative: float, absolute: float = 0.0) -> Expectation:
    def accepts(found: object) -> bool:
        return is_close(found, expected, relative) or (
            isinstance(found, (int, float)) and abs(found - expected) <= absolute)
    return Expectation(f"{expected!r} ± {relative:g}", accepts)


def percentile(values: list, rank: float) -> Expectation:
    """DDSketch promises a value within 1 % of the lower one at that rank."""
    ordered = sorted(values)
    position = rank * (len(ordered) - 1)
    # A rank that is whole but for rounding may be taken as either.
    low, high = ordered[math.floor(position - 1e-9)], ordered[math.floor(position + 1e-9)]
    slack = SKETCH_RELATIVE_ERROR * (1 + 1e-9)
    lower, upper = low - slack * abs(low), high + slack * abs(high)
    def accepts(found: object) -> bool:
        return isinstance(found, (int, float)) and lower <= found <= upper
    return Expectation(f"{lower!r} … {upper!r}", accepts, is_exact=False)


def distinct(values: list, relative: float, exact_up_to: int) -> Expectation:
    count = len(set(values))
    if count <= exact_up_to:
        return exactly(count)
    # Small sets are exact whatever the sketch is: less than half a value of error.
    return Expectation(f"{count} ± {relative:.1%}", lambda found: is_close(found, count, relative), is_exact=False)


def top(values: list, wanted: int, exact_up_to: int) -> Expectation:
    """The most frequent; which of equally frequent ones come last is not defined here.

    Past the cap on distinct values the program says `approximate`: then only that they are values of the window is certain.
    """
    counts = Counter(values)
    frequencies = sorted(counts.values(), reverse=True)[:wanted]
    is_exact = len(counts) <= exact_up_to
    def accepts(found: object) -> bool:
        if not is_exact:
            return isinstance(found, list) and len(found) == len(frequencies) and all(name in counts for name in found)
        if not isinstance(found, list) or len(found) != len(frequencies) or len(set(map(str, found))) != len(found):
            return False
        names = [item[0] if isinstance(item, list) else item.get("value") if isinstance(item, dict) else item
                 for item in found]
        return [counts.get(name, 0) for name in names] == frequencies
    return Expectation(f"{counts.most_common(wanted)}", accepts, is_exact=is_exact)


@dataclass(frozen=True)
class Bounds:
    """Of sketches, as the program states them."""
    # As the program states them: exact up to a cap, then a standard error of 1.6 %, of which five are allowed.
    distinct_relative: float = 0.08
    distinct_exact_up_to: int = 511
    top_exact_up_to: int = 256


def aggregate(function: Function, rows: list[tuple], values: list, at: int, span: int, bounds: Bounds) -> Expectation:
    """
    rows: (time, partition, offset) of the values. span: the milliseconds that the window covers.
    """
    name, parameter = function.name, function.parameter
    if name == "count":
        return exactly(len(values))
    if name == "rate":
        return closely(len(values) * (parameter or 1000.0) / span, 1e-12) if span else exactly(None)
    if name in ("count_distinct", "countDistinct"):
        return distinct(values, bounds.distinct_relative, bounds.distinct_exact_up_to)
    if not values:
        return exactly(None)
    if name in ("topk", "topK"):
        return top(values, int(parameter or 1), bounds.top_exact_up_to)
    if name in ("last_k", "lastK"):
        return exactly(values[::-1][:int(parameter or 1)])
    if name in ("first", "last"):
        return exactly(values[0] if name == "first" else values[-1])
    if name in ("min", "max"):
        return exactly(min(values) if name == "min" else max(values))
    return numeric(name, parameter, rows, numbers(values), at)


def numeric(name: str, parameter: float | None, rows: list[tuple], values: list, at: int) -> Expectation:
    if name == "sum":
        total = exact_sum(values)
        return exactly(total) if isinstance(total, int) else closely(total, SUM_RELATIVE_ERROR)
    if name == "mean":
        return closely(float(sum(map(Fraction, values)) / len(values)), SUM_RELATIVE_ERROR)
    if name in ("variance", "stddev"):
        if len(values) < 2:
            return exactly(None)
        variance = exact_variance(values)
        scale = max(abs(value) for value in values)
        if name == "variance":
            return closely(float(variance), 1e-12, absolute=1e-24 * scale * scale)
        return closely(math.sqrt(variance), 1e-12, absolute=1e-12 * scale)
    if name == "percentile":
        return percentile(values, parameter if parameter is not None else 0.5)
    if name == "ewma":
        half_life = parameter or 1.0
        weights = [2.0 ** ((row[0] - at) / half_life) for row in rows]
        total = math.fsum(weights)
        if total == 0:
            return closely(values[-1], 1e-9)
        # Values of both signs may cancel to nothing: then only their size tells what an error is.
        scale = max(abs(value) for value in values)
        expected = math.fsum(weight * value for weight, value in zip(weights, values)) / total
        return closely(expected, 1e-9, absolute=1e-12 * scale)
    raise ValueError(f"this recomputation does not know the aggregate {name}")
