"""A record as every client sees it, and seeded ones to send."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Record:
    """`timestamp` in epoch milliseconds, None = the client's clock; `offset` None = not yet written."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int | None = None
    offset: int | None = None
    partition: int = 0

    def content(self) -> Record:
        """What the sender chose; offset and an unset timestamp left out, for comparison."""
        return replace(self, offset=None, timestamp=None, partition=0)


def text_records(seed: int, count: int, *, longest: int = 600) -> list[Record]:
    """Records of printable text (kcat can carry nothing else); some keys are null, values repeat enough to
    compress.
    """
    generator = random.Random(seed)
    words = ["headrace", "mill", "weir", "sluice", "penstock", "Mühle", "水車"]
    records = []
    for number in range(count):
        text = f"{number} " + " ".join(generator.choices(words, k=generator.randrange(1, longest // 8)))
        key = None if generator.random() < 0.2 else f"key-{generator.randrange(100)}".encode()
        records.append(Record(value=text.encode(), key=key))
    return records


def values(records: list[Record]) -> list[bytes | None]:
    return [record.value for record in records]


def contents(records: list[Record]) -> list[Record]:
    return [record.content() for record in records]
