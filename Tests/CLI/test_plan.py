"""`headrace plan`: what a topology would do, and everything that is wrong with it at once."""

import confluent_kafka.admin
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


ROUTES = """\
  route_delays:
    source: departed
    entity: route
    features: {delay: mean(dep_delay) over 24h}
"""


def test_a_repartitioned_view_is_not_added_to_what_has_read_on_without_it(cli, own_broker, tmp_path):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    cli("topics", "create", "flights.departures", "--config", "retention.ms=-1")
    cli("apply", write(tmp_path))
    for changed in (TOPOLOGY + ROUTES, TOPOLOGY.replace("flights: count over 24h\n", "flights: count over 48h\n")):
        file = write(tmp_path, changed)
        for command in (["plan", file], ["apply", file]):
            refused = cli(*command, code=1)
            assert "repartitioned" in refused.text + refused.err and "another name" in refused.text + refused.err
        # Nor by force: what is in force stays.
        forced = cli("run", file, "--data", tmp_path / "state", "--listen", "127.0.0.1:0", "--apply", code=1)
        assert "PLAN_REFUSED" in forced.err and "route_de" in forced.err
    assert "in force already" in cli("apply", write(tmp_path)).text
    # Under another name it is a beginning.
    cli("plan", write(tmp_path, (TOPOLOGY + ROUTES).replace("topology: small", "topology: small-2")))


def test_a_repartitioned_view_of_a_topic_that_was_not_read_before_is_built(cli, own_broker, tmp_path):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    for topic in ("flights.departures", "flights.arrivals"):
        cli("topics", "create", topic, "--config", "retention.ms=-1")
    cli("apply", write(tmp_path))
    arrived = "sources:\n  arrived: {topic: flights.arrivals, key: carrier, event_time: {field: ts, unit: ms}}\n"
    view = "  route_arrivals: {source: arrived, entity: route, features: {n: count over 24h}}\n"
    cli("apply", write(tmp_path, TOPOLOGY.replace("sources:\n", arrived) + view))


def test_retention_is_said_where_it_matters(cli, own_broker, tmp_path):
    """By `plan`, `apply` and `doctor` before a worker is started, with what to do."""
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    cli("topics", "create", "flights.departures", "--config", f"retention.ms={20 * 60_000}")
    file = write(tmp_path)
    for command in (["plan", file], ["apply", file], ["doctor", file, "--data", tmp_path]):
        result = cli(*command, code=1)
        said = result.text + result.err
        assert "flights.departures" in said and "20 minutes" in said and "1830000" in said, result
    refused = cli("run", file, "--data", tmp_path / "state", "--listen", "127.0.0.1:0", code=1)
    assert "RETENTION_TOO_SHORT" in refused.err and "1830000" in refused.err
    # Kept for long enough for a restart, and not for ever: allowed, and said.
    alter(cli, "flights.departures", {"retention.ms": str(7 * 86_400_000)})
    for command in (["plan", file], ["doctor", file, "--data", tmp_path, "--listen", "127.0.0.1:1"]):
        result = cli(*command, code=None)
        assert "7 days" in result.text + result.err, result


def alter(cli, topic, settings):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": cli.environment["HEADRACE_BOOTSTRAP_SERVERS"]})
    kind = confluent_kafka.admin.ConfigResource.Type.TOPIC
    entries = [
        confluent_kafka.admin.ConfigEntry(
            name, value, incremental_operation=confluent_kafka.admin.AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = confluent_kafka.admin.ConfigResource(kind, topic, incremental_configs=entries)
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(20)
