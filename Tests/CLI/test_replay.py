"""`headrace replay`: events of the past, counted or published again, each once."""

import json
import signal
import time

import confluent_kafka
import confluent_kafka.admin
import deltalake
import pytest
from conftest import CLI, SAMPLES
from test_worker import worker  # noqa: F401  (a fixture)
from topology_files import write

TOPIC = "flights.departures"
RECORDS = 26_308
PARTITIONS = 2


class Past:
    """A log whose events are all archived, and the folder with the tables."""

    def __init__(self, cli, broker, file, data):
        self.cli, self.broker, self.file, self.data = cli, broker, file, data

    def replay(self, *arguments, **options):
        flags = ["--topology", self.file, "--data", self.data, "--nice", "0", "--output", "json"]
        return self.cli("replay", *flags, *arguments, timeout=180, **options)

    def read(self, topic):
        """Records by partition, as a transactional reader sees them: time, key, value, headers."""
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": self.broker.address,
                "group.id": "reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        count = len(consumer.list_topics(topic, 10).topics[topic].partitions)
        consumer.assign([confluent_kafka.TopicPartition(topic, n, 0) for n in range(count)])
        found, open_ = {n: [] for n in range(count)}, set(range(count))
        deadline = time.monotonic() + 60
        while open_:
            assert time.monotonic() < deadline
            for message in consumer.consume(10_000, 0.2):
                if message.error():
                    assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                    open_.discard(message.partition())
                    continue
                found[message.partition()].append(message)
        consumer.close()
        return found

    def forget(self, share):
        """Takes the oldest records out of the log."""
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.broker.address})
        offsets = []
        for partition in range(PARTITIONS):
            request = {confluent_kafka.TopicPartition(TOPIC, partition): confluent_kafka.admin.OffsetSpec.latest()}
            end = next(iter(admin.list_offsets(request).values())).result(20).offset
            offsets.append(confluent_kafka.TopicPartition(TOPIC, partition, int(end * share)))
        for future in admin.delete_records(offsets).values():
            future.result(20)


def start_past(own_broker, tmp_path, worker):
    broker = own_broker()
    cli = CLI(broker.address)
    cli.publish(
        TOPIC, SAMPLES / "departures.jsonl.gz", "--key", "carrier", "--event-time", "ts", "--partitions", PARTITIONS
    )
    file = write(tmp_path)
    data = tmp_path / "state"
    running = worker(cli, "run", file, "--data", data, "--checkpoint-interval", "200ms", "--table-freshness", "100ms")
    running.wait_until_applied(TOPIC, RECORDS)
    assert running.stop() == 0
    return Past(cli, broker, file, data)


@pytest.fixture
def past(own_broker, tmp_path, worker):
    return start_past(own_broker, tmp_path, worker)


def documents(messages):
    return [json.loads(message.value()) for message in messages]


def source_offsets(messages):
    offsets = {}
    for message in messages:
        place = dict(message.headers())["headrace-src"].decode()
        name, _, offset = place.rpartition("@")
        offsets.setdefault(name, []).append(int(offset))
    return offsets


def expect_copy(past, target, originals, partitions=PARTITIONS):
    """Every event once: same key, same time, same values, in the order of its partition, where its key belongs."""
    copies = past.read(target)
    by_place = {}
    for messages in copies.values():
        # Batches come in the order of the log.
        for offsets in source_offsets(messages).values():
            assert offsets == sorted(offsets)
        for message in messages:
            place = dict(message.headers())["headrace-src"].decode()
            assert place not in by_place, f"{place} came twice"
            by_place[place] = message
    expected = {f"{TOPIC}/{m.partition()}@{m.offset()}": m for messages in originals.values() for m in messages}
    assert by_place.keys() == expected.keys()
    for place, copy in by_place.items():
        original = expected[place]
        assert copy.key() == original.key() and copy.timestamp() == original.timestamp()
        assert json.loads(copy.value()) == json.loads(original.value()), place
        if partitions == PARTITIONS:
            assert copy.partition() == original.partition()


def test_a_dry_run_counts_and_writes_nothing(past):
    everything = past.replay("--read", "archive").json
    assert everything["read"] == RECORDS and everything["into"] is None
    source = everything["sources"][0]
    assert source["outcomes"]["applied"] + source["outcomes"]["repaired"] + source["outcomes"]["late"] == RECORDS
    assert source["from_archive"] == RECORDS and source["from_log"] == 0
    log = past.replay("--read", "log").json
    assert log["sources"][0]["outcomes"]["valid"] == RECORDS and log["sources"][0]["from_log"] == RECORDS
    # A part, by event time: as many from either, and as many as there are.
    messages = [m for part in past.read(TOPIC).values() for m in part]
    first, last = "2013-01-05", "2013-01-08T06:00:00Z"
    begin, end = 1_357_344_000_000, 1_357_624_800_000
    count = sum(1 for document in documents(messages) if begin <= document["ts"] < end)
    assert count > 1_000
    for reading in ("archive", "log", "auto"):
        assert past.replay("--read", reading, "--from", first, "--to", last).json["read"] == count
        assert past.replay("--read", reading, "--from", first, "--to", last, "--by", "known").json["read"] == count
    # The archive, and from its end on the log.
    past.cli.publish(TOPIC, SAMPLES / "departures.jsonl.gz", "--key", "carrier", "--event-time", "ts")
    both = past.replay().json["sources"][0]
    assert both["from_archive"] == RECORDS and both["from_log"] == RECORDS


def test_a_topic_gets_every_event_once(past):
    originals = past.read(TOPIC)
    for reading in ("archive", "log"):
        target = f"again.{reading}"
        report = past.replay("--into", target, "--read", reading, "--rate", "1M/s").json
        assert report["published"] == RECORDS and report["done"] and not report["resumed"]
        expect_copy(past, target, originals)
        if reading == "log":
            for partition, messages in past.read(target).items():
                assert [m.value() for m in messages] == [m.value() for m in originals[partition]]
        # Done is done, until somebody wants it again.
        result = past.replay("--into", target, "--read", reading, "--rate", "1M/s")
        assert result.json["published"] == 0 and "--again" in result.err
    past.replay("--into", "again.archive", "--read", "archive", "--rate", "1M/s", "--again")
    assert sum(len(messages) for messages in past.read("again.archive").values()) == 2 * RECORDS


def test_kill_9_and_ctrl_c_lose_and_double_nothing(past):
    originals = past.read(TOPIC)
    arguments = ["replay", "--topology", past.file, "--data", past.data, "--into", "killed", "--rate", "20k/s"]
    arguments += ["--nice", "0"]
    for point in ("replay.before-end:2", "replay.after-end:3", "delay"):
        past.cli.environment["HEADRACE_KILL_AT"] = point
        process = past.cli.start(*arguments)
        if point == "delay":
            deadline = time.monotonic() + 60
            seen = committed(past)
            while committed(past) == seen:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.02)
            process.kill()
        past.cli.finish(process)
        assert process.returncode == -signal.SIGKILL
    del past.cli.environment["HEADRACE_KILL_AT"]
    before = committed(past)
    process = past.cli.start(*arguments, "--output", "json")
    deadline = time.monotonic() + 60
    while committed(past) == before:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    result = past.cli.finish(process)
    assert result.code == 130 and "the same command goes on here" in result.err
    assert result.json["resumed"] and 0 < result.json["published"] < RECORDS
    last = past.cli(*arguments, "--output", "json", timeout=180).json
    assert last["done"] and last["resumed"]
    expect_copy(past, "killed", originals)


def committed(past):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": past.broker.address})
    groups = [g.group_id for g in admin.list_consumer_groups().result(20).valid]
    total = 0
    for group in groups:
        if not group.startswith("headrace-replay-"):
            continue
        request = confluent_kafka.ConsumerGroupTopicPartitions(group)
        found = next(iter(admin.list_consumer_group_offsets([request]).values())).result(20)
        total += sum(max(part.offset, 0) for part in found.topic_partitions)
    return total


def test_what_retention_took_is_replayed_from_the_archive(past):
    originals = past.read(TOPIC)
    past.forget(0.9)
    report = past.replay("--into", "old", "--rate", "1M/s", "--partitions", "3").json
    assert report["published"] == RECORDS
    expect_copy(past, "old", originals, partitions=3)
    # The keys are where the partitioner puts them.
    for messages in past.read("old").values():
        assert messages
    assert past.replay("--read", "log").json["read"] < RECORDS / 5


def test_its_pace_is_kept(past):
    began = time.monotonic()
    report = past.replay("--into", "slow", "--to", "2013-01-02", "--rate", "500/s").json
    assert report["published"] > 600 and time.monotonic() - began >= report["published"] / 500 * 0.8 - 1
    # A day of events in about three seconds.
    began = time.monotonic()
    report = past.replay("--into", "fast", "--to", "2013-01-02", "--speed", "20000x").json
    assert report["published"] > 600 and 2 < time.monotonic() - began < 20


def table_rows(past, table):
    """What a reader of ours has nothing to do with sees."""
    frame = deltalake.DeltaTable(str(past.data / "tables" / table)).to_pyarrow_table().to_pylist()
    return {(row["_topic"], row["_partition"], row["_offset"]): row for row in frame}, len(frame)


def expect_origin(past, table, messages):
    """Of each partition its newest commit names the offset, the watermark there, and the plan."""
    found = {}
    for commit in deltalake.DeltaTable(str(past.data / "tables" / table)).history():
        ours = commit.get("headrace")
        for partition, offset in (ours or {"offsets": {}})["offsets"].get(TOPIC, {}).items():
            found.setdefault(int(partition), (offset, ours["watermark"], ours["planFingerprint"]))
    assert found.keys() == messages.keys()
    for partition, (offset, watermark, fingerprint) in found.items():
        assert offset > messages[partition][-1].offset() and len(fingerprint) == 16
        assert watermark == max(min(json.loads(m.value())["ts"], m.timestamp()[1]) for m in messages[partition])


def test_a_table_gets_the_history_of_a_view_once(past):
    flags = ["--topology", past.file, "--data", past.data, "--view", "carrier_departures", "--nice", "0"]
    past.cli("replay", *flags, "--into", "features/whole", timeout=180)
    whole, count = table_rows(past, "features/whole")
    assert count == len(whole) == RECORDS
    # As plain Python has it: flights of a carrier so far, within a day and an hour by the hop.
    seen = {}
    messages = past.read(TOPIC)
    for partition, part in messages.items():
        for message in part:
            event = json.loads(message.value())
            row = whole[(TOPIC, partition, message.offset())]
            times = seen.setdefault(event["carrier"], [])
            times.append(event["ts"])
            hop = 2 * 3_600_000
            start = event["ts"] - event["ts"] % hop - 24 * 3_600_000
            expected = sum(1 for ts in times if start <= ts <= event["ts"])
            assert row["flights_24h"] == expected, (event, row)
            assert row["carrier"] == event["carrier"] and row["last_dest_24h"] is not None
    for table in ("events/departed", "features/whole"):
        expect_origin(past, table, messages)
    # Killed before its rows are visible, and behind: the same rows, each once.
    for point in ("replay.rows-made:9", "delta.commit-before-log:2", "delta.commit-after-log:1"):
        past.cli.environment["HEADRACE_KILL_AT"] = point
        process = past.cli.start("replay", *flags, "--into", "features/killed")
        past.cli.finish(process, timeout=180)
        assert process.returncode == -signal.SIGKILL, point
    del past.cli.environment["HEADRACE_KILL_AT"]
    past.cli("replay", *flags, "--into", "features/killed", timeout=180)
    again = past.replay("--view", "carrier_departures", "--into", "features/killed").json
    assert again["published"] == 0 and again["done"]
    killed, count = table_rows(past, "features/killed")
    assert count == len(killed) and killed == whole
    # A part of the time has the same values: what came before counts.
    past.cli("replay", *flags, "--into", "features/part", "--from", "2013-01-10", "--to", "2013-01-11", timeout=180)
    part, _ = table_rows(past, "features/part")
    assert 700 < len(part) < 1_200 and all(whole[place] == row for place, row in part.items())
    assert "VIEW_REPARTITIONED" in past.replay("--into", "features/x", "--view", "route_departures", code=1).err


def test_what_is_refused(past, cli, tmp_path):
    file = past.file
    assert "REPLAY_INTO_TOPOLOGY" in past.replay("--into", TOPIC, code=1).err
    assert "NO_SUCH_SOURCE" in past.replay("--source", "x", code=1).err
    assert "--from" in past.replay("--from", "yesterday", code=2).err
    assert "earlier" in past.replay("--from", "2013-02-01", "--to", "2013-01-01", code=2).err
    assert "--into" in past.replay("--rate", "5/s", code=2).err
    assert "--data" in cli("replay", "--topology", file, "--read", "archive", code=2).err
    (tmp_path / "empty" / "tables").mkdir(parents=True)
    missing = cli("replay", "--topology", file, "--read", "archive", "--data", tmp_path / "empty", code=1)
    assert "ARCHIVE_MISSING" in missing.err
