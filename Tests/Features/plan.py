"""A topology as its file says it, read without the program: what is computed, of what, over which windows.

Only the names are held against `headrace plan`: that the program has the same views and features.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from aggregates import Function
from processes import environment, find_binary
from windows import Window, default_hop

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
PER_MILLISECOND = {"s": 1_000.0, "ms": 1.0, "us": 0.001, "ns": 0.000001}
DEFAULT_LATENESS, DEFAULT_SKEW, DEFAULT_WITHIN = 600_000, 300_000, 86_400_000
AGGREGATES = ("count_distinct", "count", "sum", "mean", "min", "max", "variance", "stddev", "first", "last_k", "last",
              "percentile", "topk", "ewma", "rate")
WITH_PARAMETER = ("last_k", "percentile", "topk", "ewma")


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
    filter: str | None
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


def milliseconds(text: str | int) -> int:
    number = re.fullmatch(r"(\d+)\s*(ms|[smhdw])", str(text))
    if number is None:
        raise ValueError(f"'{text}' is no duration")
    return int(number[1]) * UNITS[number[2]]


def load(topology: Path, schemas: Path | None = None) -> Plan:
    plan = parse(yaml.safe_load(topology.read_text()))
    check_names(plan, topology, schemas)
    return plan


def check_names(plan: Plan, topology: Path, schemas: Path | None) -> None:
    command = [find_binary(), "plan", str(topology), "--output", "json", "--offline"]
    if schemas:
        command += ["--schemas", str(schemas)]
    result = subprocess.run(command, capture_output=True, env=environment(), check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr.decode()}")
    shown = {view["name"]: {feature["name"] for feature in view["features"]}
             for view in json.loads(result.stdout)["views"]}
    read = {view.name: {feature.name for feature in [*view.features, *view.derived]} for view in plan.views.values()}
    if shown != read:
        different = {name: shown.get(name, set()) ^ read.get(name, set()) for name in shown.keys() | read.keys()}
        raise RuntimeError(f"the program and this script read other features: "
                           f"{ {name: sorted(names) for name, names in different.items() if names} }")


def parse(document: dict) -> Plan:
    sources = {name: parse_source(name, item) for name, item in document["sources"].items()}
    entities = {name: [keys] if isinstance(keys, str) else keys for name, keys in document["entities"].items()}
    views = {name: parse_view(name, item, entities) for name, item in document["views"].items()}
    return Plan(document["topology"], sources, views)


def parse_source(name: str, item: dict) -> Source:
    time = item["event_time"]
    time = {"field": time} if isinstance(time, str) else time
    dedupe = item.get("dedupe")
    dedupe = {"by": dedupe} if isinstance(dedupe, str) else dedupe or {}
    return Source(
        name=name, topic=item["topic"], key=item.get("key"), time_field=time["field"],
        milliseconds_per_unit=PER_MILLISECOND[time.get("unit", "ms")],
        lateness=milliseconds(item["lateness"]) if "lateness" in item else DEFAULT_LATENESS,
        skew=milliseconds(item["max_skew"]) if "max_skew" in item else DEFAULT_SKEW, dedupe_by=dedupe.get("by"),
        dedupe_within=milliseconds(dedupe["within"]) if "within" in dedupe else DEFAULT_WITHIN,
        filter=item.get("filter"), derive={name: str(text) for name, text in (item.get("derive") or {}).items()})


def parse_view(name: str, item: dict, entities: dict[str, list[str]]) -> View:
    features: list[Feature] = []
    derived: list[Derived] = []
    for short, text in item["features"].items():
        found = parse_feature(short, str(text))
        if found:
            features += found
        else:
            derived.append(Derived(short, str(text)))
    return View(name, item["source"], entities[item["entity"]], item.get("filter"),
                milliseconds(item["ttl"]) if "ttl" in item else None, features, derived)


def parse_feature(name: str, text: str) -> list[Feature]:
    """`mean(dep_delay) where origin == 'JFK' over 1h, 6h`; nothing when it is no aggregate."""
    function = re.match(rf"\s*({'|'.join(AGGREGATES)})\b", text)
    head, over, tail = text.rpartition(" over ")
    if function is None or not over:
        return []
    head, _, condition = head.partition(" where ")
    argument, parameter = None, None
    call = re.fullmatch(rf"\s*{function[1]}\s*\((.*)\)\s*", head, re.DOTALL)
    if call is not None:
        argument, parameter = split_arguments(function[1], call[1])
    windows = parse_windows(tail)
    return [Feature(f"{name}_{suffix}", Function(function[1], parameter), argument, condition.strip() or None, window)
            for suffix, window in windows]


def split_arguments(function: str, text: str) -> tuple[str | None, float | None]:
    if not text.strip():
        return None, None
    if function not in WITH_PARAMETER:
        return text.strip(), None
    argument, _, parameter = text.rpartition(",")
    parameter = parameter.strip()
    return argument.strip(), float(milliseconds(parameter)) if function == "ewma" else float(parameter)


def parse_windows(text: str) -> list[tuple[str, Window]]:
    found = []
    text, _, every = text.partition(" every ")
    for part in text.split(","):
        call = re.fullmatch(r"\s*(\w+)\((\w+)\)\s*", part)
        kind, argument = (call[1], call[2]) if call else ("", part.strip())
        if argument == "lifetime":
            found.append(("lifetime", Window("lifetime")))
        elif kind == "last":
            found.append((f"last_{argument}", Window("last", count=int(argument))))
        elif kind == "session":
            gap = milliseconds(argument)
            found.append((f"session_{duration_text(gap)}", Window("session", gap)))
        elif kind == "tumbling":
            length = milliseconds(argument)
            found.append((f"{duration_text(length)}_tumbling", Window("tumbling", length)))
        else:
            length = milliseconds(argument)
            hop = milliseconds(every) if every else default_hop(length)
            found.append((duration_text(length), Window("sliding", length, hop)))
    return found


def duration_text(length: int) -> str:
    """As the names of features have it: in the largest unit that fits, but one day is 24 hours."""
    if length == UNITS["d"]:
        return "24h"
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if length % UNITS[unit] == 0)
    return f"{length // UNITS[unit]}{unit}"
