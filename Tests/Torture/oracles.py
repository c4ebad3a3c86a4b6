"""What must hold after any number of kills: pure functions of what was done and what was seen.

Each returns sentences, one per breach. `self_test.py` shows that each catches a planted fault.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from typing import Callable

from ledger import Entry, Ledger, Log, Observation, Outcome, Partition, Sent

Oracle = Callable[[Ledger, Observation], list[str]]
SHOWN = 5


def values_of(entries: list[Entry]) -> list[bytes | None]:
    return [entry.value for entry in entries]


def all_sent(producers: dict[str, list[Sent]]) -> list[Sent]:
    return [record for records in producers.values() for record in records]


def clients_worked(ledger: Ledger, seen: Observation) -> list[str]:
    """No client met an error that it must not meet: a failed delivery, a fatal error without a fencing, an impossible answer."""
    return list(ledger.failures)


def nothing_acknowledged_is_lost(ledger: Ledger, seen: Observation) -> list[str]:
    """Every acknowledged record is where its acknowledgement said."""
    breaches = []
    by_offset = {partition: {entry.offset: entry.value for entry in entries} for partition, entries in seen.uncommitted.items()}
    for record in all_sent(ledger.plain) + all_sent(ledger.idempotent):
        if record.offset is None:
            continue
        found = by_offset.get(record.partition, {}).get(record.offset)
        if found != record.value:
            breaches.append(f"{record.partition} lost {record.value!r}: acknowledged at {record.offset}, found {found!r}")
    return breaches


def idempotent_records_are_single(ledger: Ledger, seen: Observation) -> list[str]:
    """Also of what was never acknowledged there is at most one."""
    breaches = []
    for partition in {record.partition for record in all_sent(ledger.idempotent)}:
        counts = Counter(values_of(seen.uncommitted.get(partition, [])))
        breaches += [f"{partition} holds {value!r} {count} times" for value, count in counts.items() if count > 1]
    return breaches


def order_is_kept(ledger: Ledger, seen: Observation) -> list[str]:
    """Each producer's records appear first in the order in which they were sent: retries with one request in flight, or idempotence,
    may repeat a record but never let a later one overtake it."""
    breaches = []
    position: dict[bytes, tuple[str, int]] = {}
    for producers in (ledger.plain, ledger.idempotent):
        for name, records in producers.items():
            position.update({record.value: (name, index) for index, record in enumerate(records)})
    for partition, entries in seen.uncommitted.items():
        newest: dict[str, int] = {}
        met: set[bytes | None] = set()
        for entry in entries:
            if entry.value not in position or entry.value in met:
                continue
            met.add(entry.value)
            name, index = position[entry.value]
            if index < newest.get(name, -1):
                breaches.append(f"{partition}@{entry.offset}: {entry.value!r} of {name} comes after a later one")
            newest[name] = index
    return breaches


def nothing_is_invented(ledger: Ledger, seen: Observation) -> list[str]:
    """Every record in the log was sent by somebody to that partition."""
    sent = {(record.partition, record.value) for kind in (ledger.plain, ledger.idempotent, ledger.compacted, ledger.retained)
            for record in all_sent(kind)}
    sent |= {record for transaction in ledger.transactions for record in transaction.records}
    known = {partition for partition, _ in sent}
    return [f"{partition}@{entry.offset} holds {entry.value!r}, which nobody sent"
            for partition, entries in seen.uncommitted.items() if partition in known
            for entry in entries if (partition, entry.value) not in sent]


def transactions_are_whole(ledger: Ledger, seen: Observation) -> list[str]:
    """read_committed shows each committed transaction once and entirely, of an aborted one nothing, of one with an unknown outcome
    everything or nothing; and so for every client library."""
    breaches = []
    for client, log in seen.committed.items():
        counts = {partition: Counter(values_of(entries)) for partition, entries in log.items()}
        for number, transaction in enumerate(ledger.transactions):
            found = [counts.get(partition, Counter())[value] for partition, value in transaction.records]
            whole, none = all(count == 1 for count in found), not any(found)
            right = {Outcome.COMMITTED: whole, Outcome.ABORTED: none, Outcome.UNKNOWN: whole or none}[transaction.outcome]
            if not right:
                breaches.append(f"{client} sees of {transaction.outcome.value} transaction {number} of {transaction.producer} "
                                f"these counts: {found}, first record {transaction.records[0]}")
    return breaches


def transactions_keep_their_order(ledger: Ledger, seen: Observation) -> list[str]:
    """Per producer and partition, in the order in which they were sent."""
    breaches = []
    index = {record: number for number, record in enumerate(
        record for transaction in ledger.transactions for record in transaction.records)}
    producer = {record: transaction.producer for transaction in ledger.transactions for record in transaction.records}
    for partition, entries in seen.uncommitted.items():
        newest: dict[str, int] = {}
        for entry in entries:
            record = (partition, entry.value)
            if record in index:
                if index[record] < newest.get(producer[record], -1):
                    breaches.append(f"{partition}@{entry.offset}: {entry.value!r} comes after a later one")
                newest[producer[record]] = index[record]
    return breaches


def clients_agree(ledger: Ledger, seen: Observation) -> list[str]:
    """Three client libraries read the same committed records at the same offsets."""
    names = sorted(seen.committed)
    return [f"{first} and {second} differ in {partition}: {difference(seen.committed[first].get(partition, []), entries)}"
            for first, second in zip(names, names[1:])
            for partition, entries in seen.committed[second].items() if seen.committed[first].get(partition, []) != entries]


def difference(left: list[Entry], right: list[Entry]) -> str:
    for number, (one, other) in enumerate(zip(left, right)):
        if one != other:
            return f"entry {number} is {one} and {other}"
    return f"{len(left)} and {len(right)} entries"


def concurrent_readers_saw_the_truth(ledger: Ledger, seen: Observation) -> list[str]:
    """A reader that ran all the time saw what a reader from the beginning sees at the end: committed records all and exactly, others
    at least nothing that is gone or different now."""
    breaches = []
    for partition, entries in next(iter(seen.committed.values()), {}).items():
        along_the_way = seen.concurrent_committed.get(partition, [])
        if along_the_way != entries:
            breaches.append(f"{partition}, read_committed: {difference(along_the_way, entries)}")
    for partition, entries in seen.concurrent_uncommitted.items():
        now = {entry.offset: entry for entry in seen.uncommitted.get(partition, [])}
        breaches += [f"{partition}@{entry.offset} was {entry.value!r} and is {now.get(entry.offset)}"
                     for entry in entries if now.get(entry.offset) != entry]
    return breaches


def pipeline_is_exactly_once(ledger: Ledger, seen: Observation) -> list[str]:
    """The output is the transformed input: each committed record once, in its order, none of another."""
    breaches = []
    log = next(iter(seen.committed.values()), {})
    for partition, entries in log.items():
        if not partition.topic.startswith("input"):
            continue
        expected = [transformed(partition, entry) for entry in entries]
        output = Partition(partition.topic.replace("input", "output"), partition.number)
        found = values_of(log.get(output, []))
        if found != expected:
            missing, extra = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
            breaches.append(f"{output}: {sum(missing.values())} missing {list(missing)[:3]}, {sum(extra.values())} too many "
                            f"{list(extra)[:3]}, {'reordered' if not missing and not extra else ''}")
    return breaches


def transformed(partition: Partition, entry: Entry) -> bytes:
    """What the pipeline makes of one record; names its origin, so that no two are equal."""
    return f"{partition.number}@{entry.offset}:".encode() + (entry.value or b"").upper()


def committed_offsets_never_go_back(ledger: Ledger, seen: Observation) -> list[str]:
    breaches = [f"group {group} read {offset} back for {partition}, after {least} was acknowledged"
                for group, partition, offset, least in ledger.offset_reads if offset < least]
    for (group, partition), commits in ledger.offset_commits.items():
        found = seen.group_offsets.get((group, partition), -1)
        if found < commits[-1]:
            breaches.append(f"group {group} ends at {found} in {partition}, after {commits[-1]} was acknowledged")
    return breaches


def groups_processed_everything(ledger: Ledger, seen: Observation) -> list[str]:
    """At least once: every record of the topic was handed to some member of the group."""
    done = set(ledger.processed)
    return [f"{partition}@{entry.offset} was never handed to a member" for partition, entries in seen.uncommitted.items()
            if partition.topic == ledger.processed_topic for entry in entries if (partition, entry.offset) not in done]


def everything_is_stable(ledger: Ledger, seen: Observation) -> list[str]:
    """No transaction is left open: the last stable offset is the high watermark in every partition."""
    return [f"{partition} is stable to {stable} of {high}" for partition, (stable, high) in seen.ends.items() if stable != high]


def compaction_keeps_the_newest(ledger: Ledger, seen: Observation) -> list[str]:
    """The last acknowledged value of each key, or one sent after it, is the newest in the log; offsets only go up."""
    breaches = []
    sent: dict[tuple[Partition, bytes], list[Sent]] = defaultdict(list)
    for records in ledger.compacted.values():
        for record in records:
            sent[record.partition, record.key].append(record)
    for (partition, key), records in sent.items():
        acknowledged = [index for index, record in enumerate(records) if record.offset is not None]
        if not acknowledged:
            continue
        mine = [entry for entry in seen.uncommitted.get(partition, []) if entry.key == key]
        newest = mine[-1].value if mine else None
        if newest not in {record.value for record in records[acknowledged[-1]:]}:
            breaches.append(f"{partition} {key!r}: newest is {newest!r}, acknowledged was {records[acknowledged[-1]].value!r}")
    for partition in {partition for partition, _ in sent}:
        offsets = [entry.offset for entry in seen.uncommitted.get(partition, [])]
        if offsets != sorted(set(offsets)):
            breaches.append(f"{partition}: offsets do not only go up")
    return breaches


def retention_cuts_only_the_front(ledger: Ledger, seen: Observation) -> list[str]:
    """What is acknowledged at or behind the log's start is still there."""
    present = {(partition, entry.offset, entry.value) for partition, entries in seen.uncommitted.items() for entry in entries}
    return [f"{record.partition}@{record.offset} is gone, though the log starts at {seen.starts.get(record.partition, 0)}"
            for record in all_sent(ledger.retained)
            if record.offset is not None and record.offset >= seen.starts.get(record.partition, 0)
            and (record.partition, record.offset, record.value) not in present]


def topics_are_as_acknowledged(ledger: Ledger, seen: Observation) -> list[str]:
    """A created topic exists, a deleted one does not, whatever happened in between."""
    return [f"topic {name} was {state} and {'exists' if name in seen.topics else 'does not exist'}"
            for name, state in ledger.topics.items()
            if (state == "created" and name not in seen.topics) or (state == "deleted" and name in seen.topics)]


ORACLES: tuple[Oracle, ...] = (
    clients_worked, nothing_acknowledged_is_lost, idempotent_records_are_single, order_is_kept, nothing_is_invented,
    transactions_are_whole, transactions_keep_their_order, clients_agree, concurrent_readers_saw_the_truth,
    pipeline_is_exactly_once, committed_offsets_never_go_back, groups_processed_everything, everything_is_stable,
    compaction_keeps_the_newest, retention_cuts_only_the_front, topics_are_as_acknowledged)


def judge(ledger: Ledger, seen: Observation) -> dict[str, list[str]]:
    """Breaches by oracle, an empty list where it holds."""
    return {oracle.__name__: oracle(ledger, seen) for oracle in ORACLES}
