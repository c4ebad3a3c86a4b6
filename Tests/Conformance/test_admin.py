"""Topics, partitions, configurations and the cluster, by the admin clients."""

from __future__ import annotations

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
)
from kafka.admin import NewTopic as KafkaPythonTopic

from harness.clients import ALL_CLIENTS, CONFLUENT, KAFKA_PYTHON, run_kcat
from harness.cluster import Cluster, unique_name
from harness.records import Record, text_records, values
from harness.waiting import eventually
from harness.wire import Batch, Connection, fetch, produce, topic_id


def error_code(future) -> int:
    with pytest.raises(KafkaException) as raised:
        future.result(20)
    return raised.value.args[0].code()


def partition_count(cluster: Cluster, topic: str) -> int:
    return len(cluster.admin.list_topics(topic, timeout=20).topics[topic].partitions)


def config_of(cluster: Cluster, topic: str) -> dict[str, ConfigEntry]:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return cluster.admin.describe_configs([resource])[resource].result(20)


def test_topics_are_created_listed_described_and_deleted(cluster):
    topic = cluster.create_topic(partitions=3, retention_ms=12345)
    found = cluster.admin.list_topics(timeout=20).topics[topic]
    assert sorted(found.partitions) == [0, 1, 2] and all(each.error is None for each in found.partitions.values())
    described = cluster.admin.describe_topics(TopicCollection([topic]))[topic].result(20)
    assert len(described.partitions) == 3 and not described.is_internal
    assert config_of(cluster, topic)["retention.ms"].value == "12345"
    assert topic in run_kcat(cluster.bootstrap, ["-L", "-J"]).decode()
    cluster.delete_topic(topic)
    eventually(lambda: topic not in cluster.admin.list_topics(timeout=20).topics)
    assert error_code(cluster.admin.delete_topics([topic])[topic]) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_kafka_python_creates_and_deletes(cluster):
    topic = unique_name("topic")
    admin = cluster.kafka_python_admin()
    try:
        admin.create_topics([KafkaPythonTopic(topic, 2, 1, topic_configs={"max.message.bytes": "5000"})])
        assert partition_count(cluster, topic) == 2
        assert config_of(cluster, topic)["max.message.bytes"].value == "5000"
        assert topic in admin.list_topics()
        admin.delete_topics([topic])
        eventually(lambda: topic not in cluster.admin.list_topics(timeout=20).topics)
    finally:
        admin.close()


@pytest.mark.parametrize(
    "arguments, code",
    (
        ({"topic": "", "num_partitions": 1}, KafkaError.TOPIC_EXCEPTION),
        ({"topic": "a b", "num_partitions": 1}, KafkaError.TOPIC_EXCEPTION),
        ({"topic": "../../etc", "num_partitions": 1}, KafkaError.TOPIC_EXCEPTION),
        ({"topic": "..", "num_partitions": 1}, KafkaError.TOPIC_EXCEPTION),
        ({"topic": "x" * 250, "num_partitions": 1}, KafkaError.TOPIC_EXCEPTION),
        ({"topic": "zero", "num_partitions": 0}, KafkaError.INVALID_PARTITIONS),
        ({"topic": "replicas", "num_partitions": 1, "replication_factor": 99}, KafkaError.INVALID_REPLICATION_FACTOR),
        ({"topic": "config", "num_partitions": 1, "config": {"no.such.config": "1"}}, KafkaError.INVALID_CONFIG),
        ({"topic": "config", "num_partitions": 1, "config": {"retention.ms": "soon"}}, KafkaError.INVALID_CONFIG),
        ({"topic": "config", "num_partitions": 1, "config": {"cleanup.policy": "burn"}}, KafkaError.INVALID_CONFIG),
    ),
)
def test_invalid_topics_are_refused(cluster, arguments, code):
    try:
        topic = NewTopic(**{"replication_factor": 1, **arguments})
        future = cluster.admin.create_topics([topic])[arguments["topic"]]
    except (ValueError, TypeError, KafkaException):
        pytest.skip("the client itself refuses it")
    assert error_code(future) == code
    assert arguments["topic"] not in cluster.admin.list_topics(timeout=20).topics


def test_a_topic_is_created_once(cluster, topic):
    assert error_code(cluster.admin.create_topics([NewTopic(topic, 1, 1)])[topic]) == KafkaError.TOPIC_ALREADY_EXISTS


def test_validate_only_creates_nothing(cluster, topic):
    name = unique_name("topic")
    cluster.admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)[name].result(20)
    assert name not in cluster.admin.list_topics(timeout=20).topics
    assert (
        error_code(cluster.admin.create_topics([NewTopic(topic, 1, 1)], validate_only=True)[topic])
        == KafkaError.TOPIC_ALREADY_EXISTS
    )


def test_one_bad_topic_does_not_stop_the_others(cluster, topic):
    name = unique_name("topic")
    results = cluster.admin.create_topics([NewTopic(topic, 1, 1), NewTopic(name, 1, 1)])
    assert error_code(results[topic]) == KafkaError.TOPIC_ALREADY_EXISTS
    results[name].result(20)
    assert name in cluster.admin.list_topics(timeout=20).topics


def test_a_recreated_topic_is_another_topic(cluster):
    topic = cluster.create_topic()
    first_id = topic_id(cluster.bootstrap, topic)
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 50))
    cluster.delete_topic(topic)
    recreate(cluster, topic)
    second_id = topic_id(cluster.bootstrap, topic)
    assert first_id != second_id and second_id.int != 0
    for client in ALL_CLIENTS:
        assert client.consume(cluster.bootstrap, topic) == [], client.name
    KAFKA_PYTHON.produce(cluster.bootstrap, topic, [Record(value=b"fresh")])
    assert [(record.offset, record.value) for record in CONFLUENT.consume(cluster.bootstrap, topic)] == [(0, b"fresh")]


def recreate(cluster: Cluster, topic: str, partitions: int = 1) -> None:
    """Apache Kafka deletes in the background: asks until the name is free."""

    def created() -> bool:
        try:
            cluster.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(20)
            return True
        except KafkaException as error:
            assert error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
            return False

    eventually(created)


def test_group_offsets_do_not_outlive_their_topic(cluster, group, finally_close):
    topic = cluster.create_topic()
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 50))
    consumer = finally_close(confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group}))
    consumer.commit(offsets=[TopicPartition(topic, 0, 30)], asynchronous=False)
    cluster.delete_topic(topic)
    recreate(cluster, topic)
    eventually(
        lambda: consumer.committed([TopicPartition(topic, 0)], timeout=20)[0].offset == confluent_kafka.OFFSET_INVALID
    )


def test_a_consumer_lives_through_delete_and_recreate(cluster, finally_close):
    topic = cluster.create_topic()
    CONFLUENT.produce(cluster.bootstrap, topic, text_records(1, 50))
    consumer = finally_close(
        confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "unused",
                "auto.offset.reset": "earliest",
                "topic.metadata.refresh.interval.ms": 200,
            }
        )
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert len(consumer.consume(50, 20)) == 50
    cluster.delete_topic(topic)
    recreate(cluster, topic)
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"fresh")])
    values_seen = lambda: [message.value() for message in consumer.consume(10, 0.2) if not message.error()]
    eventually(lambda: b"fresh" in values_seen(), within=40)


def test_partitions_grow_and_never_shrink(cluster, topic):
    cluster.admin.create_partitions([NewPartitions(topic, 4)])[topic].result(20)
    eventually(lambda: partition_count(cluster, topic) == 4)
    CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"x", partition=3)])
    assert values(KAFKA_PYTHON.consume(cluster.bootstrap, topic, partition=3)) == [b"x"]
    assert (
        error_code(cluster.admin.create_partitions([NewPartitions(topic, 2)])[topic]) == KafkaError.INVALID_PARTITIONS
    )
    assert (
        error_code(cluster.admin.create_partitions([NewPartitions(topic, 4)])[topic]) == KafkaError.INVALID_PARTITIONS
    )
    assert (
        error_code(cluster.admin.create_partitions([NewPartitions("no-such-topic", 2)])["no-such-topic"])
        == KafkaError.UNKNOWN_TOPIC_OR_PART
    )


def test_defaults_and_set_values_are_told_apart(cluster):
    topic = cluster.create_topic(retention_ms=1000)
    entries = config_of(cluster, topic)
    assert entries["retention.ms"].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    assert entries["cleanup.policy"].value == "delete"
    assert entries["cleanup.policy"].source != ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    for name in (
        "segment.bytes",
        "retention.bytes",
        "max.message.bytes",
        "message.timestamp.type",
        "compression.type",
        "min.insync.replicas",
        "delete.retention.ms",
    ):
        assert name in entries


def test_incremental_alteration_touches_only_what_it_names(cluster):
    topic = cluster.create_topic(retention_ms=1000, max_message_bytes=7777)
    alter(cluster, topic, ("retention.ms", "2000", AlterConfigOpType.SET))
    entries = config_of(cluster, topic)
    assert (entries["retention.ms"].value, entries["max.message.bytes"].value) == ("2000", "7777")
    alter(cluster, topic, ("retention.ms", None, AlterConfigOpType.DELETE))
    entries = config_of(cluster, topic)
    assert entries["retention.ms"].source != ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    assert entries["max.message.bytes"].value == "7777"
    alter(cluster, topic, ("cleanup.policy", "compact", AlterConfigOpType.APPEND))
    assert set(config_of(cluster, topic)["cleanup.policy"].value.split(",")) == {"delete", "compact"}
    alter(cluster, topic, ("cleanup.policy", "delete", AlterConfigOpType.SUBTRACT))
    assert config_of(cluster, topic)["cleanup.policy"].value == "compact"


def alter(cluster: Cluster, topic: str, *changes: tuple[str, str | None, AlterConfigOpType]) -> None:
    entries = [ConfigEntry(name, value, incremental_operation=operation) for name, value, operation in changes]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    cluster.admin.incremental_alter_configs([resource])[resource].result(20)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_plain_alteration_replaces_everything(cluster):
    topic = cluster.create_topic(retention_ms=1000, max_message_bytes=7777)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={"retention.ms": "3000"})
    cluster.admin.alter_configs([resource])[resource].result(20)
    entries = config_of(cluster, topic)
    assert entries["retention.ms"].value == "3000"
    assert entries["max.message.bytes"].source != ConfigSource.DYNAMIC_TOPIC_CONFIG.value


def test_invalid_alterations_change_nothing(cluster, topic):
    for name, value in (("retention.ms", "never"), ("no.such.config", "1"), ("cleanup.policy", "burn")):
        with pytest.raises(KafkaException) as raised:
            alter(cluster, topic, (name, value, AlterConfigOpType.SET))
        assert raised.value.args[0].code() in (KafkaError.INVALID_CONFIG, KafkaError.INVALID_REQUEST)
    assert config_of(cluster, topic)["cleanup.policy"].value == "delete"
    with pytest.raises(KafkaException) as raised:
        alter(cluster, "no-such-topic", ("retention.ms", "1", AlterConfigOpType.SET))
    assert raised.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_an_altered_limit_holds_at_once(cluster, topic):
    alter(cluster, topic, ("max.message.bytes", "1000", AlterConfigOpType.SET))
    with Connection(cluster.bootstrap) as connection:
        assert produce(connection, topic, Batch(records=[(None, b"x" * 2000)])).error == 10
        assert produce(connection, topic, Batch(records=[(None, b"x" * 200)])).error == 0


def test_the_cluster_describes_itself(cluster):
    described = cluster.admin.describe_cluster().result(20)
    assert described.cluster_id and described.controller is not None
    assert cluster.bootstrap in {f"{node.host}:{node.port}" for node in described.nodes}
    listed = cluster.admin.list_topics(timeout=20)
    assert listed.cluster_id == described.cluster_id and listed.controller_id in listed.brokers
    resource = ConfigResource(ConfigResource.Type.BROKER, str(described.controller.id))
    assert cluster.admin.describe_configs([resource])[resource].result(20)


def test_auto_creation_follows_its_switch(start_broker):
    cluster = start_broker({"auto.create.topics.enable": "true", "num.partitions": 3})
    CONFLUENT.produce(cluster.bootstrap, "made-by-a-producer", [Record(value=b"x")])
    assert partition_count(cluster, "made-by-a-producer") == 3
    with Connection(cluster.bootstrap) as connection:
        assert fetch(connection, "made-by-a-producer", 0).high_watermark == 1
    cluster = start_broker({"auto.create.topics.enable": "false"})
    with pytest.raises(KafkaException):
        CONFLUENT.produce(cluster.bootstrap, "never-made", [Record(value=b"x")], settings={"message.timeout.ms": 2000})
    assert "never-made" not in cluster.admin.list_topics(timeout=20).topics


def test_a_client_may_forbid_auto_creation(start_broker, group, finally_close):
    """librdkafka consumers do, unless told otherwise."""
    cluster = start_broker({"auto.create.topics.enable": "true"})
    consumer = finally_close(confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group}))
    consumer.subscribe(["only-read"])
    assert consumer.poll(20).error().code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert "only-read" not in cluster.admin.list_topics(timeout=20).topics


@pytest.mark.parametrize("end", ("kill", "stop"))
def test_topics_and_configs_survive_the_end_of_the_broker(start_broker, end):
    cluster = start_broker()
    kept = cluster.create_topic(partitions=3, retention_ms=777)
    deleted = cluster.create_topic()
    CONFLUENT.produce(cluster.bootstrap, deleted, text_records(1, 10))
    alter(cluster, kept, ("max.message.bytes", "5555", AlterConfigOpType.SET))
    cluster.admin.create_partitions([NewPartitions(kept, 5)])[kept].result(20)
    cluster.delete_topic(deleted)
    before = topic_id(cluster.bootstrap, kept), cluster.admin.describe_cluster().result(20).cluster_id
    getattr(cluster.broker, end)()
    cluster.broker.start()
    assert (topic_id(cluster.bootstrap, kept), cluster.admin.describe_cluster().result(20).cluster_id) == before
    assert deleted not in cluster.admin.list_topics(timeout=20).topics
    assert partition_count(cluster, kept) == 5
    entries = config_of(cluster, kept)
    assert (entries["retention.ms"].value, entries["max.message.bytes"].value) == ("777", "5555")
