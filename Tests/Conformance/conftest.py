"""Fixtures: one shared broker for most tests, brokers of their own for tests that need settings, faults or a
restart.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, Iterator

import confluent_kafka
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.broker import Broker  # noqa: E402
from harness.cluster import EXTERNAL_BOOTSTRAP, Cluster, unique_name  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.waiting import eventually  # noqa: E402
from harness.watch import MEMORY_LIMIT_BYTES, Bystander  # noqa: E402
from harness.wire import Connection  # noqa: E402

SHARED_CONFIG = {
    "auto.create.topics.enable": "false",
    "group.min.session.timeout.ms": 500,
    "log.retention.check.interval.ms": 100,
    "log.cleaner.backoff.ms": 100,
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "own_broker: needs settings or files of our broker; skipped with BOOTSTRAP")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not EXTERNAL_BOOTSTRAP:
        return
    skip = pytest.mark.skip(reason="needs a broker of its own; BOOTSTRAP names a foreign one")
    for item in items:
        if item.get_closest_marker("own_broker") or "start_broker" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """A failed test shows the end of its brokers' logs."""
    report = yield
    if report.failed:
        for broker in brokers_of(item):
            report.sections.append((f"broker log {broker.log}", broker.log_tail()))
    return report


def brokers_of(item: pytest.Item) -> list[Broker]:
    arguments = getattr(item, "funcargs", {})
    cluster = arguments.get("cluster")
    shared = [cluster.broker] if cluster is not None and cluster.broker else []
    return shared + getattr(arguments.get("start_broker"), "started", [])


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if EXTERNAL_BOOTSTRAP:
        yield Cluster(EXTERNAL_BOOTSTRAP)
        return
    broker = Broker(tmp_path_factory.mktemp("shared"), config=SHARED_CONFIG).start()
    yield Cluster(broker.bootstrap, broker)
    broker.close()


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """The shared cluster. A test that ends its broker fails, and the next test gets a new process."""
    yield shared_cluster
    broker = shared_cluster.broker
    if broker is not None and not broker.is_running():
        code = broker.reap()
        broker.start()
        pytest.fail(f"the shared broker ended with {code} during this test\n{broker.log_tail()}")


@pytest.fixture
def topic(cluster: Cluster) -> str:
    return cluster.create_topic()


@pytest.fixture
def group() -> str:
    return unique_name("group")


class BrokerStarter:
    """Starts brokers for one test and ends them with it."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.started: list[Broker] = []

    def __call__(self, config: dict | None = None, **options) -> Cluster:
        """A cluster of one new broker; `config` adds to the shared settings, `options` go to `Broker`."""
        broker = self.prepare(config, **options)
        broker.start()
        return Cluster(broker.bootstrap, broker)

    def prepare(self, config: dict | None = None, **options) -> Broker:
        directory = self.directory / f"broker-{len(self.started)}"
        broker = Broker(directory, config={**SHARED_CONFIG, **(config or {})}, **options)
        self.started.append(broker)
        return broker


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[BrokerStarter]:
    starter = BrokerStarter(tmp_path)
    yield starter
    for broker in starter.started:
        broker.close()


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    with Proxy(cluster.bootstrap, seed=7) as proxy:
        yield proxy


@pytest.fixture
def finally_close() -> Iterator[Callable]:
    """Registers clients whose `close` is called at the end, the last first."""
    closers: list[Callable[[], None]] = []

    def register(client):
        closers.append(client.close)
        return client

    yield register
    for close in reversed(closers):
        close()


@pytest.fixture
def unharmed(cluster: Cluster) -> Iterator[None]:
    """Around a test: the broker lives, its memory stays flat, and a bystander is served all the time."""
    topic = cluster.create_topic()
    bystander = Bystander(cluster.bootstrap, topic)
    eventually(lambda: bystander.rounds >= 3 or bystander.failure)
    before = cluster.broker.resident_bytes() if cluster.broker else 0
    yield
    rounds = bystander.rounds
    eventually(lambda: bystander.rounds >= rounds + 3 or bystander.failure)
    bystander.finish()
    if cluster.broker:
        assert cluster.broker.is_running()
        growth = cluster.broker.resident_bytes() - before
        assert growth < MEMORY_LIMIT_BYTES, f"resident memory grew by {growth >> 20} MiB"


@pytest.fixture
def connection(cluster: Cluster) -> Iterator[Connection]:
    """A raw connection to the shared cluster."""
    with Connection(cluster.bootstrap) as connection:
        yield connection


@pytest.fixture
def transactional(cluster):
    """Makes initialised transactional producers; they are abandoned, not closed, at the end of the test."""

    def make(
        transactional_id: str | None = None, *, bootstrap: str | None = None, **settings
    ) -> confluent_kafka.Producer:
        producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap or cluster.bootstrap,
                "transactional.id": transactional_id or unique_name("transaction"),
                "linger.ms": 0,
                **{key.replace("_", "."): value for key, value in settings.items()},
            }
        )
        producer.init_transactions(20)
        return producer

    return make
