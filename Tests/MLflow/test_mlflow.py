"""The registry's mirror in a real MLflow server, models that are taken from one, and lineage events."""

import hashlib
import http.server
import json
import signal
import threading
import urllib.error
import urllib.request
import uuid
from datetime import datetime

import lightgbm
import mlflow
import numpy
import pytest
from mlflow.tracking import MlflowClient
from openlineage.client import event_v2, facet_v2
from openlineage.client.generated import (
    dataset_version_dataset, datasource_dataset, error_message_run, job_type_job, output_statistics_output_dataset,
    processing_engine_run, schema_dataset)

from conftest import wait_for

HASH = "d" * 40 + "e" * 24
ORIGIN = {
    "dataset_manifest_hash": HASH, "dataset_place": "s3://lake/datasets/fraud/1",
    "data_versions": [{"table": "events/payments", "version": 7}], "service_name": "fraud_v1", "service_version": "f00d",
    "code_revision": "c0de",
}
METRICS = [{"name": "auc", "value": 0.81, "low": 0.8, "high": 0.82}, {"name": "log_loss", "value": 0.3}]


def train(seed):
    random = numpy.random.default_rng(seed)
    rows = random.normal(size=(400, 1))
    labels = (rows[:, 0] > 0).astype(int)
    return lightgbm.train({"objective": "binary", "verbosity": -1, "seed": seed}, lightgbm.Dataset(rows, labels), 3)


def tell(cluster, run, experiment, model):
    """A run of its own, from its start to a version of the model."""
    cluster.command(
        "start_run",
        run={
            "id": run, "experiment": experiment, "model": model, "trainer": "xgboost", "started_by": "ada",
            "parameters": [{"name": "depth", "value": "6"}, {"name": "eta", "value": "0.1"}], **ORIGIN,
        })
    cluster.command(
        "finish_run", run_id=run, status="finished", metrics=METRICS, error=None,
        artefacts=[{"name": "model", "content_hash": "a" * 64, "size_bytes": 7}])


def add(cluster, model, number, run):
    cluster.command(
        "add_version", model=model, version=number, content_hash=hashlib.sha256(f"{model} {number}".encode()).hexdigest(),
        format="lightgbm", summary="binary, 3 trees", feature_count=1, feature_names=["a"], output_count=1,
        added_at_ms=5, added_by="ada", note="first",
        lineage={"run_id": run, **ORIGIN, "metrics": METRICS, "fetched_from": ""})


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def metric(address, name):
    text = urllib.request.urlopen(f"http://{address}/metrics", timeout=10).read().decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name)}


def forget(server):
    """Another test's registry is another registry."""
    client = MlflowClient(server.url)
    control = client.get_experiment_by_name("headrace.control")
    if control:
        client.rename_experiment(control.experiment_id, f"gone.{uuid.uuid4().hex}")


def test_a_server_shows_what_the_registry_says(cluster, server):
    """Runs, dataset digests, versions and aliases; MLflow is away in between; the worker is killed; nothing comes twice."""
    forget(server)
    client = MlflowClient(server.url)
    process, address = cluster.run("--mlflow", server.url)
    tell(cluster, "r1", "nightly", "fraud")
    add(cluster, "fraud", 1, "r1")
    cluster.command("set_alias", model="fraud", alias="champion", version=1, expected=None)
    found = wait_for("alias", lambda: alias(client, "fraud", "champion"))
    assert found.version == "1" and found.tags["headrace.version"] == "1"
    assert found.tags["headrace.dataset.sha256"] == HASH

    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED" and run.info.run_name == "r1"
    assert run.data.params == {"depth": "6", "eta": "0.1"}
    assert run.data.metrics == {"auc": 0.81, "auc.low": 0.8, "auc.high": 0.82, "log_loss": 0.3}
    assert run.data.tags["headrace.artefact.model"].startswith("sha256:aaaa")
    dataset = run.inputs.dataset_inputs[0].dataset
    assert dataset.digest == HASH[:32] and json.loads(dataset.source)["sha256"] == HASH
    assert json.loads(dataset.source)["tables"] == {"events/payments": 7}
    assert client.get_experiment(run.info.experiment_id).name == "nightly"

    # The server is away; the stream and the registry go on.
    server.stop()
    tell(cluster, "r2", "nightly", "fraud")
    add(cluster, "fraud", 2, "r2")
    cluster.command("set_alias", model="fraud", alias="latest", version=2, expected=None)  # MLflow keeps this name.
    cluster.command("set_alias", model="fraud", alias="champion", version=2, expected=1)
    cluster.command("rename_everything", model="fraud")  # Of a newer program.
    seen = lambda: get(address, "/api/models/fraud")["aliases"].get("champion") == 2
    wait_for("the registry", seen, 5)
    process.kill()
    process.wait()
    process, address = cluster.run("--mlflow", server.url)
    server.start()
    wait_for("second version", lambda: (alias(client, "fraud", "champion") or found).version == "2", 40)
    wait_for("the refusal counts", lambda: metric(address, "headrace_mlflow_refused_total").get("headrace_mlflow_refused_total") == 1)

    # Once more from the beginning: everything is found, nothing is made again.
    control = client.get_experiment_by_name("headrace.control")
    stop(process)
    client.set_experiment_tag(control.experiment_id, "headrace.offset", "-1")
    process, address = cluster.run("--mlflow", server.url)
    wait_for(
        "the offset",
        lambda: int(client.get_experiment(control.experiment_id).tags["headrace.offset"]) >= 0)
    stop(process)
    experiment = client.get_experiment_by_name("nightly").experiment_id
    assert sorted(run.info.run_name for run in client.search_runs([experiment])) == ["r1", "r2"]
    assert [version.version for version in client.search_model_versions("name = 'fraud'")] == ["2", "1"]


def alias(client, model, name):
    try:
        return client.get_model_version_by_alias(model, name)
    except mlflow.exceptions.MlflowException:
        return None


def get(address, path):
    try:
        return json.load(urllib.request.urlopen(f"http://{address}{path}", timeout=10))
    except urllib.error.HTTPError as error:
        return json.load(error) | {"aliases": {}}


def test_a_model_is_taken_from_mlflow(cluster, server, tmp_path):
    client = MlflowClient(server.url)
    mlflow.set_tracking_uri(server.url)
    name = f"pulled-{uuid.uuid4().hex[:8]}"
    booster = train(3)
    with mlflow.start_run():
        mlflow.lightgbm.log_model(booster, name="model", registered_model_name=name)
    client.set_registered_model_alias(name, "champion", "1")
    for address in (f"models:/{name}@champion", f"models:/{name}/1"):
        folder = tmp_path / address[-1]
        added = cluster.cli(
            "models", "add", "fraud", address, "--data", folder, "--mlflow", server.url, "--output", "json").json
        text = (folder / "models" / added["content_hash"]).read_bytes()
        assert hashlib.sha256(text).hexdigest() == added["content_hash"]
        assert added["format"] == "lightgbm" and added["lineage"]["fetched_from"] == f"models:/{name}/1"
    published = cluster.cli(
        "models", "publish", "taken", f"models:/{name}@champion", "--tables", tmp_path / "tables", "--mlflow", server.url,
        "--output", "json").json
    assert published["content_hash"] == added["content_hash"]
    shown = cluster.cli("models", "show", "taken:1").text
    assert f"models:/{name}/1" in shown
    refused = cluster.cli(
        "models", "add", "fraud", f"models:/{name}@nobody", "--data", tmp_path / "x", "--mlflow", server.url, code=1)
    assert "MLFLOW_MODEL_NOT_FOUND" in refused.err
    assert "--mlflow URL is missing" in cluster.cli("models", "add", "m", "models:/a/1", "--data", tmp_path / "y", code=2).err


# Lineage.

FACETS = {
    "schema": schema_dataset.SchemaDatasetFacet, "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "dataSource": datasource_dataset.DatasourceDatasetFacet, "jobType": job_type_job.JobTypeJobFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}


def check(event):
    """Holds an event against OpenLineage's own classes, and against what its specification demands of every event."""
    assert set(event) == {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"}
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    uuid.UUID(event["run"]["runId"])
    parts = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for facets in [part.get("facets", {}) for part in parts] + [out.get("outputFacets", {}) for out in event["outputs"]]:
        for name, facet in facets.items():
            assert facet["_producer"] == event["producer"] and facet["_schemaURL"].startswith("https://openlineage.io/spec/")
            if name in FACETS:
                members = {key: value for key, value in facet.items() if not key.startswith("_")}
                if name == "schema":
                    members["fields"] = [schema_dataset.SchemaDatasetFacetFields(**field) for field in members["fields"]]
                FACETS[name](**members)
    event_v2.RunEvent(
        eventTime=event["eventTime"], eventType=event_v2.RunState(event["eventType"]), producer=event["producer"],
        run=event_v2.Run(event["run"]["runId"]), job=event_v2.Job(event["job"]["namespace"], event["job"]["name"]),
        inputs=[event_v2.InputDataset(item["namespace"], item["name"]) for item in event["inputs"]],
        outputs=[event_v2.OutputDataset(item["namespace"], item["name"]) for item in event["outputs"]])
    return event


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.events.append((self.path, self.headers.get("Authorization"), json.loads(body)))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.events = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_lineage_of_streams_and_training(cluster, collector, tmp_path):
    file = tmp_path / "lineage.jsonl"
    process, address = cluster.run(
        "--openlineage-file", file, OPENLINEAGE_URL=f"http://127.0.0.1:{collector.server_address[1]}",
        OPENLINEAGE_NAMESPACE="shop", OPENLINEAGE_API_KEY="secret")
    tell(cluster, "r1", "nightly", "fraud")
    cluster.command(
        "open_retraining",
        retraining={"id": "t1", "policy": "weekly", "model": "fraud", "cause": "{}", "opened_by": "policy", "at_ms": 3})
    for step, next_step, note in (("dataset", "train", ""), ("train", "stopped", "no rows")):
        cluster.command("advance_retraining", retraining_id="t1", note=note, evidence="", **{"from": step, "to": next_step})
    wait_for("seven events", lambda: len(collector.events) >= 6)
    counted = metric(address, "headrace_lineage_events")
    stop(process)
    events = [check(json.loads(line)) for line in file.read_text().splitlines()]
    assert [event for _, _, event in collector.events] == events
    assert {(path, key) for path, key, _ in collector.events} == {("/api/v1/lineage", "Bearer secret")}
    by_job = {}
    for event in events:
        assert event["job"]["namespace"] == "shop"
        by_job.setdefault(event["job"]["name"], []).append(event)
    assert [event["eventType"] for event in by_job["shop"]] == ["START", "COMPLETE"]
    assert [event["eventType"] for event in by_job["train.fraud"]] == ["START", "COMPLETE"]
    assert [event["eventType"] for event in by_job["retrain.weekly"]] == ["START", "RUNNING", "FAIL"]
    for of_job in by_job.values():
        assert len({event["run"]["runId"] for event in of_job}) == 1
    start = by_job["shop"][0]
    assert start["inputs"][0]["namespace"] == f"kafka://{cluster.broker.address}"
    assert start["inputs"][0]["name"] == "shop.payments"
    assert {field["name"] for field in start["inputs"][0]["facets"]["schema"]["fields"]} == {"user", "amount", "at"}
    assert start["job"]["facets"]["jobType"]["processingType"] == "STREAMING"
    trained = by_job["train.fraud"][1]
    assert trained["inputs"][0]["namespace"] == "s3://lake" and trained["inputs"][0]["name"] == "datasets/fraud/1"
    assert trained["inputs"][0]["facets"]["version"]["datasetVersion"] == HASH
    assert by_job["retrain.weekly"][2]["run"]["facets"]["errorMessage"]["message"] == "no rows"
    assert counted['headrace_lineage_events_total{outcome="dropped"}'] == 0


def test_a_lineage_server_that_is_away_stops_nothing(cluster):
    process, address = cluster.run(OPENLINEAGE_URL="http://127.0.0.1:9")
    wait_for(
        "a failure",
        lambda: metric(address, "headrace_lineage_events").get('headrace_lineage_events_total{outcome="failed"}', 0) >= 1)
    stop(process)
