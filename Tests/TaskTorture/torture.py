#!/usr/bin/env python3
"""Kills the worker N times while events stream, and proves that nothing was lost, repeated or changed.

    torture.py [N] [--topology FILE] [--workers 1|3] [--switches | --lose-disks] [--seed S] [--self-test]

The worker is killed at each of its named kill points, at random moments, again while it recovers, and while it drains; with
three workers in one group, they also leave, stay away, stand still and come back. The load has duplicates, disorder, late,
broken and future events. With --switches, plans replace each other all the while: views are added, changed and removed by
`headrace apply`, workers die at that, and the reference is a run of the last plan alone. With --lose-disks, half of the
workers that come back have lost their state and go on from a snapshot.

When all of it is applied, every feature of every key is held, bit for bit, against an undisturbed run over the same log, and
against a recomputation; records set aside must be there exactly once; every record must be accounted for.
The last line is `N passed, N failed`: one for each kill, oracle and planted violation.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Features"))

from campaign import Campaign, Death, kill_points  # noqa: E402
from history import with_histories  # noqa: E402
from mutants import MUTANTS  # noqa: E402
from observation import Observation  # noqa: E402
from oracles import ORACLES  # noqa: E402
from processes import REPOSITORY, ProcessFailed  # noqa: E402
from schedule import make_schedule  # noqa: E402
from switching import SwitchCampaign, make_switch_schedule  # noqa: E402

SHOWN_VIOLATIONS = 8


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def verdict(self, name: str, violations: list[str]) -> None:
        self.passed += not violations
        self.failed += bool(violations)
        print(f"{'ok    ' if not violations else 'FAILED'} {name.replace('_', ' ')}", flush=True)
        for violation in violations[:SHOWN_VIOLATIONS]:
            print(f"         {violation}")
        if len(violations) > SHOWN_VIOLATIONS:
            print(f"         … and {len(violations) - SHOWN_VIOLATIONS} more")

    def death(self, death: Death) -> None:
        self.passed += 1
        missed = "" if death.is_reached else " (not reached in time, killed from outside)"
        back = "" if death.recovery_seconds is None else f", serves again after {death.recovery_seconds * 1000:5.0f} ms"
        note = f" ({death.note})" if death.note else ""
        print(f"kill {death.number:4} of worker {death.kill.worker}: {death.kill}{note}{missed}{back}", flush=True)


def idle_parts(observation: Observation) -> list[str]:
    """What there was too little of for the oracles to mean anything."""
    found = []
    for source, counts in observation.expected_counters.items():
        found += [f"{source}: nothing was {outcome}" for outcome in ("applied", "dead_lettered") if not counts[outcome]]
    # Behind every window of a day comes nothing in a load of seconds: what came late was repaired then.
    if not observation.late_events:
        found.append("nothing came late")
    if not any('"PRESENT"' in text for text in observation.features.values()):
        found.append("no feature has a value")
    return found


def judge(campaign: Campaign, observation: Observation, report: Report, points: list[str], is_self_test: bool) -> None:
    reached = {death.kill.point for death in campaign.deaths if death.is_reached}
    planned = {death.kill.point for death in campaign.deaths}
    report.verdict("every planned kill point was reached", sorted(
        point for point in points if point in planned and point not in reached))
    times = sorted(death.recovery_seconds * 1000 for death in campaign.deaths if death.recovery_seconds is not None)
    if times:
        print(f"serving again: median {statistics.median(times):.0f} ms, at most {times[-1]:.0f} ms")
    print(f"{campaign.feed.count:,} events published; {len(observation.features):,} features of the tortured run; "
          f"answered by {dict(observation.owners)}")
    for source, counts in observation.expected_counters.items():
        print(f"{source}: " + ", ".join(f"{count:,} {outcome}" for outcome, count in counts.most_common()))
    if isinstance(campaign, SwitchCampaign):
        print(f"plans: {dict(campaign.changes)}; {len(campaign.probes)} of them under watch: "
              f"{sum(probe.answers for probe in campaign.probes):,} answers, the slowest after "
              f"{max((probe.longest_answer for probe in campaign.probes), default=0) * 1000:.0f} ms, nothing applied for "
              f"{max((probe.longest_stall for probe in campaign.probes), default=0) * 1000:.0f} ms at most")
    print(f"{observation.recomputed_values:,} values recomputed")
    print("histories: " + ", ".join(
        f"{name} {len(history.places):,} rows ({history.recomputed_values:,} values recomputed)"
        for name, history in observation.histories.items()))
    if campaign.loses_disks:
        print(f"{campaign.lost_disks} disks lost, {campaign.restored_states()} states of tasks out of snapshots")
        report.verdict("snapshots were needed", [] if campaign.restored_states() else ["no state came from one"])
    report.verdict("the load was real", idle_parts(observation))
    for oracle in ORACLES:
        report.verdict(oracle.__name__, list(oracle(observation)))
    if is_self_test:
        unproved = {oracle.__name__ for oracle in ORACLES} - {mutant.oracle.__name__ for mutant in MUTANTS}
        report.verdict("every oracle has a planted violation", sorted(unproved))
        for mutant in MUTANTS:
            survivors = [f"{mutant.oracle.__name__} does not see it"] if mutant.survives(observation) else []
            report.verdict(f"planted: {mutant.description}", survivors)


def run(arguments: argparse.Namespace, folder: Path, report: Report) -> None:
    points = kill_points(at_switch=arguments.switches, of_snapshots=arguments.lose_disks)
    make_campaign, make_kills = (
        (SwitchCampaign, make_switch_schedule) if arguments.switches else (Campaign, make_schedule))
    print(f"task torture: {arguments.count} kills of {arguments.workers} workers, seed {arguments.seed}, "
          f"{len(points)} kill points, folder {folder}", flush=True)
    began = time.monotonic()
    campaign = None
    try:
        schemas = arguments.topology.resolve().parent.parent / "schemas"
        topology = with_histories(arguments.topology, folder)
        campaign = make_campaign(folder, topology, arguments.workers, arguments.rate, arguments.seed, schemas,
                                 loses_disks=arguments.lose_disks)
        kills = make_kills(arguments.count, points, arguments.workers, arguments.seed)
        campaign.kill_all(kills, report.death)
        print(f"{len(kills)} kills in {time.monotonic() - began:.0f} s; finishing", flush=True)
        judge(campaign, campaign.finish(), report, points, arguments.self_test)
    except ProcessFailed as error:
        report.verdict("every process does what it is told", [str(error)])
    finally:
        if campaign is not None:
            campaign.close()
    print(f"{time.monotonic() - began:.0f} s in all")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=30, metavar="N", help="how often to kill (default 30)")
    parser.add_argument("--topology", type=Path, default=REPOSITORY / "topologies" / "flights.yaml")
    parser.add_argument("--workers", type=int, default=1, help="how many share the work (default 1)")
    parser.add_argument("--switches", action="store_true", help="replace the plan all the while")
    parser.add_argument("--lose-disks", action="store_true", help="workers come back without their state")
    parser.add_argument("--rate", type=float, default=2000, help="events a second (default 2000)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="repeats a schedule")
    parser.add_argument("--self-test", action="store_true", help="also prove that each oracle sees a planted violation")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that passed, too")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-task-torture-"))
    report = Report()
    run(arguments, folder, report)
    if report.failed:
        print(f"FAILED with seed {arguments.seed}; logs and data are in {folder}")
    elif not arguments.keep:
        shutil.rmtree(folder)
    print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
