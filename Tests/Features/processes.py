"""Headrace as processes on this machine: the embedded log, a worker, and what is asked of them over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.01


class ProcessFailed(Exception):
    """A process ended by itself, or did not get ready."""


def find_binary() -> str:
    """The `headrace` to test: `HEADRACE`, else the release build, else the debug build."""
    candidates = [REPOSITORY / ".build" / mode / "headrace" for mode in ("release", "debug")]
    chosen = os.environ.get("HEADRACE") or next((str(path) for path in candidates if path.exists()), None)
    if chosen is None:
        raise ProcessFailed("no headrace binary: build one, or name it by HEADRACE")
    return chosen


def environment(**extra: str) -> dict[str, str]:
    """Ours without what the person at the terminal has set for Headrace."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("HEADRACE")}, **extra}


class Process:
    """One process of the program, with a log file, that tells its address by a port file."""

    def __init__(self, folder: Path, name: str, arguments: list[str], variables: dict[str, str] | None = None):
        self.name = name
        self.log_path = folder / f"{name}.log"
        self.port_file = folder / f"{name}.port"
        self.port_file.unlink(missing_ok=True)
        self.address = ""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [find_binary(), *map(str, arguments), "--port-file", str(self.port_file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(**(variables or {})))

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait_until_serving(self, timeout: float = START_TIMEOUT_SECONDS) -> bool:
        """False when it ended before it served: what a kill in recovery leads to."""
        deadline = time.monotonic() + timeout
        while not self.port_file.exists():
            if not self.is_running:
                return False
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} does not serve after {timeout:.0f} s\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)
        self.address = self.port_file.read_text().strip()
        return True

    def require_serving(self, timeout: float = START_TIMEOUT_SECONDS) -> "Process":
        if not self.wait_until_serving(timeout):
            raise ProcessFailed(f"{self.name} ended with {self.process.returncode}\n{self.log_tail()}")
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 60.0) -> int:
        """Asks it to drain, and waits; its exit code. Monitors end their step at a low priority: beside suites that take
        all processors that is slow."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ProcessFailed(f"{self.name} did not drain in {timeout:.0f} s\n{self.log_tail()}") from None

    def close(self) -> None:
        if self.is_running:
            self.kill()

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


class Broker(Process):
    """`headrace broker`, as a process of its own."""

    def __init__(self, folder: Path, name: str = "broker"):
        super().__init__(folder, name, [
            "broker", "--data", folder / f"{name}-data", "--listen", "127.0.0.1:0", "--log-level", "warning"])
        self.require_serving()


class Worker(Process):
    """`headrace run` or `headrace dev`, and what can be asked of it."""

    def __init__(self, folder: Path, name: str, topology: Path, bootstrap: str | None, *, data: Path | None = None,
                 schemas: Path | None = None, flags: tuple[str, ...] = (), variables: dict[str, str] | None = None):
        arguments = ["run" if bootstrap else "dev", topology, "--data", data or folder / f"{name}-data",
                     "--listen", "127.0.0.1:0"]
        if bootstrap:
            arguments += ["--bootstrap", bootstrap]
        if schemas:
            arguments += ["--schemas", schemas]
        super().__init__(folder, name, [*arguments, *flags], variables)
        self._client: Client | None = None

    @property
    def client(self) -> "Client":
        if self._client is None:
            self._client = Client(self.address)
        return self._client


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: str):
        super().__init__(f"HTTP {status}: {body[:500]}")
        self.status = status
        self.body = body


class Client:
    """Requests over one connection that is opened again when it was closed."""

    def __init__(self, address: str, timeout: float = 30.0):
        self.address = address
        self.timeout = timeout
        self.connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: object = None) -> bytes:
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if payload is not None else {}
        for attempt in (1, 2):
            if self.connection is None:
                host, _, port = self.address.rpartition(":")
                self.connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=self.timeout)
            try:
                self.connection.request(method, path, payload, headers)
                response = self.connection.getresponse()
                content = response.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        if response.status >= 300:
            raise Refused(response.status, content.decode(errors="replace"))
        return content

    def get(self, path: str) -> object:
        return json.loads(self.request("GET", path))

    def post(self, path: str, body: object) -> object:
        content = self.request("POST", path, body)
        return json.loads(content) if content else None

    def features(self, features: list[str], entities: dict[str, list], **extra: object) -> list[dict[str, tuple]]:
        """For each entity row: `view__feature` → (value, status)."""
        body = {"features": features, "entities": entities, "full_feature_names": True, **extra}
        answer = self.post("/get-online-features", body)
        names = answer["metadata"]["feature_names"]
        names = names["val"] if isinstance(names, dict) else names
        count = len(next(iter(entities.values())))
        rows: list[dict[str, tuple]] = [{} for _ in range(count)]
        for name, column in zip(names, answer["results"]):
            for index in range(count):
                rows[index][name] = (column["values"][index], column["statuses"][index])
        return rows
