"""`headrace dev` on the shop topology, and Feast's client that reads from it.

The binary is HEADRACE, else .build/release/headrace, else .build/debug/headrace. HEADRACE_ADDRESS=HOST:PORT names a server
that runs the topology already.
"""

import os
import pathlib
import signal
import subprocess
import time

import pytest
from feast import FeatureStore, RepoConfig

import shop

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent


def binary():
    candidates = [ROOT / ".build" / mode / "headrace" for mode in ("release", "debug")]
    chosen = os.environ.get("HEADRACE") or next((str(path) for path in candidates if path.exists()), None)
    assert chosen, "no headrace binary: build one, or name it by HEADRACE"
    return chosen


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """HOST:PORT of a server that runs the shop topology."""
    if os.environ.get("HEADRACE_ADDRESS"):
        yield os.environ["HEADRACE_ADDRESS"]
        return
    folder = tmp_path_factory.mktemp("headrace")
    port_file = folder / "port"
    log_path = folder / "dev.log"
    with open(log_path, "wb") as log:
        process = subprocess.Popen(
            [
                binary(),
                "dev",
                str(HERE / "topologies" / "shop.yaml"),
                "--data",
                str(folder / "data"),
                "--listen",
                "127.0.0.1:0",
                "--kafka",
                "127.0.0.1:0",
                "--port-file",
                str(port_file),
            ],
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(lambda: port_file.exists() or process.poll() is not None, "the server", seconds=60)
            assert process.poll() is None, log_path.read_text(errors="replace")
            yield port_file.read_text().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(timeout=30) == 0, log_path.read_text(errors="replace")
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="session")
def store(address, tmp_path_factory):
    """Feast as its users have it: a registry in a file, and Headrace as the remote online store."""
    folder = tmp_path_factory.mktemp("repo")
    config = RepoConfig(
        project="shop",
        provider="local",
        registry=str(folder / "registry.db"),
        online_store={"type": "remote", "path": f"http://{address}", "connection_retries": 0},
        offline_store={"type": "dask"},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    store.apply(shop.definitions(folder))
    return store


def wait_for(condition, what, seconds=20):
    """Returns what `condition` returns once that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
