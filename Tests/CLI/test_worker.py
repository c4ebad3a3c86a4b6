"""`headrace dev`, `run`, `query` and `doctor`: from events in a log to features on the screen."""

import json
import signal
import time
import urllib.error
import urllib.request

import pytest
from conftest import CLI, SAMPLES
from topology_files import write

DEADLINE_SECONDS = 60


class Worker:
    """`headrace dev` or `run` on a free port."""

    def __init__(self, cli, folder, *arguments):
        self.port_file = folder / "worker.port"
        self.port_file.unlink(missing_ok=True)
        self.log = open(folder / "worker.log", "ab")
        self.process = cli.start(
            *arguments, "--listen", "127.0.0.1:0", "--port-file", self.port_file, stdout=self.log, stderr=self.log
        )
        self.folder = folder
        deadline = time.monotonic() + 30
        while not self.port_file.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.02)
        self.address = self.port_file.read_text().strip()

    def text(self):
        return (self.folder / "worker.log").read_text(errors="replace")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as response:
            return json.load(response)

    def wait_until_applied(self, topic, records):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            inputs = [item for task in self.get("/api/tasks")["tasks"] for item in task["inputs"]]
            done = sum(item["position"] for item in inputs if item["topic"] == topic)
            if done >= records and all(item["lag_records"] == 0 for item in inputs):
                return
            assert self.process.poll() is None and time.monotonic() < deadline, (inputs, self.text())
            time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.log.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture
def worker(tmp_path):
    workers = []

    def start(cli, *arguments):
        workers.append(Worker(cli, tmp_path, *arguments))
        return workers[-1]

    yield start
    for process in workers:
        process.kill()


def test_from_nothing_to_a_feature(tmp_path, worker):
    """C22: one process, no broker, no set-up."""
    began = time.monotonic()
    cli = CLI("127.0.0.1:1")
    kafka = free_port()
    dev = worker(cli, "dev", write(tmp_path), "--data", tmp_path / "data", "--kafka", f"127.0.0.1:{kafka}")
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{kafka}"
    cli.publish("flights.departures", SAMPLES / "departures.jsonl.gz", "--key", "carrier", "--event-time", "ts")
    dev.wait_until_applied("flights.departures", 26_308)
    result = cli("query", "carrier_departures", "UA", "--server", dev.address, "--as-of", "latest", "--output", "json")
    features = result.records[0]["features"]
    assert features["flights_24h"]["value"] > 50 and features["flights_24h"]["status"] == "PRESENT"
    assert time.monotonic() - began < DEADLINE_SECONDS
    # What was said at the start, and what is said of values that are years old.
    assert "flights.departures" in dev.text() and "headrace query" in dev.text()
    assert "2013-" in result.err and "ago" in result.err
    route = cli("query", "route_departures", "JFK,LAX", "--server", dev.address, "--as-of", "latest")
    assert "flights_24h" in route.text and "PRESENT" in route.text
    assert dev.stop() == 0
    # The state is there again.
    dev = worker(cli, "dev", write(tmp_path), "--data", tmp_path / "data", "--kafka", f"127.0.0.1:{kafka}")
    dev.wait_until_applied("flights.departures", 26_308)
    again = cli("query", "carrier_departures", "UA", "--server", dev.address, "--as-of", "latest", "--output", "json")
    assert again.out == result.out
    assert dev.stop() == 0


def test_run_shares_the_work_of_a_broker_elsewhere(cli, own_broker, tmp_path, worker):
    broker = own_broker()
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = broker.address
    cli.publish(
        "flights.departures", SAMPLES / "departures.jsonl.gz", "--key", "carrier", "--event-time", "ts", "--partitions",
        "2",
    )
    file = write(tmp_path)
    running = worker(cli, "run", file, "--data", tmp_path / "state")
    running.wait_until_applied("flights.departures", 26_308)
    doctor = cli("doctor", file, "--data", tmp_path, "--listen", running.address, "--output", "json").json
    assert not [finding for finding in doctor if finding["level"] == "error"], doctor
    subjects = {finding["subject"]: finding for finding in doctor}
    assert "1 workers" in subjects["group small"]["message"]
    assert "hold to it" in subjects["contract flights.departures"]["message"]
    # A time that is known, and one that is no longer kept.
    at = "2013-02-01T12:00:00Z"
    row = cli("query", "carrier_departures", "AA", "--as-of", at, "--server", running.address, "--output", "json")
    assert row.records[0]["at"].startswith("2013-02-01T12:00:00")
    too_old = cli("query", "carrier_departures", "AA", "--as-of", "2013-01-05", "--server", running.address, code=1)
    assert "as_of" in too_old.err
    assert running.stop() == 0


def test_query_says_what_is_wrong(cli, own_broker, tmp_path, worker):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    cli("topics", "create", "flights.departures")
    running = worker(cli, "run", write(tmp_path), "--data", tmp_path / "state")
    server = ["--server", running.address]
    nothing = cli("query", "carrier_departure", "AA", *server, code=1)
    assert "carrier_departures" in nothing.err
    assert "expected 2" in cli("query", "route_departures", "JFK", *server, code=2).err
    assert "flights_24h" in cli("query", "carrier_departures", "AA", "--features", "flights_9h", *server, code=1).err
    empty = cli("query", "carrier_departures", "AA", "--features", "flights_24h", *server)
    assert "NOT_FOUND" in empty.text
    cli("query", "carrier_departures", "AA", "--server", f"127.0.0.1:{free_port()}", "--timeout", "2s", code=3)


def test_a_topology_that_is_wrong_starts_nothing(cli, tmp_path):
    file = write(tmp_path, "topology: small\nsources: {}\n")
    result = cli("run", file, "--data", tmp_path / "state", code=1)
    assert "small.yaml:" in result.err and not (tmp_path / "state").exists()


def test_a_missing_topic_is_said_with_its_remedy(cli, own_broker, tmp_path):
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = own_broker().address
    result = cli("run", write(tmp_path), "--data", tmp_path / "state", "--listen", "127.0.0.1:0", code=1)
    assert "flights.departures" in result.err
    doctor = cli("doctor", write(tmp_path), "--data", tmp_path, code=1)
    assert "topic flights.departures" in doctor.text and "headrace topics create" in doctor.text


def test_doctor_without_a_broker(tmp_path):
    cli = CLI(f"127.0.0.1:{free_port()}")
    result = cli("doctor", "--data", tmp_path, "--timeout", "1s", "--listen", f"127.0.0.1:{free_port()}", code=1)
    assert "ERROR" in result.text and "headrace broker" in result.text and "librdkafka" in result.text


def test_kill_points_are_listed(cli):
    names = cli("run", "--list-kill-points").text.split()
    assert len(names) > 10 and all(name.startswith(("runtime.", "retraining.", "delta.")) for name in names)


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
