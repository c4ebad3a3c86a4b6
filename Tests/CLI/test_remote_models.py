"""Models behind endpoints: Headrace's own, and one in OpenAI's shape that misbehaves. Whatever an endpoint does, there is
one prediction for each event, in its order."""

import collections
import csv
import http.server
import itertools
import json
import re
import socket
import threading
import time
import urllib.request

import pytest
from conftest import ROOT
from test_models import PARTITIONS, Project, events, expect_all, lines
from test_worker import Worker

FILE = "file: models/fraud.txt,"


def remote(project, settings, more=""):
    """The project's topology with an endpoint in the place of the file."""
    text = project.file.read_text()
    assert FILE in text
    project.file.write_text(text.replace(FILE, f"remote: {{{settings}}}, {more}"))


class Endpoint:
    """`/classify` in vLLM's shape: the score of a row is the sum of what its text says; each request may go wrong."""

    def __init__(self, behave=lambda number: None, port=0, headers={}):
        self.numbers, self.requests = itertools.count(), []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                number = next(endpoint.numbers)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append((self.path, {name.title(): value for name, value in self.headers.items()}, body))
                data = [{"index": i, "probs": [total(text)]} for i, text in enumerate(body["input"])]
                usage = {"prompt_tokens": len(data), "completion_tokens": 0}
                answer = json.dumps({"data": data[::-1], "usage": usage}).encode()
                fault = behave(number)
                if fault == "hang":
                    time.sleep(2)
                    self.close_connection = True
                elif fault == "disconnect":
                    self.close_connection = True
                elif fault == "truncated":
                    self.reply(200, answer[: len(answer) // 2], len(answer))
                    self.close_connection = True
                elif fault == "drip":
                    self.reply(200, b"", len(answer))
                    for byte in answer[:20]:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(0.1)
                    self.close_connection = True
                elif fault == "garbage":
                    self.reply(200, b"<html>sign in</html>")
                elif fault == "shape":
                    self.reply(200, json.dumps({"data": data[1:]}).encode())
                elif fault == "429":
                    self.reply(429, b"", headers={"Retry-After": "0.1"})
                elif fault is not None:
                    self.reply(int(fault), b"{}")
                else:
                    self.reply(200, answer, headers=headers)

            def reply(self, status, body, length=None, headers={}):
                self.send_response(status)
                for name, value in {"Content-Length": len(body) if length is None else length, **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = allow_reuse_address = True

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def total(text):
    return sum(float(number) for number in re.findall(r"-?[0-9.]+(?:e-?[0-9]+)?", text))


def settings(port, more=""):
    prompt = "'{n_24h} {total_24h} {largest_24h} {amount} {share}'"
    return f"url: 'http://127.0.0.1:{port}', protocol: openai, task: classify, prompt: {prompt}, max_batch: 8, {more}"


@pytest.fixture
def project(tmp_path, request):
    return Project(tmp_path, f"r{abs(hash(request.node.name)) % 10**9}")


@pytest.fixture
def run(project, cli, tmp_path):
    """Publishes, runs until everything is applied, and gives the predictions."""
    running = []

    def start():
        running.append(Worker(cli, tmp_path, "run", project.file, "--data", tmp_path / "data"))
        return running[-1]

    yield start
    for worker in running:
        worker.kill()


def expect_one_for_each(project, cli, count):
    """One prediction for each event that counts, in the order of the log."""
    predictions = cli.records(f"{project.topic}.predictions")
    ids = collections.Counter(record["value"]["id"] for record in predictions)
    expected = {
        f"{project.topic}-{record['partition']}-{record['offset']}/fraud"
        for record in cli.records(project.topic) if record["value"]["amount"] > 0
    }
    assert set(ids) == expected and max(ids.values()) == 1 and len(expected) <= count
    for partition in range(PARTITIONS):
        offsets = [record["value"]["offset"] for record in predictions if record["partition"] == partition]
        assert offsets == sorted(offsets)
    return [record["value"] for record in predictions]


def expect_score(value):
    text = " ".join(str(number) for number in value["features"])
    assert value["score"] == pytest.approx(total(text), rel=1e-6), value


@pytest.mark.parametrize("tensors", ["binary", "json"])
def test_headraces_own_endpoint_gives_lightgbms_scores(project, cli, tmp_path, run, tensors):
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    serving = run()
    own = project.name
    remote(project, f"url: 'http://{serving.address}', protocol: oip, tensors: {tensors}, max_batch: 64")
    project.file.write_text(
        project.file.read_text().replace(f"topology: {own}", f"topology: {own}_remote")
        .replace("output: ", "output: remote."))
    folder = tmp_path / "remote"
    folder.mkdir()
    calling = Worker(cli, folder, "run", project.file, "--data", folder / "data")
    try:
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(events(1_500, seed=4)))
        for worker in (serving, calling):
            worker.wait_until_applied(project.topic, 1_500)
    finally:
        assert calling.stop() == 0, calling.text()
    assert serving.stop() == 0, serving.text()
    predictions = cli.records(f"remote.{project.topic}.predictions")
    assert not [record for record in predictions if "error" in record["value"]]
    expect_all(project, cli, predictions)


def test_an_endpoint_that_fails_in_every_way_loses_no_event(project, cli, run):
    faults = ["hang", "500", "429", "truncated", "shape", "drip", "garbage", "disconnect", "503", "404", "302"]
    # Every third request goes wrong, each time in another way.
    endpoint = Endpoint(lambda number: faults[number // 3 % len(faults)] if number % 3 == 2 else None)
    # It shall not be left alone here: every kind of answer is to be seen.
    patient = "breaker: {failures: 100}"
    try:
        remote(project, settings(endpoint.port, f"timeout: 300ms, batch_timeout: 5s, backoff: 5ms, {patient}"), "fallback: 0.5,")
        cli("topics", "create", project.topic, "--partitions", PARTITIONS)
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(events(900, seed=5)))
        worker = run()
        worker.wait_until_applied(project.topic, 900)
        assert worker.stop() == 0, worker.text()
    finally:
        endpoint.close()
    values = expect_one_for_each(project, cli, 900)
    reasons = collections.Counter(value.get("error") for value in values)
    assert reasons[None] > len(values) // 2 and reasons["unusable_answer"] and reasons["refused"], reasons
    assert "not_a_number" not in reasons
    for value in values:
        if "error" in value:
            assert value["score"] == 0.5 and value["arm"] == "fallback"
        else:
            expect_score(value)


def test_an_endpoint_that_is_down_is_found_again(project, cli, run):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    limits = "timeout: 500ms, batch_timeout: 2s, breaker: {open: 50ms, open_max: 100ms}"
    remote(project, settings(port, limits))
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    rows = list(events(400, seed=6))
    cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[:200]))
    worker = run()
    began = time.monotonic()
    worker.wait_until_applied(project.topic, 200)
    assert time.monotonic() - began < 20
    endpoint = Endpoint(port=port)
    try:
        time.sleep(0.2)
        # The one call that is let through.
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[200:210]))
        worker.wait_until_applied(project.topic, 210)
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[210:]))
        worker.wait_until_applied(project.topic, 400)
        assert worker.stop() == 0, worker.text()
    finally:
        endpoint.close()
    values = expect_one_for_each(project, cli, 400)
    failed = [value for value in values if "error" in value]
    assert all(value["score"] is None and value["error"] in ("unreachable", "breaker_open", "timeout") for value in failed)
    assert len(values) - len(failed) >= 150
    for value in values:
        if "error" not in value:
            expect_score(value)


def test_kills_lose_and_double_nothing(project, cli, run):
    endpoint = Endpoint(lambda number: "500" if number % 5 == 4 else None)
    try:
        remote(project, settings(endpoint.port, "timeout: 1s, batch_timeout: 5s, cache: 1h"))
        cli("topics", "create", project.topic, "--partitions", PARTITIONS)
        rows = list(events(600, seed=7))
        for round in range(3):
            worker = run()
            cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[round * 200 : (round + 1) * 200]))
            if round < 2:
                time.sleep(0.3 * round)
                worker.kill()
        worker.wait_until_applied(project.topic, 600)
        with urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=10) as response:
            metrics = response.read().decode()
        tokens = re.search(r'headrace_remote_model_tokens_total\{model="fraud",kind="prompt"\} (\d+)', metrics)
        scored = re.search(r'headrace_remote_model_rows_total\{model="fraud",outcome="scored"\} (\d+)', metrics)
        assert int(tokens[1]) == int(scored[1]) > 0
        assert worker.stop() == 0, worker.text()
    finally:
        endpoint.close()
    for value in expect_one_for_each(project, cli, 600):
        if "error" not in value:
            expect_score(value)


def test_secrets_are_sent_and_never_written(project, cli, run, tmp_path):
    endpoint = Endpoint()
    secret = "s3cr3t-0f-th3-t3st"
    cli.environment["ENDPOINT_TOKEN"] = secret
    try:
        remote(project, settings(endpoint.port, "credentials: {env: ENDPOINT_TOKEN}"))
        cli("topics", "create", project.topic, "--partitions", PARTITIONS)
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(events(20, seed=8)))
        worker = run()
        worker.wait_until_applied(project.topic, 20)
        assert worker.stop() == 0, worker.text()
    finally:
        endpoint.close()
        plan = cli("plan", project.file, "--offline", "--output", "json")
        del cli.environment["ENDPOINT_TOKEN"]
    assert endpoint.requests and all(headers["Authorization"] == f"Bearer {secret}" for _, headers, _ in endpoint.requests)
    assert secret not in plan.text and secret not in worker.text()
    assert plan.json["models"][0]["remote"] == f"http://127.0.0.1:{endpoint.port}"
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert not written
    # Without it nothing starts, and one is told which it is.
    failed = cli("run", project.file, "--data", tmp_path / "other", code=1)
    assert "ENDPOINT_TOKEN" in failed.err and "CREDENTIALS_MISSING" in failed.err


@pytest.mark.parametrize(
    "text, message",
    [
        ("protocol: oip", "has no `url`"),
        ("url: 'http://h:1'", "has no `protocol`"),
        ("url: 'http://h:1', protocol: grpc", "unknown value"),
        ("url: 'ftp://h', protocol: oip", "the scheme ftp"),
        ("url: 'http://user:secret@h', protocol: oip", "a user or a password"),
        ("url: 'http://h:1', protocol: oip, credentials: abc123", "must say where the secret is kept"),
        ("url: 'http://h:1', protocol: oip, concurrency: 0", "out of range"),
        ("url: 'http://h:1', protocol: oip, timeoout: 3s", "no key `timeoout`"),
        ("url: 'http://h:1', protocol: oip, outputs: 3", "a threshold is for one"),
        ("url: 'http://h:1', protocol: openai, prompt: 'Is {amont} much?'", "{amont}"),
    ],
)
def test_what_can_be_known_before_a_call_is_said_by_plan(project, cli, text, message):
    remote(project, text)
    result = cli("plan", project.file, "--offline", code=1)
    assert message in result.err and "payments.yaml:" in result.err


@pytest.mark.parametrize("headers", [
    {"Server-Timing": 'queue;dur=3, gpu;desc="L4, half";dur=12.5, gpu;dur=0.25'},
    {"X-Compute-Type": "gpu+optimized", "X-Inference-Time": "12.75"},
])
def test_gpu_time_and_tokens_of_an_endpoint_are_priced(project, cli, tmp_path, headers):
    prices = ROOT / "deploy" / "prices.yaml"
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps({"fraud": {"input_cost_per_token": 2e-6, "litellm_provider": "own"}}))
    endpoint = Endpoint(headers=headers)
    try:
        remote(project, settings(endpoint.port))
        cli("topics", "create", project.topic, "--partitions", PARTITIONS)
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(events(400, seed=6)))
        worker = Worker(
            cli, tmp_path, "run", project.file, "--data", tmp_path / "data", "--prices", prices, "--token-prices", tokens,
            "--usage-interval", "1s")
        try:
            worker.wait_until_applied(project.topic, 400)
            wanted = sum(record["value"]["amount"] > 0 for record in cli.records(project.topic))
            deadline = time.monotonic() + 30
            while True:
                usage = worker.get("/api/cost")["usage"]
                found = [line for line in usage["lines"] if line["operator"] == "remote_models"]
                if sum(line.get("input_tokens", 0) for line in found) == wanted:
                    break
                assert time.monotonic() < deadline, (found, worker.text())
                time.sleep(0.2)
            requests = len(endpoint.requests)
            assert sum(line["gpu_us"] for line in found) == 12_750 * requests
            report = cli("cost", "report", "--server", worker.address, "--prices", prices, "--token-prices", tokens,
                         "--output", "json").json
            with urllib.request.urlopen(f"http://{worker.address}/metrics") as response:
                metrics = response.read().decode()
            assert worker.stop() == 0, worker.text()
        finally:
            worker.kill()
    finally:
        endpoint.close()
    assert f'headrace_remote_model_gpu_seconds_total{{model="fraud"}} {12_750 * requests / 1e6:g}' in metrics
    costs = {line["item"]: line["cost"] for line in report["lines"] if line["operator"] == "remote_models"}
    assert costs["gpu_hour"] == pytest.approx(0.8048 * 0.01275 * requests / 3_600)
    assert costs["input_tokens"] == pytest.approx(2e-6 * wanted)
    focus = tmp_path / "focus.csv"
    cli("cost", "export", "--data", tmp_path / "data", "--prices", prices, "--token-prices", tokens, "--focus", focus)
    with focus.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["x_Operator"] == "remote_models"]
    exported = collections.Counter()
    for row in rows:
        assert row["ServiceCategory"] == "AI and Machine Learning" and row["x_Subject"] == "fraud"
        exported[row["SkuId"]] += float(row["BilledCost"])
    assert exported["gpu_hour"] == pytest.approx(costs["gpu_hour"], rel=1e-6)
    assert exported["input_tokens"] == pytest.approx(costs["input_tokens"], rel=1e-6)
