"""What must hold whatever was killed when. Each oracle is a function of an observation to the violations that it found.

An oracle that cannot fail proves nothing: `mutants.py` has a planted violation for each.
"""

from __future__ import annotations

from collections import Counter
from typing import Callable, Iterator

import topics
from ledger import Outcome, Sent
from observation import Observation, Reading
from pipeline import transformed
from readers import Seen

Oracle = Callable[[Observation], Iterator[str]]


def acknowledged_is_there(observation: Observation) -> Iterator[str]:
    """Every acknowledged record of a topic that keeps all, and every record of a committed transaction, is read at the end."""
    for reader, reading in observation.readings_at_the_end():
        for place in topics.partitions_of(*topics.KEPT):
            values = {seen.value for seen in reading[place]}
            for sent in observation.ledger.records.get(place, ()):
                if observation.ledger.is_promised(sent) and sent.value not in values:
                    yield f"{reader}: {describe(sent)} is not there"


def acknowledged_is_where_it_was_acknowledged(observation: Observation) -> Iterator[str]:
    """A record is at the offset that its producer was told."""
    for reader, reading in observation.readings_at_the_end(is_committed_only=False):
        for place in topics.partitions_of(*topics.ALL):
            at = {seen.offset: seen.value for seen in reading[place]}
            for sent in observation.ledger.records.get(place, ()):
                if sent.offset >= 0 and at.get(sent.offset, sent.value) != sent.value:
                    yield f"{reader}: {describe(sent)} was acknowledged at {sent.offset}, where {brief(at[sent.offset])} is"


def nothing_is_there_twice(observation: Observation) -> Iterator[str]:
    """What an idempotent or transactional producer sent once is stored once; the pipeline sends again what it aborted."""
    for reader, reading in observation.readings_at_the_end():
        for place in topics.partitions_of(*(plan for plan in topics.ALL if plan.is_exactly_once)):
            if place[0] != topics.PIPELINE_OUT.name or reading in observation.committed.values():
                counts = Counter(seen.value for seen in reading[place] if seen.value is not None)
                for value, count in counts.items():
                    if count > 1:
                        yield f"{reader}: {name_of(place)}: {brief(value)} is there {count} times"


def order_is_kept(observation: Observation) -> Iterator[str]:
    """The records of one producer in one partition come in the order in which they were sent; repetitions may follow later."""
    for reader, reading in observation.readings_at_the_end():
        for place in topics.partitions_of(*topics.ALL):
            sequence_of = {
                sent.value: (sent.source, sent.sequence) for sent in observation.ledger.records.get(place, ())
            }
            newest: dict[str, int] = {}
            met: set[bytes] = set()
            for seen in reading[place]:
                if seen.value is None or seen.value not in sequence_of or seen.value in met:
                    continue
                met.add(seen.value)
                source, sequence = sequence_of[seen.value]
                if sequence < newest.get(source, -1):
                    yield f"{reader}: {name_of(place)} offset {seen.offset}: {brief(seen.value)} comes behind sequence {newest[source]}"
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


def aborted_is_invisible(observation: Observation) -> Iterator[str]:
    """No read_committed reader, during the run or after it, got a record of an aborted transaction."""
    aborted = {
        sent.value: sent
        for records in observation.ledger.records.values()
        for sent in records
        if observation.ledger.outcome(sent) is Outcome.ABORTED
    }
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
                yield f"{reader}: {source} transaction {number}: {len(missing)} of {len(records)} are missing: {describe(missing[0])}"


def transactions_finish(observation: Observation) -> Iterator[str]:
    """Once nobody writes, every transaction is decided: the last stable offset is the high watermark."""
    for place, marks in observation.watermarks.items():
        if marks.last_stable != marks.high:
            yield f"{name_of(place)}: last stable offset {marks.last_stable}, high watermark {marks.high}"


def committed_offsets_never_go_back(observation: Observation) -> Iterator[str]:
    """Whoever reads a group's offset finds what was acknowledged before, or more."""
    for group, events in observation.ledger.commits.items():
        acknowledged: dict[tuple[str, int], int] = {}
        for event in events:
            floor = acknowledged.get(event.partition, 0)
            if event.offset < floor:
                what = "read" if event.is_read_back else "committed"
                yield f"group {group}: {name_of(event.partition)}: {what} {event.offset} after {floor} was acknowledged"
            if not event.is_read_back:
                acknowledged[event.partition] = event.offset


def pipeline_is_exactly_once(observation: Observation) -> Iterator[str]:
    """The pipeline's output is its input, transformed: the same records in the same order, none more and none less."""
    for reader, reading in observation.readings_at_the_end(is_committed_only=True):
        for partition in range(topics.PARTITIONS):
            wanted = [transformed(seen.value) for seen in reading[topics.PIPELINE_IN.name, partition]]
            found = [seen.value for seen in reading[topics.PIPELINE_OUT.name, partition]]
            if wanted != found:
                place = next(
                    (index for index, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]),
                    min(len(wanted), len(found)),
                )
                yield (
                    f"{reader}: partition {partition}: {len(wanted)} records in, {len(found)} out; first difference at record {place}: "
                    f"wanted {brief(at(wanted, place))}, found {brief(at(found, place))}"
                )


def live_reader_saw_the_same(observation: Observation) -> Iterator[str]:
    """A read_committed reader that ran all the time saw the sequence that a reader from the beginning sees at the end."""
    live = observation.live_committed[observation.tail_reader]
    for place in topics.partitions_of(*topics.KEPT):
        wanted, found = observation.committed["confluent-kafka"][place], live[place]
        if wanted != found:
            index = next(
                (index for index, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]),
                min(len(wanted), len(found)),
            )
            yield (
                f"{name_of(place)}: {len(found)} records live, {len(wanted)} at the end; first difference at record {index}: "
                f"live {brief(at(found, index))}, at the end {brief(at(wanted, index))}"
            )


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
                    yield f"{topic}/{partition} offset {seen.offset}: {first} saw {brief(value)}, {reader} saw {brief(seen.value)}"


def client_libraries_agree(observation: Observation) -> Iterator[str]:
    """Two implementations of the protocol read the same."""
    for isolation, readings in (
        ("read_committed", observation.committed),
        ("read_uncommitted", observation.uncommitted),
    ):
        (first, left), (second, right) = readings.items()
        for place in left.keys() | right.keys():
            if left.get(place) != right.get(place):
                different = set(left.get(place, ())) ^ set(right.get(place, ()))
                example = min(different, default=None)
                yield f"{isolation}: {name_of(place)}: {first} and {second} differ in {len(different)} records, first {example}"


def no_log_has_holes(observation: Observation) -> Iterator[str]:
    """Without transactions and compaction there is a record at every offset from the log's start to its end."""
    transactional = {plan.name for plan in (*topics.TRANSACTIONAL, topics.PIPELINE_OUT)}
    for reader, reading in observation.readings_at_the_end(is_committed_only=False):
        for plan in topics.ALL:
            for place in () if plan.is_compacted or plan.name in transactional else topics.partitions_of(plan):
                marks = observation.watermarks[place]
                if [seen.offset for seen in reading[place]] != list(range(marks.start, marks.high)):
                    yield f"{reader}: {name_of(place)}: {len(reading[place])} records from {marks.start} to {marks.high}"


def retention_keeps_the_rest(observation: Observation) -> Iterator[str]:
    """What was acknowledged at or behind the log's start is there; the start is where DeleteRecords was told to put it, or behind."""
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
    """The newest record of each key that counts is there, and it is the last one; a key whose newest is a tombstone may be gone."""
    for reader, reading in observation.readings_at_the_end(is_committed_only=True):
        visible = {seen.value for records in reading.values() for seen in records}
        decided = {
            (sent.source, sent.transaction)
            for records in observation.ledger.records.values()
            for sent in records
            if sent.transaction is not None and sent.value in visible
        }
        for plan in (topics.COMPACTED, topics.COMPACTED_TRANSACTIONAL):
            for place in topics.partitions_of(plan):
                found = {seen.key: seen.value for seen in reading[place]}
                for key, allowed in newest_by_key(observation, place, decided).items():
                    if found.get(key) not in allowed:
                        wanted = " or ".join(map(brief, allowed))
                        yield f"{reader}: {name_of(place)} {key!r}: found {brief(found.get(key))}, wanted {wanted}"


def newest_by_key(observation: Observation, place, decided: set) -> dict[bytes, list[bytes | None]]:
    """By key the values that may be its newest: more than one only while outcomes are unknown. None stands for no value."""
    allowed: dict[bytes, list[bytes | None]] = {}
    closed: set[bytes] = set()
    for sent in reversed(observation.ledger.records.get(place, [])):
        if sent.key in closed:
            continue
        outcome = observation.ledger.outcome(sent)
        is_certain = (
            sent.is_acknowledged
            if outcome is None
            else (
                outcome is Outcome.COMMITTED
                or outcome is Outcome.UNKNOWN
                and (sent.source, sent.transaction) in decided
            )
        )
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
            found = {
                seen.value for partition in range(topics.PARTITIONS) for seen in reading.get((name, partition), ())
            }
            for sent in life.records:
                if sent.is_acknowledged and sent.value not in found:
                    yield f"{reader}: {describe(sent)} is not there"
            for value in found - wanted:
                yield f"{reader}: {name} generation {life.generation}: {brief(value)} is of another life"


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


ORACLES: tuple[Oracle, ...] = (
    acknowledged_is_there,
    acknowledged_is_where_it_was_acknowledged,
    nothing_is_there_twice,
    order_is_kept,
    nothing_is_invented,
    aborted_is_invisible,
    transactions_are_whole,
    transactions_finish,
    committed_offsets_never_go_back,
    pipeline_is_exactly_once,
    live_reader_saw_the_same,
    offsets_are_never_reused,
    client_libraries_agree,
    no_log_has_holes,
    retention_keeps_the_rest,
    compaction_keeps_the_newest,
    topics_are_as_acknowledged,
    a_restart_changes_nothing,
    no_client_was_failed,
)


def name_of(place: tuple[str, int]) -> str:
    return f"{place[0]}/{place[1]}"


def describe(sent: Sent) -> str:
    transaction = "" if sent.transaction is None else f" of transaction {sent.transaction}"
    return f"{sent.topic}/{sent.partition} record {sent.sequence} of {sent.source}{transaction}"


def brief(value: bytes | Seen | None) -> str:
    if isinstance(value, Seen):
        return f"offset {value.offset} {brief(value.value)}"
    return "nothing" if value is None else value.decode(errors="replace").rstrip(".").strip()


def at(items: list, index: int):
    return items[index] if index < len(items) else None
