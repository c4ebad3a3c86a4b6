"""`headrace test`: golden events through a topology, and that a changed definition does not get through."""

import pytest
from topology_files import GOLDEN, ROOT, TOPOLOGY, write


def test_a_good_topology_passes_in_all_variants(cli, tmp_path):
    result = cli("test", write(tmp_path), "--seeds", "5")
    assert "2 cases" in result.text and " 0 failures" in result.text and "16 variants" in result.text


# Each changes what some feature means: a golden file that lets one through tests nothing.
MUTATIONS = {
    "aggregate": ("mean(dep_delay)", "max(dep_delay)"),
    "argument": ("mean(dep_delay)", "mean(distance)"),
    "filter": (" where origin == 'JFK'", ""),
    "filter value": ("'JFK'", "'LGA'"),
    "derived column": ("dep_delay > 15", "dep_delay > 30"),
    "derived feature": ("flights_1h / nullif", "flights_24h / nullif"),
    "last becomes first": ("last(dest)", "first(dest)"),
    "ttl": ("ttl: 3d", "ttl: 30d"),
    "entity": ("route: [origin, dest]", "route: [origin, tailnum]"),
    "source filter": ("    lateness: 30m", "    lateness: 30m\n    filter: dep_delay < 100"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_changed_definition_fails(cli, tmp_path, name):
    old, new = MUTATIONS[name]
    assert old in TOPOLOGY
    result = cli("test", write(tmp_path, TOPOLOGY.replace(old, new)), code=1)
    assert "FAILED" in result.text and "small.golden.jsonl:" in result.text


def test_a_failure_says_where_and_what(cli, tmp_path):
    wrong = GOLDEN.replace('"flights_24h": 4', '"flights_24h": 5')
    result = cli("test", write(tmp_path, golden=wrong), "--seeds", "1", code=1)
    line = next(index for index, text in enumerate(wrong.splitlines(), 1) if '"flights_24h": 5' in text)
    assert f"small.golden.jsonl:{line}: one carrier, two airports: carrier_departures AA flights_24h: " in result.text
    assert "expected 5, found 4 [as written]" in result.text and "[shuffled (seed 0)]" in result.text


def test_json_lists_the_failures(cli, tmp_path):
    wrong = GOLDEN.replace('"flights_24h": 4', '"flights_24h": 5')
    report = cli("test", write(tmp_path, golden=wrong), "--output", "json", code=1).json
    assert report["cases"] == 2 and len(report["failures"]) == report["variants"]


def test_duplicates_are_found_only_by_sources_that_deduplicate(cli, tmp_path):
    without = TOPOLOGY.replace("    dedupe: {by: flight_id, within: 24h}\n", "")
    assert " 0 failures" in cli("test", write(tmp_path, without)).text


@pytest.mark.parametrize(
    "line, message",
    [
        ('{"view": "nothing", "key": ["AA"], "at": 1, "status": "PRESENT"}', 'no view "nothing"'),
        ('{"view": "carrier_departures", "key": ["AA"], "at": 1, "features": {"x": 1}}', 'no feature "x"'),
        ('{"source": "nothing", "event": {}, "timestamp": 1}', 'no source "nothing"'),
        ('{"view": "route_departures", "key": ["JFK"], "at": 1, "status": "NOT_FOUND"}', "no key of entity route"),
        ("{", "no JSON"),
    ],
)
def test_what_is_wrong_with_a_golden_file_is_told(cli, tmp_path, line, message):
    result = cli("test", write(tmp_path, golden=f'{{"case": "a"}}\n{line}\n'), code=1)
    assert message in result.err and "small.golden.jsonl" in result.err


@pytest.mark.parametrize("name", ["flights", "payments"])
def test_the_topologies_that_come_along_have_golden_files(cli, name):
    result = cli("test", ROOT / "topologies" / f"{name}.yaml", "--seeds", "10")
    assert " 0 failures" in result.text
