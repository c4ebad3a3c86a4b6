#!/usr/bin/env python3
"""Kills the broker N times under load and proves from outside that it kept every promise.

    torture.py [N] [--seed S] [--self-test]

Plain, idempotent and transactional producers, an exactly-once pipeline, group members, tail readers and topic churn run
while the broker is killed at random moments and at each of its named kill points, and is started again on the same port
and folder.
The last line is `N passed, N failed`: one for each kill, oracle and planted violation.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Conformance"))

from broker_process import BrokerFailed, BrokerProcess, find_binary, kill_points  # noqa: E402
from campaign import Campaign  # noqa: E402
from mutants import MUTANTS  # noqa: E402
from observation import Observation  # noqa: E402
from oracles import ORACLES  # noqa: E402
from report import Report, idle_parts  # noqa: E402
from schedule import make_schedule  # noqa: E402

KILLS_PER_CAMPAIGN = 250


def judge(observation: Observation, report: Report) -> None:
    for oracle in ORACLES:
        report.verdict(oracle.__name__, list(oracle(observation)))


def test_oracles(observation: Observation, report: Report) -> None:
    """Plants a violation for each oracle in what was really observed."""
    unproved = {oracle.__name__ for oracle in ORACLES} - {mutant.oracle.__name__ for mutant in MUTANTS}
    report.verdict("every oracle has a planted violation", sorted(unproved))
    for mutant in MUTANTS:
        survivors = [f"{mutant.oracle.__name__} does not see it"] if mutant.survives(observation) else []
        report.verdict(f"planted: {mutant.description}", survivors)


def run(count: int, seed: int, directory: Path, is_self_test: bool) -> Report:
    report = Report()
    binary = find_binary()
    points = kill_points(binary)
    broker = BrokerProcess(directory, binary)
    print(f"torture: {count} kills, seed {seed}, folder {directory}", flush=True)
    began = time.monotonic()
    try:
        campaign = Campaign(broker, seed, report)
        campaign.kill_all(make_schedule(count, points, seed))
        print(f"{count} kills in {time.monotonic() - began:.0f} s; finishing", flush=True)
        observation = campaign.finish()
        report.summary(observation)
        report.verdict("every planned kill point was reached", report.points(points))
        report.verdict("the load was real", idle_parts(observation, count))
        judge(observation, report)
        if is_self_test:
            test_oracles(observation, report)
    except BrokerFailed as error:
        report.verdict("the broker comes back", [str(error)])
    finally:
        broker.close()
    print(f"{time.monotonic() - began:.0f} s in all")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", metavar="N", help="how often to kill (default 50; self-test 10)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="repeats a schedule"
    )
    parser.add_argument(
        "--self-test", action="store_true", help="also prove that each oracle sees a planted violation"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that passed, too")
    arguments = parser.parse_args()
    count = arguments.count if arguments.count is not None else 10 if arguments.self_test else 50
    passed = failed = 0
    # Each campaign has a folder of its own: what it leaves has to be read, several times over, and held in memory.
    for campaign, first in enumerate(range(0, count, KILLS_PER_CAMPAIGN)):
        seed = arguments.seed + campaign
        directory = Path(tempfile.mkdtemp(prefix="headrace-torture-"))
        report = run(min(KILLS_PER_CAMPAIGN, count - first), seed, directory, arguments.self_test)
        passed, failed = passed + report.passed, failed + report.failed
        if report.failed:
            print(f"FAILED with seed {seed}; the broker's folder and log are in {directory}")
        elif not arguments.keep:
            shutil.rmtree(directory)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
