"""The binary is HEADRACE, else .build/release/headrace, else .build/debug/headrace."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    candidates = [ROOT / ".build" / mode / "headrace" for mode in ("release", "debug")]
    chosen = os.environ.get("HEADRACE") or next((str(path) for path in candidates if path.exists()), None)
    assert chosen, "no headrace binary: build one, or name it by HEADRACE"
    return chosen


@pytest.fixture
def loop(tmp_path):
    """Runs `headrace demo loop`, and returns its last line."""

    def run(*arguments, timeout=900):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE")}
        command = [binary(), "demo", "loop", *map(str, arguments), "--output", "json"]
        done = subprocess.run(
            command, cwd=ROOT, env={**environment, "TMPDIR": str(tmp_path)}, capture_output=True, timeout=timeout)
        assert done.returncode == 0, done.stderr.decode()[-4_000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run
