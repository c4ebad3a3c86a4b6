"""`headrace topics`, wrong usage, and brokers that do not answer."""

import time

import pytest

from conftest import CLI


def test_create_list_describe_delete(cli, topic):
    cli(
        "topics",
        "create",
        topic,
        "--partitions",
        "3",
        "--config",
        "retention.ms=-1",
        "--config",
        "cleanup.policy=compact",
    )
    assert {"topic": topic, "partitions": 3} in cli("topics", "list", "--output", "json").json
    assert [topic, "3"] in [line.split() for line in cli("topics").text.splitlines()]
    [described] = cli("topics", "describe", topic, "--output", "json").json
    assert [p["partition"] for p in described["partitions"]] == [0, 1, 2]
    assert all(p["beginning"] == p["end"] == 0 for p in described["partitions"])
    assert described["settings"]["retention.ms"] == "-1"
    assert described["settings"]["cleanup.policy"] == "compact"
    table = cli("topics", "describe", topic).text
    assert f"{topic}/2" in table and "retention.ms=-1" in table
    cli("topics", "delete", topic)
    assert topic not in cli("topics", "list").text
    assert "UNKNOWN_TOPIC" in cli("topics", "describe", topic, code=1).err


def test_what_exists_and_what_does_not(cli, topic):
    cli("topics", "create", topic)
    assert "TOPIC_ALREADY_EXISTS" in cli("topics", "create", topic, code=1).err
    cli("topics", "create", topic, "--if-not-exists")
    # One name fails, the other is made all the same.
    assert cli("topics", "create", topic, f"{topic}.other", code=1).err.count("error:") == 1
    assert f"{topic}.other" in cli("topics").text
    cli("topics", "delete", topic, f"{topic}.other")
    assert "UNKNOWN_TOPIC_OR_PART" in cli("topics", "delete", topic, code=1).err
    cli("topics", "delete", topic, "--if-exists")


def test_a_setting_that_the_broker_refuses(cli, topic):
    assert "error:" in cli("topics", "create", topic, "--config", "retention.ms=soon", code=1).err


def test_data_is_on_stdout_and_nothing_else(cli, topic):
    result = cli("topics", "create", topic)
    assert result.out == b"" and result.err == ""
    assert cli("topics", "list").err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["topics", "create", "a b"],
        ["topics", "create", "-"],
        ["topics", "create", "x" * 250],
        ["topics", "create", ".x"],
        ["topics", "create", "x", "--partitions", "0"],
        ["topics", "create", "x", "--config", "=1"],
        ["topics", "create"],
        ["publish", "x"],
        ["publish", "x", "f", "--rate", "0"],
        ["publish", "x", "f", "--rate", "fast"],
        ["publish", "x", "f", "--speed", "60x"],
        ["publish", "x", "f", "--rate", "1/s", "--speed", "1x", "--event-time", "t"],
        ["publish", "x", "f", "--partitions", "0"],
        ["publish", "x", "-", "-"],
        ["publish", "x", "f", "--key", "a..b"],
        ["publish", "x", "f", "--event-time-unit", "h"],
        ["publish", "x", "f", "--format", "xml"],
        ["consume", "x", "--from", "nowhere"],
        ["consume", "x", "--until", "beginning"],
        ["consume", "x", "--count", "-1"],
        ["consume", "x", "--output", "table"],
        ["consume"],
        ["frobnicate"],
        ["topics", "list", "--frobnicate"],
        ["topics", "list", "--bootstrap", "nohost"],
        ["topics", "list", "--timeout", "soon"],
        ["topics", "list", "--security-protocol", "tls"],
        ["topics", "list", "--certificate", "c"],
        ["topics", "list", "--sasl-user", "u", "--security-protocol", "plaintext"],
        ["topics", "list", "--sasl-user", "u"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2(cli, arguments):
    result = cli(*arguments, code=2)
    assert result.out == b"" and len(result.err) > 10


def test_help_is_exit_0_on_stdout(cli):
    for arguments in (["--help"], ["topics", "create", "--help"], ["publish", "--help"], ["consume", "--help"]):
        result = cli(*arguments)
        assert b"USAGE" in result.out and result.err == ""
    assert b"Exit codes" in cli("--help").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["topics", "list"],
        ["topics", "create", "x"],
        ["topics", "describe", "x"],
        ["topics", "delete", "x"],
        ["publish", "x", "/dev/null"],
        ["consume", "x"],
    ],
    ids=" ".join,
)
def test_no_broker_is_exit_3(arguments):
    start = time.monotonic()
    result = CLI("127.0.0.1:1")(*arguments, "--timeout", "1s", code=3)
    assert "error:" in result.err
    assert time.monotonic() - start < 10


def test_the_flag_goes_before_the_environment(cli, broker, topic):
    cli("topics", "create", topic)
    elsewhere = CLI("127.0.0.1:1")
    assert topic in elsewhere("topics", "list", "--bootstrap", broker.address).text
