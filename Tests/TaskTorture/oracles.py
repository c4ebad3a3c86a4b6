"""What must be true of an observation; each oracle names the violations that it finds."""

from __future__ import annotations

from collections import Counter
from typing import Callable, Iterator

from history import violations
from observation import Observation

Oracle = Callable[[Observation], Iterator[str]]
OUTCOMES = ("applied", "repaired", "filtered", "deduplicated", "late", "dead_lettered")


def differences(found: dict, expected: dict) -> Iterator[str]:
    for place in expected.keys() | found.keys():
        if found.get(place) != expected.get(place):
            yield f"{place}: {found.get(place)}, undisturbed {expected.get(place)}"


def features_equal_an_undisturbed_run(observation: Observation) -> Iterator[str]:
    yield from differences(observation.features, observation.reference)


def a_restart_changes_no_feature(observation: Observation) -> Iterator[str]:
    yield from differences(observation.restarted, observation.features)


def features_equal_a_recomputation(observation: Observation) -> Iterator[str]:
    yield from observation.recomputed
    if not observation.recomputed_values:
        yield "nothing was recomputed"


def other_views_never_pause(observation: Observation) -> Iterator[str]:
    yield from observation.pauses


def records_are_set_aside_exactly_once(observation: Observation) -> Iterator[str]:
    for topic, places in observation.set_aside.items():
        counts = Counter(places)
        yield from (f"{topic}: {place} is there {count} times" for place, count in counts.items() if count > 1)
        expected = observation.expected_set_aside[topic]
        yield from (f"{topic}: {place} is missing" for place in expected - counts.keys())
        yield from (f"{topic}: {place} does not belong there" for place in counts.keys() - expected)


def records_are_archived_exactly_once(observation: Observation) -> Iterator[str]:
    for source, rows in observation.archived.items():
        counts = Counter(rows)
        yield from (f"{source}: {row} is archived {count} times" for row, count in counts.items() if count > 1)
        expected = observation.expected_archived[source]
        yield from (f"{source}: {row} is not archived" for row in expected - counts.keys())
        yield from (f"{source}: {row} does not belong into the archive" for row in counts.keys() - expected)
    if not any(observation.archived.values()):
        yield "nothing was archived"


def histories_are_complete_and_right(observation: Observation) -> Iterator[str]:
    for view, history in observation.histories.items():
        yield from (f"{view}: {violation}" for violation in violations(history))
    if not any(history.recomputed_values for history in observation.histories.values()):
        yield "no value of a history was recomputed"


def an_undisturbed_run_sets_the_same_aside(observation: Observation) -> Iterator[str]:
    for topic, places in observation.set_aside.items():
        if set(places) != set(observation.reference_set_aside[topic]):
            yield f"{topic}: other records than those of the undisturbed run"


def records_are_conserved(observation: Observation) -> Iterator[str]:
    for source, counts in observation.counters.items():
        total = sum(counts.get(outcome, 0) for outcome in OUTCOMES)
        if counts.get("read", 0) != total:
            yield f"{source}: {counts.get('read', 0)} read, {total} accounted for: {dict(counts)}"


def counters_are_right(observation: Observation) -> Iterator[str]:
    for source, expected in observation.expected_counters.items():
        for name, counters in (("tortured", observation.counters), ("undisturbed", observation.reference_counters)):
            found = counters.get(source, Counter())
            wrong = {outcome: (found.get(outcome, 0), expected.get(outcome, 0)) for outcome in OUTCOMES
                     if found.get(outcome, 0) != expected.get(outcome, 0)}
            if wrong:
                yield f"{source} of the {name} run, found and expected: {wrong}"


def workers_drain_cleanly(observation: Observation) -> Iterator[str]:
    yield from (f"exit code {code}" for code in observation.exit_codes if code != 0)


ORACLES: tuple[Oracle, ...] = (
    features_equal_an_undisturbed_run, a_restart_changes_no_feature, features_equal_a_recomputation,
    other_views_never_pause, records_are_set_aside_exactly_once, an_undisturbed_run_sets_the_same_aside,
    records_are_archived_exactly_once, histories_are_complete_and_right, records_are_conserved,
    counters_are_right, workers_drain_cleanly)
