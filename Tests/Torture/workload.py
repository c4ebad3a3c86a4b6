"""What all workloads share: a thread that goes on until it is told to finish, and clients that come back quickly."""
from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Iterator

import confluent_kafka

from ledger import Ledger

# Clients log every death of the broker, and dropped producers that they were fenced, as they should be.
LOGGER = logging.getLogger("clients")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False
CLIENT_SETTINGS = {
    "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 150, "retry.backoff.ms": 20, "retry.backoff.max.ms": 150,
    "socket.timeout.ms": 3000, "socket.connection.setup.timeout.ms": 1000, "topic.metadata.refresh.interval.ms": 5000,
    "log.connection.close": False, "logger": LOGGER,
    # Else a client forgets the broker while it is dead, and send_offsets_to_transaction may wait for ever for one that
    # it forgot (librdkafka 2.10 and later, issues 5456 and 5511).
    "metadata.recovery.strategy": "none",
}
TRANSACTION_TIMEOUT_MILLISECONDS = 10_000
CALL_TIMEOUT_SECONDS = 5.0
FINISH_TIMEOUT_SECONDS = 60.0
MAXIMUM_IN_FLIGHT = 1000


@dataclass(frozen=True)
class Context:
    """What a workload needs of the run."""
    bootstrap: str
    ledger: Ledger
    seed: int


class Workload(threading.Thread):
    """`work` runs until `is_finishing`, brings to an end what it began, and returns."""

    def __init__(self, name: str, context: Context):
        super().__init__(name=name, daemon=True)
        self.bootstrap = context.bootstrap
        self.ledger = context.ledger
        self.random = random.Random(f"{context.seed}/{name}")
        self.failure: str | None = None
        self.transactions_open = 0
        self.transaction_began = 0.0
        self._finishing = threading.Event()

    @property
    def is_finishing(self) -> bool:
        return self._finishing.is_set()

    def finish(self) -> None:
        self._finishing.set()

    def pause(self, milliseconds: float) -> None:
        time.sleep(milliseconds / 1000)

    def records_in_flight(self) -> int:
        return 0

    @contextlib.contextmanager
    def open_transaction(self) -> Iterator[None]:
        self.transactions_open, self.transaction_began = 1, time.monotonic()
        try:
            yield
        finally:
            self.transactions_open = 0

    def work(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            self.work()
        except BaseException:  # A thread that dies must fail the run, whatever killed it.
            self.failure = traceback.format_exc()

    def producer(self, **settings) -> confluent_kafka.Producer:
        names = {name.replace("_", "."): value for name, value in settings.items()}
        return confluent_kafka.Producer({
            "bootstrap.servers": self.bootstrap, "acks": "all", "linger.ms": 3, "batch.size": 4096,
            **CLIENT_SETTINGS, **names})

    def consumer(self, group: str, *, is_committed_only: bool, **settings) -> confluent_kafka.Consumer:
        names = {name.replace("_", "."): value for name, value in settings.items()}
        return confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": group, "enable.auto.commit": False,
            "isolation.level": "read_committed" if is_committed_only else "read_uncommitted",
            "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100, "fetch.error.backoff.ms": 20,
            "session.timeout.ms": 6000, "heartbeat.interval.ms": 300, "check.crcs": True, **CLIENT_SETTINGS, **names})
