"""What a run prints: a line for each kill as it happens, a summary, and the closing count."""
from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass

import topics
from ledger import Outcome
from observation import Observation
from schedule import Kill

SHOWN_VIOLATIONS = 8


@dataclass
class Death:
    """A kill as it went."""
    number: int
    kill: Kill
    is_reached: bool = True
    # None: it died before it served.
    uptime_seconds: float | None = None
    records_in_flight: int = 0
    transactions_open: int = 0
    # From the start of the process to its first answer; None: killed again before that.
    recovery_seconds: float | None = None
    is_back: bool = False


def idle_parts(observation: Observation, kills: int) -> list[str]:
    """What there was too little of for the oracles to mean anything."""
    ledger = observation.ledger
    outcomes = Counter(ledger.outcomes.values())
    counts = {f"acknowledged records in {name}": 0 for name in topics.BY_NAME}
    for (topic, _), records in ledger.records.items():
        if topic in topics.BY_NAME:
            counts[f"acknowledged records in {topic}"] += sum(sent.is_acknowledged for sent in records)
    counts[f"acknowledged records in {topics.PIPELINE_OUT.name}"] = sum(
        len(observation.committed["confluent-kafka"][place]) for place in topics.partitions_of(topics.PIPELINE_OUT))
    counts |= {f"{outcome.value} transactions": outcomes[outcome] for outcome in (Outcome.COMMITTED, Outcome.ABORTED)}
    counts |= {f"commits of {group}": len(events) for group, events in ledger.commits.items()}
    return [f"{count} {what} in {kills} kills" for what, count in counts.items() if count < max(1, kills // 10)]


class Report:
    def __init__(self) -> None:
        self.deaths: list[Death] = []
        self.passed = 0
        self.failed = 0

    def count(self, is_passed: bool) -> None:
        if is_passed:
            self.passed += 1
        else:
            self.failed += 1

    def death(self, death: Death) -> None:
        """Called once it is known how the next start went."""
        self.deaths.append(death)
        uptime = "before serving" if death.uptime_seconds is None else f"after {death.uptime_seconds * 1000:5.0f} ms"
        missed = "" if death.is_reached else " (not reached in time, killed from outside)"
        seconds = death.recovery_seconds
        back = "killed again in recovery" if seconds is None else f"back in {seconds * 1000:4.0f} ms"
        print(f"kill {death.number:4} {uptime:15} {str(death.kill) + missed:36} in flight {death.records_in_flight:4} "
              f"records, {death.transactions_open} transactions; {back if death.is_back else 'NOT BACK'}", flush=True)

    def verdict(self, name: str, violations: list[str]) -> None:
        self.count(not violations)
        print(f"{'ok    ' if not violations else 'FAILED'} {name.replace('_', ' ')}", flush=True)
        for violation in violations[:SHOWN_VIOLATIONS]:
            print(f"         {violation}")
        if len(violations) > SHOWN_VIOLATIONS:
            print(f"         … and {len(violations) - SHOWN_VIOLATIONS} more")

    def points(self, points: list[str]) -> list[str]:
        """Prints which points killed the broker; returns those that should have and did not."""
        reached = Counter(death.kill.point for death in self.deaths if death.kill.point and death.is_reached)
        planned = {death.kill.point for death in self.deaths}
        missed = [point for point in points if not reached[point]]
        print(f"kill points reached: {len(points) - len(missed)} of {len(points)}")
        for point in points:
            if reached[point]:
                continue
            reason = "not reached" if point in planned else "not tried: too few kills for all points"
            print(f"  {point}: {reason}")
        return [point for point in missed if point in planned]

    def summary(self, observation: Observation) -> None:
        ledger = observation.ledger
        records = [sent for place in ledger.records.values() for sent in place]
        outcomes = Counter(ledger.outcomes.values())
        times = sorted(death.recovery_seconds * 1000 for death in self.deaths if death.recovery_seconds is not None)
        print(f"records: {len(records)} sent, {sum(sent.is_acknowledged for sent in records)} acknowledged, "
              f"{sum(map(len, next(iter(observation.committed.values())).values()))} read_committed at the end")
        print("transactions: " + ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome))
        commits = [event for events in ledger.commits.values() for event in events]
        print(f"group offsets: {sum(not event.is_read_back for event in commits)} acknowledged, "
              f"{sum(event.is_read_back for event in commits)} read back in {len(ledger.commits)} groups")
        if times:
            print(f"recovery until served: min {times[0]:.0f} ms, median {statistics.median(times):.0f} ms, "
                  f"max {times[-1]:.0f} ms")
