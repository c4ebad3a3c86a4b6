"""Plants one fault after another into a sound history and shows that the oracle made for it objects."""
from __future__ import annotations

import copy
from typing import Callable

from ledger import Entry, Ledger, Observation, Outcome, Partition, Sent, Transaction
from oracles import ORACLES, judge, transformed

PLAIN, IDEMPOTENT, COMPACTED, RETAINED = (Partition(f"{kind}-0", 0) for kind in ("plain", "idempotent", "compacted", "retained"))
INPUT = [Partition("input-0", 0), Partition("input-0", 1)]
OUTPUT = [Partition("output-0", 0), Partition("output-0", 1)]
GROUP = ("group", PLAIN)


def sound_history() -> tuple[Ledger, Observation]:
    """A small run in which everything is right, with a retry's duplicate in the plain topic and one transaction of each outcome."""
    ledger, seen = Ledger(), Observation()
    ledger.plain["p"] = [Sent(PLAIN, f"p{number}".encode(), offset=number) for number in range(10)]
    seen.uncommitted[PLAIN] = [Entry(number, None, f"p{number}".encode()) for number in range(10)] + [Entry(10, None, b"p9")]
    ledger.idempotent["i"] = [Sent(IDEMPOTENT, f"i{number}".encode(), offset=number) for number in range(10)]
    ledger.idempotent["i"].append(Sent(IDEMPOTENT, b"i-unanswered"))
    seen.uncommitted[IDEMPOTENT] = [Entry(number, None, f"i{number}".encode()) for number in range(10)]
    ledger.processed_topic = IDEMPOTENT.topic
    ledger.processed = [(IDEMPOTENT, number) for number in range(10)]
    ledger.compacted["c"] = [Sent(COMPACTED, f"c{number}".encode(), f"k{number % 2}".encode(), offset=number) for number in range(10)]
    seen.uncommitted[COMPACTED] = [Entry(number, f"k{number % 2}".encode(), f"c{number}".encode()) for number in (6, 8, 9)]
    ledger.retained["r"] = [Sent(RETAINED, f"r{number}".encode(), offset=number) for number in range(10)]
    seen.starts[RETAINED] = 4
    seen.uncommitted[RETAINED] = [Entry(number, None, f"r{number}".encode()) for number in range(4, 10)]
    for number, outcome in enumerate((Outcome.COMMITTED, Outcome.ABORTED, Outcome.COMMITTED, Outcome.UNKNOWN, Outcome.UNKNOWN)):
        ledger.transactions.append(Transaction("t", [(INPUT[0], f"t{number}a".encode()), (INPUT[1], f"t{number}b".encode())], outcome))
    committed = {}
    for partition, output, letter in zip(INPUT, OUTPUT, "ab"):
        # Offsets 2 n: a marker follows each record. Transaction 3 turned out committed, 4 never reached the log.
        seen.uncommitted[partition] = [Entry(2 * number, None, f"t{number}{letter}".encode()) for number in range(4)]
        committed[partition] = [entry for entry in seen.uncommitted[partition] if entry.offset != 2]
        committed[output] = [Entry(2 * index, None, transformed(partition, entry)) for index, entry in enumerate(committed[partition])]
        seen.ends[partition] = (8, 8)
    seen.committed = {"one": committed, "other": copy.deepcopy(committed)}
    seen.concurrent_committed = copy.deepcopy(committed)
    seen.concurrent_uncommitted = {PLAIN: list(seen.uncommitted[PLAIN])}
    ledger.offset_commits[GROUP] = [1, 2, 3]
    ledger.offset_reads = [(*GROUP, 3, 3)]
    seen.group_offsets[GROUP] = 3
    ledger.topics = {"kept": "created", "gone": "deleted"}
    seen.topics = {"kept"}
    return ledger, seen


def in_all_clients(change: Callable[[dict], None]) -> Callable[[Ledger, Observation], None]:
    """A change of what every read_committed reader saw at the end."""
    def apply(ledger: Ledger, seen: Observation) -> None:
        for log in seen.committed.values():
            change(log)
    return apply


def swap_first_two(entries: list[Entry]) -> None:
    one, other = entries[0], entries[1]
    entries[0], entries[1] = one._replace(value=other.value), other._replace(value=one.value)


# The name of what is planted, the oracle that must object, and the change.
PLANTED: tuple[tuple[str, str, Callable[[Ledger, Observation], None]], ...] = (
    ("a failed delivery", "clients_worked", lambda ledger, seen: ledger.fail("delivery failed")),
    ("a lost plain record", "nothing_acknowledged_is_lost", lambda ledger, seen: seen.uncommitted[PLAIN].pop(3)),
    ("a lost idempotent record", "nothing_acknowledged_is_lost", lambda ledger, seen: seen.uncommitted[IDEMPOTENT].pop(9)),
    ("a record at another offset", "nothing_acknowledged_is_lost",
     lambda ledger, seen: seen.uncommitted[PLAIN].__setitem__(2, Entry(22, None, b"p2"))),
    ("a changed record", "nothing_acknowledged_is_lost",
     lambda ledger, seen: seen.uncommitted[PLAIN].__setitem__(2, Entry(2, None, b"P2"))),
    ("an idempotent duplicate", "idempotent_records_are_single",
     lambda ledger, seen: seen.uncommitted[IDEMPOTENT].append(Entry(10, None, b"i4"))),
    ("a duplicate that was never acknowledged", "idempotent_records_are_single",
     lambda ledger, seen: seen.uncommitted[IDEMPOTENT].extend([Entry(10, None, b"i-unanswered"), Entry(11, None, b"i-unanswered")])),
    ("two records in the wrong order", "order_is_kept", lambda ledger, seen: swap_first_two(seen.uncommitted[IDEMPOTENT])),
    ("a record that nobody sent", "nothing_is_invented",
     lambda ledger, seen: seen.uncommitted[PLAIN].append(Entry(11, None, b"alien"))),
    ("a record in another partition", "nothing_is_invented",
     lambda ledger, seen: seen.uncommitted[INPUT[1]].append(Entry(9, None, b"t0a"))),
    ("an aborted record that shows", "transactions_are_whole",
     in_all_clients(lambda log: log[INPUT[0]].insert(1, Entry(2, None, b"t1a")))),
    ("a committed record that is gone", "transactions_are_whole", in_all_clients(lambda log: log[INPUT[0]].pop(0))),
    ("a committed record twice", "transactions_are_whole",
     in_all_clients(lambda log: log[INPUT[0]].append(Entry(9, None, b"t0a")))),
    ("half of a transaction with an unknown outcome", "transactions_are_whole", in_all_clients(lambda log: log[INPUT[1]].pop())),
    ("transactions in the wrong order", "transactions_keep_their_order",
     lambda ledger, seen: swap_first_two(seen.uncommitted[INPUT[0]])),
    ("clients that differ", "clients_agree", lambda ledger, seen: seen.committed["other"][INPUT[0]].pop()),
    ("a reader that missed a committed record", "concurrent_readers_saw_the_truth",
     lambda ledger, seen: seen.concurrent_committed[INPUT[0]].pop(0)),
    ("a reader that saw an aborted record", "concurrent_readers_saw_the_truth",
     lambda ledger, seen: seen.concurrent_committed[INPUT[0]].insert(1, Entry(2, None, b"t1a"))),
    ("a reader that saw nothing", "concurrent_readers_saw_the_truth", lambda ledger, seen: seen.concurrent_committed.clear()),
    ("a reader that saw what is now something else", "concurrent_readers_saw_the_truth",
     lambda ledger, seen: seen.concurrent_uncommitted[PLAIN].append(Entry(11, None, b"p-vanished"))),
    ("an output that is missing", "pipeline_is_exactly_once", in_all_clients(lambda log: log[OUTPUT[0]].pop(1))),
    ("an output that is doubled", "pipeline_is_exactly_once",
     in_all_clients(lambda log: log[OUTPUT[0]].append(Entry(9, None, log[OUTPUT[0]][0].value)))),
    ("outputs in the wrong order", "pipeline_is_exactly_once", in_all_clients(lambda log: swap_first_two(log[OUTPUT[1]]))),
    ("a committed offset that went back", "committed_offsets_never_go_back",
     lambda ledger, seen: ledger.offset_reads.append((*GROUP, 1, 2))),
    ("a committed offset that is lost at the end", "committed_offsets_never_go_back",
     lambda ledger, seen: seen.group_offsets.__setitem__(GROUP, 2)),
    ("a record that no member saw", "groups_processed_everything", lambda ledger, seen: ledger.processed.pop(5)),
    ("a transaction that hangs", "everything_is_stable", lambda ledger, seen: seen.ends.__setitem__(INPUT[0], (6, 8))),
    ("a compacted key whose newest value is gone", "compaction_keeps_the_newest", lambda ledger, seen: seen.uncommitted[COMPACTED].pop()),
    ("a compacted log whose offsets repeat", "compaction_keeps_the_newest",
     lambda ledger, seen: seen.uncommitted[COMPACTED].insert(0, Entry(8, b"k0", b"c8"))),
    ("a hole behind the log's start", "retention_cuts_only_the_front", lambda ledger, seen: seen.uncommitted[RETAINED].pop(2)),
    ("a topic that is gone", "topics_are_as_acknowledged", lambda ledger, seen: seen.topics.discard("kept")),
    ("a topic that came back", "topics_are_as_acknowledged", lambda ledger, seen: seen.topics.add("gone")),
)


def run(report) -> None:
    """Reports one check for the sound history and one for each planted fault."""
    breaches = [f"{name}: {found}" for name, found in judge(*sound_history()).items() if found]
    report.check("a sound history passes", breaches)
    for name, oracle, plant in PLANTED:
        ledger, seen = sound_history()
        plant(ledger, seen)
        caught = judge(ledger, seen)[oracle]
        report.check(f"{oracle} catches {name}", [] if caught else ["it does not"])
        print(f"{oracle:34} {name:46} {caught[0][:100] if caught else 'NOT CAUGHT'}")
    unproven = {oracle.__name__ for oracle in ORACLES} - {oracle for _, oracle, _ in PLANTED}
    report.check("every oracle has a planted fault", sorted(unproven))
