"""The broker under test as a child process: started, drained, killed, restarted on the same port and data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parents[3]
START_TIMEOUT_SECONDS = 30.0
DRAIN_TIMEOUT_SECONDS = 20.0


class BrokerDied(Exception):
    """The process ended before it was ready to serve."""

    def __init__(self, return_code: int, log_tail: str):
        super().__init__(f"broker ended with {return_code} before it was ready\n{log_tail}")
        self.return_code = return_code


def find_binary() -> Path:
    """The `headrace` to test: `HEADRACE`, else the release build, else the debug build."""
    named = os.environ.get("HEADRACE")
    candidates = (
        [Path(named)] if named else [REPOSITORY / ".build" / kind / "headrace" for kind in ("release", "debug")]
    )
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"no headrace binary at {', '.join(map(str, candidates))}: run `make build` or set HEADRACE"
    )


class Broker:
    """One broker process over one data directory; `port` stays the same over restarts."""

    def __init__(
        self,
        directory: Path,
        *,
        config: Mapping[str, object] | None = None,
        faults: Sequence[str] = (),
        arguments: Sequence[str] = (),
        command_prefix: Sequence[str] = (),
        port: int = 0,
    ):
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "broker.log"
        self.config = dict(config or {})
        self.faults = list(faults)
        self.arguments = list(arguments)
        self.command_prefix = list(command_prefix)
        self.port = port
        self.process: subprocess.Popen | None = None
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that serves; below a prefix like `unshare` this is still the same id, since prefixes exec."""
        assert self.process is not None
        return self.process.pid

    def start(self, *, environment: Mapping[str, str] | None = None) -> Broker:
        """Starts the process and returns when it serves; raises `BrokerDied` when it ends before that."""
        self.spawn(environment=environment)
        port_file = self.directory / "port"
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not port_file.exists():
            if self.process.poll() is not None:
                raise BrokerDied(self.reap(), self.log_tail())
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"broker not ready in {START_TIMEOUT_SECONDS} s\n{self.log_tail()}")
            time.sleep(0.005)
        self.port = int(port_file.read_text().strip().rsplit(":", 1)[-1])
        return self

    def spawn(self, *, environment: Mapping[str, str] | None = None) -> subprocess.Popen:
        """Starts the process and does not wait for it."""
        assert self.process is None, "already running"
        port_file = self.directory / "port"
        port_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(port_file),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        return self.process

    def _command(self, port_file: Path) -> list[str]:
        command = [
            str(find_binary()),
            "broker",
            "--data",
            str(self.data),
            "--listen",
            self.bootstrap,
            "--port-file",
            str(port_file),
        ]
        for key, value in self.config.items():
            command += ["--config", f"{key}={value}"]
        for fault in self.faults:
            command += ["--fault", fault]
        # A test run that is itself killed must not leave brokers behind.
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        return [*guard, *self.command_prefix, *command, *self.arguments]

    def stop(self) -> int:
        """SIGTERM: drains; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(DRAIN_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"broker did not drain in {DRAIN_TIMEOUT_SECONDS} s\n{self.log_tail()}") from None
        return self.reap()

    def kill(self) -> int:
        """SIGKILL, at once."""
        assert self.process is not None
        self.process.kill()
        return self.reap()

    def reap(self) -> int:
        assert self.process is not None
        code = self.process.wait()
        self.process = None
        return code

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def close(self) -> None:
        """Ends the process whatever its state; for the end of a test."""
        if self.process is not None:
            self.kill()

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS in /proc status")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def log_tail(self, characters: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""
