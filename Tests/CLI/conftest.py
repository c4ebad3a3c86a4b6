"""A broker for the session, and the command line as a function.

The binary is HEADRACE, else .build/release/headrace, else .build/debug/headrace.
"""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples" / "flights"


def binary():
    candidates = [ROOT / ".build" / mode / "headrace" for mode in ("release", "debug")]
    chosen = os.environ.get("HEADRACE") or next((str(path) for path in candidates if path.exists()), None)
    assert chosen, "no headrace binary: build one, or name it by HEADRACE"
    return chosen


class Broker:
    """`headrace broker` as a process of its own, on a free port."""

    def __init__(self, folder, *flags):
        self.folder = folder
        port_file = folder / "port"
        self.log = open(folder / "broker.log", "wb")
        self.process = subprocess.Popen(
            [
                binary(),
                "broker",
                "--data",
                str(folder / "data"),
                "--listen",
                "127.0.0.1:0",
                "--port-file",
                str(port_file),
                *flags,
            ],
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + 30
        while not port_file.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.01)
        self.address = port_file.read_text().strip()

    def text(self):
        return (self.folder / "broker.log").read_text(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def records(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{(self.out or b'')[:2000]!r}\n--- stderr\n{self.err[:4000]}"


class CLI:
    """Runs `headrace` against one broker; waits for its end."""

    def __init__(self, address):
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HEADRACE")},
            "HEADRACE_BOOTSTRAP_SERVERS": address,
        }

    def start(self, *arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen([binary(), *map(str, arguments)], env=self.environment, **options)

    def __call__(self, *arguments, code=0, stdin=None, timeout=60):
        options = {} if stdin is None else {"stdin": subprocess.PIPE}
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"still runs after {timeout} s: {Result(None, out, err.decode())}")
        result = Result(process.returncode, out, err.decode())
        assert code is None or result.code == code, result
        return result

    def finish(self, process, timeout=30):
        out, err = process.communicate(timeout=timeout)
        return Result(process.returncode, out, err.decode())

    def publish(self, topic, *arguments, **options):
        """The receipt of a publication that succeeds."""
        return self("publish", topic, *arguments, "--output", "json", **options).json

    def values(self, topic, *arguments):
        result = self("consume", topic, "--until", "end", "--output", "raw", *arguments)
        return result.out.split(b"\n")[:-1]

    def records(self, topic, *arguments):
        return self("consume", topic, "--until", "end", *arguments).records


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def own_broker(tmp_path):
    """Makes brokers for one test: `own_broker("--flag", …)`."""
    brokers = []

    def make(*flags):
        folder = tmp_path / f"broker-{len(brokers)}"
        folder.mkdir()
        brokers.append(Broker(folder, *flags))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.stop()


@pytest.fixture
def cli(broker):
    return CLI(broker.address)


names = itertools.count()


@pytest.fixture
def topic(request):
    """A name that no other test has."""
    return f"t{next(names)}.{request.node.name.split('[')[0][:60]}"


@pytest.fixture
def lines(tmp_path):
    """Writes a file of lines."""

    def write(*values, name="events.jsonl", end="\n"):
        path = tmp_path / name
        path.write_bytes(b"".join((v if isinstance(v, bytes) else v.encode()) + end.encode() for v in values))
        return path

    return write
