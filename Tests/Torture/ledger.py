"""What the clients were told, written down as it happens: the truth that the log is held against afterwards."""
from __future__ import annotations

import enum
import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass, field

TopicPartition = tuple[str, int]


class Outcome(enum.Enum):
    """How a transaction ended, as far as its producer was told."""
    COMMITTED = "committed"
    ABORTED = "aborted"
    # The commit was asked for and never answered: all or nothing of it is right.
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Sent:
    """One record that a producer handed to its client library."""
    source: str
    topic: str
    partition: int
    # Counts up per source and partition; part of the value, which is therefore unique.
    sequence: int
    key: bytes | None
    value: bytes | None
    transaction: int | None
    is_acknowledged: bool = False
    # As acknowledged; -1 when the client was not told.
    offset: int = -1


@dataclass(slots=True)
class TopicLife:
    """What is known of a topic that is made and deleted again and again."""
    # None while a request for the other state is not answered.
    exists: bool | None
    generation: int
    partitions: int = 0
    records: list[Sent] = field(default_factory=list)


@dataclass(slots=True)
class CommitEvent:
    """A committed offset: acknowledged to the member, or read back by it later."""
    group: str
    partition: TopicPartition
    offset: int
    is_read_back: bool
    # How many events of the group were known when the call began; None: all that stand before this one. Of two members
    # the one that commits first may hear of it last, when the broker died between its commit and its answer.
    known_at_begin: int | None = None


class Ledger:
    """Filled by many threads; every list belongs to one of them, the dictionaries are guarded."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sequences: dict[tuple[str, str, int], itertools.count] = defaultdict(itertools.count)
        self.records: dict[TopicPartition, list[Sent]] = {}
        self.outcomes: dict[tuple[str, int], Outcome] = {}
        self.commits: dict[str, list[CommitEvent]] = defaultdict(list)
        self.lives: dict[str, TopicLife] = {}
        # Where DeleteRecords was acknowledged: the log's start is there or behind.
        self.deleted_before: dict[TopicPartition, int] = {}
        self.client_errors: list[str] = []

    def make(self, source: str, topic: str, partition: int, *, transaction: int | None = None, key: bytes | None = None,
             size_bytes: int = 100, is_tombstone: bool = False) -> Sent:
        """A new record with a value that tells where it belongs. It counts as sent from here on."""
        with self._guard:
            sequence = next(self._sequences[source, topic, partition])
            value = f"{source} {topic} {partition} {sequence} {transaction} ".encode()
            content = None if is_tombstone else value.ljust(size_bytes, b".")
            sent = Sent(source, topic, partition, sequence, key, content, transaction)
            self.records.setdefault((topic, partition), []).append(sent)
        return sent

    def acknowledge(self, sent: Sent, offset: int) -> None:
        sent.offset = offset
        sent.is_acknowledged = True

    def end_transaction(self, source: str, number: int, outcome: Outcome) -> None:
        with self._guard:
            self.outcomes[source, number] = outcome

    def commit(
            self, group: str, partition: TopicPartition, offset: int, *, is_read_back: bool,
            known_at_begin: int | None = None) -> None:
        with self._guard:
            self.commits[group].append(CommitEvent(group, partition, offset, is_read_back, known_at_begin))

    def commits_known(self, group: str) -> int:
        """To be asked before a call that commits or reads back, and told to `commit` after it."""
        with self._guard:
            return len(self.commits[group])

    def client_error(self, text: str) -> None:
        """Something that no kill excuses, such as a producer that was told that its records are lost."""
        with self._guard:
            self.client_errors.append(text)

    def outcome(self, sent: Sent) -> Outcome | None:
        """Of the record's transaction; None without one. A transaction that was never ended was never committed."""
        if sent.transaction is None:
            return None
        return self.outcomes.get((sent.source, sent.transaction), Outcome.ABORTED)

    def is_promised(self, sent: Sent) -> bool:
        """Whether a read_committed reader must see it."""
        outcome = self.outcome(sent)
        return sent.is_acknowledged if outcome is None else outcome is Outcome.COMMITTED
