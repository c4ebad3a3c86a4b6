"""Servers on loopback, and one that keeps what it is told."""

import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Retraining"))
# Programs of the environment that runs this.
PROGRAMS = pathlib.Path(sys.executable).parent


def call(url, body=None):
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


class Server:
    """A program that serves on a port, until the test is over."""

    def __init__(self, folder, words, health, **environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "server.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / words[0], *words[1:], "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(folder), **environment})
        deadline = time.monotonic() + 180
        while True:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                call(self.url + health)
                return
            except (OSError, urllib.error.URLError):
                assert time.monotonic() < deadline, self.log.read_text()[-3000:]
                time.sleep(0.2)

    def stop(self):
        os.killpg(self.process.pid, 9)
        self.process.wait()


@pytest.fixture(scope="session")
def dagster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dagster")
    server = Server(
        folder, ["dagster-webserver", "-f", HERE / "dagster_job.py"], "/server_info", DAGSTER_HOME=str(folder))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def prefect(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefect")
    server = Server(
        folder, ["prefect", "server", "start", "--no-services"], "/api/health", PREFECT_HOME=str(folder),
        PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")
    yield server
    server.stop()


class Receiver:
    def __init__(self):
        self.requests = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                # As Airflow and Argo answer when there is a run of that name: it has begun before.
                self.send_response(409 if "/dags/" in self.path or "/workflows/" in self.path else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="session")
def receiver():
    one = Receiver()
    yield one
    one.server.shutdown()
