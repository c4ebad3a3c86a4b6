"""Consumer groups: partitions move between members without loss, overlap or double reading; static members; offsets; admin."""
from __future__ import annotations

import threading
import time

import confluent_kafka
import kafka
import pytest
from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor

from harness.clients import CONFLUENT, run_kcat
from harness.members import ConfluentMember, GroupLedger, KafkaPythonMember
from harness.records import text_records
from harness.waiting import eventually

PARTITIONS = 6
# No expiry in the rebalance tests: members leave by themselves, and a loaded machine must not evict one.
PATIENT = {"session.timeout.ms": 20_000, "heartbeat.interval.ms": 200}


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


def confluent_members(assignor: str):
    return lambda cluster, topic, group, ledger: lambda name: ConfluentMember(name, ledger, topic, {
        "bootstrap.servers": cluster.bootstrap, "group.id": group, "partition.assignment.strategy": assignor, **PATIENT})


def kafka_python_members(assignor):
    return lambda cluster, topic, group, ledger: lambda name: KafkaPythonMember(name, ledger, topic, {
        "bootstrap_servers": cluster.bootstrap, "group_id": group, "partition_assignment_strategy": (assignor,),
        "session_timeout_ms": 20_000, "heartbeat_interval_ms": 200})


@pytest.mark.parametrize("members", (
    confluent_members("range"), confluent_members("roundrobin"), confluent_members("cooperative-sticky"),
    kafka_python_members(RangePartitionAssignor), kafka_python_members(CooperativeStickyAssignor),
), ids=("confluent-range", "confluent-roundrobin", "confluent-cooperative", "kafka-python-range", "kafka-python-cooperative"))
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
        wait_for_shares(ledger, count)
    joined.pop(0).leave()
    wait_for_shares(ledger, 2)
    joined.append(make("member-4"))
    joined[-1].start()
    wait_for_shares(ledger, 3)
    written = flow.finish()
    eventually(lambda: set(ledger.read) >= written, within=30, what="everything is read")
    for member in joined:
        member.leave()
        assert member.failure is None, member.failure
    assert set(ledger.read) == written
    assert ledger.breaches == []
    assert {where: count for where, count in ledger.read.items() if count > 1} == {}


def wait_for_shares(ledger: GroupLedger, members: int) -> None:
    """Until every partition is owned and `members` members own equal shares."""
    def shared() -> bool:
        assert ledger.failures == []
        owned = ledger.owned()
        return len(owned) == members and all(len(share) == PARTITIONS // members for share in owned.values())

    eventually(shared, within=40, what=f"{members} members share {PARTITIONS} partitions")


def test_cooperative_members_keep_what_they_keep(cluster, group):
    """A joining member takes two of six partitions; the four others are never revoked."""
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    make = confluent_members("cooperative-sticky")(cluster, topic, group, ledger)
    first, second, third = make("first"), make("second"), make("third")
    first.start()
    wait_for_shares(ledger, 1)
    second.start()
    wait_for_shares(ledger, 2)
    before = ledger.owned()
    third.start()
    wait_for_shares(ledger, 3)
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
    survivor = ConfluentMember("survivor", ledger, topic, {
        "bootstrap.servers": cluster.bootstrap, "group.id": group, "session.timeout.ms": session,
        "heartbeat.interval.ms": session // 5})
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

    return subprocess.Popen(["kcat", "-b", cluster.bootstrap, "-q", "-X", f"session.timeout.ms={session}", "-X",
                             f"heartbeat.interval.ms={session // 5}", "-G", group, topic],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_new_partitions_reach_the_group(cluster, group):
    topic = cluster.create_topic(partitions=2)
    ledger = GroupLedger()
    member = ConfluentMember("only", ledger, topic, {
        "bootstrap.servers": cluster.bootstrap, "group.id": group, "topic.metadata.refresh.interval.ms": 300,
        "metadata.max.age.ms": 1000, **PATIENT})
    member.start()
    eventually(lambda: ledger.owned() == {"only": {0, 1}}, within=30)
    grown = cluster.admin.create_partitions([confluent_kafka.admin.NewPartitions(topic, 4)])
    grown[topic].result(20)
    eventually(lambda: ledger.owned() == {"only": {0, 1, 2, 3}}, within=30)
    member.leave()


# Static members.


def static_member(cluster, topic: str, group: str, ledger: GroupLedger, name: str, *, session: int) -> ConfluentMember:
    return ConfluentMember(name, ledger, topic, {
        "bootstrap.servers": cluster.bootstrap, "group.id": group, "group.instance.id": name, "session.timeout.ms": session,
        "heartbeat.interval.ms": min(session // 5, 500)})


def test_a_static_member_that_returns_in_time_moves_nothing(cluster, group):
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    members = [static_member(cluster, topic, group, ledger, name, session=20_000) for name in ("one", "two")]
    for member in members:
        member.start()
    wait_for_shares(ledger, 2)
    before = ledger.owned()
    stays = members[1]
    rebalances = (stays.assigned_count, stays.revoked_count)
    members[0].leave()
    returned = static_member(cluster, topic, group, ledger, "one", session=20_000)
    returned.start()
    wait_for_shares(ledger, 2)
    assert ledger.owned() == before
    assert (stays.assigned_count, stays.revoked_count) == rebalances, "the other member saw a rebalance"
    for member in (returned, stays):
        member.leave()
    assert ledger.breaches == []


def test_a_static_member_that_stays_away_loses_its_partitions(cluster, group):
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    session = cluster.session_timeout_milliseconds
    gone, stays = (static_member(cluster, topic, group, ledger, name, session=session) for name in ("one", "two"))
    gone.start()
    stays.start()
    wait_for_shares(ledger, 2)
    gone.leave()
    wait_for_shares(ledger, 1)
    returned = static_member(cluster, topic, group, ledger, "one", session=session)
    returned.start()
    wait_for_shares(ledger, 2)
    for member in (returned, stays):
        member.leave()
    assert ledger.breaches == []


def test_a_second_process_with_the_same_instance_id_fences_the_first(cluster, group, topic):
    # Two ledgers: the overlap of the two is what the test makes.
    first = static_member(cluster, topic, group, GroupLedger(), "twin", session=20_000)
    first.start()
    eventually(lambda: first.assigned_count == 1, within=30)
    ledger = GroupLedger()
    second = static_member(cluster, topic, group, ledger, "twin", session=20_000)
    second.start()
    eventually(lambda: ledger.owned(), within=30, what="the second owns the partition")
    eventually(lambda: not first.is_alive(), within=30, what="the first ends")
    assert isinstance(first.failure, KafkaException)
    assert first.failure.args[0].code() in (KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL)
    second.leave()
    assert second.failure is None


def test_a_static_member_is_removed_by_its_instance_id(cluster, group, topic):
    """As an operator does after scaling down: without it the partitions wait for the session."""
    ledger = GroupLedger()
    gone = static_member(cluster, topic, group, ledger, "gone", session=30_000)
    gone.start()
    eventually(lambda: ledger.owned(), within=30)
    gone.leave()
    assert len(describe(cluster, group).members) == 1
    admin = cluster.kafka_python_admin()
    try:
        admin.remove_group_members(group, [kafka.admin.MemberToRemove(group_instance_id="gone")])
    finally:
        admin.close()
    assert describe(cluster, group).state == ConsumerGroupState.EMPTY


# Offsets and the admin view.


def describe(cluster, group: str):
    return cluster.admin.describe_consumer_groups([group])[group].result(20)


def group_offset(cluster, group: str, topic: str, partition: int = 0) -> TopicPartition:
    request = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition)])
    return cluster.admin.list_consumer_group_offsets([request])[group].result(20).topic_partitions[0]


@pytest.fixture
def idle_consumer(cluster, group, finally_close):
    """In no membership: commits with generation -1."""
    return finally_close(confluent_kafka.Consumer({
        "bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False}))


def test_committed_offsets_and_their_metadata_come_back(cluster, topic, group, idle_consumer):
    assert idle_consumer.committed([TopicPartition(topic, 0)], timeout=20)[0].offset == confluent_kafka.OFFSET_INVALID
    idle_consumer.commit(offsets=[TopicPartition(topic, 0, 17, "note")], asynchronous=False)
    found = idle_consumer.committed([TopicPartition(topic, 0)], timeout=20)[0]
    assert (found.offset, found.metadata) == (17, "note")
    assert group_offset(cluster, group, topic).offset == 17
    other = kafka.KafkaConsumer(bootstrap_servers=cluster.bootstrap, group_id=group)
    try:
        assert other.committed(kafka.TopicPartition(topic, 0)) == 17
    finally:
        other.close()


def test_groups_do_not_share_offsets(cluster, topic, group, idle_consumer):
    idle_consumer.commit(offsets=[TopicPartition(topic, 0, 5)], asynchronous=False)
    assert group_offset(cluster, group + "-other", topic).offset == confluent_kafka.OFFSET_INVALID


def test_a_consumer_continues_where_its_group_was(cluster, topic, group):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 20))
    for expected in (range(10), range(10, 20)):
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": cluster.bootstrap, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.subscribe([topic])
        try:
            messages = []
            eventually(lambda: messages.extend(consumer.consume(10 - len(messages), 0.5)) or len(messages) == 10, within=30)
            assert [message.offset() for message in messages] == list(expected)
            consumer.commit(message=messages[-1], asynchronous=False)
        finally:
            consumer.close()


def test_lag_read_by_the_admin_client(cluster, topic, group, idle_consumer):
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 20))
    idle_consumer.commit(offsets=[TopicPartition(topic, 0, 12)], asynchronous=False)
    latest = cluster.admin.list_offsets({TopicPartition(topic, 0): confluent_kafka.admin.OffsetSpec.latest()})
    end = next(iter(latest.values())).result(20).offset
    assert end - group_offset(cluster, group, topic).offset == 8


def test_groups_are_listed_described_and_deleted(cluster, topic, group):
    ledger = GroupLedger()
    member = ConfluentMember("only", ledger, topic, {
        "bootstrap.servers": cluster.bootstrap, "group.id": group, "client.id": "the-client", **PATIENT})
    member.start()
    eventually(lambda: ledger.owned(), within=30)
    found = eventually(lambda: (d := describe(cluster, group)).state == ConsumerGroupState.STABLE and d, within=20)
    assert found.partition_assignor == "range"
    only, = found.members
    assert only.client_id == "the-client" and only.host
    assert [(each.topic, each.partition) for each in only.assignment.topic_partitions] == [(topic, 0)]
    listed = {each.group_id: each.state for each in cluster.admin.list_consumer_groups().result().valid}
    assert listed[group] == ConsumerGroupState.STABLE
    with pytest.raises(KafkaException) as raised:
        cluster.admin.delete_consumer_groups([group])[group].result(20)
    assert raised.value.args[0].code() == KafkaError.NON_EMPTY_GROUP
    member.leave()
    assert describe(cluster, group).state == ConsumerGroupState.EMPTY
    cluster.admin.delete_consumer_groups([group])[group].result(20)
    assert describe(cluster, group).state == ConsumerGroupState.DEAD
    assert group_offset(cluster, group, topic).offset == confluent_kafka.OFFSET_INVALID


def test_listing_by_state(cluster, topic, group, idle_consumer):
    idle_consumer.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    names = lambda states: {each.group_id for each in cluster.admin.list_consumer_groups(states=states).result().valid}
    assert group in names({ConsumerGroupState.EMPTY})
    assert group not in names({ConsumerGroupState.STABLE})


def test_deleting_an_unknown_group_is_an_error(cluster, group):
    with pytest.raises(KafkaException) as raised:
        cluster.admin.delete_consumer_groups([group])[group].result(20)
    assert raised.value.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND


def test_offsets_are_reset_only_while_nobody_is_in_the_group(cluster, topic, group):
    ledger = GroupLedger()
    member = ConfluentMember("only", ledger, topic, {"bootstrap.servers": cluster.bootstrap, "group.id": group, **PATIENT})
    member.start()
    eventually(lambda: ledger.owned(), within=30)
    request = [ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 3)])]
    with pytest.raises(KafkaException):
        result = cluster.admin.alter_consumer_group_offsets(request)[group].result(20)
        assert all(each.error is None for each in result.topic_partitions), raise_first(result)
    member.leave()
    cluster.admin.alter_consumer_group_offsets(request)[group].result(20)
    assert group_offset(cluster, group, topic).offset == 3


def raise_first(result):
    raise KafkaException(next(each.error for each in result.topic_partitions if each.error))


@pytest.mark.parametrize("end", ("kill", "stop"))
def test_offsets_survive_the_end_of_the_broker(start_broker, group, end):
    cluster = start_broker()
    topic = cluster.create_topic(partitions=3)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False})
    for offset in range(50):
        consumer.commit(offsets=[TopicPartition(topic, partition, offset + partition, f"m{offset}") for partition in range(3)],
                        asynchronous=False)
    getattr(cluster.broker, end)()
    cluster.broker.start()
    found = consumer.committed([TopicPartition(topic, partition) for partition in range(3)], timeout=20)
    assert [(each.offset, each.metadata) for each in found] == [(49 + partition, "m49") for partition in range(3)]
    consumer.close()


def test_members_return_after_a_restart_of_the_broker(start_broker, group):
    cluster = start_broker()
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    make = confluent_members("cooperative-sticky")(cluster, topic, group, ledger)
    members = [make(f"member-{number}") for number in range(2)]
    for member in members:
        member.start()
    wait_for_shares(ledger, 2)
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
