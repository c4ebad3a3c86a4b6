"""What `headrace plan --output json` says a topology computes, as far as this recomputation needs it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from aggregates import Function
from processes import environment, find_binary
from windows import Window


@dataclass(frozen=True)
class Feature:
    name: str
    function: Function
    argument: str | None
    filter: str | None
    window: Window


@dataclass(frozen=True)
class Derived:
    name: str
    expression: str


@dataclass
class Source:
    name: str
    topic: str
    key: str | None
    time_field: str
    milliseconds_per_unit: float
    lateness: int
    skew: int
    dedupe_by: str | None
    dedupe_within: int
    filter: str | None
    derive: dict[str, str] = field(default_factory=dict)


@dataclass
class View:
    name: str
    source: str
    keys: list[str]
    ttl: int | None
    features: list[Feature]
    derived: list[Derived]

    def longest(self, now: int) -> int:
        """How far back any window that has an end reaches."""
        bounded = [feature.window for feature in self.features if feature.window.kind in ("sliding", "tumbling")]
        return max((now - window.bounds(now)[0] for window in bounded), default=0)


@dataclass
class Plan:
    topology: str
    sources: dict[str, Source]
    views: dict[str, View]


UNITS = {"s": 1_000.0, "ms": 1.0, "us": 0.001, "ns": 0.000001}


def load(topology: Path, schemas: Path | None = None) -> Plan:
    command = [find_binary(), "plan", str(topology), "--output", "json", "--offline"]
    if schemas:
        command += ["--schemas", str(schemas)]
    result = subprocess.run(command, capture_output=True, env=environment(), check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr.decode()}")
    return parse(json.loads(result.stdout))


def parse(document: dict) -> Plan:
    sources = {item["name"]: parse_source(item) for item in document["sources"]}
    views = {item["name"]: parse_view(item) for item in document["views"]}
    return Plan(document["topology"], sources, views)


def parse_source(item: dict) -> Source:
    dedupe = item.get("dedupe") or {}
    return Source(
        name=item["name"], topic=item["topic"], key=item.get("key"), time_field=item["event_time"]["field"],
        milliseconds_per_unit=UNITS[item["event_time"]["unit"]], lateness=item["lateness_ms"],
        skew=item["max_skew_ms"], dedupe_by=dedupe.get("by"), dedupe_within=dedupe.get("within_ms", 0),
        filter=item.get("filter"), derive={name: text for name, text in (item.get("derive") or {}).items()})


def parse_view(item: dict) -> View:
    features = [
        Feature(feature["name"], Function(feature["function"], feature.get("parameter")), feature.get("argument"),
                feature.get("filter"), parse_window(feature["window"]))
        for feature in item["features"]]
    derived = [Derived(feature["name"], feature["expression"]) for feature in item.get("derived", [])]
    return View(item["name"], item["source"], item["keys"], item.get("ttl_ms"), features, derived)


def parse_window(item: dict) -> Window:
    return Window(item["kind"], item.get("length_ms") or item.get("gap_ms") or 0, item.get("hop_ms") or 0,
                  item.get("count") or 0)
