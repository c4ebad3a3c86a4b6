"""Planted violations, one or more for each oracle: an oracle that lets one pass is itself broken."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import reader_oracles
import record_oracles
import topics
import transaction_oracles
from ledger import CommitEvent, Outcome, Sent
from observation import Observation, Watermarks
from oracles import Oracle
from readers import Seen

PLAIN, IDEMPOTENT = (topics.PLAIN.name, 0), (topics.IDEMPOTENT.name, 0)
OUT = (topics.PIPELINE_OUT.name, 0)
COMPACTED, RETAINED = (topics.COMPACTED.name, 0), (topics.RETAINED.name, 0)


@dataclass(frozen=True)
class Mutant:
    description: str
    change: Callable[[Observation], None]
    oracle: Oracle

    def survives(self, observation: Observation) -> bool:
        twin = observation.copy()
        self.change(twin)
        return next(self.oracle(twin), None) is None


def at_the_end(place: tuple[str, int], change: Callable[[list[Seen]], None]) -> Callable[[Observation], None]:
    """As a bug of the broker would look: every reader at the end sees the same."""
    def change_all(observation: Observation) -> None:
        for _, reading in observation.readings_at_the_end():
            change(reading[place])
    return change_all


def drop_middle(records: list[Seen]) -> None:
    del records[len(records) // 2]


def repeat_middle(records: list[Seen]) -> None:
    records.append(records[len(records) // 2]._replace(offset=records[-1].offset + 1))


def swap_middle(records: list[Seen]) -> None:
    middle = len(records) // 2
    left, right = records[middle], records[middle + 1]
    records[middle:middle + 2] = [right._replace(offset=left.offset), left._replace(offset=right.offset)]


def invent(records: list[Seen]) -> None:
    records[-1] = records[-1]._replace(value=b"never sent")


def first_of(observation: Observation, outcome: Outcome, *, size: int = 1) -> list[Sent]:
    """The records of a transaction with that outcome, in topics that keep all."""
    kept = {plan.name for plan in topics.TRANSACTIONAL}
    members: dict[tuple, list[Sent]] = {}
    for records in observation.ledger.records.values():
        for sent in records:
            if sent.topic in kept and observation.ledger.outcome(sent) is outcome:
                members.setdefault((sent.source, sent.transaction), []).append(sent)
    return next(records for records in members.values() if len(records) >= size)


def show_aborted(observation: Observation) -> None:
    sent = first_of(observation, Outcome.ABORTED)[0]
    live = observation.live_committed[observation.tail_reader]
    live[sent.topic, sent.partition].append(Seen(1 << 40, sent.key, sent.value))


def tear_transaction(observation: Observation) -> None:
    sent = first_of(observation, Outcome.COMMITTED, size=2)[0]
    observation.ledger.outcomes[sent.source, sent.transaction] = Outcome.UNKNOWN
    for _, reading in observation.readings_at_the_end():
        records = reading[sent.topic, sent.partition]
        records[:] = [seen for seen in records if seen.value != sent.value]


def hide_committed(observation: Observation) -> None:
    values = {sent.value for sent in first_of(observation, Outcome.COMMITTED)}
    for _, reading in observation.readings_at_the_end():
        for records in reading.values():
            records[:] = [seen for seen in records if seen.value not in values]


def hang_transaction(observation: Observation) -> None:
    marks = observation.watermarks[PLAIN]
    observation.watermarks[PLAIN] = Watermarks(marks.start, marks.high - 1, marks.high)


def move_offset_back(observation: Observation) -> None:
    for group, events in observation.ledger.commits.items():
        newest = next((event for event in reversed(events) if not event.is_read_back and event.offset > 0), None)
        if newest is not None:
            events.append(CommitEvent(group, newest.partition, newest.offset - 1, is_read_back=True))
            return


def acknowledge_elsewhere(observation: Observation) -> None:
    for reading in observation.uncommitted.values():
        records = reading[PLAIN]
        records[3] = records[3]._replace(value=records[4].value)


def reuse_offset(observation: Observation) -> None:
    records = next(iter(observation.live_uncommitted.values()))[PLAIN]
    records[0] = records[0]._replace(value=b"another value")


def lose_newest(records: list[Seen]) -> None:
    key = records[-1].key
    records[:] = [seen for seen in records if seen.key != key]
    records.append(Seen(1 << 40, key, b"an older value"))


def lose_topic(observation: Observation) -> None:
    name = next(name for name, life in observation.ledger.lives.items() if life.exists is not None)
    observation.topic_names ^= {name}


def delete_too_little(observation: Observation) -> None:
    marks = observation.watermarks[RETAINED]
    observation.watermarks[RETAINED] = Watermarks(-1, marks.last_stable, marks.high)


def miss_live(observation: Observation) -> None:
    drop_middle(observation.live_committed[observation.tail_reader][IDEMPOTENT])


def miss_in_one_library(observation: Observation) -> None:
    drop_middle(observation.committed["kafka-python"][PLAIN])


def lose_at_restart(observation: Observation) -> None:
    drop_middle(observation.restarted[IDEMPOTENT])


def fail_client(observation: Observation) -> None:
    observation.ledger.client_error("planted")


MUTANTS = (
    Mutant("an acknowledged record is lost", at_the_end(PLAIN, drop_middle), record_oracles.acknowledged_is_there),
    Mutant("a committed transaction is lost", hide_committed, record_oracles.acknowledged_is_there),
    Mutant("a record is at another offset", acknowledge_elsewhere, record_oracles.acknowledged_offset_is_right),
    Mutant("a record is there twice", at_the_end(IDEMPOTENT, repeat_middle), record_oracles.nothing_is_there_twice),
    Mutant("two records are swapped", at_the_end(IDEMPOTENT, swap_middle), record_oracles.order_is_kept),
    Mutant("a record was never sent", at_the_end(PLAIN, invent), record_oracles.nothing_is_invented),
    Mutant("a log has a hole", at_the_end(RETAINED, drop_middle), record_oracles.no_log_has_holes),
    Mutant("retention took too much", at_the_end(RETAINED, drop_middle), record_oracles.retention_keeps_the_rest),
    Mutant("deleted records are back", delete_too_little, record_oracles.retention_keeps_the_rest),
    Mutant("a key's newest is lost", at_the_end(COMPACTED, lose_newest), record_oracles.compaction_keeps_the_newest),
    Mutant("a topic came or went", lose_topic, record_oracles.topics_are_as_acknowledged),
    Mutant("an aborted record was shown", show_aborted, transaction_oracles.aborted_is_invisible),
    Mutant("a transaction is torn", tear_transaction, transaction_oracles.transactions_are_whole),
    Mutant("a transaction hangs", hang_transaction, transaction_oracles.transactions_finish),
    Mutant("a committed offset went back", move_offset_back, transaction_oracles.committed_offsets_never_go_back),
    Mutant("the pipeline lost one", at_the_end(OUT, drop_middle), transaction_oracles.pipeline_is_exactly_once),
    Mutant("the pipeline repeated one", at_the_end(OUT, repeat_middle), transaction_oracles.pipeline_is_exactly_once),
    Mutant("the pipeline swapped two", at_the_end(OUT, swap_middle), transaction_oracles.pipeline_is_exactly_once),
    Mutant("a live reader missed a record", miss_live, reader_oracles.live_reader_saw_the_same),
    Mutant("an offset was used twice", reuse_offset, reader_oracles.offsets_are_never_reused),
    Mutant("one client library misses a record", miss_in_one_library, reader_oracles.client_libraries_agree),
    Mutant("a restart lost a record", lose_at_restart, reader_oracles.a_restart_changes_nothing),
    Mutant("a client was failed", fail_client, reader_oracles.no_client_was_failed),
)
