"""Who looks on while somebody misbehaves: a bystander that must not notice, and the broker's memory, which must stay
flat.
"""

from __future__ import annotations

import threading
import time

from .broker import Broker
from .wire import Batch, Connection, fetch, produce

MEMORY_LIMIT_BYTES = 64 << 20


class Bystander:
    """A client that produces and reads one record after another while somebody misbehaves; `finish` fails if it was
    ever disturbed.
    """

    def __init__(self, bootstrap: str, topic: str):
        self.bootstrap, self.topic = bootstrap, topic
        self.rounds, self.slowest_seconds = 0, 0.0
        self.failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with Connection(self.bootstrap) as connection:
                while not self._stop.is_set():
                    started = time.monotonic()
                    written = produce(connection, self.topic, Batch(records=[(None, str(self.rounds).encode())]))
                    found = fetch(connection, self.topic, written.base_offset)
                    (record,) = found.batches[0]
                    assert written.error == 0 and record.value == str(self.rounds).encode()
                    self.rounds += 1
                    self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
                    time.sleep(0.005)
        except Exception as error:
            self.failure = error

    def finish(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert self.failure is None, self.failure
        assert self.rounds >= 3 and self.slowest_seconds < 5, (self.rounds, self.slowest_seconds)


class PeakMemory:
    """Samples resident memory until `finish`, which fails when it was ever more than the limit above its start."""

    def __init__(self, broker: Broker | None):
        self.broker = broker
        self.start = self.peak = broker.resident_bytes() if broker else 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self.broker and self.broker.is_running() and not self._stop.wait(0.002):
            self.peak = max(self.peak, self.broker.resident_bytes())

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        # The frames themselves (a few MiB) are held while they arrive.
        assert self.peak - self.start < MEMORY_LIMIT_BYTES, f"peak {(self.peak - self.start) >> 20} MiB above the start"
