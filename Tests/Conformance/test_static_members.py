"""Static members: back in time nothing moves, away too long it does, and a twin fences."""

from __future__ import annotations

import kafka
from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException

from harness.members import ConfluentMember, GroupLedger, describe, wait_for_shares
from harness.waiting import eventually

PARTITIONS = 6


def static_member(cluster, topic: str, group: str, ledger: GroupLedger, name: str, *, session: int) -> ConfluentMember:
    return ConfluentMember(
        name,
        ledger,
        topic,
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": group,
            "group.instance.id": name,
            "session.timeout.ms": session,
            "heartbeat.interval.ms": min(session // 5, 500),
        },
    )


def test_a_static_member_that_returns_in_time_moves_nothing(cluster, group):
    topic = cluster.create_topic(partitions=PARTITIONS)
    ledger = GroupLedger()
    members = [static_member(cluster, topic, group, ledger, name, session=20_000) for name in ("one", "two")]
    for member in members:
        member.start()
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
    before = ledger.owned()
    stays = members[1]
    rebalances = (stays.assigned_count, stays.revoked_count)
    members[0].leave()
    returned = static_member(cluster, topic, group, ledger, "one", session=20_000)
    returned.start()
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
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
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
    gone.leave()
    wait_for_shares(ledger, 1, partitions=PARTITIONS)
    returned = static_member(cluster, topic, group, ledger, "one", session=session)
    returned.start()
    wait_for_shares(ledger, 2, partitions=PARTITIONS)
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
