"""`headrace dev` on the shop topology, and Feast's client that reads from it.

The binary is HEADRACE, else .build/release/headrace, else .build/debug/headrace. HEADRACE_ADDRESS=HOST:PORT names a server
that runs the topology already.
"""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

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


SHOP = str(HERE / "topologies" / "shop.yaml")


@pytest.fixture(scope="session", params=["one process", "three workers"])
def address(request, tmp_path_factory):
    """HOST:PORT of a server that runs the shop topology: of one that has all keys, or of one of three that share them."""
    if os.environ.get("HEADRACE_ADDRESS"):
        if request.param != "one process":
            pytest.skip("HEADRACE_ADDRESS names the server")
        yield os.environ["HEADRACE_ADDRESS"]
        return
    folder = tmp_path_factory.mktemp("headrace")
    processes = []

    def start(name, *arguments):
        port_file, log_path = folder / f"{name}.port", folder / f"{name}.log"
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                [binary(), *arguments, "--data", str(folder / name), "--port-file", str(port_file), "--listen", "127.0.0.1:0"],
                stdout=log, stderr=log)
        processes.append((process, log_path))
        wait_for(lambda: port_file.exists() or process.poll() is not None, "the server", seconds=60)
        assert process.poll() is None, log_path.read_text(errors="replace")
        return port_file.read_text().strip()

    try:
        if request.param == "one process":
            yield start("dev", "dev", SHOP, "--kafka", "127.0.0.1:0")
        else:
            broker = start("broker", "broker")
            subprocess.run(
                [binary(), "topics", "create", "shop.orders", "--partitions", "3", "--bootstrap", broker], check=True)
            workers = [start(f"worker-{index}", "run", SHOP, "--bootstrap", broker) for index in range(3)]
            wait_for(lambda: all(len(partitions(worker)) == 1 for worker in workers), "a task for each", seconds=60)
            yield workers[1]
    finally:
        for process, log_path in reversed(processes):
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(timeout=30) == 0, log_path.read_text(errors="replace")
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def partitions(worker):
    """Of the tasks that a worker has."""
    with urllib.request.urlopen(f"http://{worker}/api/tasks", timeout=10) as response:
        return [task["partition"] for task in json.load(response)["tasks"]]


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
