"""When and where the broker dies: every named point in turn, random moments, and deaths while it recovers from the last one."""
from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Iterator

MEAN_UPTIME_SECONDS = 0.4
MAXIMUM_UPTIME_SECONDS = 3.0
MAXIMUM_RECOVERY_DELAY_SECONDS = 0.05
NAMED_SHARE = 0.6
RECOVERY_SHARE = 0.2
# Passed once in each start: there is no second occurrence.
START_POINT = "start.before-serving"
# The journal is rewritten when it has grown to a multiple of what it was at the start: reached while it is small.
EARLY_POINT = "journal.during-snapshot"


@dataclass(frozen=True)
class Kill:
    """One death of the broker: at a point by its own hand, or from outside some time after it serves (in recovery: after its start)."""
    point: str | None = None
    occurrence: int = 1
    delay_seconds: float = 0.0
    is_in_recovery: bool = False

    @property
    def armed(self) -> str | None:
        return None if self.point is None else f"{self.point}:{self.occurrence}"

    def __str__(self) -> str:
        if not self.is_in_recovery:
            return self.armed or "random"
        return f"recovery, {self.armed or f'{self.delay_seconds * 1000:.0f} ms after start'}"


def make_schedule(count: int, points: list[str], seed: int) -> list[Kill]:
    """`count` kills; no point gets its second occurrence before every point had its first."""
    generator = random.Random(f"{seed}/schedule")
    named = _named(points, generator)
    kills = [Kill(EARLY_POINT)] if EARLY_POINT in points else []
    while len(kills) < count:
        must_hurry = count - len(kills) <= len(points)
        if kills and not kills[-1].is_in_recovery and generator.random() < RECOVERY_SHARE:
            kills.append(_in_recovery(kills[-1], generator))
        elif generator.random() < NAMED_SHARE or must_hurry:
            kills.append(next(named))
        else:
            kills.append(Kill(delay_seconds=min(generator.expovariate(1 / MEAN_UPTIME_SECONDS), MAXIMUM_UPTIME_SECONDS)))
    return kills[:count]


def _named(points: list[str], generator: random.Random) -> Iterator[Kill]:
    for occurrence in itertools.count(1):
        round_points = [point for point in points if point != EARLY_POINT or occurrence > 1]
        for point in generator.sample(round_points, len(round_points)):
            yield Kill(point, 1 if point == START_POINT else occurrence)


def _in_recovery(before: Kill, generator: random.Random) -> Kill:
    """Dies again before it serves. After a named point that recovery has to finish, at the same point: it is passed again."""
    if before.point is not None and generator.random() < 0.4:
        return Kill(before.point, is_in_recovery=True)
    return Kill(delay_seconds=generator.uniform(0, MAXIMUM_RECOVERY_DELAY_SECONDS), is_in_recovery=True)
