"""Planted violations, one or more for each oracle: an oracle that lets one pass is itself broken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Callable

import oracles
from history import History
from observation import Observation


@dataclass(frozen=True)
class Mutant:
    description: str
    change: Callable[[Observation], None]
    oracle: oracles.Oracle

    def survives(self, observation: Observation) -> bool:
        twin = observation.copy()
        self.change(twin)
        return set(self.oracle(twin)) <= set(self.oracle(observation))


def last_bit(observation: Observation) -> None:
    """The smallest change that a double can have."""
    for place, text in observation.features.items():
        number = re.match(r'\["(-?\d+\.\d+(?:[eE][-+]?\d+)?)"', text)
        if number:
            moved = math.nextafter(float(number[1]), math.inf)
            observation.features[place] = text.replace(number[1], repr(moved), 1)
            return


def lose_key(observation: Observation) -> None:
    del observation.features[next(iter(observation.features))]


def another_status(observation: Observation) -> None:
    place = next(place for place, text in observation.features.items() if '"PRESENT"' in text)
    observation.features[place] = observation.features[place].replace("PRESENT", "NULL_VALUE")


def lose_at_restart(observation: Observation) -> None:
    del observation.restarted[next(iter(observation.restarted))]


def wrong_everywhere(observation: Observation) -> None:
    observation.recomputed.append("planted")


def recompute_nothing(observation: Observation) -> None:
    observation.recomputed_values = 0


def pause(observation: Observation) -> None:
    observation.pauses.append("planted")


def first_side_topic(observation: Observation) -> str:
    return next(topic for topic, places in observation.set_aside.items() if places)


def repeat_set_aside(observation: Observation) -> None:
    places = observation.set_aside[first_side_topic(observation)]
    places.append(places[0])


def lose_set_aside(observation: Observation) -> None:
    observation.set_aside[first_side_topic(observation)].pop()


def wrong_set_aside(observation: Observation) -> None:
    topic = first_side_topic(observation)
    observation.set_aside[topic].append(("elsewhere", 0, 0))


def archive_twice(observation: Observation) -> None:
    rows = next(rows for rows in observation.archived.values() if rows)
    rows.append(rows[0])


def lose_archived(observation: Observation) -> None:
    next(rows for rows in observation.archived.values() if rows).pop()


def judged_history(observation: Observation) -> History:
    return next(history for history in observation.histories.values() if history.expected and history.places)


def repeat_history(observation: Observation) -> None:
    places = judged_history(observation).places
    places.append(places[0])


def lose_history(observation: Observation) -> None:
    judged_history(observation).places.pop()


def wrong_history(observation: Observation) -> None:
    judged_history(observation).differences.append("another value")


def lose_record(observation: Observation) -> None:
    next(iter(observation.counters.values()))["applied"] -= 1


def count_twice(observation: Observation) -> None:
    counts = next(iter(observation.counters.values()))
    counts["applied"] += 1
    counts["read"] += 1


def die_while_draining(observation: Observation) -> None:
    observation.exit_codes.append(1)


MUTANTS = (
    Mutant("the last bit of one feature", last_bit, oracles.features_equal_an_undisturbed_run),
    Mutant("a feature of a key is missing", lose_key, oracles.features_equal_an_undisturbed_run),
    Mutant("a status is another", another_status, oracles.features_equal_an_undisturbed_run),
    Mutant("a restart loses a feature", lose_at_restart, oracles.a_restart_changes_no_feature),
    Mutant("both runs are wrong", wrong_everywhere, oracles.features_equal_a_recomputation),
    Mutant("nothing is recomputed", recompute_nothing, oracles.features_equal_a_recomputation),
    Mutant("a view pauses", pause, oracles.other_views_never_pause),
    Mutant("a record is set aside twice", repeat_set_aside, oracles.records_are_set_aside_exactly_once),
    Mutant("a record is not set aside", lose_set_aside, oracles.records_are_set_aside_exactly_once),
    Mutant("a good record is set aside", wrong_set_aside, oracles.records_are_set_aside_exactly_once),
    Mutant("the two runs disagree on what is set aside", wrong_set_aside,
           oracles.an_undisturbed_run_sets_the_same_aside),
    Mutant("a record is archived twice", archive_twice, oracles.records_are_archived_exactly_once),
    Mutant("a record is not archived", lose_archived, oracles.records_are_archived_exactly_once),
    Mutant("a row of a history is there twice", repeat_history, oracles.histories_are_complete_and_right),
    Mutant("a row of a history is missing", lose_history, oracles.histories_are_complete_and_right),
    Mutant("a value of a history is another", wrong_history, oracles.histories_are_complete_and_right),
    Mutant("a record is in no outcome", lose_record, oracles.records_are_conserved),
    Mutant("a record is counted twice", count_twice, oracles.counters_are_right),
    Mutant("a worker fails while it drains", die_while_draining, oracles.workers_drain_cleanly),
)
