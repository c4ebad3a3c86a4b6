"""One round of the torture test: its topics, its clients, the quiet at its end, and what the readers see then."""
from __future__ import annotations

import sys
import time
import traceback
from collections import Counter

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from harness.broker import Broker
from harness.clients import ALL_CLIENTS, CONFLUENT
from ledger import Entry, Ledger, Log, Observation, Partition
from oracles import judge
from workload import (RECONNECT, ConfluentProducer, GroupMember, KafkaPythonProducer, OffsetCommitter, Pipeline, Reader, TopicChurner,
                      TransactionalProducer, Worker)

STABLE_WITHIN_SECONDS = 15.0
CATCH_UP_SECONDS = 60.0


class Round:
    def __init__(self, number: int, broker: Broker, seed: int):
        self.number, self.broker, self.seed = number, broker, seed + number
        self.ledger = Ledger()
        self.topics = {kind: f"{kind}-{number}" for kind in ("plain", "idempotent", "input", "output", "compacted", "retained")}
        self.partitions = {kind: [Partition(name, index) for index in range(1 if kind == "retained" else 2)]
                           for kind, name in self.topics.items()}
        self.group, self.pipeline_group = f"members-{number}", f"pipeline-{number}"
        self.ledger.processed_topic = self.topics["idempotent"]
        self.duplicates = 0

    def prepare(self) -> None:
        """Topics on a broker that is up, so that no client starts with an unknown one."""
        if not self.broker.is_running():
            self.broker.start()
        configs = {"compacted": {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100"},
                   "retained": {"retention.bytes": "60000"}}
        self.admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, **RECONNECT})
        wanted = [NewTopic(name, len(self.partitions[kind]), 1, config=configs.get(kind, {})) for kind, name in self.topics.items()]
        for future in self.admin.create_topics(wanted).values():
            future.result(20)

    def start(self) -> None:
        ledger, where = self.ledger, self.partitions
        common = (ledger, self.broker.bootstrap, self.seed)
        lists: dict[str, list] = {}

        def records(kind: str, name: str) -> dict:
            lists[name] = getattr(ledger, kind)[name] = []
            return {"records": lists[name], "partitions": where[kind]}

        named = lambda role: f"{role}-{self.number}"
        self.producers: list[Worker] = [
            ConfluentProducer(named("plain-a"), *common, **records("plain", named("plain-a")), idempotent=False),
            KafkaPythonProducer(named("plain-b"), *common, **records("plain", named("plain-b")), idempotent=False),
            ConfluentProducer(named("idempotent-a"), *common, **records("idempotent", named("idempotent-a")), idempotent=True,
                              compression="lz4"),
            KafkaPythonProducer(named("idempotent-b"), *common, **records("idempotent", named("idempotent-b")), idempotent=True),
            ConfluentProducer(named("compacted"), *common, **records("compacted", named("compacted")), idempotent=True, keys=40, rate=600),
            ConfluentProducer(named("retained"), *common, **records("retained", named("retained")), idempotent=True, rate=400),
            TransactionalProducer(named("transactional-a"), *common, partitions=where["input"]),
            TransactionalProducer(named("transactional-b"), *common, partitions=where["input"]),
            OffsetCommitter(named("committer"), *common, partition=where["plain"][0]),
            TopicChurner(named("churner"), *common, prefix=named("churn")),
        ]
        self.pipelines: list[Worker] = [
            Pipeline(named(f"pipeline-{letter}"), *common, source=self.topics["input"], target=self.topics["output"],
                     group=self.pipeline_group) for letter in "ab"]
        self.members: list[Worker] = [
            GroupMember(named(f"member-{letter}"), *common, topic=self.topics["idempotent"], group=self.group) for letter in "ab"]
        self.committed_reader = Reader(named("reader-committed"), *common, partitions=where["input"] + where["output"],
                                       committed_only=True)
        self.uncommitted_reader = Reader(named("reader-uncommitted"), *common, committed_only=False,
                                         partitions=where["plain"] + where["idempotent"] + where["input"])
        for worker in self.workers():
            worker.start()

    def workers(self) -> list[Worker]:
        return [*self.producers, *self.pipelines, *self.members, self.committed_reader, self.uncommitted_reader]

    def between_kills(self) -> None:
        """A client thread that ended early would make the rest of the round quieter than it claims to be."""
        dead = [worker.name for worker in self.workers() if not worker.is_alive()]
        if dead and not self.ledger.failures:
            self.ledger.fail(f"ended early: {dead}")

    def finish(self) -> dict[str, list[str]]:
        """Lets everybody end what they began, on a broker that stays up, then reads all and judges."""
        if not self.broker.is_running():
            self.broker.start()
        self._end(self.producers)
        seen = Observation()
        self._wait_until_stable(seen, self.partitions["input"])
        self._wait_for_pipeline(seen)
        self._wait_for_members()
        self._end(self.pipelines + self.members)
        self._wait_until_stable(seen, [partition for each in self.partitions.values() for partition in each])
        for reader in (self.committed_reader, self.uncommitted_reader):
            ends = 0 if reader is self.committed_reader else 1
            reader.goal = {partition: seen.ends[partition][ends] for partition in reader.log}
        self._end([self.committed_reader, self.uncommitted_reader])
        self._observe(seen)
        return judge(self.ledger, seen)

    def _end(self, workers: list[Worker]) -> None:
        for worker in workers:
            worker.finish()
        deadline = time.monotonic() + CATCH_UP_SECONDS * 2
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
            if worker.is_alive():
                stack = traceback.extract_stack(sys._current_frames()[worker.ident])
                self.ledger.fail(f"{worker.name} does not end; it is in {' < '.join(f'{each.name}:{each.lineno}' for each in reversed(stack[-4:]))}")

    def _offsets(self, partitions: list[Partition], spec: OffsetSpec, isolation: IsolationLevel) -> dict[Partition, int]:
        asked = {TopicPartition(*partition): spec for partition in partitions}
        answers = self.admin.list_offsets(asked, isolation_level=isolation)
        return {Partition(key.topic, key.partition): future.result(20).offset for key, future in answers.items()}

    def _wait_until_stable(self, seen: Observation, partitions: list[Partition]) -> None:
        deadline = time.monotonic() + STABLE_WITHIN_SECONDS
        while True:
            stable = self._offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)
            high = self._offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)
            seen.ends.update({partition: (stable[partition], high[partition]) for partition in partitions})
            if stable == high or time.monotonic() > deadline:
                return
            time.sleep(0.1)

    def _group_offsets(self, group: str, partitions: list[Partition]) -> dict[Partition, int]:
        request = ConsumerGroupTopicPartitions(group, [TopicPartition(*partition) for partition in partitions])
        found = self.admin.list_consumer_group_offsets([request], require_stable=True)[group].result(20)
        return {Partition(each.topic, each.partition): each.offset for each in found.topic_partitions}

    def _wait_for_pipeline(self, seen: Observation) -> None:
        """Until it has committed past the last committed input record of each partition."""
        goal = {}
        for partition in self.partitions["input"]:
            entries = CONFLUENT.consume(self.broker.bootstrap, partition.topic, partition=partition.number, committed_only=True)
            goal[partition] = entries[-1].offset + 1 if entries else 0
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < deadline:
            try:
                offsets = self._group_offsets(self.pipeline_group, list(goal))
                if all(max(offsets[partition], 0) >= end for partition, end in goal.items()):
                    return
            except KafkaException:
                pass  # Offsets of an open transaction: asked again.
            time.sleep(0.1)
        self.ledger.fail(f"the pipeline does not catch up: at {offsets}, goal {goal}")

    def _wait_for_members(self) -> None:
        deadline = time.monotonic() + CATCH_UP_SECONDS
        ends = self._offsets(self.partitions["idempotent"], OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)
        while time.monotonic() < deadline:
            newest = Counter()
            for partition, offset in list(self.ledger.processed):
                newest[partition] = max(newest[partition], offset + 1)
            if all(newest[partition] >= end for partition, end in ends.items()):
                return
            time.sleep(0.1)

    def _observe(self, seen: Observation) -> None:
        for client in ALL_CLIENTS:
            seen.committed[client.name] = self._read(client, self.partitions["input"] + self.partitions["output"], committed_only=True)
        everything = [partition for kind, each in self.partitions.items() if kind != "output" for partition in each]
        seen.starts = self._offsets(everything, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)
        seen.uncommitted = self._read(CONFLUENT, everything, starts=seen.starts)
        seen.concurrent_committed = self.committed_reader.log
        seen.concurrent_uncommitted = self.uncommitted_reader.log
        for group, partition in self.ledger.offset_commits:
            seen.group_offsets[group, partition] = self._group_offsets(group, [partition])[partition]
        seen.topics = set(self.admin.list_topics(timeout=20).topics)
        plain = [entry.value for partition in self.partitions["plain"] for entry in seen.uncommitted[partition]]
        self.duplicates = len(plain) - len(set(plain))

    def _read(self, client, partitions: list[Partition], *, committed_only: bool = False,
              starts: dict[Partition, int] | None = None) -> Log:
        log: Log = {}
        for partition in partitions:
            records = client.consume(self.broker.bootstrap, partition.topic, partition=partition.number,
                                     offset=(starts or {}).get(partition, 0), committed_only=committed_only)
            log[partition] = [Entry(record.offset, record.key, record.value) for record in records]
        return log

    def summary(self) -> str:
        outcomes = Counter(transaction.outcome.value for transaction in self.ledger.transactions)
        return (f"{self.ledger.acknowledged_count()} records acknowledged, transactions {dict(outcomes)}, {self.duplicates} plain duplicates, "
                f"{len(self.ledger.topics)} topics churned, {sum(map(len, self.ledger.offset_commits.values()))} offset commits")
