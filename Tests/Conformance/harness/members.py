"""Members of a consumer group on threads, and a ledger of who owned which partition and who read which record."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Callable

import confluent_kafka
import kafka

from .waiting import eventually

# No expiry where members leave by themselves: a loaded machine must not evict one.
PATIENT = {"session.timeout.ms": 20_000, "heartbeat.interval.ms": 200}


class GroupLedger:
    """Shared by the members of one group; every breach of ownership is kept as a sentence."""

    def __init__(self):
        self._lock = threading.Lock()
        self.owners: dict[int, str] = {}
        self.read: Counter[tuple[int, int]] = Counter()
        self.breaches: list[str] = []
        self.failures: list[tuple[str, Exception]] = []

    def claim(self, member: str, partitions: list[int]) -> None:
        with self._lock:
            for partition in partitions:
                owner = self.owners.get(partition)
                if owner is not None and owner != member:
                    self.breaches.append(f"{member} was given partition {partition} which {owner} still owns")
                self.owners[partition] = member

    def release(self, member: str, partitions: list[int]) -> None:
        with self._lock:
            for partition in partitions:
                if self.owners.get(partition) == member:
                    del self.owners[partition]

    def record(self, member: str, partition: int, offset: int) -> None:
        with self._lock:
            if self.owners.get(partition) != member:
                self.breaches.append(f"{member} read {partition}@{offset} owned by {self.owners.get(partition)}")
            self.read[partition, offset] += 1

    def owned(self) -> dict[str, set[int]]:
        """Partitions by member."""
        with self._lock:
            by_member: dict[str, set[int]] = {}
            for partition, member in self.owners.items():
                by_member.setdefault(member, set()).add(partition)
            return by_member


class Member(threading.Thread):
    """Polls until `leave`, records what it reads, and commits what it read when a partition is revoked."""

    def __init__(self, name: str, ledger: GroupLedger):
        super().__init__(name=name, daemon=True)
        self.ledger = ledger
        self.assigned_count = 0
        self.revoked_count = 0
        self.failure: Exception | None = None
        self.positions: dict[int, int] = {}
        self._leaving = threading.Event()

    def run(self) -> None:
        try:
            self.work(self._leaving.is_set)
        except Exception as error:
            self.failure = error
            self.ledger.failures.append((self.name, error))

    def work(self, leaving: Callable[[], bool]) -> None:
        raise NotImplementedError

    def prepare_to_leave(self) -> None:
        """Ends with its present poll; for members that leave together."""
        self._leaving.set()

    def leave(self, *, within: float = 30) -> None:
        self._leaving.set()
        self.join(within)
        assert not self.is_alive(), f"{self.name} did not close in {within} s"

    def _assigned(self, partitions: list[int]) -> None:
        self.assigned_count += 1
        self.ledger.claim(self.name, partitions)

    def _revoked(self, partitions: list[int], commit: Callable[[dict[int, int]], None]) -> None:
        self.revoked_count += 1
        progress = {partition: self.positions.pop(partition) for partition in partitions if partition in self.positions}
        if progress:
            commit(progress)
        self.ledger.release(self.name, partitions)

    def _read(self, partition: int, offset: int) -> None:
        self.ledger.record(self.name, partition, offset)
        self.positions[partition] = offset + 1


# What a coordinator answers to a member that it no longer counts, or that missed a generation.
FENCED = (
    confluent_kafka.KafkaError.UNKNOWN_MEMBER_ID,
    confluent_kafka.KafkaError.ILLEGAL_GENERATION,
    confluent_kafka.KafkaError.REBALANCE_IN_PROGRESS,
)


class ConfluentMember(Member):
    """`may_be_fenced`: the broker restarts, and whoever speaks first to the new one makes the others join again.
    What a fenced member read is then read again by the next owner.
    """

    def __init__(self, name: str, ledger: GroupLedger, topic: str, settings: dict, *, may_be_fenced: bool = False):
        super().__init__(name, ledger)
        self.topic = topic
        self.may_be_fenced = may_be_fenced
        self.consumer = confluent_kafka.Consumer(
            {"enable.auto.commit": False, "auto.offset.reset": "earliest", **settings}
        )

    def work(self, leaving):
        def commit(progress: dict[int, int]) -> None:
            positions = [confluent_kafka.TopicPartition(self.topic, *item) for item in progress.items()]
            try:
                self.consumer.commit(offsets=positions, asynchronous=False)
            except confluent_kafka.KafkaException as error:
                # Kept, not raised: between a callback and its `poll` is C, which loses where it came from.
                if not (self.may_be_fenced and error.args[0].code() in FENCED):
                    self.failure = error
                    self.ledger.failures.append((self.name, error))

        self.consumer.subscribe(
            [self.topic],
            on_assign=lambda _, given: self._assigned(_numbers(given)),
            on_revoke=lambda _, taken: self._revoked(_numbers(taken), commit),
            on_lost=lambda _, taken: self._revoked(_numbers(taken), lambda progress: None),
        )
        try:
            while not leaving():
                for message in self.consumer.consume(100, 0.05):
                    if message.error():
                        raise confluent_kafka.KafkaException(message.error())
                    self._read(message.partition(), message.offset())
        finally:
            self.consumer.close()


def _numbers(partitions) -> list[int]:
    return [each.partition for each in partitions]


class KafkaPythonMember(Member):
    """Leaves the commit at a revocation to the library: a rebalance happens inside `poll`, when all it returned
    before is recorded, and its listeners run where a commit of ours would block.
    """

    def __init__(self, name: str, ledger: GroupLedger, topic: str, settings: dict):
        super().__init__(name, ledger)
        self.topic = topic
        self.consumer = kafka.KafkaConsumer(enable_auto_commit=True, auto_offset_reset="earliest", **settings)

    def work(self, leaving):
        member = self

        class Listener(kafka.ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked):
                member._revoked(_numbers(revoked), lambda progress: None)

            def on_partitions_assigned(self, assigned):
                member._assigned(_numbers(assigned))

        # It may otherwise lead the group before it knows the topic, assign nothing, and not always notice.
        self.consumer.partitions_for_topic(self.topic)
        self.consumer.subscribe([self.topic], listener=Listener())
        try:
            while not leaving():
                # A poll that times out just as the answer to its SyncGroup arrives drops the answer and never joins
                # again (kafka-python 3.0.12): with a short time-out that happens once in some twenty runs.
                for messages in self.consumer.poll(timeout_ms=2000, max_records=100).values():
                    for message in messages:
                        self._read(message.partition, message.offset)
        finally:
            self.consumer.close()


def wait_for_shares(ledger: GroupLedger, members: int, *, partitions: int) -> None:
    """Until every partition is owned and `members` members own equal shares."""

    def shared() -> bool:
        assert ledger.failures == []
        owned = ledger.owned()
        return len(owned) == members and all(len(share) == partitions // members for share in owned.values())

    eventually(shared, within=40, what=f"{members} members share {partitions} partitions")


def describe(cluster, group: str):
    """The group as the admin client sees it."""
    return cluster.admin.describe_consumer_groups([group])[group].result(20)
