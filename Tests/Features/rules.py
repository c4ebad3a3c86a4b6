"""Which records count, by the order of checks of DESIGN.md section 3: contract, skew, watermark, filter, dedupe, late."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from plan import Source, View
from streams import Event

EARLIEST, LATEST = 0, 253_402_300_800_000


class Contract:
    """An Avro record schema with constraints, held against JSON."""

    def __init__(self, path: Path):
        schema = json.loads(path.read_text())
        self.fields = schema["fields"]

    def columns(self) -> dict[str, str]:
        """DuckDB's type for each field."""
        return {item["name"]: self.column(item["type"]) for item in self.fields}

    @classmethod
    def column(cls, kind: object) -> str:
        if isinstance(kind, list):
            return next(cls.column(branch) for branch in kind if branch != "null")
        if isinstance(kind, dict):
            return "VARCHAR" if kind["type"] in ("enum", "array", "map") else cls.column(kind["type"])
        return {"boolean": "BOOLEAN", "int": "BIGINT", "long": "BIGINT", "float": "DOUBLE", "double": "DOUBLE"}.get(
            kind, "VARCHAR")

    def parse(self, value: bytes) -> dict | None:
        """The document, or nothing when it breaks the contract."""
        try:
            document = json.loads(value.decode("utf-8"), parse_constant=self._refuse)
        except (ValueError, UnicodeDecodeError):
            return None
        if not isinstance(document, dict):
            return None
        return document if all(self._holds(item, document) for item in self.fields) else None

    @staticmethod
    def _refuse(text: str) -> None:
        raise ValueError(text)

    def _holds(self, item: dict, document: dict) -> bool:
        constraints = item.get("constraints", {})
        kinds = item["type"] if isinstance(item["type"], list) else [item["type"]]
        value = document.get(item["name"])
        if value is None:
            missing_is_fine = "null" in kinds or (item["name"] not in document and "default" in item)
            return missing_is_fine and not constraints.get("required", False)
        if not any(self._fits(kind, value) for kind in kinds):
            return False
        if "min" in constraints and value < constraints["min"] or "max" in constraints and value > constraints["max"]:
            return False
        if "enum" in constraints and value not in constraints["enum"]:
            return False
        if "max_length" in constraints and len(value) > constraints["max_length"]:
            return False
        return "pattern" not in constraints or re.fullmatch(constraints["pattern"], value) is not None

    @classmethod
    def _fits(cls, kind: object, value: object) -> bool:
        if isinstance(kind, dict):
            if kind["type"] == "enum":
                return value in kind["symbols"]
            kind = kind["type"]
        if kind == "boolean":
            return isinstance(value, bool)
        if kind in ("int", "long"):
            limit = 1 << (31 if kind == "int" else 63)
            return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
        if kind in ("float", "double"):
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return kind == "string" and isinstance(value, str)


class SourceRules:
    """Decides about the records of one source, partition by partition, in the order of their offsets."""

    def __init__(self, source: Source, contract: Contract, views: list[View]):
        self.source = source
        self.contract = contract
        self.windows = [feature.window for view in views for feature in view.features]
        self.watermarks: dict[int, int] = {}
        self.seen: dict[tuple[int, object], int] = {}
        self.counts: Counter[str] = Counter()

    def watermark(self) -> int:
        return max(self.watermarks.values(), default=0)

    def parse(self, events: list[Event]) -> list[dict | None]:
        """What each record holds; nothing where contract or clock speak against it. The watermark moves here."""
        return [self._parse(event) for event in events]

    def _parse(self, event: Event) -> dict | None:
        document = self.contract.parse(event.value)
        moment = document.get(self.source.time_field) if document is not None else None
        if not isinstance(moment, (int, float)) or isinstance(moment, bool):
            return None
        event.time = int(moment * self.source.milliseconds_per_unit)
        if not EARLIEST <= event.time < LATEST or event.time > event.arrival + self.source.skew:
            return None
        return document

    def decide(self, event: Event, document: dict | None, passes_filter: bool) -> str:
        event.outcome = self._decide(event, document, passes_filter)
        self.counts[event.outcome] += 1
        return event.outcome

    def _decide(self, event: Event, document: dict | None, passes_filter: bool) -> str:
        if document is None or event.time is None:
            return "dead_lettered"
        watermark = max(self.watermarks.get(event.partition, 0), min(event.time, event.arrival))
        self.watermarks[event.partition] = event.watermark = watermark
        if not passes_filter:
            return "filtered"
        if self.source.dedupe_by is not None and self._is_duplicate(event, document, watermark):
            return "deduplicated"
        if event.time >= watermark - self.source.lateness:
            return "applied"
        counts = any(window.counts(event.time, watermark, self.source.lateness) for window in self.windows)
        return "repaired" if counts else "late"

    def _is_duplicate(self, event: Event, document: dict, watermark: int) -> bool:
        identity = document.get(self.source.dedupe_by)
        if identity is None:
            return False
        before = self.seen.get((event.partition, identity))
        if before is not None and before >= watermark - self.source.dedupe_within:
            return True
        self.seen[event.partition, identity] = event.time
        return False
