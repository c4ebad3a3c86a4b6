"""What the clients did and what they were told, written down as it happens, outside of anything that is being tested."""
from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Partition(NamedTuple):
    topic: str
    number: int


class Entry(NamedTuple):
    """One record as a reader saw it."""

    offset: int
    key: bytes | None
    value: bytes | None


Log = dict[Partition, list[Entry]]


class Outcome(Enum):
    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass
class Sent:
    """One record outside of transactions; `offset` is set once it is acknowledged."""

    partition: Partition
    value: bytes
    key: bytes | None = None
    offset: int | None = None


@dataclass
class Transaction:
    producer: str
    records: list[tuple[Partition, bytes]] = field(default_factory=list)
    outcome: Outcome = Outcome.UNKNOWN


@dataclass
class Ledger:
    """Everything that was done in one round. Threads append; the oracles read when all threads have ended."""

    plain: dict[str, list[Sent]] = field(default_factory=dict)
    idempotent: dict[str, list[Sent]] = field(default_factory=dict)
    compacted: dict[str, list[Sent]] = field(default_factory=dict)
    retained: dict[str, list[Sent]] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    offset_commits: dict[tuple[str, Partition], list[int]] = field(default_factory=dict)
    offset_reads: list[tuple[str, Partition, int, int]] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)
    processed_topic: str = ""
    processed: list[tuple[Partition, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def fail(self, sentence: str) -> None:
        with self.lock:
            self.failures.append(sentence)

    def acknowledged_count(self) -> int:
        sent = [record for kind in (self.plain, self.idempotent, self.compacted, self.retained)
                for records in list(kind.values()) for record in list(records)]
        committed = [each for each in list(self.transactions) if each.outcome is Outcome.COMMITTED]
        return sum(record.offset is not None for record in sent) + sum(len(each.records) for each in committed)

    def offset_committed(self, group: str, partition: Partition, offset: int) -> None:
        """An offset commit that was acknowledged; called by one thread per group and partition, in order."""
        with self.lock:
            self.offset_commits.setdefault((group, partition), []).append(offset)

    def offset_read(self, group: str, partition: Partition, offset: int, least: int) -> None:
        """A committed offset that was read back, and the least that it had to be at the time of asking."""
        with self.lock:
            self.offset_reads.append((group, partition, offset, least))


@dataclass
class Observation:
    """What the readers saw: at the end, from the beginning, and along the way."""

    committed: dict[str, Log] = field(default_factory=dict)
    uncommitted: Log = field(default_factory=dict)
    concurrent_committed: Log = field(default_factory=dict)
    concurrent_uncommitted: Log = field(default_factory=dict)
    starts: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, tuple[int, int]] = field(default_factory=dict)
    group_offsets: dict[tuple[str, Partition], int] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
