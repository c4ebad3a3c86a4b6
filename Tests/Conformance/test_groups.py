"""Consumer groups: partitions move between members without loss, overlap or double reading."""

from __future__ import annotations

import threading
import time

import confluent_kafka
import pytest
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor

from harness.clients import CONFLUENT, run_kcat
from harness.members import (
    PATIENT,
    ConfluentMember,
    GroupLedger,
    KafkaPythonMember,
    wait_for_shares,
)
from harness.records import text_records
from harness.waiting import eventually

PARTITIONS = 6


class Flow(threading.Thread):
    """Numbered records to all partitions, a few hundred a second, until `finish`."""

    def __init__(self, bootstrap: str, topic: str):
        super().__init__(daemon=True)
        self.producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self.topic = topic
        self.acknowledged: list[tuple[int, int]] = []
        self._finished = threading.Event()

    def run(self) -> None:
        def on_delivery(error, message):
            assert error is None, error
            self.acknowledged.append((message.partition(), message.offset()))

        number = 0
        while not self._finished.is_set():
            for partition in range(PARTITIONS):
                self.producer.produce(self.topic, str(number).encode(), partition=partition, on_delivery=on_delivery)
            number += 1
            self.producer.poll(0.01)
        assert self.producer.flush(20) == 0

    def finish(self) -> set[tuple[int, int]]:
        self._finished.set()
        self.join(30)
        return set(self.acknowledged)


def confluent_members(assignor: str, **options):
    return lambda cluster, topic, group, ledger: lambda name: ConfluentMember(
        name,
        ledger,
        topic,
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": group,
            "partition.assignment.strategy": assignor,
            **PATIENT,
        },
        **options,
    )


def kafka_python_members(assignor):
    return lambda cluster, topic, group, ledger: lambda name: KafkaPythonMember(
        name,
        ledger,
        topic,
        {
            "bootstrap_servers": cluster.bootstrap,
            "group_id": group,
            "partition_assignment_strategy": (assignor,),
            "session_timeout_ms": 20_000,
            "heartbeat_interval_ms": 200,
        },
    )


@pytest.mark.parametrize(
    "members",
    (
        confluent_members("range"),
        confluent_members("roundrobin"),
        confluent_members("cooperative-sticky"),
        kafka_python_members(RangePartitionAssignor),
        kafka_python_members(CooperativeStickyAssignor),
    ),
    ids=(
        "confluent-range",
        "confluent-roundrobin",
        "confluent-cooperative",
        "kafka-python-range",
        "kafka-python-cooperative",
    ),
)
def test_three_members_join_and_leave_under_load(cluster, group, members):
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    make = members(cluster, topic, group, ledger)
    flow = Flow(cluster.bootstrap, topic)
    flow.start()
    joined = []
    for count in (1, 2, 3):
        joined.append(make(f"member-{count}"))
        joined[-1].start()
        wait_for_shares(ledger, count, partitions=PARTITIONS)
    joined.pop(0).leave()
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
    joined.append(make("member-4"))
    joined[-1].start()
    wait_for_shares(ledger, 3, partitions=PARTITIONS)
    written = flow.finish()
    eventually(lambda: set(ledger.read) >= written, within=30, what="everything is read")
    for member in joined:
        member.prepare_to_leave()
    for member in joined:
        member.leave()
        assert member.failure is None, member.failure
    assert set(ledger.read) == written
    assert ledger.breaches == []
    assert {where: count for where, count in ledger.read.items() if count > 1} == {}


def test_cooperative_members_keep_what_they_keep(cluster, group):
    """A joining member takes two of six partitions; the four others are never revoked."""
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    make = confluent_members("cooperative-sticky")(cluster, topic, group, ledger)
    first, second, third = make("first"), make("second"), make("third")
    first.start()
    wait_for_shares(ledger, 1, partitions=PARTITIONS)
    second.start()
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
    before = ledger.owned()
    third.start()
    wait_for_shares(ledger, 3, partitions=PARTITIONS)
    after = ledger.owned()
    assert after["first"] < before["first"] and after["second"] < before["second"]
    assert (first.revoked_count, second.revoked_count) == (2, 1)
    for member in (first, second, third):
        member.leave()
    assert ledger.breaches == []


def test_a_kcat_group_shares_the_work(cluster, group):
    topic = cluster.create_topic(partitions=2)
    sent = text_records(1, 10)
    CONFLUENT.produce(cluster.bootstrap, topic, sent)
    output = run_kcat(cluster.bootstrap, ["-G", group, "-e", "-f", "%o,", topic], {"auto.offset.reset": "earliest"})
    assert output == b"0,1,2,3,4,5,6,7,8,9,"
    # It commits what it read as it leaves.
    again = run_kcat(cluster.bootstrap, ["-G", group, "-e", "-f", "%o,", topic], {"auto.offset.reset": "earliest"})
    assert again == b""


def test_a_member_that_dies_is_replaced_after_its_session(cluster, group):
    """Its process is gone without a word: the partitions move when the session has passed, not before."""
    topic = cluster.create_topic(partitions=PARTITIONS)
    session = cluster.session_timeout_milliseconds
    dying = subprocess_member(cluster, group, topic, session)
    ledger = GroupLedger()
    survivor = ConfluentMember(
        "survivor",
        ledger,
        topic,
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": group,
            "session.timeout.ms": session,
            "heartbeat.interval.ms": session // 5,
        },
    )
    survivor.start()
    eventually(lambda: len(ledger.owned().get("survivor", ())) == 3, within=40, what="two members share")
    dying.kill()
    dying.wait()
    killed = time.monotonic()
    eventually(lambda: len(ledger.owned().get("survivor", ())) == 6, within=40, what="the survivor owns all")
    assert time.monotonic() - killed > session / 1000 * 0.5
    survivor.leave()


def subprocess_member(cluster, group, topic, session):
    import subprocess

    return subprocess.Popen(
        [
            "kcat",
            "-b",
            cluster.bootstrap,
            "-q",
            "-X",
            f"session.timeout.ms={session}",
            "-X",
            f"heartbeat.interval.ms={session // 5}",
            "-G",
            group,
            topic,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_new_partitions_reach_the_group(cluster, group):
    topic = cluster.create_topic(partitions=2)
    ledger = GroupLedger()
    member = ConfluentMember(
        "only",
        ledger,
        topic,
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": group,
            "topic.metadata.refresh.interval.ms": 300,
            "metadata.max.age.ms": 1000,
            **PATIENT,
        },
    )
    member.start()
    eventually(lambda: ledger.owned() == {"only": {0, 1}}, within=30)
    grown = cluster.admin.create_partitions([confluent_kafka.admin.NewPartitions(topic, 4)])
    grown[topic].result(20)
    eventually(lambda: ledger.owned() == {"only": {0, 1, 2, 3}}, within=30)
    member.leave()


def test_members_return_after_a_restart_of_the_broker(start_broker, group):
    cluster = start_broker()
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    make = confluent_members("cooperative-sticky", may_be_fenced=True)(cluster, topic, group, ledger)
    members = [make(f"member-{number}") for number in range(2)]
    for member in members:
        member.start()
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
    flow = Flow(cluster.bootstrap, topic)
    flow.start()
    eventually(lambda: len(ledger.read) > 100)
    cluster.broker.kill()
    cluster.broker.start()
    before = len(ledger.read)
    eventually(lambda: len(ledger.read) > before + 100, within=40, what="the group reads on")
    written = flow.finish()
    eventually(lambda: set(ledger.read) >= written, within=40, what="everything is read")
    for member in members:
        member.leave()
        assert member.failure is None, member.failure
