"""Events to work on: the files of real flights by their topics, and payments that are made up."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Iterator

from plan import Source
from streams import Event, read_events

FILES = {"flights.departures": "departures", "flights.arrivals": "arrivals",
         "flights.cancellations": "cancellations", "flights.weather": "weather"}
START = 1_760_000_000_000
USERS, MERCHANTS, BLOCK = 2_000, 500, 20_000
MILLISECONDS_BETWEEN = 200


def made_payments(key_field: str, seed: int) -> Iterator[list[Event]]:
    """Blocks of an hour and a bit of event time: few users with many payments, amounts by a log-normal law."""
    weights = [1 / (rank + 1) ** 1.1 for rank in range(USERS)]
    for number in itertools.count():
        chance = random.Random(f"{seed}/payments/{number}")
        events = []
        for index, user in enumerate(chance.choices(range(USERS), weights, k=BLOCK), number * BLOCK):
            moment = START + index * MILLISECONDS_BETWEEN + chance.randint(0, 100)
            document = {
                "event_id": f"e{index:010d}", "user_id": f"u{user:06d}",
                "merchant_id": f"m{chance.randrange(MERCHANTS):05d}", "amount": round(chance.lognormvariate(3, 1), 2),
                "currency": "EUR", "country": chance.choice(["US", "DE", "FR", "GB", "IN", "BR", "JP", "NL"]),
                "channel": chance.choice(["web", "app", "pos"]), "is_fraud": int(chance.random() < 0.02), "ts": moment}
            value = json.dumps(document, separators=(",", ":")).encode()
            events.append(Event(moment, moment, str(document[key_field]), value))
        yield sorted(events, key=lambda event: event.arrival)


def read_source(source: Source, folder: Path, seed: int) -> list[Event]:
    """The events of a source: of its file in the folder, or made up when it is a stream of payments."""
    name = FILES.get(source.topic, source.topic)
    path = next((path for path in (folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl") if path.exists()), None)
    if path is not None:
        return read_events(path, source.key or source.time_field, source.time_field, source.milliseconds_per_unit)
    if "payments" not in source.topic:
        raise SystemExit(f"no events for {source.topic}: expected {folder / name}.jsonl.gz")
    blocks = itertools.islice(made_payments(source.key or "user_id", seed), 3)
    return [event for block in blocks for event in block]
