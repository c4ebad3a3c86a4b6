"""Whose the costs are: tenants of the topology, and tenants within one stream by a field of its events."""

import collections
import csv
import json
import subprocess
import time
import urllib.request

import pytest
from conftest import ROOT
from test_costs import tool
from test_models import PARTITIONS, Project, T0, lines
from test_worker import Worker, worker  # noqa: F401 (a fixture)

COUNT = 8_000
PRICES = (ROOT / "deploy" / "prices.yaml").read_text()


class Shared(Project):
    """The topology of `test_models`, whose events say whose they are; one more view belongs to somebody as a whole."""

    def __init__(self, folder, name):
        super().__init__(folder, name)
        schema = folder / "schemas" / f"{self.topic}.avsc"
        schema.write_text(schema.read_text().replace(
            '{"name": "amount"', '{"name": "merchant", "type": ["null", "string"]}, {"name": "amount"'))
        self.plain = self.file.read_text()
        self.file.write_text(self.plain.replace(
            "    filter: amount > 0\n", "    filter: amount > 0\n    tenant: {by: merchant}\n").replace(
            "on_demand:", "  large:\n    source: payments\n    entity: user\n    tenant: finance\n"
            "    features: {m: max(amount) over 1d}\non_demand:"))


def events(count):
    for index in range(count):
        merchant = None if index % 40 == 39 else "a" if index % 4 else "b"
        yield {"user": f"u{index % 37}", "merchant": merchant, "amount": 1.0 + index % 90, "ts": T0 + index * 100}


@pytest.fixture
def project(tmp_path, request):
    return Shared(tmp_path, f"t{abs(hash(request.node.name)) % 10**9}")


def sums(report, kind, name):
    found = collections.defaultdict(float)
    for line in report["lines"]:
        if (line["kind"], line["name"]) == (kind, name):
            found[line["tenant"]] += line["cost"]
    return found


def expect_shares(report):
    """Everything that hangs from the source is shared out by its events, and nothing is lost by that."""
    counts = collections.Counter(event["merchant"] or "unknown" for event in events(COUNT))
    for kind, name in [("source", "payments"), ("view", "by_user"), ("model", "fraud")]:
        costs = sums(report, kind, name)
        whole = sum(costs.values())
        assert set(costs) == set(counts), (kind, name, costs)
        for tenant, count in counts.items():
            assert costs[tenant] == pytest.approx(whole * count / COUNT, rel=1e-9), (kind, name, tenant)
    assert set(sums(report, "view", "large")) == {"finance"}
    usage = report["usage"]
    for kind, name in [("source", "payments"), ("view", "by_user")]:
        metered = sum(line.get("cpu_ns", 0) for line in usage["lines"] if (line["kind"], line["subject"]) == (kind, name))
        shared = sum(line["quantity"] for line in report["lines"]
                     if (line["kind"], line["name"], line["item"]) == (kind, name, "cpu_core_hour"))
        assert shared == pytest.approx(metered / 3.6e12, rel=1e-9)
    tenants = {tenant["tenant"]: tenant for tenant in report["tenants"]}
    for tenant, count in counts.items():
        assert (tenants[tenant]["events"], tenants[tenant]["predictions"]) == (count, count)
    assert sum(tenant["loaded"] for tenant in report["tenants"]) == pytest.approx(report["total"], rel=1e-9)
    assert sum(line.get("cpu_ns", 0) for line in usage["lines"]) == pytest.approx(usage["process_cpu_ns"], rel=0.02)


def test_costs_are_shared_out_by_the_events_of_each_tenant(project, cli, worker, tmp_path):  # noqa: F811
    prices = tmp_path / "prices.yaml"
    # The topology comes before the patterns of the price book; a budget of a tenant counts its part.
    prices.write_text(
        PRICES.split("tenants: {}")[0] + "tenants: {book: ['view:*', 'source:*', 'model:*']}\nbudgets:\n"
        "  - {name: of_a, scope: 'tenant:a', amount: 1e-12, per: day, action: alarm}\n"
        "  - {name: of_nobody, scope: 'tenant:book', amount: 1e-12, per: day, action: alarm}\n")
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    data = tmp_path / "data"
    process = worker(
        cli, "run", project.file, "--data", data, "--prices", prices, "--usage-interval", "1s", "--table-freshness", "1s")
    cli.publish(project.topic, "--key", "user", "-", stdin=lines(events(COUNT)))
    process.wait_until_applied(project.topic, COUNT)
    deadline = time.monotonic() + 30
    while sum(process.get("/api/cost")["usage"]["tenants"]["items"].get("model:fraud", {}).values()) < COUNT:
        assert time.monotonic() < deadline, process.get("/api/cost")["usage"]["tenants"]
        time.sleep(0.1)
    report = cli("cost", "report", "--server", process.address, "--prices", prices, "--output", "json").json
    expect_shares(report)
    text = cli("cost", "report", "--server", process.address, "--prices", prices, "--html", tmp_path / "cost.html").text
    assert "finance" in text and "unknown" in text
    assert "By tenant" in (tmp_path / "cost.html").read_text()
    with urllib.request.urlopen(f"http://{process.address}/metrics") as response:
        metrics = response.read()
    checked = subprocess.run([tool("promtool"), "check", "metrics"], input=metrics, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b""), checked
    assert b'headrace_tenant_items_total{kind="source",subject="payments",tenant="b"}' in metrics
    assert b'headrace_tenant_cost_currency{currency="USD",tenant="a"}' in metrics
    # What several tenants share has one series of each operator.
    assert b'operator="decode",kind="source",subject="payments",tenant="*"' in metrics
    deadline = time.monotonic() + 30
    while not process.get("/api/cost")["events"]:
        assert time.monotonic() < deadline, process.text()
        time.sleep(0.1)
    names = {event["data"]["name"] for event in process.get("/api/cost")["events"]}
    assert "of_a" in names and "of_nobody" not in names
    assert process.stop() == 0, process.text()
    recorded = cli("cost", "report", "--data", data, "--prices", prices, "--output", "json").json
    expect_shares(recorded)
    focus = tmp_path / "focus.csv"
    cli("cost", "export", "--data", data, "--prices", prices, "--focus", focus)
    with focus.open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_account = collections.defaultdict(float)
    for row in rows:
        if row["x_SubjectKind"] == "source":
            by_account[row["SubAccountId"]] += float(row["BilledCost"])
    assert by_account["a"] > 2 * by_account["b"] > 0
    assert sum(float(row["BilledCost"]) for row in rows) == pytest.approx(recorded["total"], rel=1e-3)


def test_a_tenant_is_another_plan_and_no_other_state(project, cli):
    shared = cli("plan", project.file, "--offline", "--output", "json").json
    assert shared["sources"][0]["tenant_by"] == "merchant" and shared["views"][1]["tenant"] == "finance"
    assert "tenant  by merchant" in cli("plan", project.file, "--offline").text
    with_tenants = project.file.read_text()
    project.file.write_text(with_tenants.replace("    tenant: {by: merchant}\n", "").replace("    tenant: finance\n", ""))
    plain = cli("plan", project.file, "--offline", "--output", "json").json
    assert plain["fingerprint"] != shared["fingerprint"]
    for what in ("sources", "views", "services"):
        assert [part["fingerprint"] for part in plain[what]] == [part["fingerprint"] for part in shared[what]]


@pytest.mark.parametrize("wrong, message", [
    ("tenant: {by: merchand}", "merchant"), ("tenant: {form: merchant}", "has no key `form`"),
    ("tenant: {by: amount}", "names no tenant"), ("tenant: {}", "has no `by`"),
])
def test_a_wrong_tenant_is_told(project, cli, wrong, message):
    project.file.write_text(project.file.read_text().replace("tenant: {by: merchant}", wrong))
    assert message in cli("plan", project.file, "--offline", code=1).err


def test_only_a_source_has_tenants_by_its_events(project, cli):
    project.file.write_text(project.file.read_text().replace("tenant: finance", "tenant: {by: user}"))
    assert "only a source has events that tell" in cli("plan", project.file, "--offline", code=1).err
