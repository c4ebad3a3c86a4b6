#!/usr/bin/env python3
"""Kills the broker N times under load and shows that nothing acknowledged is lost, doubled, torn or left hanging.

    torture.py N [--seed S]     N kills, in rounds; every named kill point is tried
    torture.py --self-test      plants faults into a sound history: every oracle must catch its own

The last line is `N passed, N failed`; a kill counts as passed when the broker served again after it, an oracle when it holds for a round.
"""
from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Conformance"))

import self_test  # noqa: E402
from harness.broker import Broker  # noqa: E402
from killing import Killer, list_points, plan  # noqa: E402
from oracles import ORACLES  # noqa: E402
from round import Round  # noqa: E402

KILLS_PER_ROUND = 25
BREACHES_SHOWN = 8
# Small files and busy housekeeping, so that a kill meets rolls, snapshots, compactions and deletions all the time.
CONFIG = {"log.segment.bytes": 16_384, "log.index.interval.bytes": 512, "log.retention.check.interval.ms": 50,
          "log.cleaner.backoff.ms": 50, "log.flush.interval.ms": 100, "journal.snapshot.bytes": 4_096,
          "auto.create.topics.enable": "false"}


class Report:
    """Counts and prints."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name: str, breaches: list[str]) -> None:
        if breaches:
            self.failed += 1
            print(f"FAILED {name}: {len(breaches)}")
            for breach in breaches[:BREACHES_SHOWN]:
                print(f"  {breach}")
        else:
            self.passed += 1

    def close(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def torture(count: int, seed: int) -> int:
    generator = random.Random(seed)
    report = Report()
    folder = Path(tempfile.mkdtemp(prefix="headrace-torture-"))
    broker = Broker(folder, config=CONFIG, port=free_port(generator))
    points = list_points()
    killer = Killer(broker, random.Random(seed + 1))
    kills = plan(count, points, generator)
    print(f"{count} kills, seed {seed}, {len(points)} named points, data in {folder}")
    begun = time.monotonic()
    try:
        for first in range(0, count, KILLS_PER_ROUND):
            perform_round(first // KILLS_PER_ROUND, kills[first:first + KILLS_PER_ROUND], first, count, seed, killer, report)
    finally:
        broker.close()
    summarise(killer, points, count, time.monotonic() - begun)
    if report.failed == 0:
        shutil.rmtree(folder)
    else:
        print(f"the data and the log are kept in {folder}; again with: torture.py {count} --seed {seed}")
    return report.close()


def perform_round(number: int, kills: list, first: int, count: int, seed: int, killer: Killer, report: Report) -> None:
    """Fresh topics and clients, some kills, then quiet, and the oracles."""
    run = Round(number, killer.broker, seed)
    run.prepare()
    run.start()
    for index, kill in enumerate(kills, first + 1):
        if killer.broker.is_running():
            killer.broker.kill()
        crashes = len(killer.crashes)
        outcome = killer.perform(kill)
        report.check(f"kill {index}", killer.crashes[crashes:])
        print(f"kill {index:4}/{count}  {str(kill):34} {outcome:44} acknowledged {run.ledger.acknowledged_count()}", flush=True)
        run.between_kills()
    quiet = time.monotonic()
    verdicts = run.finish()
    for oracle in ORACLES:
        report.check(f"round {number}, {oracle.__name__}", verdicts[oracle.__name__])
    held = sum(not breaches for breaches in verdicts.values())
    print(f"round {number}: {held} of {len(ORACLES)} oracles hold; {run.summary()}; judged in {time.monotonic() - quiet:.1f} s",
          flush=True)


def summarise(killer: Killer, points: list[str], count: int, seconds: float) -> None:
    missed = [point for point in points if not killer.reached[point]]
    print(f"\n{count} kills in {seconds:.0f} s; points reached: {len(points) - len(missed)} of {len(points)}")
    for point in points:
        print(f"  {point:34} reached {killer.reached[point]} of {killer.tried[point]}")
    if missed:
        print(f"not reached: {', '.join(missed)}")
    if times := sorted(killer.restarts_milliseconds):
        print(f"start to serving: median {times[len(times) // 2]:.0f} ms, worst {times[-1]:.0f} ms")


def free_port(generator: random.Random) -> int:
    """Below the range of outgoing connections, so that no client takes it while the broker is dead."""
    import socket

    while True:
        port = generator.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        report = Report()
        self_test.run(report)
        return report.close()
    return torture(arguments.count, int(time.time()) if arguments.seed is None else arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
