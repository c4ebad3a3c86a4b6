"""Policies ask orchestrators for models: real servers of Dagster and Prefect, Kubeflow's own client, and what the others
publish of their interfaces. By hand:

    python3 -m venv .venv-orchestrators
    .venv-orchestrators/bin/pip install -r Tests/Orchestrators/requirements.txt
    .venv-orchestrators/bin/python -m pytest -q Tests/Orchestrators
"""

import base64
import json
import re

import kfp_server_api
import pytest
from conftest import call
from project import Project
from standardwebhooks import Webhook

FACTS = {"retraining", "policy", "model", "dataset", "dataset_hash", "label"}
SECRET = "whsec_" + base64.b64encode(b"a secret of at least twenty-four bytes").decode()


def policies(dagster, prefect, deployment, receiver):
    outside = {
        "by_dagster": f'kind: dagster, url: "{dagster.url}", target: dagster_job.py/train',
        "by_dagster_wrongly": f'kind: dagster, url: "{dagster.url}", target: dagster_job.py/tran',
        "by_prefect": f'kind: prefect, url: "{prefect.url}", target: {deployment}',
        "by_airflow": f'kind: airflow, url: "{receiver.url}", target: train, token_env: TOKEN',
        "by_argo": f'kind: argo, url: "{receiver.url}", target: train, namespace: ml, token_env: TOKEN',
        "by_kubeflow": f'kind: kubeflow, url: "{receiver.url}", target: 3f1c-pipeline, token_env: TOKEN',
        "by_github": f'kind: github, url: "{receiver.url}", target: owner/repository, token_env: TOKEN',
        "by_webhook": f'kind: webhook, url: "{receiver.url}/hook", target: train, secret_env: SECRET',
    }
    text = "    trainer: logistic\n    gate: {auc: {min: 0.5}}\n"
    for name, line in outside.items():
        text += f"""\
  {name}:
    model: fraud
    when: by_hand
    orchestrator: {{{line}}}
    dataset: {{window: 15m}}
"""
    return text, list(outside)


@pytest.fixture(scope="module")
def asked(dagster, prefect, receiver, tmp_path_factory):
    """Each policy has asked its orchestrator: their retrainings by policy."""
    flow = call(f"{prefect.url}/api/flows/", {"name": "train"})["id"]
    properties = {name: {"type": "string"} for name in FACTS}
    deployment = call(f"{prefect.url}/api/deployments/", {
        "name": "train", "flow_id": flow, "enforce_parameter_schema": True,
        "parameter_openapi_schema": {"type": "object", "properties": properties, "required": sorted(FACTS)}})["id"]
    text, names = policies(dagster, prefect, deployment, receiver)
    shop = Project(tmp_path_factory.mktemp("shop") / "p", text)
    try:
        shop.start(HEADRACE_WEBHOOK_ALLOW="127.0.0.1", TOKEN="token-1", SECRET=SECRET)
        shop.champion()
        shop.publish(900, "shift")
        shop.wait("an archive", lambda: list((shop.data / "tables" / "events" / "payments").glob("**/*.parquet")))
        for name in names:
            shop.call("retrain", name)

        def all_asked():
            found = {one["policy"].split(".")[-1]: one for one in shop.retrainings()}
            done = len(receiver.requests) >= 5 and not found["by_dagster_wrongly"]["open"]
            runs = [len(dagster_runs(dagster)), len(prefect_runs(prefect))]
            return found if done and all(runs) and len(found) == len(names) else None

        yield shop.wait("all are asked", all_asked, 240)
    finally:
        shop.kill()


def dagster_runs(dagster):
    query = "{runsOrError{... on Runs{results{jobName tags{key value} runConfig}}}}"
    return call(f"{dagster.url}/graphql", {"query": query})["data"]["runsOrError"]["results"]


def prefect_runs(prefect):
    return call(f"{prefect.url}/api/flow_runs/filter", {})


def check(facts, one):
    assert set(facts) == FACTS
    assert facts["retraining"] == one["retraining"] and facts["model"] == "fraud" and facts["label"] == "label"
    assert facts["dataset"] == f"datasets/{one['retraining']}/1" and re.fullmatch("[0-9a-f]{64}", facts["dataset_hash"])


def request(receiver, path):
    [found] = [(headers, json.loads(body)) for place, headers, body in receiver.requests if place == path]
    return found


def test_dagster_has_a_run_with_its_configuration(asked, dagster):
    [run] = dagster_runs(dagster)
    assert run["jobName"] == "train"
    check(run["runConfig"]["ops"]["headrace"]["config"], asked["by_dagster"])
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["headrace/retraining"] == asked["by_dagster"]["retraining"]


def test_what_dagster_refuses_is_refused(asked):
    """GraphQL answers 200 to everything."""
    one = asked["by_dagster_wrongly"]
    assert one["step"] == "stopped" and "not launched" in one["steps"][-1]["note"], one
    assert "tran" in one["steps"][-1]["note"], one


def test_prefect_has_a_run_with_its_parameters(asked, prefect):
    [run] = prefect_runs(prefect)
    check(run["parameters"], asked["by_prefect"])
    assert run["idempotency_key"] == run["name"] == asked["by_prefect"]["retraining"] and "headrace" in run["tags"]


def test_kubeflow_as_its_client_has_it(asked, receiver):
    headers, body = request(receiver, "/apis/v2beta1/runs")
    assert headers["authorization"] == "Bearer token-1"
    client = kfp_server_api.ApiClient(kfp_server_api.Configuration())
    # As the client would send it: every member is one of the model, none is lost on the way.
    run = kfp_server_api.V2beta1Run(
        display_name=body["display_name"],
        pipeline_version_reference=kfp_server_api.V2beta1PipelineVersionReference(**body["pipeline_version_reference"]),
        runtime_config=kfp_server_api.V2beta1RuntimeConfig(**body["runtime_config"]))
    assert client.sanitize_for_serialization(run) == body
    assert body["pipeline_version_reference"] == {"pipeline_id": "3f1c-pipeline"}
    check(body["runtime_config"]["parameters"], asked["by_kubeflow"])


def test_argo_as_its_interface_says(asked, receiver):
    """WorkflowSubmitRequest: submitOptions has a name, labels as one text, parameters as texts."""
    headers, body = request(receiver, "/api/v1/workflows/ml/submit")
    assert set(body) == {"resourceKind", "resourceName", "submitOptions"}
    assert (body["resourceKind"], body["resourceName"]) == ("WorkflowTemplate", "train")
    options = body["submitOptions"]
    assert set(options) == {"name", "labels", "parameters"}
    check(dict(text.split("=", 1) for text in options["parameters"]), asked["by_argo"])
    # Names and labels of Kubernetes.
    key, value = options["labels"].split("=")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", options["name"]) and key == "headrace-retraining"
    assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value)
    # It said that there is a run of that name: ours.
    assert asked["by_argo"]["open"] and asked["by_argo"]["step"] == "train"


def test_airflow_as_its_interface_says(asked, receiver):
    headers, body = request(receiver, "/api/v2/dags/train/dagRuns")
    assert headers["authorization"] == "Bearer token-1" and set(body) == {"dag_run_id", "logical_date", "conf"}
    check(body["conf"], asked["by_airflow"])
    assert asked["by_airflow"]["open"] and asked["by_airflow"]["step"] == "train"


def test_github_as_its_interface_says(asked, receiver):
    headers, body = request(receiver, "/repos/owner/repository/dispatches")
    assert headers["accept"] == "application/vnd.github+json" and headers["authorization"] == "Bearer token-1"
    # Who does not say who he is is sent away.
    assert headers["user-agent"] == "headrace" and headers["x-github-api-version"] == "2022-11-28"
    assert set(body) == {"event_type", "client_payload"}
    assert len(body["event_type"]) <= 100 and len(body["client_payload"]) <= 10
    check(body["client_payload"], asked["by_github"])


def test_a_webhook_is_signed_as_another_implementation_verifies(asked, receiver):
    [(headers, body)] = [(headers, body) for path, headers, body in receiver.requests if path == "/hook"]
    assert Webhook(SECRET).verify(body, headers)["data"]["retraining"] == asked["by_webhook"]["retraining"]
    with pytest.raises(Exception):
        Webhook(SECRET).verify(body + b" ", headers)
    check(json.loads(body)["data"], asked["by_webhook"])
