"""Committed offsets, and groups as the admin clients see them."""

from __future__ import annotations

import confluent_kafka
import kafka
import pytest
from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from harness.clients import CONFLUENT
from harness.members import PATIENT, ConfluentMember, GroupLedger, describe
from harness.records import text_records
from harness.waiting import eventually


def group_offset(cluster, group: str, topic: str, partition: int = 0) -> TopicPartition:
    request = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition)])
    return cluster.admin.list_consumer_group_offsets([request])[group].result(20).topic_partitions[0]


@pytest.fixture
def idle_consumer(cluster, group, finally_close):
    """In no membership: commits with generation -1."""
    return finally_close(
        confluent_kafka.Consumer(
            {"bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False}
        )
    )


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
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        consumer.subscribe([topic])
        try:
            messages = []
            eventually(
                lambda: messages.extend(consumer.consume(10 - len(messages), 0.5)) or len(messages) == 10, within=30
            )
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
    member = ConfluentMember(
        "only",
        ledger,
        topic,
        {"bootstrap.servers": cluster.bootstrap, "group.id": group, "client.id": "the-client", **PATIENT},
    )
    member.start()
    eventually(lambda: ledger.owned(), within=30)
    found = eventually(lambda: (d := describe(cluster, group)).state == ConsumerGroupState.STABLE and d, within=20)
    assert found.partition_assignor == "range"
    (only,) = found.members
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
    member = ConfluentMember(
        "only", ledger, topic, {"bootstrap.servers": cluster.bootstrap, "group.id": group, **PATIENT}
    )
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
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False}
    )
    for offset in range(50):
        consumer.commit(
            offsets=[TopicPartition(topic, partition, offset + partition, f"m{offset}") for partition in range(3)],
            asynchronous=False,
        )
    getattr(cluster.broker, end)()
    cluster.broker.start()
    found = consumer.committed([TopicPartition(topic, partition) for partition in range(3)], timeout=20)
    assert [(each.offset, each.metadata) for each in found] == [(49 + partition, "m49") for partition in range(3)]
    consumer.close()
