"""The load: events that go on for as long as they are needed, with all that goes wrong on the way."""

from __future__ import annotations

import json
import random
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from plan import Plan, Source
from samples import FILES, made_payments
from streams import Event, Mischief, Publisher, disturb, read_events

MISCHIEF = Mischief(shuffled_milliseconds=60_000, duplicated=0.03, late=0.01, broken=0.01, future=0.003)
PERIOD = 31 * 86_400_000
BATCH_SECONDS = 0.05


@dataclass
class Published:
    """Everything that was sent, by topic, in the order of its arrival."""
    events: dict[str, list[Event]]


def flights(source: Source, samples: Path, seed: int) -> Iterator[list[Event]]:
    """The sample month, again and again a month later."""
    read = read_events(samples / f"{FILES[source.topic]}.jsonl.gz", source.key or source.time_field, source.time_field)
    number = 0
    while True:
        chance = random.Random(f"{seed}/{source.topic}/{number}")
        moved = [later(event, source, number) for event in read] if number else read
        yield disturb(moved, MISCHIEF, source.lateness, chance)
        number += 1


def later(event: Event, source: Source, number: int) -> Event:
    document = json.loads(event.value)
    document[source.time_field] += number * PERIOD
    if source.dedupe_by in document:
        # AA1-JFK-201301011000 in another year.
        name, _, date = document[source.dedupe_by].rpartition("-")
        document[source.dedupe_by] = f"{name}-{int(date[:4]) + number}{date[4:]}"
    moment = event.time + number * PERIOD
    return Event(moment, moment, event.key, json.dumps(document, separators=(",", ":")).encode())


def payments(source: Source, seed: int) -> Iterator[list[Event]]:
    """Payments without end, some of them disturbed."""
    for number, events in enumerate(made_payments(source.key or "user_id", seed)):
        yield disturb(events, MISCHIEF, source.lateness, random.Random(f"{seed}/payments/{number}"))


class Feed(threading.Thread):
    """Publishes the sources of a topology side by side, in the order of arrival, until it is told to finish."""

    def __init__(self, plan: Plan, samples: Path, publisher: Publisher, rate: float, seed: int):
        super().__init__(name="feed", daemon=True)
        self.publisher = publisher
        self.rate = rate
        self.failure: str | None = None
        self.published = Published({source.topic: [] for source in plan.sources.values()})
        self._finishing = threading.Event()
        self._blocks = {
            source.topic: flights(source, samples, seed) if source.topic in FILES else payments(source, seed)
            for source in plan.sources.values()}
        self._waiting: dict[str, list[Event]] = {topic: [] for topic in self._blocks}
        self.count = 0

    def run(self) -> None:
        try:
            self._run()
        except BaseException:  # A thread that dies must fail the run, whatever killed it.
            self.failure = traceback.format_exc()

    def finish(self) -> None:
        self._finishing.set()
        self.join(60)
        if self.failure is not None:
            raise RuntimeError(self.failure)

    def _run(self) -> None:
        began = time.monotonic()
        while not self._finishing.is_set():
            due = int((time.monotonic() - began) * self.rate) - self.count
            if due > 0:
                self._publish(due)
            self.publisher.producer.poll(0)
            time.sleep(BATCH_SECONDS)
        self.publisher.flush()

    def _publish(self, count: int) -> None:
        """The next events of all topics by their arrival, so that the topics go on side by side."""
        for topic, waiting in self._waiting.items():
            if len(waiting) < count:
                waiting += next(self._blocks[topic])
        heads = sorted((event.arrival, topic, index) for topic, waiting in self._waiting.items()
                       for index, event in enumerate(waiting[:count]))[:count]
        for topic, waiting in self._waiting.items():
            taken = sum(1 for _, owner, _ in heads if owner == topic)
            events, self._waiting[topic] = waiting[:taken], waiting[taken:]
            self.publisher.publish(topic, events)
            self.published.events[topic] += events
        self.count += len(heads)
