"""What the broker removes, and what it never does: retention by size and by time, compaction, and the default of
keeping everything.
"""

from __future__ import annotations

import random
import time

import confluent_kafka
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from harness.clients import ALL_CLIENTS, COMPRESSIONS, CONFLUENT, KAFKA_PYTHON
from harness.cluster import unique_name
from harness.records import Record, values
from harness.waiting import eventually
from harness.wire import Connection, fetch

pytestmark = pytest.mark.own_broker  # the shared broker looks for work ten times a second; others every few minutes
SEGMENT = {"segment_bytes": 16_384}
YEAR_2013 = 1_357_035_420_000


def ends(cluster, topic: str) -> tuple[int, int]:
    with Connection(cluster.bootstrap) as connection:
        found = fetch(connection, topic, 0)
        if found.error == 1:
            consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "unused"})
            try:
                return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
            finally:
                consumer.close()
        return found.log_start_offset, found.high_watermark


def alter(cluster, topic: str, **settings: object) -> None:
    entries = [
        ConfigEntry(name.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    cluster.admin.incremental_alter_configs([resource])[resource].result(20)


def write(cluster, topic: str, count: int, *, start: int = 0, **fields) -> None:
    """Batches of ten records of 100 bytes."""
    producer_settings = {"batch.num.messages": 10}
    CONFLUENT.produce(
        cluster.bootstrap,
        topic,
        [Record(value=f"{number:0100}".encode(), **fields) for number in range(start, start + count)],
        settings=producer_settings,
    )


def test_everything_is_kept_by_default(cluster):
    topic = cluster.create_topic(**SEGMENT)
    write(cluster, topic, 1000, timestamp=YEAR_2013)
    time.sleep(1.0)
    assert ends(cluster, topic) == (0, 1000)
    assert len(CONFLUENT.consume(cluster.bootstrap, topic)) == 1000


def test_retention_by_size_drops_whole_segments_from_the_front(cluster):
    topic = cluster.create_topic(retention_bytes=50_000, **SEGMENT)
    write(cluster, topic, 2000)
    start, end = eventually(lambda: (found := ends(cluster, topic))[0] > 1000 and found)
    assert end == 2000
    read = CONFLUENT.consume(cluster.bootstrap, topic, offset=start)
    assert [record.offset for record in read] == list(range(start, 2000))
    size = sum(len(record.value) for record in read)
    assert size >= 30_000, f"only {size} bytes are left of the 50,000 to keep"
    time.sleep(0.5)
    assert ends(cluster, topic)[0] == start, "nothing more goes once the limit holds"


def test_retention_by_time_follows_the_records_timestamps(cluster):
    topic = cluster.create_topic(retention_ms=60_000, **SEGMENT)
    write(cluster, topic, 1000, timestamp=YEAR_2013)
    write(cluster, topic, 1000, start=1000)
    start, end = eventually(lambda: (found := ends(cluster, topic))[0] > 0 and found)
    # A segment goes when its newest record is old: the one with records of both kinds stays.
    assert 800 <= start <= 1000 and end == 2000
    time.sleep(0.5)
    assert ends(cluster, topic) == (start, 2000)


def test_a_log_can_expire_altogether_and_goes_on_at_its_offset(cluster):
    topic = cluster.create_topic(**SEGMENT)
    write(cluster, topic, 500, timestamp=YEAR_2013)
    alter(cluster, topic, retention_ms=60_000)
    eventually(lambda: ends(cluster, topic) == (500, 500))
    write(cluster, topic, 10, start=500)
    for client in ALL_CLIENTS:
        assert [record.offset for record in client.consume(cluster.bootstrap, topic, offset=500)] == list(
            range(500, 510)
        )


def test_consumers_read_through_retention(cluster, finally_close):
    """A reader in the middle of a segment that is deleted gets an error or what follows, never garbage."""
    topic = cluster.create_topic(retention_bytes=40_000, **SEGMENT)
    consumer = finally_close(
        confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "unused",
                "auto.offset.reset": "earliest",
                "fetch.message.max.bytes": 2000,
            }
        )
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    seen = []
    for start in range(0, 3000, 500):
        write(cluster, topic, 500, start=start)
        seen += [message for message in consumer.consume(20, 0.2) if not message.error()]
    eventually(
        lambda: seen.extend(m for m in consumer.consume(500, 0.2) if not m.error())
        or (seen and seen[-1].offset() == 2999),
        within=30,
    )
    offsets = [message.offset() for message in seen]
    assert offsets == sorted(set(offsets))
    assert all(message.value() == f"{message.offset():0100}".encode() for message in seen)


# Compaction.

COMPACT = {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": 0.01, "delete_retention_ms": 100, **SEGMENT}


def write_updates(cluster, topic: str, rounds: int, *, keys: int = 50, compression: str = "none") -> None:
    records = [
        Record(key=f"key-{key}".encode(), value=update(round_number, key))
        for round_number in range(rounds)
        for key in range(keys)
    ]
    CONFLUENT.produce(cluster.bootstrap, topic, records, compression=compression, settings={"batch.num.messages": 20})


def update(round_number: int, key: int) -> bytes:
    """The value that a round gives to a key; does not compress, so that segments fill up in every codec."""
    return random.Random(f"{round_number} {key}").randbytes(100)


def latest(records: list[Record]) -> dict[bytes, Record]:
    return {record.key: record for record in records}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compaction_keeps_the_last_value_of_each_key(cluster, compression):
    topic = cluster.create_topic(**COMPACT)
    write_updates(cluster, topic, 40, compression=compression)
    before = CONFLUENT.consume(cluster.bootstrap, topic)
    write_updates(cluster, topic, 1, compression=compression)
    # The active segment is never compacted; what is closed is.
    # Compared with what was written: compaction may have come before the first read already.
    eventually(lambda: len(CONFLUENT.consume(cluster.bootstrap, topic)) < 40 * 50 / 2, within=30)
    for client in (CONFLUENT, KAFKA_PYTHON):
        after = client.consume(cluster.bootstrap, topic)
        assert {key: record.value for key, record in latest(after).items()} == {
            f"key-{key}".encode(): update(0, key) for key in range(50)
        }, client.name
        offsets = [record.offset for record in after]
        assert offsets == sorted(set(offsets)) and offsets[-1] == 2049
    original = {record.offset: record for record in before}
    assert all(original[record.offset] == record for record in after if record.offset in original), "a survivor changed"


def test_tombstones_remove_their_key_and_then_themselves(cluster):
    topic = cluster.create_topic(**COMPACT)
    write_updates(cluster, topic, 10)
    CONFLUENT.produce(
        cluster.bootstrap, topic, [Record(key=f"key-{key}".encode(), value=None) for key in range(0, 50, 2)]
    )
    gone = {f"key-{key}".encode() for key in range(0, 50, 2)}

    def cleaned() -> bool:
        # New data rolls segments, so that what lies before becomes compactable.
        write_filler(cluster, topic)
        keys = set(latest(CONFLUENT.consume(cluster.bootstrap, topic)))
        return not keys & gone and {f"key-{key}".encode() for key in range(1, 50, 2)} <= keys

    eventually(cleaned, within=40)


def write_filler(cluster, topic: str) -> None:
    CONFLUENT.produce(
        cluster.bootstrap, topic, [Record(key=b"filler", value=b"x" * 1000)] * 40, settings={"batch.num.messages": 5}
    )


def test_compaction_keeps_what_a_transaction_committed_and_drops_what_it_aborted(cluster):
    topic = cluster.create_topic(**COMPACT)
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "transactional.id": unique_name("transaction")}
    )
    producer.init_transactions(20)
    for number in range(40):
        producer.begin_transaction()
        for key in range(20):
            producer.produce(topic, f"{number}:{key} ".encode() * 10, f"key-{key}".encode(), partition=0)
        producer.commit_transaction(20) if number % 2 == 0 else producer.abort_transaction(20)

    def compacted() -> bool:
        write_filler(cluster, topic)
        return len([record for record in CONFLUENT.consume(cluster.bootstrap, topic) if record.key != b"filler"]) <= 60

    eventually(compacted, within=40)
    for client in ALL_CLIENTS:
        found = latest(client.consume(cluster.bootstrap, topic, committed_only=True))
        assert {key: record.value for key, record in found.items() if key != b"filler"} == {
            f"key-{key}".encode(): f"38:{key} ".encode() * 10 for key in range(20)
        }, client.name


def test_an_open_transaction_is_not_compacted(cluster):
    topic = cluster.create_topic(**COMPACT)
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "transactional.id": unique_name("transaction")}
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, b"open", b"the key", partition=0)
    assert producer.flush(20) == 0
    for _ in range(5):
        write_filler(cluster, topic)
        CONFLUENT.produce(cluster.bootstrap, topic, [Record(key=b"the key", value=b"outside")])
        time.sleep(0.2)
    assert values(CONFLUENT.consume(cluster.bootstrap, topic))[0] == b"open"
    # From the commit on, "outside" is the newer value of its key, and what kept "open" is over: compaction ran all the time.
    producer.commit_transaction(20)
    eventually(lambda: b"open" not in values(CONFLUENT.consume(cluster.bootstrap, topic, committed_only=True)), within=40)
    assert b"outside" in values(CONFLUENT.consume(cluster.bootstrap, topic, committed_only=True))


def test_a_compacted_topic_refuses_records_without_a_key(cluster):
    topic = cluster.create_topic(**COMPACT)
    with pytest.raises(Exception) as raised:
        CONFLUENT.produce(cluster.bootstrap, topic, [Record(value=b"no key")])
    assert raised.value.args[0].code() == 87
    KAFKA_PYTHON.produce(cluster.bootstrap, topic, [Record(value=b"v", key=b"k")])


def test_idempotent_producers_go_on_after_their_records_were_compacted_away(cluster):
    topic = cluster.create_topic(**COMPACT)
    failures = []
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "linger.ms": 0}
    )
    for round_number in range(30):
        for _ in range(20):
            producer.produce(
                topic, b"x" * 200, b"same", partition=0, on_delivery=lambda error, _: error and failures.append(error)
            )
        assert producer.flush(20) == 0
        if round_number % 10 == 9:
            time.sleep(0.3)
    assert failures == []
    assert values(CONFLUENT.consume(cluster.bootstrap, topic))[-1] == b"x" * 200


def test_compaction_survives_the_end_of_the_broker(start_broker):
    cluster = start_broker()
    topic = cluster.create_topic(**COMPACT)
    write_updates(cluster, topic, 40)
    eventually(lambda: len(CONFLUENT.consume(cluster.bootstrap, topic)) < 1000, within=30)
    before = latest(CONFLUENT.consume(cluster.bootstrap, topic))
    cluster.broker.kill()
    cluster.broker.start()
    assert latest(CONFLUENT.consume(cluster.bootstrap, topic)) == before
