"""When and where the broker dies: at random times, while it starts, and at every named point."""
from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Conformance"))

from harness.broker import Broker, BrokerDied, find_binary  # noqa: E402

RANDOM_MEAN_SECONDS = 0.4
POINT_PATIENCE_SECONDS = 4.0
SIGKILL = -9


@dataclass(frozen=True)
class Kill:
    """`point` None: at a random time. `while_starting`: before the broker can have served anything."""

    point: str | None = None
    occurrence: int = 1
    while_starting: bool = False

    def __str__(self) -> str:
        if self.point:
            return f"{self.point}:{self.occurrence}"
        return "while starting" if self.while_starting else "at random"


def list_points() -> list[str]:
    done = subprocess.run([find_binary(), "broker", "--list-kill-points"], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.split()


def plan(count: int, points: list[str], generator: random.Random) -> list[Kill]:
    """Six in ten at named points: each at its first pass, then at later ones, up to the 200th, since early passes are start-up work.
    The rest at random times and, up to three in a row, while the broker recovers."""
    named = [Kill(point) for point in points]
    while points and len(named) < count * 6 // 10:
        named.append(Kill(generator.choice(points), round(200 ** generator.random())))
    others: list[list[Kill]] = []
    while sum(map(len, others)) < count - len(named):
        others.append([Kill(while_starting=True)] * generator.randint(1, 3) if generator.random() < 0.25 else [Kill()])
    groups = [[kill] for kill in named] + others
    generator.shuffle(groups)
    return [kill for group in groups for kill in group][:count]


@dataclass
class Killer:
    """Starts the broker, lets it die as planned, says in one line what happened, and counts."""

    broker: Broker
    random: random.Random
    reached: Counter = field(default_factory=Counter)
    tried: Counter = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    restarts_milliseconds: list[float] = field(default_factory=list)
    lived_seconds: float = 1.0

    def perform(self, kill: Kill) -> str:
        """Starts the broker and returns when it is dead."""
        environment = {"HEADRACE_KILL_AT": f"{kill.point}:{kill.occurrence}"} if kill.point else {}
        if kill.point:
            self.tried[kill.point] += 1
        if kill.while_starting:
            return self._kill_while_starting()
        begun = time.monotonic()
        try:
            self.broker.start(environment=environment)
        except BrokerDied as death:
            return self._died(kill, death.return_code, time.monotonic() - begun, "before it served")
        ready = time.monotonic()
        self.restarts_milliseconds.append((ready - begun) * 1000)
        limit = POINT_PATIENCE_SECONDS if kill.point else self._lifetime()
        while self.broker.is_running() and time.monotonic() < ready + limit:
            time.sleep(0.002)
        lived = time.monotonic() - ready
        self.lived_seconds = lived + self.lived_seconds * 0.7
        if self.broker.is_running():
            self.broker.kill()
            outcome = "not reached, killed" if kill.point else "killed"
            return f"{outcome} after {lived:.2f} s"
        return self._died(kill, self.broker.reap(), lived, "after")

    def _lifetime(self) -> float:
        """Exponential; longer after a row of short lives, in which the clients could do nothing worth killing."""
        least = 1.5 if self.lived_seconds < 0.5 else 0.0
        return max(least, min(self.random.expovariate(1 / RANDOM_MEAN_SECONDS), 3.0))

    def _died(self, kill: Kill, return_code: int, seconds: float, when: str) -> str:
        if kill.point and return_code == SIGKILL:
            self.reached[kill.point] += 1
            return f"reached {when} {seconds:.2f} s"
        self.crashes.append(f"{kill}: ended by itself with {return_code}\n{self.broker.log_tail(2500)}")
        return f"CRASHED with {return_code} {when} {seconds:.2f} s"

    def _kill_while_starting(self) -> str:
        delay = self.random.random() * 0.06
        process = self.broker.spawn()
        time.sleep(delay)
        if process.poll() is not None:
            return self._died(Kill(while_starting=True), self.broker.reap(), delay, "while starting, after")
        self.broker.kill()
        return f"killed {delay * 1000:.0f} ms after its start"
