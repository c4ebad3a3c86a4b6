"""SASL, TLS and mTLS by every client; who is turned away, and when a listener is refused."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from harness import QUIET
from harness.broker import find_binary
from harness.certificates import Certificates, make_certificates
from harness.clients import ALL_CLIENTS, CONFLUENT, KCAT, name_of
from harness.cluster import Cluster
from harness.records import Record, values
from harness.wire import Connection, frame

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
USERS = "alice:correct horse\nbob:pass:with:colons\n"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def users(tmp_path) -> list[str]:
    path = tmp_path / "users"
    path.write_text(USERS)
    path.chmod(0o600)
    return ["--sasl-users", str(path), "--sasl-mechanisms", ",".join(MECHANISMS)]


def settings(
    client,
    *,
    mechanism: str | None = None,
    user: str = "alice",
    password: str = "correct horse",
    authority: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> dict:
    """The same choice in the words of librdkafka or of kafka-python."""
    protocol = ("SASL_" if mechanism else "") + ("SSL" if authority else "PLAINTEXT")
    if client.name == "kafka-python":
        chosen = {
            "security_protocol": protocol,
            "sasl_mechanism": mechanism,
            "sasl_plain_username": user if mechanism else None,
            "sasl_plain_password": password if mechanism else None,
            "ssl_cafile": authority,
            "ssl_certfile": certificate,
            "ssl_keyfile": key,
            "bootstrap_timeout_ms": 3000,
        }
    else:
        chosen = {
            "security.protocol": protocol,
            "sasl.mechanism": mechanism,
            "sasl.username": user if mechanism else None,
            "sasl.password": password if mechanism else None,
            "ssl.ca.location": authority,
            "ssl.certificate.location": certificate,
            "ssl.key.location": key,
        }
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in chosen.items() if value is not None
    }


def round_trip(cluster: Cluster, client, chosen: dict) -> None:
    topic = f"topic-{client.name}"
    client.produce(cluster.bootstrap, topic, [Record(value=b"secret")], settings=chosen)
    assert values(client.consume(cluster.bootstrap, topic, settings=chosen))[-1:] == [b"secret"]


def refused(cluster: Cluster, client, chosen: dict) -> None:
    fast = {} if client.name == "kafka-python" else {"message.timeout.ms": 1500}
    topic = f"refused-{client.name}"
    with pytest.raises(Exception):
        client.produce(cluster.bootstrap, topic, [Record(value=b"must not arrive")], settings={**chosen, **fast})


AUTO = {"auto.create.topics.enable": "true"}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_sasl(start_broker, users, mechanism):
    cluster = start_broker(AUTO, arguments=users)
    for client in ALL_CLIENTS:
        round_trip(cluster, client, settings(client, mechanism=mechanism))
        round_trip(cluster, client, settings(client, mechanism=mechanism, user="bob", password="pass:with:colons"))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_wrong_credentials_are_refused(start_broker, users, mechanism):
    cluster = start_broker(AUTO, arguments=users)
    for client in (CONFLUENT, KCAT):
        refused(cluster, client, settings(client, mechanism=mechanism, password="wrong"))
        refused(cluster, client, settings(client, mechanism=mechanism, user="mallory"))
        refused(cluster, client, settings(client, mechanism=mechanism, password=""))
    accepted = settings(CONFLUENT, mechanism=mechanism)
    assert cluster_topics(cluster, accepted) == set()


def cluster_topics(cluster: Cluster, chosen: dict) -> set[str]:
    return set(
        AdminClient({"bootstrap.servers": cluster.bootstrap, **chosen}, logger=QUIET).list_topics(timeout=20).topics
    )


def test_mechanisms_that_are_off_are_refused(start_broker, users):
    only_scram = [*users[:2], "--sasl-mechanisms", "SCRAM-SHA-512"]
    cluster = start_broker(AUTO, arguments=only_scram)
    refused(cluster, CONFLUENT, settings(CONFLUENT, mechanism="PLAIN"))
    round_trip(cluster, CONFLUENT, settings(CONFLUENT, mechanism="SCRAM-SHA-512"))


def test_nothing_is_answered_before_the_login(start_broker, users):
    cluster = start_broker(AUTO, arguments=users)
    with Connection(cluster.bootstrap) as connection:
        assert connection.call(ApiVersionsRequest(version=0)).error_code == 0
        connection.send_bytes(frame(MetadataRequest.API_KEY, 1, struct.pack(">i", -1)))
        assert connection.is_closed_within(10)
    refused(cluster, CONFLUENT, {})


def test_large_frames_before_the_login_are_refused(start_broker, users):
    cluster = start_broker(AUTO, arguments=users)
    with Connection(cluster.bootstrap) as connection:
        connection.send_bytes(struct.pack(">i", 1 << 20))
        assert connection.is_closed_within(10)


@pytest.mark.parametrize("client", ALL_CLIENTS, ids=name_of)
def test_tls(start_broker, certificates, client):
    cluster = start_broker(AUTO, arguments=tls_arguments(certificates))
    round_trip(cluster, client, settings(client, authority=certificates.authority))
    refused(cluster, client, settings(client, authority=certificates.other_authority))


def tls_arguments(certificates: Certificates, *, mutual: bool = False) -> list[str]:
    arguments = ["--tls-certificate", str(certificates.server), "--tls-key", str(certificates.server_key)]
    return arguments + (["--tls-client-ca", str(certificates.authority)] if mutual else [])


def test_plain_text_on_a_tls_port_is_refused(start_broker, certificates):
    cluster = start_broker(AUTO, arguments=tls_arguments(certificates))
    refused(cluster, CONFLUENT, {})
    with Connection(cluster.bootstrap) as connection:
        connection.send_bytes(frame(ApiVersionsRequest.API_KEY, 0, b""))
        assert connection.is_closed_within(15)
    round_trip(cluster, CONFLUENT, settings(CONFLUENT, authority=certificates.authority))


@pytest.mark.parametrize("client", ALL_CLIENTS, ids=name_of)
def test_mutual_tls(start_broker, certificates, client):
    cluster = start_broker(AUTO, arguments=tls_arguments(certificates, mutual=True))
    authority = certificates.authority
    round_trip(
        cluster,
        client,
        settings(client, authority=authority, certificate=certificates.client, key=certificates.client_key),
    )
    refused(cluster, client, settings(client, authority=authority))
    refused(
        cluster,
        client,
        settings(client, authority=authority, certificate=certificates.stranger, key=certificates.stranger_key),
    )


@pytest.mark.parametrize("client", ALL_CLIENTS, ids=name_of)
def test_sasl_over_tls(start_broker, certificates, users, client):
    cluster = start_broker(AUTO, arguments=users + tls_arguments(certificates))
    round_trip(cluster, client, settings(client, mechanism="SCRAM-SHA-256", authority=certificates.authority))
    refused(
        cluster, client, settings(client, mechanism="SCRAM-SHA-256", authority=certificates.authority, password="wrong")
    )


@pytest.mark.own_broker
def test_an_open_listener_needs_a_lock(tmp_path):
    """Any address but loopback is refused without SASL or TLS."""
    done = subprocess.run(
        [find_binary(), "broker", "--data", tmp_path / "data", "--listen", "0.0.0.0:0"], capture_output=True, timeout=30
    )
    assert done.returncode != 0
    message = done.stderr.decode()
    assert "0.0.0.0" in message and ("SASL" in message.upper() or "TLS" in message.upper()), message


def test_passwords_do_not_reach_the_log(start_broker, users):
    cluster = start_broker(AUTO, arguments=[*users, "--log-level", "trace"])
    round_trip(cluster, CONFLUENT, settings(CONFLUENT, mechanism="PLAIN"))
    refused(cluster, CONFLUENT, settings(CONFLUENT, mechanism="PLAIN", password="canary-password"))
    log = cluster.broker.log.read_text()
    assert "correct horse" not in log and "canary-password" not in log
