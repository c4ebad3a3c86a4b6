"""`headrace plan`: what a topology would do, and everything that is wrong with it at once."""

import pytest
from topology_files import ROOT, TOPOLOGY, write


def test_it_tells_topics_views_and_bytes(cli, tmp_path):
    result = cli("plan", write(tmp_path), "--offline")
    for text in ("flights.departures", "small.dlq", "small.late", "small.route_departures.repartition", "flights_24h"):
        assert text in result.text, text


def test_json_names_every_feature(cli, tmp_path):
    plan = cli("plan", write(tmp_path), "--offline", "--output", "json").json
    views = {view["name"]: [feature["name"] for feature in view["features"]] for view in plan["views"]}
    assert views["route_departures"] == ["flights_24h"]
    assert views["carrier_departures"][-1] == "busy" and "mean_delay_24h" in views["carrier_departures"]
    assert all(view["state_bytes_per_key"] > 0 for view in plan["views"])


def test_all_errors_come_at_once_with_their_places(cli, tmp_path):
    broken = (
        TOPOLOGY.replace("mean(dep_delay)", "mean(dep_dela)")
        .replace("source: departed\n    entity: route", "source: departd\n    entity: route")
        .replace("lateness: 30m", "lateness: 30 parsecs")
        .replace("    ttl: 20h", "    tll: 20h")
    )
    result = cli("plan", write(tmp_path, broken), "--offline", code=1)
    assert result.out == b""
    for text in ("dep_dela", "dep_delay", "departd", "parsecs", "tll"):
        assert text in result.err, text
    places = [line for line in result.err.splitlines() if "small.yaml:" in line]
    assert len(places) >= 4 and "did you mean" in result.err
    assert "errors in" in result.err.splitlines()[-1]


@pytest.mark.parametrize("name", ["flights", "payments"])
def test_the_topologies_that_come_along_are_valid(cli, name):
    result = cli("plan", ROOT / "topologies" / f"{name}.yaml", "--offline", "--output", "json")
    assert result.json["topology"] == name and result.json["errors"] == []


def test_a_file_that_is_not_there_is_said(cli, tmp_path):
    result = cli("plan", tmp_path / "nothing.yaml", "--offline", code=1)
    assert "nothing.yaml" in result.err
    cli("plan", code=2)


def test_partition_counts_come_from_the_broker(cli, own_broker, tmp_path):
    broker = own_broker()
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = broker.address
    cli("topics", "create", "flights.departures", "--partitions", "3")
    plan = cli("plan", write(tmp_path), "--output", "json").json
    topic = next(topic for topic in plan["topics"] if topic["name"] == "flights.departures")
    assert topic["partitions"] == 3 and plan["tasks"] == 3
