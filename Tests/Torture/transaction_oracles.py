"""What must hold of transactions and of the offsets of groups."""
from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Iterator

import topics
from ledger import Outcome, Sent
from observation import Observation
from pipeline import transformed
from words import describe, first_difference, name_of


def aborted_is_invisible(observation: Observation) -> Iterator[str]:
    """No read_committed reader, during the run or after it, got a record of an aborted transaction."""
    aborted = {sent.value: sent for records in observation.ledger.records.values() for sent in records
               if observation.ledger.outcome(sent) is Outcome.ABORTED}
    readings = [*observation.readings_at_the_end(is_committed_only=True), *observation.live_committed.items()]
    for reader, reading in readings:
        for place, records in reading.items():
            for seen in records:
                if seen.value in aborted:
                    yield f"{reader}: {name_of(place)} offset {seen.offset} is {describe(aborted[seen.value])}"


def transactions_are_whole(observation: Observation) -> Iterator[str]:
    """Of a transaction all records over all partitions are visible, or none is."""
    kept = {plan.name for plan in topics.KEPT}
    members: dict[tuple[str, int], list[Sent]] = {}
    for records in observation.ledger.records.values():
        for sent in records:
            if sent.transaction is not None and sent.topic in kept:
                members.setdefault((sent.source, sent.transaction), []).append(sent)
    for reader, reading in observation.readings_at_the_end(is_committed_only=True):
        values = {seen.value for records in reading.values() for seen in records}
        for (source, number), records in members.items():
            missing = [sent for sent in records if sent.value not in values]
            if missing and len(missing) < len(records):
                yield (f"{reader}: {source} transaction {number}: {len(missing)} of {len(records)} are missing, "
                       f"first {describe(missing[0])}")


def transactions_finish(observation: Observation) -> Iterator[str]:
    """Once nobody writes, every transaction is decided: the last stable offset is the high watermark."""
    for place, marks in observation.watermarks.items():
        if marks.last_stable != marks.high:
            yield f"{name_of(place)}: last stable offset {marks.last_stable}, high watermark {marks.high}"


def committed_offsets_never_go_back(observation: Observation) -> Iterator[str]:
    """Whoever reads or commits a group's offset finds what was acknowledged before the call began, or more."""
    for group, events in observation.ledger.commits.items():
        # The place of each acknowledgement among the events, and the most that was acknowledged up to it.
        places: dict[tuple[str, int], list[int]] = defaultdict(list)
        floors: dict[tuple[str, int], list[int]] = defaultdict(list)
        for position, event in enumerate(events):
            known = position if event.known_at_begin is None else event.known_at_begin
            count = bisect_left(places[event.partition], known)
            floor = floors[event.partition][count - 1] if count else 0
            if event.offset < floor:
                what = "read" if event.is_read_back else "committed"
                yield f"group {group}: {name_of(event.partition)}: {what} {event.offset} after {floor} was acknowledged"
            if not event.is_read_back:
                places[event.partition].append(position)
                floors[event.partition].append(max([event.offset, *floors[event.partition][-1:]]))


def pipeline_is_exactly_once(observation: Observation) -> Iterator[str]:
    """The pipeline's output is its input, transformed: the same records in the same order, none more and none less."""
    for reader, reading in observation.readings_at_the_end(is_committed_only=True):
        for partition in range(topics.PARTITIONS):
            wanted = [transformed(seen.value) for seen in reading[topics.PIPELINE_IN.name, partition]]
            found = [seen.value for seen in reading[topics.PIPELINE_OUT.name, partition]]
            if wanted != found:
                yield f"{reader}: partition {partition}: {first_difference(wanted, found)}"
