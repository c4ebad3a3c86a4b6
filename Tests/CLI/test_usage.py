"""What a new user gets wrong: every refusal says what, where, what was expected, and how to mend it."""

import os
import socket

import pytest
from conftest import CLI, ROOT
from topology_files import write

PAYMENTS = ROOT / "topologies" / "payments.yaml"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["pln"], ["no command 'pln'", "did you mean 'plan'"]),
        (["generate", "payments", "--rate", "-5"], ["--rate -5", "not negative"]),
        (["generate", "payments", "--count", "-1"], ["--count -1", "not negative"]),
        (["generate", "payments", "--users", "0"], ["--users 0", "expected 1 to 10M"]),
        (["generate", "payments", "--topic", "bad topic", "--count", "1"], ["bad topic", "letters, digits"]),
        (["test", PAYMENTS, "--seeds", "-3"], ["--seeds -3", "not negative"]),
        (["run", PAYMENTS], ["--data DIR is missing"]),
        (["run", PAYMENTS, "--data", "d", "--listen", "8080"], ["--listen 8080", "expected HOST:PORT"]),
        (["run", PAYMENTS, "--data", "d", "--bootstrap", "nonsense"], ["--bootstrap nonsense", "expected HOST:PORT"]),
        (["query", "v", "k", "--server", "nonsense"], ["--server nonsense", "expected HOST:PORT"]),
        (["plan", PAYMENTS, "--offline", "--keys", "many"], ["'many'", "--keys"]),
        (["plan", PAYMENTS, "--offline", "--keys", "1M", "2M"], ["--keys", "entity=n"]),
        (["plan", PAYMENTS, "--offline", "--keys", "usr=1M"], ["no entity usr", "user, merchant, country_channel"]),
        (["plan", PAYMENTS, "--offline", "--events-per-hour", "-1"], ["--events-per-hour -1", "not negative"]),
        (["plan", PAYMENTS, "--offline", "--events-per-hour", "0"], ["--events-per-hour 0", "above 0"]),
        (["plan", PAYMENTS, "--offline", "--skew", "9"], ["--skew 9", "from 0 to 5"]),
    ],
    ids=lambda value: " ".join(map(str, value[:2])) if isinstance(value, list) else None,
)
def test_wrong_usage(cli, arguments, expected):
    result = cli(*arguments, code=2)
    for text in expected:
        assert text in result.err, result
    assert result.out == b""


def test_nobody_answers(tmp_path):
    cli = CLI(f"127.0.0.1:{free_port()}")
    for arguments in (
        ["run", PAYMENTS, "--data", tmp_path / "d", "--timeout", "1s", "--listen", "127.0.0.1:0"],
        ["apply", PAYMENTS, "--timeout", "1s"],
        ["generate", "payments", "--count", "1", "--timeout", "1s"],
    ):
        result = cli(*arguments, code=3)
        assert "bootstrap servers" in result.err and cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] in result.err, result
    server = f"127.0.0.1:{free_port()}"
    result = cli("query", "v", "k", "--server", server, code=3)
    assert server in result.err and "connection refused" in result.err and "headrace dev" in result.err


def test_an_address_that_is_taken(cli, own_broker, tmp_path):
    broker = own_broker()
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = broker.address
    cli("topics", "create", "flights.departures")
    file = write(tmp_path)
    run = cli("run", file, "--data", tmp_path / "d", "--listen", broker.address, code=1)
    dev = cli("dev", file, "--data", tmp_path / "e", "--listen", "127.0.0.1:0", "--kafka", broker.address, code=1)
    log = cli("broker", "--data", tmp_path / "f", "--listen", broker.address, code=1)
    for result, flag in ((run, "--listen"), (dev, "--kafka"), (log, "--listen")):
        assert broker.address in result.err and flag in result.err, result
        assert "Address already in use" in result.err and "errno" not in result.err, result


def test_files_are_looked_at_before_a_topic_is_made(cli, own_broker, tmp_path):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    assert "nothing.jsonl: cannot be opened" in cli("publish", "t", tmp_path / "nothing.jsonl", code=1).err
    assert "is a folder" in cli("publish", "t", tmp_path, code=1).err
    assert "t" not in cli("topics").text.split()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(cli, tmp_path):
    file = write(tmp_path)
    file.chmod(0)
    assert "permission denied" in cli("plan", file, "--offline", code=1).err


def test_a_folder_that_cannot_be_made(cli, own_broker, tmp_path):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    cli("topics", "create", "flights.departures")
    result = cli("run", write(tmp_path), "--data", "/proc/headrace", "--listen", "127.0.0.1:0", code=1)
    assert "/proc/headrace" in result.err, result


def test_a_service_that_does_not_run_cannot_be_retired(cli, own_broker, tmp_path):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    for command in ("plan", "apply"):
        result = cli(command, write(tmp_path), "--retire", "nobody", code=1)
        assert "--retire nobody" in result.err, result


def test_state_is_estimated_for_what_is_asked(cli, tmp_path):
    file = write(tmp_path)

    def state(*arguments):
        plan = cli("plan", file, "--offline", "--output", "json", *arguments).json
        return plan["state"], {view["view"]: view for view in plan["state"]["views"]}

    usual, views = state()
    assert views["carrier_departures"]["keys"] == 1_000_000 and usual["events_per_hour"] == 1
    assert 0 < usual["disk_bytes"] < usual["memory_bytes"]
    small, views = state("--keys", "1k", "route=5k", "--events-per-hour", "0.1", "--skew", "0")
    assert views["carrier_departures"]["keys"] == 1_000 and views["route_departures"]["keys"] == 5_000
    assert views["route_departures"]["rows"] <= 5_000 and small["memory_bytes"] < usual["memory_bytes"] / 50
    text = cli("plan", file, "--offline", "--keys", "1k").text
    assert "1k of carrier" in text and "in memory" in text and "--events-per-hour" in text


def test_an_estimate_needs_a_folder_to_try_in_and_the_plan_does_not(cli, tmp_path):
    cli.environment["TMPDIR"] = str(tmp_path / "nowhere")
    result = cli("plan", write(tmp_path), "--offline")
    assert "state is not estimated" in result.err and "nowhere" in result.err
    assert "carrier_departures" in result.text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
