"""When and where a worker dies: every named point in turn, random moments, again while it recovers, and while it drains."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

MEAN_UPTIME_SECONDS = 0.8
MAXIMUM_UPTIME_SECONDS = 4.0
MAXIMUM_RECOVERY_DELAY_SECONDS = 0.5
RECOVERY_SHARE = 0.2
DRAIN_SHARE = 0.2
STOP_SHARE = 0.1
MAXIMUM_OCCURRENCE = 12


@dataclass(frozen=True)
class Kill:
    """One death of a worker: at a point by its own hand, or from outside, `delay_seconds` after its start.

    With `drain_seconds` it is told to stop first, and gets that long. With `freeze_seconds` it is not killed but stands still that long,
    and goes on as one that does not know that others may have taken over.
    """
    worker: int
    point: str | None = None
    occurrence: int = 1
    delay_seconds: float = 0.0
    is_in_recovery: bool = False
    drain_seconds: float | None = None
    freeze_seconds: float | None = None
    absence_seconds: float = 0.0

    @property
    def armed(self) -> str | None:
        return None if self.point is None else f"{self.point}:{self.occurrence}"

    def __str__(self) -> str:
        if self.freeze_seconds is not None:
            return f"frozen for {self.freeze_seconds:.1f} s"
        if self.drain_seconds is not None:
            return f"random, {self.drain_seconds * 1000:.0f} ms into its drain"
        if self.is_in_recovery:
            return f"recovery, {self.armed or f'{self.delay_seconds * 1000:.0f} ms after start'}"
        return self.armed or "random"


def make_schedule(count: int, points: list[str], workers: int, seed: int) -> list[Kill]:
    """`count` kills, each named point at its first pass at least once while there is room; nested ones up to three deep."""
    chance = random.Random(f"{seed}/schedule")
    # A point that only a second worker brings about (a partition taken away) is not reached by one alone.
    named = itertools.chain.from_iterable(
        (Kill(chance.randrange(workers), point, 1 if turn == 0 else chance.randint(1, MAXIMUM_OCCURRENCE))
         for point in chance.sample(points, len(points))) for turn in itertools.count())
    kinds = ["named"] * min(count, len(points)) if points else []
    shares = [("recovery", RECOVERY_SHARE), ("drain", DRAIN_SHARE), ("freeze", STOP_SHARE if workers > 1 else 0.0)]
    kinds += [chance.choices([name for name, _ in shares] + ["random", "named" if points else "random"], [
        *(share for _, share in shares), 0.3, 0.2])[0] for _ in range(count - len(kinds))]
    chance.shuffle(kinds)
    kills: list[Kill] = []
    for kind in kinds:
        worker = chance.randrange(workers)
        uptime = min(chance.expovariate(1 / MEAN_UPTIME_SECONDS), MAXIMUM_UPTIME_SECONDS)
        absence = chance.choice([0.0, 0.0, 1.0, 12.0]) if workers > 1 else 0.0
        if kind == "named":
            kills.append(next(named))
        elif kind == "recovery":
            depth = min(chance.randint(1, 3), count - len(kills))
            kills += [Kill(worker, delay_seconds=chance.uniform(0, MAXIMUM_RECOVERY_DELAY_SECONDS), is_in_recovery=True)
                      for _ in range(depth)]
        elif kind == "drain":
            kills.append(Kill(worker, delay_seconds=uptime, drain_seconds=chance.uniform(0, 0.3),
                              absence_seconds=absence))
        elif kind == "freeze":
            kills.append(Kill(worker, delay_seconds=uptime, freeze_seconds=chance.choice([1.0, 12.0])))
        else:
            kills.append(Kill(worker, delay_seconds=uptime, absence_seconds=absence))
    return kills[:count]
