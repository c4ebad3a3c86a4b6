"""A broker, a worker that mirrors to a real `mlflow server`, and the control topic to write to.

The binary is HEADRACE, else .build/release/headrace, else .build/debug/headrace.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
import uuid

import pytest
from kafka import KafkaProducer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "CLI"))

# Broker and CLI are those of the command line's tests; this file would hide them under its own name.
import importlib.util

_specification = importlib.util.spec_from_file_location("cli_conftest", ROOT / "Tests" / "CLI" / "conftest.py")
shared = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(shared)

TOPOLOGY = """\
topology: shop
sources:
  payments: {topic: shop.payments, key: user, event_time: {field: at, unit: ms}}
entities:
  user: [user]
views:
  by_user:
    source: payments
    entity: user
    features: {spent: sum(amount) over 1h}
services:
  fraud_v1: {features: [by_user:spent_1h]}
"""

SCHEMA = {
    "type": "record", "name": "payments", "namespace": "shop",
    "fields": [
        {"name": "user", "type": "string"},
        {"name": "amount", "type": "double"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


class MLflowServer:
    """`mlflow server` on loopback; it can be stopped and started again on the same port and files."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        log = open(self.folder / "mlflow.log", "ab")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers",
                "1", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination",
                str(self.folder / "artefacts"),
            ],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "GIT_PYTHON_REFRESH": "quiet"})
        wait_for("mlflow server", self.answers, 120)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "mlflow.log").read_text()[-4000:]
        try:
            return urllib.request.urlopen(f"{self.url}/health", timeout=2).status == 200
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
                self.process.wait()


class Cluster:
    """A broker with a topology, and workers on it."""

    def __init__(self, folder):
        self.folder = folder
        self.broker = shared.Broker(folder)
        self.cli = shared.CLI(self.broker.address)
        (folder / "schemas").mkdir()
        (folder / "topologies").mkdir()
        (folder / "schemas" / "shop.payments.avsc").write_text(json.dumps(SCHEMA))
        self.file = folder / "topologies" / "shop.yaml"
        self.file.write_text(TOPOLOGY)
        self.cli("topics", "create", "shop.payments", "--partitions", "1")
        self.producer = KafkaProducer(bootstrap_servers=self.broker.address)

    def run(self, *flags, **environment):
        port = self.folder / "worker.port"
        port.unlink(missing_ok=True)
        self.cli.environment.update(environment)
        log = open(self.folder / "worker.log", "ab")
        process = self.cli.start(
            "run", self.file, "--data", self.folder / "data", "--listen", "127.0.0.1:0", "--port-file", port, *flags,
            stdout=log, stderr=log)
        wait_for(f"worker: {self.log()}", lambda: port.exists() or process.poll() is not None)
        assert process.poll() is None, self.log()
        return process, port.read_text().strip()

    def log(self):
        path = self.folder / "worker.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def command(self, kind, actor="ada", reason="", **members):
        """Writes a command of the registry into the control topic."""
        body = {"kind": kind, "id": uuid.uuid4().hex, "actor": actor, "reason": reason, **members}
        self.producer.send(
            "headrace.control", key=kind.encode(), value=json.dumps(body).encode(),
            headers=[("headrace-kind", b"registry")], partition=0,
        ).get(10)

    def close(self):
        self.producer.close()
        self.broker.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = MLflowServer(tmp_path_factory.mktemp("mlflow"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()
