"""One run: the workloads, the kills, and the collection of what came out of it."""
from __future__ import annotations

import sys
import time
import traceback

import topics
from broker_process import BrokerFailed, BrokerProcess
from churn import TopicChurn
from confluent_kafka.admin import AdminClient, NewTopic
from ledger import Ledger, TopicPartition
from observation import (
    Observation, Reading, Watermarks, partitions_at_the_end, read_committed_offsets, read_everything,
    settled_watermarks, topic_names)
from pipeline import Pipeline
from producers import PythonProducer, StreamProducer
from python_reader import PythonGroupReader
from readers import GroupReader, TailReader, read_with_confluent
from report import Death, Report
from schedule import Kill
from transactions import ForgottenTransactions, TransactionalProducer
from workload import CLIENT_SETTINGS, FINISH_TIMEOUT_SECONDS, Context, Workload

POINT_LIMIT_SECONDS = 10.0
JOIN_TIMEOUT_SECONDS = FINISH_TIMEOUT_SECONDS + 30
# Long enough for the last compaction and retention, after which the log stands still.
QUIET_SECONDS = 1.0


class Campaign:
    def __init__(self, broker: BrokerProcess, seed: int, report: Report):
        self.broker = broker
        self.report = report
        self.ledger = Ledger()
        context = Context(broker.bootstrap, self.ledger, seed)
        feed = StreamProducer("pipeline-feed", context, topics.PIPELINE_IN)
        self.writers: list[Workload] = [
            StreamProducer("plain-producer", context, topics.PLAIN),
            StreamProducer("idempotent-producer", context, topics.IDEMPOTENT, compression="gzip"),
            PythonProducer("python-producer", context, topics.IDEMPOTENT_PYTHON),
            TransactionalProducer("transactional-0", context), TransactionalProducer("transactional-1", context),
            ForgottenTransactions("forgetful", context),
            StreamProducer("keyed-producer", context, topics.COMPACTED, is_keyed=True),
            StreamProducer("retained-producer", context, topics.RETAINED), feed, TopicChurn("churn", context)]
        # Two members of one group: every death of the broker may move their partitions.
        self.pipelines = [Pipeline(f"pipeline-{index}", context, feed, self._pipeline_ends) for index in range(2)]
        kept, everything = topics.partitions_of(*topics.KEPT), topics.partitions_of(*topics.ALL)
        self.tail_committed = TailReader("tail-committed", context, kept, is_committed_only=True)
        self.tail_all = TailReader("tail-uncommitted", context, everything, is_committed_only=False, may_skip=True)
        names = [plan.name for plan in topics.KEPT]
        self.group_committed = GroupReader("group-committed", context, names, is_committed_only=True)
        self.group_all = GroupReader(
            "group-uncommitted", context, names, is_committed_only=False, is_static=True)
        self.tails = [self.tail_committed, self.tail_all]
        self.group_python = PythonGroupReader("group-python", context, topics.IDEMPOTENT_PYTHON.name)
        self.groups = [self.group_committed, self.group_all, self.group_python]

    @property
    def workloads(self) -> list[Workload]:
        return [*self.writers, *self.pipelines, *self.tails, *self.groups]

    # MARK: Kills

    def kill_all(self, kills: list[Kill]) -> None:
        self._start()
        death: Death | None = None
        for number, kill in enumerate(kills, 1):
            self.broker.spawn(kill.armed)
            death = self._kill(number, kill, death)
        self.broker.spawn()
        self._settle(death, self.broker.wait_until_serving())

    def _start(self) -> None:
        self.broker.spawn()
        self.broker.wait_until_serving()
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, **CLIENT_SETTINGS})
        plans = [NewTopic(plan.name, topics.PARTITIONS, 1, config=plan.config) for plan in topics.ALL]
        for future in admin.create_topics(plans).values():
            future.result()
        self.broker.stop()
        for workload in self.workloads:
            workload.start()

    def _kill(self, number: int, kill: Kill, before: Death | None) -> Death:
        """Brings the running start to its death. How it came up belongs to the kill before."""
        death = Death(number, kill)
        try:
            if kill.is_in_recovery and kill.point is None:
                self.broker.wait_until_dead(max(0.0, self.broker.started + kill.delay_seconds - time.monotonic()))
                self.broker.kill()
                self._settle(before, False)
            elif self.broker.wait_until_serving():
                self._settle(before, True)
                death.is_reached = self._await_death(kill)
                death.uptime_seconds = time.monotonic() - self.broker.served
            else:
                self._settle(before, False)
        except BrokerFailed:
            for missing in (before, death):
                if missing is not None and missing not in self.report.deaths:
                    self.report.death(missing)
                    self.report.count(False)
            raise
        death.records_in_flight = sum(workload.records_in_flight() for workload in self.workloads)
        death.transactions_open = sum(workload.transactions_open for workload in self.workloads)
        return death

    def _await_death(self, kill: Kill) -> bool:
        """Whether the broker died where it was to die."""
        if kill.point is not None:
            is_reached = self.broker.wait_until_dead(POINT_LIMIT_SECONDS)
            if not is_reached:
                self.broker.kill()
            return is_reached
        time.sleep(kill.delay_seconds)
        if kill.drain_seconds is None:
            self.broker.kill()
        else:
            self.broker.kill_while_stopping(kill.drain_seconds)
        return True

    def _settle(self, death: Death | None, is_serving: bool) -> None:
        if death is None:
            return
        death.is_back = True
        death.recovery_seconds = self.broker.served - self.broker.started if is_serving else None
        self.report.death(death)
        self.report.count(True)

    # MARK: The end

    def finish(self) -> Observation:
        """Lets every workload end what it began, then reads everything."""
        ending = [*self.writers, *self.pipelines, *self.groups]
        for workload in ending:
            workload.finish()
        self._join(ending)
        partitions = partitions_at_the_end(self.ledger)
        settled_watermarks(self.broker.bootstrap, partitions)
        time.sleep(QUIET_SECONDS)
        watermarks = settled_watermarks(self.broker.bootstrap, partitions)
        self.tail_committed.ends = {place: watermarks[place].last_stable for place in self.tail_committed.partitions}
        self.tail_all.ends = {place: watermarks[place].high for place in self.tail_all.partitions}
        self._join(self.tails)
        read_committed_offsets(self.broker.bootstrap, self.ledger)
        committed, uncommitted = read_everything(self.broker.bootstrap, watermarks)
        names = topic_names(self.broker.bootstrap)
        restarted_watermarks, restarted = self._restart_twice(partitions)
        return Observation(
            ledger=self.ledger, watermarks=watermarks, committed=committed, uncommitted=uncommitted,
            restarted_watermarks=restarted_watermarks, restarted=restarted,
            live_committed={reader.name: dict(reader.seen)
                            for reader in (self.tail_committed, self.group_committed, self.group_python)},
            live_uncommitted={reader.name: dict(reader.seen) for reader in (self.tail_all, self.group_all)},
            tail_reader=self.tail_committed.name, topic_names=names)

    def _restart_twice(self, partitions: list[TopicPartition]) -> tuple[dict[TopicPartition, Watermarks], Reading]:
        """What is there after an orderly end, which leaves nothing to recover, and after a death without any load."""
        code = self.broker.stop()
        if code != 0:
            raise BrokerFailed(f"did not drain: exit code {code}\n{self.broker.log_tail()}")
        self.broker.spawn()
        if self.broker.wait_until_serving():
            self.broker.kill()
        self.broker.spawn()
        self.broker.wait_until_serving()
        watermarks = settled_watermarks(self.broker.bootstrap, partitions)
        ranges = {place: (marks.start, marks.last_stable) for place, marks in watermarks.items()}
        return watermarks, read_with_confluent(self.broker.bootstrap, ranges, is_committed_only=True)

    def _join(self, workloads: list[Workload]) -> None:
        deadline = time.monotonic() + JOIN_TIMEOUT_SECONDS
        for workload in workloads:
            workload.join(max(0.0, deadline - time.monotonic()))
            if workload.is_alive():
                stack = "".join(traceback.format_stack(sys._current_frames()[workload.ident]))
                self.ledger.client_error(f"{workload.name} does not come to its end:\n{stack}")
            if workload.failure is not None:
                self.ledger.client_error(f"{workload.name} failed:\n{workload.failure}")

    def _pipeline_ends(self) -> dict[int, int]:
        marks = settled_watermarks(self.broker.bootstrap, topics.partitions_of(topics.PIPELINE_IN))
        return {partition: found.high for (_, partition), found in marks.items()}
