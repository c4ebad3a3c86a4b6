"""What must hold of records: none lost, none twice, none out of order, none from nowhere."""
from __future__ import annotations

from collections import Counter
from typing import Iterator

import topics
from ledger import Outcome
from observation import Observation
from words import brief, describe, name_of


def acknowledged_is_there(observation: Observation) -> Iterator[str]:
    """What was acknowledged in a topic that keeps all, or committed in a transaction, is read at the end."""
    for reader, reading in observation.readings_at_the_end():
        for place in topics.partitions_of(*topics.KEPT):
            values = {seen.value for seen in reading[place]}
            for sent in observation.ledger.records.get(place, ()):
                if observation.ledger.is_promised(sent) and sent.value not in values:
                    yield f"{reader}: {describe(sent)} is not there"


def acknowledged_offset_is_right(observation: Observation) -> Iterator[str]:
    """A record is at the offset that its producer was told."""
    for reader, reading in observation.readings_at_the_end(is_committed_only=False):
        for place in topics.partitions_of(*topics.ALL):
            at = {seen.offset: seen.value for seen in reading[place]}
            for sent in observation.ledger.records.get(place, ()):
                if sent.offset >= 0 and at.get(sent.offset, sent.value) != sent.value:
                    found = brief(at[sent.offset])
                    yield f"{reader}: {describe(sent)} was acknowledged at {sent.offset}, where {found} is"


def nothing_is_there_twice(observation: Observation) -> Iterator[str]:
    """What an idempotent or transactional producer sent is there once; the pipeline sends again what it aborted."""
    for reader, reading in observation.readings_at_the_end():
        for place in topics.partitions_of(*(plan for plan in topics.ALL if plan.is_exactly_once)):
            if place[0] != topics.PIPELINE_OUT.name or reading in observation.committed.values():
                counts = Counter(seen.value for seen in reading[place] if seen.value is not None)
                for value, count in counts.items():
                    if count > 1:
                        yield f"{reader}: {name_of(place)}: {brief(value)} is there {count} times"


def order_is_kept(observation: Observation) -> Iterator[str]:
    """Records of one producer in one partition come in the order in which they were sent; repetitions may follow."""
    for reader, reading in observation.readings_at_the_end():
        for place in topics.partitions_of(*topics.ALL):
            records = observation.ledger.records.get(place, ())
            sequence_of = {sent.value: (sent.source, sent.sequence) for sent in records}
            newest: dict[str, int] = {}
            met: set[bytes] = set()
            for seen in reading[place]:
                if seen.value is None or seen.value not in sequence_of or seen.value in met:
                    continue
                met.add(seen.value)
                source, sequence = sequence_of[seen.value]
                if sequence < newest.get(source, -1):
                    yield (f"{reader}: {name_of(place)} offset {seen.offset}: {brief(seen.value)} comes behind "
                           f"sequence {newest[source]}")
                newest[source] = max(sequence, newest.get(source, -1))


def nothing_is_invented(observation: Observation) -> Iterator[str]:
    """Whatever anybody ever read was sent to that partition, byte for byte."""
    for reader, reading in observation.readings():
        for place, records in reading.items():
            if place[0] == topics.PIPELINE_OUT.name:
                continue
            known = {(sent.key, sent.value) for sent in observation.ledger.records.get(place, ())}
            for seen in records:
                if (seen.key, seen.value) not in known:
                    yield f"{reader}: {name_of(place)} offset {seen.offset}: {brief(seen.value)} was never sent there"


def no_log_has_holes(observation: Observation) -> Iterator[str]:
    """Without transactions and compaction there is a record at every offset from the log's start to its end."""
    transactional = {plan.name for plan in (*topics.TRANSACTIONAL, topics.FORGOTTEN, topics.PIPELINE_OUT)}
    for reader, reading in observation.readings_at_the_end(is_committed_only=False):
        for plan in topics.ALL:
            for place in () if plan.is_compacted or plan.name in transactional else topics.partitions_of(plan):
                marks = observation.watermarks[place]
                if [seen.offset for seen in reading[place]] != list(range(marks.start, marks.high)):
                    count = len(reading[place])
                    yield f"{reader}: {name_of(place)}: {count} records from {marks.start} to {marks.high}"


def retention_keeps_the_rest(observation: Observation) -> Iterator[str]:
    """What was acknowledged behind the log's start is there; the start is where DeleteRecords put it, or behind."""
    for place in topics.partitions_of(topics.RETAINED):
        start = observation.watermarks[place].start
        asked = observation.ledger.deleted_before.get(place, 0)
        if start < asked:
            yield f"{name_of(place)}: the log starts at {start}, records before {asked} were deleted"
        for reader, reading in observation.readings_at_the_end():
            values = {seen.value for seen in reading[place]}
            for sent in observation.ledger.records.get(place, ()):
                if sent.offset >= start and sent.value not in values:
                    yield f"{reader}: {describe(sent)} at offset {sent.offset} is not there"


def compaction_keeps_the_newest(observation: Observation) -> Iterator[str]:
    """The newest record of each key that counts is there and is the last one; with a tombstone the key may be gone."""
    for reader, reading in observation.readings_at_the_end(is_committed_only=True):
        visible = {seen.value for records in reading.values() for seen in records}
        decided = {(sent.source, sent.transaction)
                   for records in observation.ledger.records.values() for sent in records
                   if sent.transaction is not None and sent.value in visible}
        for plan in (topics.COMPACTED, topics.COMPACTED_TRANSACTIONAL):
            for place in topics.partitions_of(plan):
                found = {seen.key: seen.value for seen in reading[place]}
                for key, allowed in newest_by_key(observation, place, decided).items():
                    if found.get(key) not in allowed:
                        wanted = " or ".join(map(brief, allowed))
                        yield f"{reader}: {name_of(place)} {key!r}: found {brief(found.get(key))}, wanted {wanted}"


def newest_by_key(observation: Observation, place, decided: set) -> dict[bytes, list[bytes | None]]:
    """By key the values that may be its newest: more than one only while outcomes are unknown. None is no value."""
    allowed: dict[bytes, list[bytes | None]] = {}
    closed: set[bytes] = set()
    for sent in reversed(observation.ledger.records.get(place, [])):
        if sent.key in closed:
            continue
        outcome = observation.ledger.outcome(sent)
        is_certain = sent.is_acknowledged if outcome is None else (
            outcome is Outcome.COMMITTED or outcome is Outcome.UNKNOWN and (sent.source, sent.transaction) in decided)
        if is_certain or outcome in (None, Outcome.UNKNOWN):
            allowed.setdefault(sent.key, []).append(sent.value)
        if is_certain:
            closed.add(sent.key)
    for key in allowed.keys() - closed:
        allowed[key].append(None)
    return allowed


def topics_are_as_acknowledged(observation: Observation) -> Iterator[str]:
    """A topic whose making was acknowledged is there with its records and no others; one whose deletion was, is not."""
    for name, life in observation.ledger.lives.items():
        if life.exists is not None and life.exists != (name in observation.topic_names):
            yield f"{name} generation {life.generation}: should {'be there' if life.exists else 'be gone'}"
        if not life.exists:
            continue
        wanted = {sent.value for sent in life.records}
        for reader, reading in observation.readings_at_the_end():
            found = {seen.value for partition in range(life.partitions)
                     for seen in reading.get((name, partition), ())}
            for sent in life.records:
                if sent.is_acknowledged and sent.value not in found:
                    yield f"{reader}: {describe(sent)} is not there"
            for value in found - wanted:
                yield f"{reader}: {name} generation {life.generation}: {brief(value)} is of another life"
