"""When and where the broker dies: every named point in turn, random moments, and again while it recovers or stops."""
from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Iterator

MEAN_UPTIME_SECONDS = 0.4
MAXIMUM_UPTIME_SECONDS = 3.0
MAXIMUM_RECOVERY_DELAY_SECONDS = 0.05
NAMED_SHARE = 0.45
RECOVERY_SHARE = 0.15
DRAIN_SHARE = 0.25
MAXIMUM_DRAIN_SECONDS = 0.04
# Passed many times a second under load; the others a few times at most.
FREQUENT_POINTS = (
    "produce.", "log.torn", "log.after", "journal.torn", "journal.after", "transaction.", "offset-commit.")
DEEP_OCCURRENCES = 150
RARE_OCCURRENCES = 4
# Passed once in each start: there is no second occurrence.
START_POINT = "start.before-serving"
# The journal is rewritten when it has grown to a multiple of what it was at the start: reached while it is small.
EARLY_POINT = "journal.during-snapshot"


@dataclass(frozen=True)
class Kill:
    """One death of the broker: at a point by its own hand, or from outside, `delay_seconds` after it serves.

    In recovery the delay counts from its start. With `drain_seconds` it is told to stop first, and gets that long.
    """
    point: str | None = None
    occurrence: int = 1
    delay_seconds: float = 0.0
    is_in_recovery: bool = False
    drain_seconds: float | None = None

    @property
    def armed(self) -> str | None:
        return None if self.point is None else f"{self.point}:{self.occurrence}"

    def __str__(self) -> str:
        if self.drain_seconds is not None:
            return f"random, {self.drain_seconds * 1000:.0f} ms into its stop"
        if not self.is_in_recovery:
            return self.armed or "random"
        return f"recovery, {self.armed or f'{self.delay_seconds * 1000:.0f} ms after start'}"


def make_schedule(count: int, points: list[str], seed: int) -> list[Kill]:
    """`count` kills; no point gets its second occurrence before every point had its first."""
    generator = random.Random(f"{seed}/schedule")
    named = _named(points, generator)
    kills = [Kill(EARLY_POINT)] if EARLY_POINT in points else []
    named_count = max(len(points), round(count * NAMED_SHARE)) - len(kills)
    recovery_count = round(count * RECOVERY_SHARE)
    kinds = ["named"] * named_count + ["recovery"] * recovery_count
    kinds = kinds[:count - len(kills)]
    kinds += ["random"] * (count - len(kills) - len(kinds))
    generator.shuffle(kinds)
    for kind in kinds:
        if kind == "named":
            kills.append(next(named))
        elif kind == "recovery":
            kills.append(_in_recovery(kills[-1] if kills else None, generator))
        else:
            kills.append(_random(generator))
    return kills[:count]


def _named(points: list[str], generator: random.Random) -> Iterator[Kill]:
    """Rounds over all points: occurrence 1, then by turns the next occurrence and one deep in the load."""
    for number in itertools.count(1):
        round_points = [point for point in points if point != EARLY_POINT or number > 1]
        for point in generator.sample(round_points, len(round_points)):
            deep = generator.randint(2, DEEP_OCCURRENCES if point.startswith(FREQUENT_POINTS) else RARE_OCCURRENCES)
            yield Kill(point, 1 if point == START_POINT else deep if number % 2 == 0 else (number + 1) // 2)


def _random(generator: random.Random) -> Kill:
    uptime = min(generator.expovariate(1 / MEAN_UPTIME_SECONDS), MAXIMUM_UPTIME_SECONDS)
    drains = generator.random() < DRAIN_SHARE
    return Kill(delay_seconds=uptime, drain_seconds=generator.uniform(0, MAXIMUM_DRAIN_SECONDS) if drains else None)


def _in_recovery(before: Kill | None, generator: random.Random) -> Kill:
    """Dies again before it serves; after a named point often at the same: what was interrupted is done again there."""
    if before is not None and before.point is not None and generator.random() < 0.4:
        return Kill(before.point, is_in_recovery=True)
    return Kill(delay_seconds=generator.uniform(0, MAXIMUM_RECOVERY_DELAY_SECONDS), is_in_recovery=True)
