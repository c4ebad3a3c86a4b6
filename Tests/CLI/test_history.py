"""What retention took from the log comes from the archive: new views and lost disks are what the whole log gives."""

import json
import shutil
import signal
import time

import pytest
from conftest import CLI, SAMPLES
from test_replay import PARTITIONS, RECORDS, TOPIC, Past
from test_worker import worker  # noqa: F401  (a fixture)
from topology_files import TOPOLOGY, write

# Each carrier's features, from the same events; only the view is new.
ADDED = """\
  carrier_distances:
    source: departed
    entity: carrier
    features:
      farthest: max(distance) over 24h
      mean_distance: mean(distance) over 6h, 24h
      places: count_distinct(dest) over 24h
      last_origin: last(origin) over 24h
"""
BEFORE = TOPOLOGY.replace("  route_departures:\n    source: departed\n    entity: route\n    features:\n"
                          "      flights: count over 24h\n", "")
AFTER = BEFORE + ADDED
CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "UA", "US", "VX", "WN"]
FLAGS = ["--checkpoint-interval", "200ms", "--table-freshness", "200ms"]


def write_in(folder, topology):
    folder.mkdir()
    return write(folder, topology)


def answers(cli, address):
    found = {}
    for view in ("carrier_departures", "carrier_distances"):
        for carrier in CARRIERS:
            result = cli("query", view, carrier, "--server", address, "--as-of", "latest", "--output", "json")
            found[view, carrier] = {
                name: (value["value"], value["status"]) for name, value in result.records[0]["features"].items()
            }
    return found


def wait_until_built(running):
    deadline = time.monotonic() + 120
    while True:
        tasks = running.get("/api/tasks")["tasks"]
        if len(tasks) == PARTITIONS and all(task["state"] == "running" for task in tasks if "state" in task):
            if not any(task.get("building") for task in tasks):
                return
        assert running.process.poll() is None and time.monotonic() < deadline, (tasks, running.text())
        time.sleep(0.05)


@pytest.fixture
def past(own_broker, tmp_path, worker):  # noqa: F811
    """A log, a topology that nobody has run yet, and what the whole log gives."""
    broker = own_broker()
    cli = CLI(broker.address)
    cli.publish(
        TOPIC, SAMPLES / "departures.jsonl.gz", "--key", "carrier", "--event-time", "ts", "--partitions", PARTITIONS
    )
    reference = write_in(tmp_path / "reference", AFTER.replace("topology: small", "topology: reference"))
    whole = worker(cli, "run", reference, "--data", tmp_path / "whole", "--tables", "none")
    whole.wait_until_applied(TOPIC, RECORDS)
    expected = answers(cli, whole.address)
    whole.kill()
    past = Past(cli, broker, write(tmp_path, BEFORE), tmp_path / "state")
    past.expected = expected
    return past


def die(past, tmp_path, file, point, worker):  # noqa: F811
    """A worker that dies at a named point."""
    past.cli.environment["HEADRACE_KILL_AT"] = point
    try:
        running = worker(past.cli, "run", file, "--data", past.data, *FLAGS)
        assert running.process.wait(120) == -signal.SIGKILL, running.text()
    finally:
        del past.cli.environment["HEADRACE_KILL_AT"]


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_a_view_that_is_added_is_what_the_whole_log_gives(past, tmp_path, worker, share):  # noqa: F811
    running = worker(past.cli, "run", past.file, "--data", past.data, *FLAGS)
    running.wait_until_applied(TOPIC, RECORDS)
    assert running.stop() == 0
    past.forget(share)
    after = write_in(tmp_path / "after", AFTER)
    plan = past.cli("plan", after, "--data", past.data, "--keys", "100", "--output", "json").json
    history = plan["history"][0]
    assert history["archive_from"].startswith("2013-01-01") and not history["log_is_whole"]
    text = past.cli("plan", after, "--data", past.data, "--keys", "100").text
    if share < 1:
        assert "view `carrier_distances` can be built from 2013-01-01" in text and "days more than the log" in text
    doctor = past.cli("doctor", after, "--data", past.data, "--output", "json", code=None).json
    assert any("archive 2013-01-01" in item["message"] for item in doctor if item["subject"] == "history departed")
    past.cli("apply", after)
    for point in ("runtime.archive-applied:3", "runtime.splice-before:1", "runtime.splice-after:2"):
        die(past, tmp_path, after, point, worker)
    running = worker(past.cli, "run", after, "--data", past.data, *FLAGS)
    running.wait_until_applied(TOPIC, RECORDS)
    wait_until_built(running)
    assert answers(past.cli, running.address) == past.expected
    assert running.stop() == 0


def test_a_lost_disk_is_what_the_whole_log_gives(past, tmp_path, worker):  # noqa: F811
    after = write_in(tmp_path / "after", AFTER)
    running = worker(past.cli, "run", after, "--data", past.data, *FLAGS)
    running.wait_until_applied(TOPIC, RECORDS)
    assert running.stop() == 0
    past.forget(0.8)
    for folder in ("state", "spool"):
        shutil.rmtree(past.data / folder)
    for point in ("runtime.archive-applied:4", "runtime.archive-left:1", "runtime.restart-replayed:1"):
        die(past, tmp_path, after, point, worker)
    running = worker(past.cli, "run", after, "--data", past.data, *FLAGS)
    running.wait_until_applied(TOPIC, RECORDS)
    assert answers(past.cli, running.address) == past.expected
    assert running.stop() == 0
    # Nothing is archived twice.
    report = past.replay("--read", "archive").json
    assert report["read"] == RECORDS
    assert json.dumps(report["sources"][0]["outcomes"]["applied"]) == json.dumps(RECORDS)
