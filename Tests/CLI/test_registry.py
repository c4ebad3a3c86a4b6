"""Runs, approvals, retrainings and lineage of versions: `headrace models` on a cluster and on a folder, and over HTTP."""

import json
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest
from conftest import binary
from kafka import KafkaProducer
from test_models import train
from test_worker import Worker
from topology_files import write

DAY = 86_400_000
LINEAGE = {
    "run_id": "r1", "dataset_manifest_hash": "d" * 64, "dataset_place": "s3://lake/datasets/fraud/1",
    "data_versions": [{"table": "events/payments", "version": 7}], "service_name": "fraud_v1", "service_version": "f00d",
    "code_revision": "c0de", "metrics": [{"name": "auc", "value": 0.81, "low": 0.8, "high": 0.82}], "fetched_from": "",
}


class Control:
    """Writes commands into the control topic, as trainers and policies do."""

    def __init__(self, address):
        self.producer = KafkaProducer(bootstrap_servers=address)

    def __call__(self, kind, actor="policy", reason="", id=None, **members):
        body = {"kind": kind, "id": id or uuid.uuid4().hex, "actor": actor, "reason": reason, **members}
        self.producer.send(
            "headrace.control", value=json.dumps(body).encode(), key=b"k", headers=[("headrace-kind", b"registry")],
            partition=0).get(10)


@pytest.fixture
def cluster(own_broker, cli):
    broker = own_broker()
    cli.environment["HEADRACE_BOOTSTRAP_SERVERS"] = broker.address
    # Makes the topic.
    assert cli("models", "list").code == 0
    control = Control(broker.address)
    origin = {key: LINEAGE[key] for key in LINEAGE if key not in ("run_id", "metrics", "fetched_from")}
    control(
        "start_run",
        run={
            "id": "r1", "experiment": "nightly", "model": "fraud", "trainer": "xgboost", "started_by": "ada",
            "parameters": [{"name": "depth", "value": "6"}], **origin,
        })
    control("finish_run", run_id="r1", status="finished", metrics=LINEAGE["metrics"], artefacts=[], error=None)
    control(
        "add_version", model="fraud", version=1, content_hash="a" * 64, format="lightgbm", summary="3 trees",
        feature_count=1, feature_names=["a"], output_count=1, added_at_ms=5, added_by="ada", note="", lineage=LINEAGE)
    ask(control, "a1")
    yield control
    control.producer.close()


def ask(control, id, hours=24, version=1):
    control(
        "request_approval", approval={
            "id": id, "model": "fraud", "version": version, "alias": "champion", "requested_by": "ada",
            "reason": "better", "evidence": json.dumps({"auc": 0.81}),
            "expires_at_ms": int(time.time() * 1_000 + hours * DAY / 24),
        })


def test_where_a_version_comes_from(cli, cluster):
    shown = cli("models", "show", "fraud:1").text
    for part in ("c0de", "s3://lake/datasets/fraud/1", "events/payments at version 7", "fraud_v1", "f00d", "auc", "0.81",
                 "r1 of experiment nightly", "depth = 6", "pending"):
        assert part in shown, shown
    version = cli("models", "show", "fraud:1", "--output", "json").json
    assert version["lineage"] == LINEAGE and version["run"]["status"] == "finished"
    assert version["approvals"][0]["evidence"] == {"auc": 0.81}
    runs = cli("models", "runs", "--experiment", "nightly", "--output", "json").records
    assert [run["id"] for run in runs] == ["r1"]
    assert cli("models", "experiments", "--output", "json").records == [{"experiment": "nightly", "runs": 1}]
    assert cli("models", "runs", "--experiment", "weekly", "--output", "json").records == []
    assert "ALIAS_NOT_FOUND" in cli("models", "show", "fraud@champion", code=1).err
    assert "MODEL_VERSION_NOT_FOUND" in cli("models", "show", "fraud:2", code=1).err


def test_somebody_else_approves(cli, cluster):
    assert "a1" in cli("models", "approvals", "--pending").text
    for asker in ("ada", "policy"):
        refused = cli("models", "approve", "a1", "--by", asker, code=1)
        assert "APPROVAL_OWN_REQUEST" in refused.err
    assert cli("models", "approve", "a1", "--by", "bob", "--reason", "seen", "--output", "json").json["status"] == "approved"
    assert "APPROVAL_DECIDED" in cli("models", "reject", "a1", "--by", "eve", "--reason", "no", code=1).err
    assert cli("models", "approvals", "--pending", "--output", "json").records == []
    decided = cli("models", "approvals", "--output", "json").records[0]
    assert decided["decided"]["by"] == "bob" and decided["decided"]["reason"] == "seen"
    ask(cluster, "a2", hours=-1)
    assert "APPROVAL_EXPIRED" in cli("models", "approve", "a2", "--by", "bob", code=1).err


def test_who_served_when(cli, cluster, tmp_path):
    cli("models", "promote", "fraud", "1", "--reason", "first")
    served = cli("models", "show", "fraud@champion", "--output", "json").json["served"]
    assert [(period["alias"], period["role"], period["ended"]) for period in served] == [("champion", "in force", None)]
    assert served[0]["began"]["reason"] == "first"
    assert "in force" in cli("models", "show", "fraud@champion").text


def test_the_same_over_http(cli, cluster, tmp_path):
    cluster(
        "open_retraining",
        retraining={"id": "t1", "policy": "weekly", "model": "fraud", "cause": '{"psi":0.3}', "opened_by": "p", "at_ms": 3})
    cli("topics", "create", "flights.departures", "--partitions", "1")
    worker = Worker(cli, tmp_path, "run", write(tmp_path), "--data", tmp_path / "data")
    try:
        deadline = time.monotonic() + 20
        while not worker.get("/api/runs"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert worker.get("/api/models/fraud/versions/1")["lineage"] == LINEAGE
        assert worker.get("/api/models/fraud")["versions"][0]["version"] == 1
        assert worker.get("/api/registry/models")[0]["model"] == "fraud"
        assert worker.get("/api/runs?experiment=weekly") == [] and worker.get("/api/runs/r1")["trainer"] == "xgboost"
        assert worker.get("/api/retrainings/t1")["cause"] == {"psi": 0.3}
        assert worker.get("/api/approvals")[0]["status"] == "pending"
        assert post(worker, "/api/approvals/a1/approve", {"by": "ada"})[0] == 403
        assert post(worker, "/api/approvals/a1/approve", {})[0] == 422
        assert post(worker, "/api/approvals/a1/reject", {"by": "bob"})[0] == 422
        assert post(worker, "/api/approvals/a9/approve", {"by": "bob"})[0] == 404
        assert post(worker, "/api/approvals/a1/approve", {"by": "bob"}, Origin="http://evil.example")[0] == 403
        status, answer = post(worker, "/api/approvals/a1/approve", {"by": "bob", "reason": "seen"})
        assert (status, answer["status"]) == (200, "approved")
        assert post(worker, "/api/approvals/a1/approve", {"by": "bob"})[0] == 409
        assert cli("models", "approvals", "--output", "json").records[0]["decided"]["by"] == "bob"
        assert worker.stop() == 0
    finally:
        worker.kill()
    # The copy of the log, and one that is made anew by another process, are the same to the byte.
    cluster("rename_everything", id="c" * 32)
    dumps = []
    for data in ("data", "other"):
        worker = Worker(cli, tmp_path, "run", write(tmp_path), "--data", tmp_path / data)
        try:
            wait_for_dump(tmp_path / data / "control.sqlite", "c" * 32)
            assert worker.stop() == 0
        finally:
            worker.kill()
        dumps.append(dump(tmp_path / data / "control.sqlite"))
    assert dumps[0] == dumps[1] and "fraud" in dumps[0]


def dump(path):
    database = sqlite3.connect(path)
    try:
        return "\n".join(database.iterdump())
    finally:
        database.close()


def wait_for_dump(path, text):
    deadline = time.monotonic() + 30
    while not (path.exists() and text in dump(path)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def post(worker, path, body, **headers):
    request = urllib.request.Request(
        f"http://{worker.address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_folder_joins_a_cluster_over_kills(cli, cluster, tmp_path):
    """Everything arrives once, whatever cut it short; a model that both have is a conflict, and nothing is sent."""
    data, tables = tmp_path / "data", tmp_path / "tables"
    for seed in (1, 2, 3):
        train(seed).save_model(str(tmp_path / f"{seed}.txt"))
        cli("models", "add", "local", tmp_path / f"{seed}.txt", "--data", data, "--alias", "champion")
    for time_of_death in (1, 3, 2):
        environment = {**cli.environment, "HEADRACE_KILL_AT": f"runtime.registry-publishing:{time_of_death}"}
        died = subprocess.run(
            [binary(), "models", "join", "--data", data, "--tables", tables], env=environment, timeout=60)
        assert died.returncode == -signal.SIGKILL
    joined = cli("models", "join", "--data", data, "--tables", tables, "--output", "json").json
    assert joined["published"] + joined["known"] == 6 and joined["known"] == 3
    assert cli("models", "join", "--data", data, "--tables", tables, "--output", "json").json == {"published": 0, "known": 6}
    here = cli("models", "show", "local", "--data", data, "--output", "json").json
    there = cli("models", "show", "local", "--output", "json").json
    assert there["versions"] == here["versions"] and there["aliases"] == here["aliases"] == {"champion": 3}
    assert [entry["since"] for entry in there["history"]] == [entry["since"] for entry in here["history"]]
    for version in there["versions"]:
        assert (tables / "models" / version["content_hash"]).exists()

    other = tmp_path / "other"
    cli("models", "add", "alone", tmp_path / "1.txt", "--data", other)
    cli("models", "add", "local", tmp_path / "1.txt", "--data", other)
    refused = cli("models", "join", "--data", other, "--tables", tables, code=1)
    assert "REGISTRIES_DIFFER" in refused.err
    assert "MODEL_NOT_FOUND" in cli("models", "show", "alone", code=1).err
