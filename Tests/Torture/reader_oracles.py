"""What must hold between readers: everybody, whenever they read and however, sees the same."""
from __future__ import annotations

from typing import Iterator

import topics
from observation import Observation
from words import brief, first_difference, name_of


def live_reader_saw_the_same(observation: Observation) -> Iterator[str]:
    """A read_committed reader that ran all the time saw the sequence that is read at the end from the beginning."""
    live = observation.live_committed[observation.tail_reader]
    for place in topics.partitions_of(*topics.KEPT):
        wanted, found = observation.committed["confluent-kafka"][place], live[place]
        if wanted != found:
            yield f"{name_of(place)}: live against the end: {first_difference(wanted, found)}"


def offsets_are_never_reused(observation: Observation) -> Iterator[str]:
    """What anybody ever saw at an offset is what everybody sees there."""
    known: dict[tuple[str, int, int], tuple[bytes | None, bytes | None, str]] = {}
    for reader, reading in observation.readings():
        for (topic, partition), records in reading.items():
            if topic not in topics.BY_NAME:
                continue
            for seen in records:
                key, value, first = known.setdefault((topic, partition, seen.offset), (seen.key, seen.value, reader))
                if (key, value) != (seen.key, seen.value):
                    yield (f"{topic}/{partition} offset {seen.offset}: {first} saw {brief(value)}, "
                           f"{reader} saw {brief(seen.value)}")


def client_libraries_agree(observation: Observation) -> Iterator[str]:
    """Two implementations of the protocol read the same."""
    isolations = {"read_committed": observation.committed, "read_uncommitted": observation.uncommitted}
    for isolation, readings in isolations.items():
        (first, left), (second, right) = readings.items()
        for place in left.keys() | right.keys():
            if left.get(place) != right.get(place):
                different = set(left.get(place, ())) ^ set(right.get(place, ()))
                example = min(different, key=lambda seen: seen.offset, default=None)
                yield (f"{isolation}: {name_of(place)}: {first} and {second} differ in {len(different)} records, "
                       f"first {brief(example)}")


def a_restart_changes_nothing(observation: Observation) -> Iterator[str]:
    """After an orderly stop, and after a kill without load, everything is as it was."""
    kept = set(topics.partitions_of(*topics.KEPT))
    for place, marks in observation.watermarks.items():
        after = observation.restarted_watermarks[place]
        if marks != after:
            yield f"{name_of(place)}: {marks} became {after}"
        before, now = observation.committed["confluent-kafka"][place], observation.restarted[place]
        if place in kept and before != now:
            yield f"{name_of(place)}: {len(before)} records became {len(now)}"


def no_client_was_failed(observation: Observation) -> Iterator[str]:
    """No client was told something that a restart of the broker does not excuse, and each got to its end."""
    yield from observation.ledger.client_errors
