"""The broker as a process that is meant to die: spawned on one port and one data folder, killed, spawned again."""
from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.002

# Small everything: segments, snapshots and intervals, so that each kill point is passed many times a second.
SETTINGS = {
    "auto.create.topics.enable": "false",
    "group.min.session.timeout.ms": 1000,
    "log.segment.bytes": 32768,
    "log.index.interval.bytes": 1024,
    "log.flush.interval.ms": 200,
    "log.retention.check.interval.ms": 100,
    "log.cleaner.backoff.ms": 50,
    "log.cleaner.min.cleanable.ratio": "0.1",
    "journal.snapshot.bytes": 4096,
}


class BrokerFailed(Exception):
    """The broker ended by itself, or did not get ready: what a kill must never lead to."""


def find_binary() -> Path:
    """The `headrace` to test: `HEADRACE`, else the release build, else the debug build."""
    named = os.environ.get("HEADRACE")
    built = [REPOSITORY / ".build" / kind / "headrace" for kind in ("release", "debug")]
    candidates = [Path(named)] if named else built
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    places = ", ".join(map(str, candidates))
    raise FileNotFoundError(f"no headrace binary at {places}: run `make build` or set HEADRACE")


def kill_points(binary: Path) -> list[str]:
    done = subprocess.run([binary, "broker", "--list-kill-points"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def free_port() -> int:
    """A port below those of outgoing connections, so that none of them takes it while the broker is dead."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("no free port from 20000 to 32000")


class BrokerProcess:
    """At most one process at a time; `port` and data stay."""

    def __init__(self, directory: Path, binary: Path):
        self.binary = binary
        self.data = directory / "data"
        self.log = directory / "broker.log"
        self.port = free_port()
        self.started = 0.0
        self.served = 0.0
        self._port_file = directory / "port"
        self._process: subprocess.Popen | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def spawn(self, kill_at: str | None = None) -> None:
        """Starts the process and does not wait. With `kill_at` (`name:occurrence`) it ends itself there."""
        self._port_file.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "HEADRACE_KILL_AT"}
        if kill_at is not None:
            environment["HEADRACE_KILL_AT"] = kill_at
        with self.log.open("ab") as log:
            log.write(f"--- start at {time.time():.3f}, kill at {kill_at}\n".encode())
            log.flush()
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def _command(self) -> list[str]:
        # A run that is itself killed must not leave a broker behind.
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        command = [str(self.binary), "broker", "--data", str(self.data), "--listen", self.bootstrap,
                   "--port-file", str(self._port_file)]
        return guard + command + [word for key, value in SETTINGS.items() for word in ("--config", f"{key}={value}")]

    def wait_until_serving(self) -> bool:
        """True when it serves; False when it was killed, by itself or from outside, before that."""
        while not self._port_file.exists():
            if self.exit_code() is not None:
                self._check_killed()
                return False
            if time.monotonic() - self.started > START_TIMEOUT_SECONDS:
                raise BrokerFailed(f"not ready {START_TIMEOUT_SECONDS} s after its start\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)
        self.served = time.monotonic()
        return True

    def wait_until_dead(self, seconds: float) -> bool:
        """Whether it was killed within that time."""
        deadline = time.monotonic() + seconds
        while self.exit_code() is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        self._check_killed()
        return True

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._check_killed()

    def kill_while_stopping(self, seconds: float) -> None:
        """Tells it to stop and gives it that long; an orderly end in that time is as good as a kill."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if self._process.wait() != 0:
            self._check_killed()

    def stop(self) -> int:
        """SIGTERM, as at an orderly end; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(START_TIMEOUT_SECONDS)

    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def _check_killed(self) -> None:
        code = self.exit_code()
        if code != -signal.SIGKILL:
            raise BrokerFailed(f"ended by itself with exit code {code}\n{self.log_tail()}")

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def log_tail(self, characters: int = 3000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""
