"""How commands end by signals, and how they prove who they are."""

import shutil
import signal
import subprocess
import time

import pytest

from conftest import CLI, SAMPLES

openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_publish_finishes_what_it_began(cli, topic, number, code):
    process = cli.start("publish", topic, SAMPLES / "departures.jsonl.gz", "--rate", "2000/s", "--output", "json")
    wait_for_records(cli, topic)
    process.send_signal(number)
    result = cli.finish(process)
    assert result.code == code, result
    acknowledged = result.json["acknowledged"]
    assert 0 < acknowledged < 26_308 and result.json["failed"] == 0
    # Exactly what was acknowledged is there.
    assert len(cli.values(topic)) == acknowledged


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_consume_ends(cli, topic, number, code):
    cli.publish(topic, SAMPLES / "cancellations.jsonl.gz")
    process = cli.start("consume", topic, "--output", "raw")
    for _ in range(512):
        process.stdout.readline()
    process.send_signal(number)
    start = time.monotonic()
    assert cli.finish(process).code == code
    assert time.monotonic() - start < 3


def test_a_second_signal_stops_at_once(own_broker, topic):
    broker = own_broker()
    cli = CLI(broker.address)
    process = cli.start("publish", topic, SAMPLES / "departures.jsonl.gz", "--rate", "2000/s")
    wait_for_records(cli, topic)
    # A broker that stands still acknowledges nothing: there is something to wait for.
    broker.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    assert process.wait(10) == 130
    assert time.monotonic() - start < 1


def test_a_broker_that_stands_still_is_exit_3(own_broker, topic):
    broker = own_broker()
    cli = CLI(broker.address)
    cli.publish(topic, SAMPLES / "cancellations.jsonl.gz")
    broker.process.send_signal(signal.SIGSTOP)
    start = time.monotonic()
    cli("topics", "list", "--timeout", "1s", code=3)
    cli("consume", topic, "--until", "end", "--timeout", "1s", code=3)
    cli("publish", topic, SAMPLES / "cancellations.jsonl.gz", "--timeout", "1s", code=3)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_sasl(own_broker, topic, tmp_path, mechanism):
    users = tmp_path / "users"
    users.write_text("alice:correct horse\n")
    broker = own_broker("--sasl-users", str(users))
    cli = CLI(broker.address)
    flags = ["--sasl-user", "alice", "--sasl-mechanism", mechanism, "--timeout", "5s"]
    cli.environment["HEADRACE_SASL_PASSWORD"] = "correct horse"
    cli("topics", "create", topic, *flags)
    assert topic in cli("topics", "list", *flags).text
    cli.publish(topic, SAMPLES / "cancellations.jsonl.gz", *flags)
    assert len(cli("consume", topic, "--until", "end", *flags).records) == 512
    # From a file, with the line feed that editors add.
    del cli.environment["HEADRACE_SASL_PASSWORD"]
    (tmp_path / "password").write_text("correct horse\n")
    cli("topics", "list", *flags, "--sasl-password-file", tmp_path / "password")
    (tmp_path / "password").write_text("wrong")
    refused = cli("topics", "list", *flags, "--timeout", "2s", "--sasl-password-file", tmp_path / "password", code=1)
    assert "SASL authentication error" in refused.err and "error:" in refused.err


def certificates(folder):
    """An authority and a certificate of it for 127.0.0.1."""

    def run(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    run(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=ca",
    )
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=broker")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    run(
        "x509",
        "-req",
        "-in",
        "broker.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "san",
        "-out",
        "broker.pem",
    )


@openssl
def test_tls(own_broker, topic, tmp_path):
    certificates(tmp_path)
    broker = own_broker("--tls-certificate", str(tmp_path / "broker.pem"), "--tls-key", str(tmp_path / "broker.key"))
    cli = CLI(broker.address)
    trusted = ["--ca", tmp_path / "ca.pem", "--timeout", "5s"]
    cli.publish(topic, SAMPLES / "cancellations.jsonl.gz", *trusted)
    assert len(cli("consume", topic, "--until", "end", *trusted).records) == 512
    # The system trusts no authority of ours, and a client without TLS gets nowhere.
    refused = cli("topics", "list", "--security-protocol", "ssl", "--timeout", "2s", code=1)
    assert "certificate" in refused.err
    cli("topics", "list", "--timeout", "2s", code=3)


@openssl
def test_mutual_tls(own_broker, topic, tmp_path):
    certificates(tmp_path)
    broker = own_broker(
        "--tls-certificate",
        str(tmp_path / "broker.pem"),
        "--tls-key",
        str(tmp_path / "broker.key"),
        "--tls-client-ca",
        str(tmp_path / "ca.pem"),
    )
    cli = CLI(broker.address)
    trusted = ["--ca", tmp_path / "ca.pem", "--timeout", "5s"]
    mine = ["--certificate", tmp_path / "broker.pem", "--certificate-key", tmp_path / "broker.key"]
    cli("topics", "create", topic, *trusted, *mine)
    assert "error:" in cli("topics", "list", *trusted, "--timeout", "2s", code=None).err


def test_plain_text_to_another_machine_is_warned_about(cli):
    result = cli(
        "topics",
        "list",
        "--bootstrap",
        "192.0.2.1:9092",
        "--security-protocol",
        "plaintext",
        "--timeout",
        "500ms",
        code=3,
        timeout=20,
    )
    assert "encrypts nothing" in result.err


def wait_for_records(cli, topic):
    deadline = time.monotonic() + 20
    while not cli("consume", topic, "--until", "end", "--output", "raw", "--timeout", "5s", code=None).out:
        assert time.monotonic() < deadline
