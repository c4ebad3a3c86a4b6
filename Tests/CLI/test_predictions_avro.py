"""Predictions in Avro say what the JSON record says: read by fastavro, Confluent's own deserialiser and `consume`."""

import io
import json
import math

import confluent_kafka
import fastavro
import numpy
import pytest
import test_monitors
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from conftest import ROOT
from fake_registry import FakeRegistry
from test_models import PARTITIONS, Project, events, expect_all, lines
from test_rollout import Rollout, wait_for
from test_worker import Worker

# Of each record its own.
OWN = ("id", "model", "latency_ms", "scoring_ns", "cost")


class Twins(Project):
    """The model of `test_models`, and the same once more with its predictions in Avro."""

    def __init__(self, folder, name, how, features):
        super().__init__(folder, name)
        self.folder, self.avro_topic = folder, f"{self.topic}.avro"
        text = self.file.read_text().replace("features: full", f"features: {features}")
        line = next(line for line in text.splitlines() if line.startswith("  fraud:"))
        features_line = text[text.index(line):].splitlines()[1]
        twin = f"{line}\n{features_line}".replace("fraud:", "twin:", 1).replace(
            f"{self.topic}.predictions", self.avro_topic).replace("threshold", f"format: {how}, threshold")
        self.file.write_text(f"{text}{twin}\n")

    def worker(self, cli, *flags):
        return Worker(cli, self.folder, "run", self.file, "--data", self.folder / "data", "--commit-interval", "50ms",
                      *flags)


@pytest.fixture
def registry():
    registry = FakeRegistry().start()
    yield registry
    registry.stop()


def raw(address, topic):
    """Every committed record of a topic as the broker has it, in the order of the log."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": address, "group.id": "raw", "auto.offset.reset": "earliest",
        "isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True})
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
    found, ended = [], set()
    while len(ended) < len(partitions):
        message = consumer.poll(10)
        assert message is not None, "no end of the partition"
        if message.error():
            assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
            ended.add(message.partition())
        else:
            found.append(message)
    consumer.close()
    return sorted(found, key=lambda message: (message.partition(), message.offset()))


def plain(value):
    """A decoded record as JSON would have it: nulls are left out, times are milliseconds."""
    found = {name: member for name, member in value.items() if member is not None}
    if "event_time" in found and not isinstance(found["event_time"], int):
        found["event_time"] = round(found["event_time"].timestamp() * 1_000)
    if "missing_views" in found and not found["missing_views"]:
        del found["missing_views"]
    return found


def expect_same(json_records, decoded):
    by_place = {(record["value"]["partition"], record["value"]["offset"]): record["value"] for record in json_records}
    assert len(decoded) == len(by_place) > 0
    for value in decoded:
        twin = by_place[value["partition"], value["offset"]]
        assert set(value) - {"cost", "currency"} == set(twin) - {"cost", "currency"}, (value, twin)
        for name in value:
            if name in OWN:
                continue
            if name == "features":
                ours = [math.nan if number is None else number for number in value[name]]
                theirs = numpy.array([math.nan if number is None else number for number in twin[name]], numpy.float32)
                assert numpy.array_equal(numpy.array(ours, numpy.float32), theirs, equal_nan=True)
            else:
                assert value[name] == twin.get(name), (name, value, twin)
        assert value["id"] == twin["id"].replace("/fraud", "/twin") and value["model"] == "twin"


def stream(project, cli, worker, count=1_200):
    rows = list(events(count, seed=4))
    cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows))
    worker.wait_until_applied(project.topic, count)


@pytest.mark.parametrize("features", ["full", "hash", "none"])
def test_plain_avro(tmp_path, request, cli, broker, features):
    project = Twins(tmp_path, f"a{abs(hash(request.node.name)) % 10**9}", "avro", features)
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    worker = project.worker(cli)
    try:
        stream(project, cli, worker)
    finally:
        assert worker.stop() == 0, worker.text()
    # The schema is beside the contracts, under the topic's name; a plan shows it as well.
    file = tmp_path / "schemas" / f"{project.avro_topic}.avsc"
    schema = fastavro.parse_schema(json.loads(file.read_text()))
    plan = cli("plan", project.file, "--offline", "--output", "json").json
    assert next(model for model in plan["models"] if model["name"] == "twin")["schema"] == json.loads(file.read_text())
    messages = raw(broker.address, project.avro_topic)
    decoded = []
    for message in messages:
        stream_ = io.BytesIO(message.value())
        decoded.append(plain(fastavro.schemaless_reader(stream_, schema)))
        assert stream_.read() == b"", "bytes behind the record"
    predictions = cli.records(f"{project.topic}.predictions")
    expect_same(predictions, decoded)
    if features == "full":
        expect_all(project, cli, predictions)
    # `consume` turns them into the same.
    shown = cli.records(project.avro_topic, "--format", "avro", "--schema", file)
    shown.sort(key=lambda record: (record["partition"], record["offset"]))
    assert [plain(record["value"]) for record in shown] == decoded
    raw_lines = cli.values(project.avro_topic, "--format", "avro", "--schema", file)
    assert sorted(json.loads(line)["id"] for line in raw_lines) == sorted(value["id"] for value in decoded)


def test_confluent_framing(tmp_path, request, cli, broker, registry):
    project = Twins(tmp_path, f"a{abs(hash(request.node.name)) % 10**9}", "avro-confluent", "full")
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    refused = cli("run", project.file, "--data", tmp_path / "data", code=1)
    assert "NO_SCHEMA_REGISTRY" in refused.err or "no registry is named" in refused.err
    worker = project.worker(cli, "--schema-registry", registry.url)
    try:
        stream(project, cli, worker)
    finally:
        assert worker.stop() == 0, worker.text()
    assert set(registry.subjects) == {f"{project.avro_topic}-value"}
    client = SchemaRegistryClient({"url": registry.url})
    deserialize = AvroDeserializer(client)
    context = SerializationContext(project.avro_topic, MessageField.VALUE)
    decoded = [plain(deserialize(message.value(), context)) for message in raw(broker.address, project.avro_topic)]
    expect_same(cli.records(f"{project.topic}.predictions"), decoded)
    shown = cli.records(
        project.avro_topic, "--format", "avro-confluent", "--schema-registry", registry.url)
    assert sorted(record["value"]["id"] for record in shown) == sorted(value["id"] for value in decoded)


def test_rollouts_read_avro(tmp_path, request, cli, broker, registry):
    """A shadow and a canary over topics in Confluent's framing have their figures; the shadow's records have theirs."""
    rollout = Rollout(tmp_path, f"a{abs(hash(request.node.name)) % 10**9}", cli)
    cli("topics", "create", rollout.topic, "--partitions", PARTITIONS)
    rollout.file.write_text(rollout.file.read_text().replace("threshold", "format: avro-confluent, threshold"))
    rollout.add(1), rollout.add(2)
    rollout.models("promote", 1)
    worker = rollout.worker(HEADRACE_SCHEMA_REGISTRY=registry.url)
    try:
        rollout.models("shadow", 2)
        wait_for("the shadow", lambda: worker.get("/api/models")["models"][0]["shadows"])
        rollout.publish(list(events(600, seed=11)))
        worker.wait_until_applied(rollout.topic, 600)
        count = sum(row["amount"] > 0 for row in events(600, seed=11))
        # Applied is not committed yet, and what is committed is not compared yet.
        wait_for("every prediction", lambda: len(raw(broker.address, f"{rollout.topic}.predictions")) == count)
        written = len(raw(broker.address, f"{rollout.topic}.predictions.shadow"))
        wait_for("the figures of every shadow", lambda: [
            report["difference"]["compared"] for report in worker.get("/api/models")["rollouts"]] == [written])
    finally:
        assert worker.stop() == 0, worker.text()
    assert set(registry.subjects) == {f"{rollout.topic}.predictions-value", f"{rollout.topic}.predictions.shadow-value"}
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry.url}))
    shadows = [
        deserialize(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
        for message in raw(broker.address, f"{rollout.topic}.predictions.shadow")]
    answered = {
        (value["partition"], value["offset"]): value
        for value in (deserialize(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
                      for message in raw(broker.address, f"{rollout.topic}.predictions"))}
    assert len(shadows) == written > 0.9 * count
    for value in shadows:
        other = answered[value["partition"], value["offset"]]
        assert value["arm"] == "shadow" and value["version"] == 2 and value["answered_version"] == 1
        assert value["answered_score"] == other["score"] and value["difference"] == value["score"] - other["score"]
        assert value["agrees"] == (value["label"] == other["label"])


def test_monitors_read_avro(tmp_path, request, cli):
    """A monitor says of predictions in Avro, window by window, what it says of the same in JSON."""
    payments, _ = test_monitors.stream(shift=True)
    told = {}
    for how in ("json", "avro"):
        folder = tmp_path / how
        folder.mkdir()
        project = test_monitors.Project(cli, folder, f"a{abs(hash(request.node.name)) % 10**8}{how}")
        project.file.write_text(
            project.file.read_text().replace("features: full", f"features: full\n    format: {how}"))
        worker = project.start()
        try:
            project.publish("payments", payments)
            found = project.wait_for(worker, "window", test_monitors.WINDOWS - 1)
        finally:
            assert worker.stop() == 0, worker.text()[-2000:]
        told[how] = (
            [(window["window"]["start"], window["window"]["rows"]) for window in found["window"]],
            sorted((alarm["feature"], alarm["test"], alarm["window"]["start"], alarm["value"])
                   for alarm in found["alarm"]))
    assert told["avro"] == told["json"] and told["avro"][1], told


def test_cost(project_prices, tmp_path, request, cli):
    """With a price book predictions say what one costs, as far as that is known; without one they do not."""
    project = Twins(tmp_path, f"a{abs(hash(request.node.name)) % 10**9}", "avro", "none")
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    worker = project.worker(cli, "--prices", project_prices)
    try:
        stream(project, cli, worker, 600)
        published = 600

        def is_priced():
            """Whether events of now have a price: what one costs is known once the meters were read."""
            nonlocal published
            cli.publish(project.topic, "-", "--key", "user", stdin=lines(events(60, seed=published)))
            published += 60
            worker.wait_until_applied(project.topic, published)
            return any("cost" in record["value"] for record in cli.records(f"{project.topic}.predictions"))

        wait_for("a price", is_priced, 30)
    finally:
        assert worker.stop() == 0, worker.text()
    values = [record["value"] for record in cli.records(f"{project.topic}.predictions")]
    priced = [value for value in values if "cost" in value]
    assert priced and all(0 < value["cost"] < 1e-3 and value["currency"] == "USD" for value in priced)
    file = tmp_path / "schemas" / f"{project.avro_topic}.avsc"
    shown = [record["value"] for record in cli.records(project.avro_topic, "--format", "avro", "--schema", file)]
    assert any(value["cost"] and value["currency"] == "USD" for value in shown)
    assert all((value["cost"] is None) == (value["currency"] is None) for value in shown)


@pytest.fixture
def project_prices():
    return ROOT / "deploy" / "prices.yaml"
