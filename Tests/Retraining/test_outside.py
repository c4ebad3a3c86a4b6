"""What a policy says to the outside and hears from there: approval, webhooks, orchestrators, models that come back."""

import base64
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
import urllib.error
import urllib.request

import pytest

SECRET = "whsec_" + base64.b64encode(b"a secret of at least twenty-four bytes").decode()
LINEAR = {
    "model": "linear", "features": ["n_1m", "amount", "distance"], "weights": [0, 0, 0.5], "intercept": -38,
    "link": "logistic"}


class Receiver:
    """Keeps what it is told; answers with `status`."""

    def __init__(self):
        self.status, self.requests = 200, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((self.path, dict(self.headers.items()), body))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self):
        """Bodies of the webhooks, each with a signature that is right."""
        found = []
        for path, headers, body in self.requests:
            named = {name.lower(): value for name, value in headers.items()}
            signed = f"{named['webhook-id']}.{named['webhook-timestamp']}.".encode() + body
            key = base64.b64decode(SECRET.removeprefix("whsec_"))
            expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            assert named["webhook-signature"] == expected
            assert abs(time.time() - int(named["webhook-timestamp"])) < 60
            found.append((path, named, json.loads(body)))
        return found


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.server.shutdown()


def begin(shop, **environment):
    shop.start(HOOK_SECRET=SECRET, **environment)
    shop.champion()
    shop.publish(1_200, "shift")
    shop.wait("an archive", lambda: list((shop.data / "tables" / "events" / "payments").glob("**/*.parquet")))


def step(shop):
    listed = shop.retrainings()
    return listed[0]["step"] if listed else None


def get(shop, path):
    with urllib.request.urlopen(f"http://{shop.http}{path}", timeout=10) as answer:
        return answer.headers["content-type"], answer.read()


def post(shop, path, body, content="application/octet-stream"):
    request = urllib.request.Request(f"http://{shop.http}{path}", body, {"content-type": content}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_shadow_canary_and_approval(project, receiver):
    """The whole way of a version, and who may let it go there; everybody who asked to be told is."""
    shop = project(f"""\
    trainer: xgboost
    parameters: {{rounds: 30, max_depth: 3}}
    gate: {{auc: {{min: 0.7}}}}
    shadow: {{events: 20}}
    canary: {{share: 50%, events: 20}}
    promote: approval
    notify: {{url: "{receiver.url}/told", secret_env: HOOK_SECRET}}
""")
    begin(shop, HEADRACE_WEBHOOK_ALLOW="127.0.0.1")
    shop.call("retrain", "again", "--reason", "a test", "--by", "ada")
    shop.wait("somebody is asked", lambda: step(shop) == "approval",
              meanwhile=lambda: step(shop) in ("shadow", "canary") and shop.publish(60, "shift"))
    [one] = shop.retrainings()
    name = one["id"]
    # Nobody puts a model of his own in place of what the policy trains.
    status, problem = post(shop, f"/api/retrainings/{name}/result", json.dumps(LINEAR).encode())
    assert 400 <= status < 500 and problem["code"] == "RETRAINING_TRAINS_ITSELF", (status, problem)
    [approval] = shop.wait("the question", lambda: shop.records("models", "approvals"))
    assert approval["id"] == name and approval["version"] == 2 and shop.answers() == 1, approval

    # The page for whoever decides needs nothing from elsewhere.
    kind, page = get(shop, f"/api/retrainings/{name}/evidence")
    page = page.decode()
    assert kind.startswith("text/html") and "<svg" in page and "auc" in page and "shadow" in page
    assert not re.search(r"(src|href)=.https?:", page) and "<script" not in page

    # Who asked cannot approve; who did not, can.
    refused = shop.call("models", "approve", name, "--reason", "mine", "--by", "ada", code=None)
    assert refused.returncode == 1 and b"ada" in refused.stderr, refused.stderr
    assert shop.answers() == 1
    shop.call("models", "approve", name, "--reason", "slices look right", "--by", "bob")
    [one] = shop.ended()
    assert one["step"] == "done" and shop.answers() == 2, one
    assert [part["step"] for part in one["steps"]] == [
        "dataset", "train", "evaluate", "gate", "register", "shadow", "canary", "approval", "promote", "done"]
    assert "bob" in next(part["note"] for part in one["steps"] if part["step"] == "promote")

    told = receiver.messages()
    assert [path for path, _, _ in told] == ["/told"] * len(told)
    assert [body["what"] for _, _, body in told] == ["approval", "done"]
    assert all(body["retraining"] == name and named["webhook-id"] == body["id"] for _, named, body in told)
    shop.stop()


def test_nobody_s_answer_is_a_no(project):
    shop = project("""\
    trainer: logistic
    gate: {auc: {min: 0.5}}
    promote: approval
    approval: {timeout: 2s}
""")
    begin(shop)
    shop.call("retrain", "again")
    [one] = shop.ended()
    assert one["step"] == "refused" and "nobody decided in time" in one["steps"][-1]["note"], one
    assert shop.answers() == 1
    shop.stop()


def test_an_orchestrator_trains(project, receiver):
    """Airflow is asked as Airflow wants it; what comes back is judged like any other model."""
    shop = project(f"""\
    orchestrator: {{kind: airflow, url: "{receiver.url}", target: train fraud, token_env: AIRFLOW_TOKEN,
                    secret_env: HOOK_SECRET}}
    gate: {{auc: better than champion}}
    promote: automatic
""")
    begin(shop, HEADRACE_WEBHOOK_ALLOW="127.0.0.1", AIRFLOW_TOKEN="token-1")
    shop.call("retrain", "again")
    shop.wait("it is asked", lambda: receiver.requests)
    [one] = shop.retrainings()
    name = one["id"]
    [(path, named, body)] = receiver.messages()
    assert path == "/api/v2/dags/train%20fraud/dagRuns" and named["authorization"] == "Bearer token-1"
    assert body["dag_run_id"] == f"headrace__{name}" and body["logical_date"] is None
    assert body["conf"]["retraining"] == name and body["conf"]["model"] == "fraud" and body["conf"]["dataset"]

    # What is no model is refused where somebody can mend it, and the retraining waits on.
    status, problem = post(shop, f"/api/retrainings/{name}/result", b"no model")
    assert status == 422 and problem["code"] == "MODEL_UNREADABLE", (status, problem)
    assert post(shop, "/api/retrainings/nobody/result", b"{}")[0] == 404
    assert step(shop) == "train"
    status, answer = post(shop, f"/api/retrainings/{name}/result", json.dumps(LINEAR).encode())
    assert status == 200, answer
    [one] = shop.ended()
    assert one["step"] == "done" and shop.answers() == 2, one
    # Once is enough.
    status, problem = post(shop, f"/api/retrainings/{name}/result", json.dumps(LINEAR).encode())
    assert 400 <= status < 500 and problem["code"] == "RETRAINING_NOT_WAITING", (status, problem)
    assert len(receiver.requests) == 1
    shop.stop()


@pytest.mark.parametrize("case", ["private", "redirected"])
def test_nobody_is_called_who_must_not_be(project, receiver, case):
    """Neither a private address, unless it is allowed, nor the one that a redirect names."""
    shop = project(f"""\
    orchestrator: {{kind: webhook, url: "{receiver.url}/train", target: fraud}}
    gate: {{auc: better than champion}}
    promote: automatic
""")
    receiver.status = 302
    begin(shop, **({} if case == "private" else {"HEADRACE_WEBHOOK_ALLOW": "127.0.0.0/8"}))
    shop.call("retrain", "again")
    [one] = shop.ended()
    assert one["step"] == "stopped" and shop.answers() == 1, one
    note = one["steps"][-1]["note"]
    if case == "private":
        assert receiver.requests == [] and "not public" in note
    else:
        assert {path for path, _, _ in receiver.requests} == {"/train"} and "302" in note
    shop.stop()
