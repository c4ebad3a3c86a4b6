"""What a topology costs: meters that add up to the process and to its disk, prices, budgets, FOCUS, Prometheus."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT
from test_models import events, lines, project  # noqa: F401 (a fixture)
from test_rollout import rollout  # noqa: F401 (a fixture)
from test_worker import Worker, worker  # noqa: F401 (a fixture)

PRICES = ROOT / "deploy" / "prices.yaml"
TICKS = os.sysconf("SC_CLK_TCK")
COUNT = 60_000


def tool(name, *places):
    found = os.environ.get(name.upper().replace("-", "_")) or next((str(p) for p in places if p.exists()), None)
    found = found or shutil.which(name)
    assert found, f"{name} is not there: scripts/setup --tests"
    return found


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def du_bytes(folder):
    return int(subprocess.run(["du", "-s", "-B1", folder], capture_output=True, check=True, text=True).stdout.split()[0])


@pytest.fixture
def running(project, cli, worker, tmp_path):  # noqa: F811
    cli("topics", "create", project.topic, "--partitions", 3)
    data = tmp_path / "data"
    process = worker(
        cli, "run", project.file, "--data", data, "--prices", PRICES, "--usage-interval", "2s", "--table-freshness", "1s",
        "--checkpoint-interval", "2s", "--log-format", "json", "--log-level", "info",
    )
    process.data = data
    cli.publish(project.topic, "--key", "user", "-", stdin=lines(events(COUNT, 1)))
    process.wait_until_applied(project.topic, COUNT)
    return process


def test_meters_add_up_to_the_process_and_its_disk(running, project, cli):  # noqa: F811
    features = ["by_user:n_24h", "by_user:total_24h"]
    for _ in range(50):
        body = json.dumps({"features": features, "entities": {"user": ["u1", "u2"]}}).encode()
        request = urllib.request.Request(
            f"http://{running.address}/get-online-features", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).read()
    time.sleep(1)
    before = cpu_seconds(running.process.pid)
    usage = running.get("/api/cost")["usage"]
    after = cpu_seconds(running.process.pid)
    total = usage["process_cpu_ns"] / 1e9
    attributed = sum(line.get("cpu_ns", 0) for line in usage["lines"]) / 1e9
    unattributed = sum(line.get("cpu_ns", 0) for line in usage["lines"] if line["operator"] == "unattributed") / 1e9
    print(f"CPU: process {total:.3f} s, lines {attributed:.3f} s, unattributed {unattributed:.4f} s "
          f"({unattributed / total:.2%}), /proc {before:.2f} to {after:.2f} s")
    assert abs(attributed - total) <= 0.001 * total
    assert 0.98 * before - 2 / TICKS <= total <= 1.02 * after + 2 / TICKS
    # Threads are looked at now and then: what one did since is a tick or two of a short run.
    assert unattributed <= 0.02 * total + 2 / TICKS
    assert usage["events"] == COUNT
    assert usage["feature_reads"] == 50 * 4
    assert usage["predictions"] == sum(record["value"]["amount"] > 0 for record in cli.records(project.topic))
    operators = {line["operator"] for line in usage["lines"]}
    archived = sum(line.get("disk_bytes_written", 0) for line in usage["lines"] if line["operator"] == "archive")
    sent = sum(line.get("network_bytes_out", 0) for line in usage["lines"] if line["operator"] == "outputs")
    received = sum(line.get("network_bytes_in", 0) for line in usage["lines"] if line["operator"] == "poll")
    assert archived > 0 and sent > received > COUNT * 40
    assert {"poll", "decode", "checks", "keys", "views", "models", "outputs", "commit", "checkpoint", "client"} <= operators
    reads = {f"{use['view']}:{use['name']}": use["reads"] for use in running.get("/api/cost")["features"]}
    assert reads == {"by_user:n_24h": 100, "by_user:total_24h": 100, "by_user:largest_24h": 0}


def test_holdings_are_the_disk(running):
    deadline = time.monotonic() + 60
    while True:
        before = du_bytes(running.data)
        held = sum(item["bytes"] for item in running.get("/api/cost")["usage"]["holdings"] if item["medium"] == "disk")
        after = du_bytes(running.data)
        if 0.98 * min(before, after) <= held <= 1.02 * max(before, after):
            break
        # Folders are looked at every ten seconds, and tables grow meanwhile.
        assert time.monotonic() < deadline, (before, held, after)
        time.sleep(0.5)
    print(f"disk: held {held}, du {before} to {after}")
    # The first table is written when its first rows are old enough.
    deadline = time.monotonic() + 60
    while True:
        parts = {item["part"] for item in running.get("/api/cost")["usage"]["holdings"]}
        if "tables" in parts or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    assert {"state", "tables", "rows", "program"} <= parts


def test_report_records_and_exports(running, cli, tmp_path):
    page = tmp_path / "cost.html"
    report = cli("cost", "report", "--server", running.address, "--prices", PRICES, "--html", page, "--output", "json").json
    assert report["currency"] == "USD" and report["total"] > 0
    assert {unit["unit"] for unit in report["per_thousand"]} >= {"events", "predictions"}
    assert abs(sum(share["loaded"] for share in report["subjects"]) - report["total"]) < 1e-9 * report["total"] + 1e-15
    assert any(line["operator"] == "__idle__" for line in report["lines"])
    text = page.read_text()
    assert "<svg" in text and "http://" not in text and "https://" not in text
    assert "per 1,000" in cli("cost", "report", "--server", running.address, "--prices", PRICES).text
    assert running.stop() == 0
    recorded = cli("cost", "report", "--data", running.data, "--prices", PRICES, "--since", "1h", "--output", "json").json
    assert recorded["usage"]["events"] == COUNT
    # Written while it ran: the last span is closed when it stops.
    assert recorded["usage"]["process_cpu_ns"] >= report["usage"]["process_cpu_ns"]
    lines_cpu = sum(line.get("cpu_ns", 0) for line in recorded["usage"]["lines"])
    assert abs(lines_cpu - recorded["usage"]["process_cpu_ns"]) <= 0.02 * lines_cpu
    focus = tmp_path / "focus.csv"
    cli("cost", "export", "--data", running.data, "--prices", PRICES, "--focus", focus, "--delta")
    validator = tool("focus-validator", ROOT / ".venv-focus" / "bin" / "focus-validator")
    checked = subprocess.run(
        [validator, "--data-file", focus, "--validate-version", "1.0"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-3000:]
    assert (running.data / "tables" / "focus" / "_delta_log").is_dir()
    assert cli("cost", "report", "--data", running.data, code=1).err.count("PRICES_MISSING") == 1


def test_prometheus_takes_the_metrics(running):
    promtool = tool("promtool")
    with urllib.request.urlopen(f"http://{running.address}/metrics") as response:
        text = response.read()
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b""), checked
    for name in ["kafka_consumergroup_lag", "headrace_operator_cpu_seconds_total", "headrace_cost_currency_total"]:
        assert f"\n{name}{{".encode() in text, name
    request = urllib.request.Request(
        f"http://{running.address}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(request) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert response.read().endswith(b"# EOF\n")


def test_usefulness_and_logs(running):
    answer = running.get("/usefulness")
    assert answer["useful"] is True
    model = answer["models"][0]
    assert model["model"] == "fraud" and len(model["version"]) == 64
    assert model["freshness"][0]["name"] == "event_time_lag_seconds"
    assert model["drift"] == [] and model["accuracy"] == []
    entries = [json.loads(line) for line in running.text().splitlines()]
    assert entries and all({"ts", "level", "logger", "msg"} <= set(entry) for entry in entries)


def test_a_budget_that_is_exceeded_is_an_event(project, cli, worker, tmp_path):  # noqa: F811
    prices = tmp_path / "prices.yaml"
    prices.write_text(
        PRICES.read_text().replace("amount: 25, per: day, action: alarm", "amount: 1e-9, per: hour, action: alarm"))
    cli("topics", "create", project.topic, "--partitions", 3)
    process = worker(
        cli, "run", project.file, "--data", tmp_path / "data", "--prices", prices, "--usage-interval", "500ms")
    deadline = time.monotonic() + 30
    while not process.get("/api/cost")["events"]:
        assert time.monotonic() < deadline, process.text()
        time.sleep(0.1)
    process.stop()
    mine = [record["value"] for record in cli.records("headrace.cost") if str(tmp_path) in record["value"]["source"]]
    assert [event["type"] for event in mine] == ["headrace.cost.budget_exceeded"]
    assert mine[0]["data"]["action"] == "alarm" and mine[0]["specversion"] == "1.0"


def test_a_budget_that_is_spent_lets_a_smaller_model_answer(rollout, cli, tmp_path):  # noqa: F811
    rollout.add(1), rollout.add(2)
    rollout.models("promote", 2)
    prices = tmp_path / "prices.yaml"
    budget = "budgets:\n  - {name: scoring, scope: 'model:fraud', amount: 1e-12, per: day, action: smaller_model, version: 1}\n"
    prices.write_text(PRICES.read_text().split("budgets:")[0] + budget)
    folder = tmp_path / "worker"
    folder.mkdir()
    process = Worker(
        cli, folder, "run", rollout.file, "--data", tmp_path / "data", "--tables", rollout.tables, "--commit-interval",
        "50ms", "--prices", prices, "--usage-interval", "1s")
    try:
        rows = list(events(4_000, seed=8))
        rollout.publish(rows[:3_000])
        process.wait_until_applied(rollout.topic, 3_000)
        deadline = time.monotonic() + 60
        while rollout.models("show")["aliases"]["champion"] != 1:
            assert time.monotonic() < deadline, process.text()[-3000:]
            time.sleep(0.2)
        rollout.publish(rows[3_000:])
        process.wait_until_applied(rollout.topic, 4_000)
    finally:
        assert process.stop() == 0
    told = [record["value"] for record in cli.records("headrace.cost") if record["value"]["subject"] == "model:fraud"]
    spent = next(event for event in told if event["type"] == "headrace.cost.budget_exceeded")
    assert spent["data"]["action"] == "smaller_model" and spent["data"]["version"] == 1
    assert {record["value"]["version"] for record in rollout.predictions()} == {1, 2}
    assert "budget scoring" in json.dumps(rollout.models("show"))
