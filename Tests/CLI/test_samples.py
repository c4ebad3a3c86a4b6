"""The sample that the project ships: its counts, its order, its schemas, and that its bytes are reproducible."""

import gzip
import importlib.util
import json
import re

import pytest

from conftest import ROOT, SAMPLES

COUNTS = {"departures": 26_308, "arrivals": 26_052, "cancellations": 512, "weather": 2_211}
PYTHON_TYPES = {"string": str, "int": int, "long": int, "double": (int, float)}


def events(stream):
    with gzip.open(SAMPLES / f"{stream}.jsonl.gz") as file:
        return [json.loads(line) for line in file]


def violation(field, event):
    """Why the field of this event breaks its contract, or None."""
    value = event.get(field["name"])
    limits = field.get("constraints", {})
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if value is None:
        return None if "null" in types and not limits.get("required") else "null"
    base = next(t["type"] if isinstance(t, dict) else t for t in types if t != "null")
    if not isinstance(value, PYTHON_TYPES[base]) or isinstance(value, bool):
        return "type"
    if "enum" in limits and value not in limits["enum"]:
        return "enum"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        return "pattern"
    return "range" if not limits.get("min", value) <= value <= limits.get("max", value) else None


@pytest.mark.parametrize("stream", COUNTS)
def test_events_keep_their_contract(stream):
    schema = json.loads((ROOT / "schemas" / f"flights.{stream}.avsc").read_text())
    found = events(stream)
    assert len(found) == COUNTS[stream]
    assert [e["ts"] for e in found] == sorted(e["ts"] for e in found)
    assert all(1356998400000 <= e["ts"] < 1359676800000 for e in found)
    for event in found:
        assert set(event) == {field["name"] for field in schema["fields"]}
        broken = {field["name"]: violation(field, event) for field in schema["fields"]}
        assert not any(broken.values()), (broken, event)


@pytest.mark.parametrize("stream", COUNTS)
def test_the_converter_writes_the_same_lines(stream, tmp_path):
    spec = importlib.util.spec_from_file_location("make_events", SAMPLES / "make_events.py")
    converter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(converter)
    converter.write(tmp_path / "again.gz", events(stream))
    # Lines, not packed bytes: those depend on the version of zlib.
    assert gzip.decompress((tmp_path / "again.gz").read_bytes()) == gzip.decompress(
        (SAMPLES / f"{stream}.jsonl.gz").read_bytes()
    )
    assert sum(file.stat().st_size for file in SAMPLES.glob("*.gz")) < 2_500_000
