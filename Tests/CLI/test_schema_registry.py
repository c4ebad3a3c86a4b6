"""Avro in Confluent's framing through `headrace run`: against a registry that is slow, fails, is away and comes back."""

import json
import struct
import time

import confluent_kafka
import pytest
from conftest import CLI
from fake_registry import FakeRegistry
from test_worker import worker  # noqa: F401

TOPOLOGY = """\
topology: framed
sources:
  orders:
    topic: orders
    format: avro-confluent
    key: user
    event_time: {field: ts, unit: ms}
entities: {user: [user]}
views:
  by_user:
    source: orders
    entity: user
    features: {n: count over 24h, total: sum(amount) over 24h, newest: last(note) over 24h}
"""
FIELDS = [
    {"name": "user", "type": "string"},
    {"name": "amount", "type": "long"},
    {"name": "ts", "type": "long"},
]
NOTE = {"name": "note", "type": "string", "default": "none"}
READER = {"type": "record", "name": "Order", "fields": [*FIELDS, NOTE]}
# Writers of two versions: the older one knows no note, the newer one has another order and a field that nobody asked for.
OLD = {"type": "record", "name": "Order", "fields": FIELDS}
NEW = {
    "type": "record",
    "name": "Order",
    "fields": [NOTE, *FIELDS, {"name": "extra", "type": "double"}],
}
T0 = 1_700_000_000_000


def zigzag(number):
    number = number << 1 if number >= 0 else (-number << 1) - 1
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def text(value):
    return zigzag(len(value.encode())) + value.encode()


def old(user, amount, at, schema=1):
    return struct.pack(">bI", 0, schema) + text(user) + zigzag(amount) + zigzag(at)


def new(user, amount, at, note, schema=2):
    return struct.pack(">bI", 0, schema) + text(note) + text(user) + zigzag(amount) + zigzag(at) + struct.pack("<d", 1.5)


class Setup:
    def __init__(self, folder, broker, start):
        self.cli = CLI(broker.address)
        self.folder = folder
        (folder / "topologies").mkdir()
        (folder / "schemas").mkdir()
        (folder / "schemas" / "orders.avsc").write_text(json.dumps(READER))
        self.file = folder / "topologies" / "framed.yaml"
        self.file.write_text(TOPOLOGY)
        self.cli("topics", "create", "orders", "--partitions", "1")
        self.producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
        self.start = start

    def run(self, registry):
        return self.start(
            self.cli, "run", self.file, "--data", self.folder / "state", "--schema-registry", registry.url,
            "--commit-interval", "50ms", "--checkpoint-interval", "200ms",
        )

    def send(self, *values):
        for value in values:
            self.producer.produce("orders", value, "u", timestamp=T0 + 60_000)
        assert self.producer.flush(20) == 0

    def features(self, worker):
        result = self.cli("query", "by_user", "u", "--server", worker.address, "--as-of", "latest", "--output", "json")
        features = result.records[0]["features"]
        return tuple(features[name]["value"] for name in ("n_24h", "total_24h", "newest_24h"))


def await_true(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def why(worker):
    return worker.get("/api/tasks")["tasks"][0]["why_not_moving"]


@pytest.fixture
def setup(tmp_path, own_broker, worker):  # noqa: F811
    return Setup(tmp_path, own_broker(), worker)


@pytest.fixture
def registry():
    registry = FakeRegistry().start()
    registry.schemas = {1: OLD, 2: NEW}
    yield registry
    registry.stop()


def test_writers_of_several_versions(setup, registry):
    setup.send(old("u", 1, T0), new("u", 2, T0 + 1, "second"), old("u", 4, T0 + 2))
    running = setup.run(registry)
    running.wait_until_applied("orders", 3)
    assert setup.features(running) == (3, 7, "none")
    # Each schema was asked for once, however many records it has.
    setup.send(*(new("u", 1, T0 + 3, "third") for _ in range(500)))
    running.wait_until_applied("orders", 503)
    assert setup.features(running) == (503, 507, "third")
    assert sorted(path for path, _ in registry.requests) == ["/schemas/ids/1", "/schemas/ids/2"]
    assert running.stop() == 0


def test_a_schema_that_nobody_knows_goes_to_the_dead_letters(setup, registry):
    setup.send(old("u", 1, T0), old("u", 8, T0, schema=99), b"\x07no frame", b"", old("u", 2, T0))
    running = setup.run(registry)
    running.wait_until_applied("orders", 5)
    assert setup.features(running)[:2] == (2, 3)
    await_true(lambda: len(setup.cli.records("framed.dlq")) == 3)
    headers = [header for record in setup.cli.records("framed.dlq") for header in record["headers"]]
    codes = [header["value"] for header in headers if header["key"] == "x-headrace-code"]
    assert sorted(codes) == ["NOT_FRAMED", "NOT_FRAMED", "UNKNOWN_SCHEMA"] and why(running) is None
    assert running.stop() == 0


@pytest.mark.parametrize("trouble", ["slow", "failing", "away"])
def test_a_registry_in_trouble_delays_and_loses_nothing(setup, registry, trouble):
    setup.send(old("u", 1, T0))
    running = setup.run(registry)
    running.wait_until_applied("orders", 1)
    if trouble == "slow":
        registry.delay_seconds = 3.0
    elif trouble == "failing":
        registry.mode = "failing"
    else:
        registry.stop()
    # A schema that is not known yet, between records whose schema is.
    setup.send(old("u", 2, T0 + 1), new("u", 4, T0 + 2, "waits"), old("u", 8, T0 + 3))
    await_true(lambda: "schema" in (why(running) or ""))
    # What is known already is served, and the record in front of the gap is applied.
    assert setup.features(running) == (2, 3, "none")
    if trouble == "away":
        # Also a restart meanwhile changes nothing: it waits for the first schema now.
        assert running.stop() == 0
        running = setup.run(registry)
        registry.start()
    registry.mode, registry.delay_seconds = "well", 0.0
    running.wait_until_applied("orders", 4)
    assert setup.features(running) == (4, 15, "none")
    await_true(lambda: why(running) is None)
    assert not setup.cli.records("framed.dlq")
    assert running.stop() == 0


def test_a_framed_topic_needs_a_registry(setup):
    result = setup.cli("run", setup.file, "--data", setup.folder / "state", "--listen", "127.0.0.1:0", code=1)
    assert "--schema-registry" in result.err and "orders" in result.err
