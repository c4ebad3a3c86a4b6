"""Monitors of a topology: a model in the stream, a shift in its events, labels that come later."""

import collections
import json
import random
import time
import urllib.request

import lightgbm
import numpy
import pytest
from deltalake import DeltaTable
from sklearn.metrics import roc_auc_score
from test_worker import Worker

T0 = 1_700_000_100_000 // 300_000 * 300_000
STEP = 500
WINDOW = 300_000
PARTITIONS = 3
ROWS = 6_000
SHIFT_AT = 3_000

SCHEMAS = {
    "payments": """{"type": "record", "name": "Payment", "fields": [
  {"name": "payment", "type": "string"}, {"name": "user", "type": "string"}, {"name": "country", "type": "string"},
  {"name": "amount", "type": "double"}, {"name": "ts", "type": "long"}]}""",
    "outcomes": """{"type": "record", "name": "Outcome", "fields": [
  {"name": "payment", "type": "string"}, {"name": "user", "type": "string"}, {"name": "fraud", "type": "boolean"},
  {"name": "ts", "type": "long"}]}""",
}

TOPOLOGY = """\
topology: NAME
sources:
  payments: {topic: NAME.payments, key: user, event_time: {field: ts, unit: ms}, lateness: 30s}
  outcomes: {topic: NAME.outcomes, key: user, event_time: {field: ts, unit: ms}, lateness: 30s}
entities: {user: [user]}
views:
  by_user:
    source: payments
    entity: user
    features: {n: count over 1m}
  outcomes_by_user: {source: outcomes, entity: user, features: {n: count over 1m}}
services:
  payments_v1: ["by_user:n_1m", "request:amount"]
models:
  fraud:
    service: payments_v1
    each: payments
    file: models/fraud.txt
    output: NAME.predictions
    features: full
    label: {source: outcomes, match: payment, value: fraud, within: 5m}
monitors:
  NAME_watch:
    model: fraud
    window: 5m
    tests: {psi: 0.2, ks: 0.15}
    segments: [country]
    minimum_rows: 100
    performance: {auc: {min: 0.99}}
MORE"""


def train():
    generator = numpy.random.default_rng(1)
    rows = generator.uniform(0, 1, (2_000, 2)) * [6, 200]
    target = (rows[:, 1] / 200 + generator.normal(0, 0.3, 2_000) > 0.8).astype(int)
    settings = {"objective": "binary", "num_leaves": 7, "num_threads": 1, "verbose": -1, "seed": 1}
    return lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=["n_1m", "amount"]), 20)


class Project:
    def __init__(self, cli, folder, name, more=""):
        self.cli, self.folder, self.name = cli, folder, name
        self.monitor = f"{name}_watch"
        self.file = folder / "topologies" / "payments.yaml"
        (folder / "topologies" / "models").mkdir(parents=True)
        (folder / "schemas").mkdir()
        for topic, schema in SCHEMAS.items():
            (folder / "schemas" / f"{name}.{topic}.avsc").write_text(schema)
            cli("topics", "create", f"{name}.{topic}", "--partitions", PARTITIONS)
        self.file.write_text(TOPOLOGY.replace("NAME", name).replace("MORE", more))
        train().save_model(str(folder / "topologies" / "models" / "fraud.txt"))
        self.data = folder / "data"

    def start(self, *flags):
        return Worker(
            self.cli, self.folder, "run", self.file, "--data", self.data, "--checkpoint-interval", "500ms",
            "--table-freshness", "1s", *flags)

    def publish(self, topic, rows):
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        self.cli.publish(f"{self.name}.{topic}", "-", "--key", "user", stdin=lines)

    def results(self):
        """What the results' topic says of this monitor: kind to values."""
        found = collections.defaultdict(list)
        told = self.cli("consume", "headrace.drift", "--until", "end", code=None)
        for record in told.records if told.code == 0 else []:
            if record["key"] == self.monitor:
                found[record["value"]["kind"]].append(record["value"])
        return found

    def wait_for(self, worker, kind, count, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            found = self.results()
            if len(found.get(kind, [])) >= count:
                return found
            assert worker.process.poll() is None and time.monotonic() < deadline, (
                {name: len(values) for name, values in found.items()}, worker.text()[-3000:])
            time.sleep(0.3)


def stream(shift, seed=1):
    """Payments, and what became of nine of ten of them some minutes later."""
    generator = random.Random(seed)
    payments, outcomes = [], []
    for index in range(ROWS):
        country = generator.choice(["DE", "FR", "US"])
        amount = generator.uniform(1, 200)
        if shift and index >= SHIFT_AT and country == "DE":
            amount *= 2.5
        ts = T0 + index * STEP
        row = {"payment": f"p{index}", "user": f"u{generator.randrange(60)}", "country": country, "amount": amount, "ts": ts}
        payments.append(row)
        if generator.random() < 0.9:
            fraud = generator.random() < min(amount / 250, 0.95)
            late = generator.randrange(200_000)
            outcomes.append({"payment": row["payment"], "user": row["user"], "fraud": fraud, "ts": ts + late})
    outcomes.sort(key=lambda row: row["ts"])
    return payments, outcomes


@pytest.fixture
def project(cli, tmp_path, request):
    return lambda more="": Project(cli, tmp_path, f"w{abs(hash(request.node.name)) % 10**8}", more)


WINDOWS = ROWS * STEP // WINDOW - 1


def test_without_a_shift_nothing_rings(project):
    project = project()
    payments, outcomes = stream(shift=False)
    worker = project.start()
    try:
        project.publish("payments", payments)
        project.publish("outcomes", outcomes)
        found = project.wait_for(worker, "window", WINDOWS - 1)
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    assert not found["alarm"], found["alarm"]
    # The first window is the reference of the second one.
    starts = [window["window"]["start"] for window in found["window"]]
    assert starts == sorted(set(starts)) and len(starts) == WINDOWS - 1
    names = [feature["feature"] for feature in found["window"][0]["features"]]
    assert names == ["n_1m", "amount", "prediction", "country"]


def test_a_shift_is_an_alarm_with_its_evidence(project, cli):
    project = project()
    payments, outcomes = stream(shift=True)
    known = T0 + SHIFT_AT * STEP
    worker = project.start()
    try:
        project.publish("payments", payments[:SHIFT_AT])
        project.publish("outcomes", [row for row in outcomes if row["ts"] < known])
        project.wait_for(worker, "performance", 1)
        # From here on quality can be estimated before labels come.
        project.publish("payments", payments[SHIFT_AT:])
        project.wait_for(worker, "window", WINDOWS - 1)
        project.publish("outcomes", [row for row in outcomes if row["ts"] >= known])
        found = project.wait_for(worker, "performance", 5 * 4)
        metrics = urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=10).read().decode()
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    alarms = [alarm for alarm in found["alarm"] if alarm["feature"] == "amount"]
    first = min(alarms, key=lambda alarm: alarm["window"]["start"])
    shifted = T0 + SHIFT_AT * STEP
    assert first["window"]["start"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(shifted / 1000))
    assert first["value"] >= first["threshold"] and first["test"] in ("psi", "ks")
    assert first["segments"][0]["name"] == "country=DE" and first["segments"][0]["share"] > 0.5
    assert first["cause"]["class"] == "real_shift" and first["windows_in_a_row"] == 1 and first["muted_by"] is None
    assert first["reference"]["rows"] > 2_000 and first["adjusted_p_value"] < 0.01
    # The offsets are those of the window's predictions.
    predictions = cli.records(f"{project.name}.predictions")
    inside = collections.defaultdict(list)
    for record in predictions:
        if shifted <= record["value"]["event_time"] < shifted + WINDOW:
            inside[record["partition"]].append(record["offset"])
    offsets = {entry["partition"]: (entry["first"], entry["last"]) for entry in first["window"]["offsets"]}
    assert offsets == {partition: (min(values), max(values)) for partition, values in inside.items()}
    assert first["window"]["rows"] == sum(len(values) for values in inside.values())
    assert all(entry["topic"] == f"{project.name}.predictions" for entry in first["window"]["offsets"])

    # Quality is what scikit-learn says of the same pairs.
    truth = {row["payment"]: row["fraud"] for row in outcomes}
    sources = {(r["partition"], r["offset"]): r["value"]["payment"] for r in cli.records(f"{project.name}.payments")}
    checked = 0
    for result in found["performance"]:
        if result["segment"] is not None:
            continue
        pairs = [
            (record["value"]["score"], truth[sources[record["partition"], record["value"]["offset"]]])
            for record in predictions
            if result["window"]["start"] <= stamp(record["value"]["event_time"]) < result["window"]["end"]
            and sources[record["partition"], record["value"]["offset"]] in truth
        ]
        assert result["labelled"] == len(pairs)
        auc = roc_auc_score([label for _, label in pairs], [score for score, _ in pairs])
        assert result["figures"]["auc"]["value"] == pytest.approx(auc, abs=1e-9)
        assert result["figures"]["auc"]["lower"] < auc < result["figures"]["auc"]["upper"]
        assert result["broken_bounds"] == ["auc"]
        checked += 1
    assert checked >= 5
    assert any(result["segment"] == "country=DE" for result in found["performance"])
    assert found["estimate"] and found["change"]

    # The events are CloudEvents, the table has the same results, metrics the last figures.
    records = [r for r in cli.records("headrace.drift") if r["key"] == project.monitor and r["value"]["kind"] == "alarm"]
    headers = {header["key"]: header["value"] for header in records[0]["headers"]}
    assert headers["ce_specversion"] == "1.0" and headers["ce_type"] == "headrace.drift.alarm"
    assert headers["ce_subject"] == "fraud" and headers["ce_id"].endswith(records[0]["value"]["id"])
    rows = DeltaTable(str(project.data / "tables" / "drift" / "fraud")).to_pyarrow_table().to_pylist()
    assert {row["id"] for row in rows} == {value["id"] for values in found.values() for value in values}
    assert f'headrace_drift_score{{monitor="{project.monitor}",model="fraud",feature="amount",test="psi"}}' in metrics
    assert f'headrace_drift_alarms_total{{monitor="{project.monitor}",model="fraud",feature="amount",cause="real_shift"}}' in metrics
    assert 'metric="auc"' in metrics

    # The report reads the table.
    page = project.folder / "report.html"
    report = cli("drift", "report", "fraud", "--data", project.data, "--html", page, "--output", "json").json
    assert [alarm["id"] for alarm in report["alarms"]] == [alarm["id"] for alarm in sorted(
        found["alarm"], key=lambda alarm: (alarm["window"]["start"], alarm["id"]))]
    assert any(series["feature"] == "amount" and series["test"] == "psi" for series in report["features"])
    text = page.read_text()
    assert "<svg" in text and "country=DE" in text and "http" not in text.replace("http-equiv", "")
    assert "amount" in cli("drift", "report", "fraud", "--data", project.data).text


def outside(found):
    """What is outside its limits, window by window, whether or not it was told anew."""
    return [feature["evidence"] for window in found["window"] for feature in window["features"] if feature["alarm"]]


def stamp(milliseconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))


class Spending(Project):
    """As above, and what a user spends in ten minutes; amounts may be null."""

    def __init__(self, cli, folder, name):
        super().__init__(cli, folder, name)
        text = self.file.read_text().replace("n: count over 1m", "n: count over 1m, total: sum(amount) over 10m", 1)
        self.file.write_text(text.replace('["by_user:n_1m", "request:amount"]',
                                          '["by_user:n_1m", "by_user:total_10m", "request:amount"]'))
        schema = folder / "schemas" / f"{name}.payments.avsc"
        schema.write_text(schema.read_text().replace('"amount", "type": "double"', '"amount", "type": ["null", "double"]'))
        generator = numpy.random.default_rng(1)
        rows = generator.uniform(0, 1, (2_000, 3)) * [6, 4_000, 200]
        target = (rows[:, 2] / 200 + generator.normal(0, 0.3, 2_000) > 0.8).astype(int)
        settings = {"objective": "binary", "num_leaves": 7, "num_threads": 1, "verbose": -1, "seed": 1}
        names = ["n_1m", "total_10m", "amount"]
        model = lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=names), 20)
        model.save_model(str(folder / "topologies" / "models" / "fraud.txt"))


# What happens to a payment from SHIFT_AT on, for one window or for good, and what it is to be called.
DEFECTS = {
    "cents": (1, lambda amount, draw: amount * 100, "unit"),
    "cents of one in three": (1, lambda amount, draw: amount * 100 if draw < 1 / 3 else amount, "unit"),
    "nulls": (1, lambda amount, draw: None if draw < 0.3 else amount, "null"),
    "dead letters": (1, lambda amount, draw: "a lot" if draw < 0.3 else amount * 1.5 + 20, "contract"),
    "growth": (None, lambda amount, draw: amount * 1.5 + 20, "real_shift"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_bug_of_the_data_is_told_from_a_shift(defect, cli, tmp_path):
    windows, change, cause = DEFECTS[defect]
    project = Spending(cli, tmp_path, f"c{abs(hash(defect)) % 10**8}")
    payments, outcomes = stream(shift=False, seed=5)
    generator = random.Random(6)
    end = SHIFT_AT + windows * WINDOW // STEP if windows else ROWS
    for row in payments[SHIFT_AT:end]:
        row["amount"] = change(row["amount"], generator.random())
    worker = project.start()
    try:
        project.publish("payments", payments)
        project.publish("outcomes", outcomes)
        found = project.wait_for(worker, "window", WINDOWS - 1)
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    begin = stamp(T0 + SHIFT_AT * STEP)
    found["alarm"] = outside(found)
    # In the first windows a sum over ten minutes is still filling: that is a shift, and none of ours.
    found["alarm"] = [alarm for alarm in found["alarm"] if alarm["window"]["start"] >= begin]
    amounts = [alarm for alarm in found["alarm"] if alarm["feature"] == "amount"]
    assert amounts[0]["window"]["start"] == begin and amounts[0]["cause"]["class"] == cause, amounts[0]
    evidence = amounts[0]["cause"]
    assert evidence["data_bug"] == (cause != "real_shift")
    if defect == "cents":
        assert evidence["factor"] == 100 and evidence["share"] == 1
    elif cause == "unit":
        assert evidence["factor"] == 100 and evidence["share"] == pytest.approx(1 / 3, abs=0.1)
    elif cause == "null":
        assert evidence["missing_share"] == pytest.approx(0.3, abs=0.08) and amounts[0]["test"] == "missing"
    elif cause == "contract":
        assert evidence["refused_share"] == pytest.approx(0.3, abs=0.08)
    if cause == "real_shift":
        assert len(amounts) >= 3 and all(not alarm["cause"]["data_bug"] for alarm in found["alarm"]), found["alarm"]
        return
    # Sums that still hold the bad amounts are no reason to retrain; and the defect ends with its window.
    assert all(alarm["cause"]["data_bug"] for alarm in found["alarm"]), found["alarm"]
    assert {alarm["window"]["start"] for alarm in amounts} == {begin}
    if cause == "unit":
        totals = [alarm["cause"] for alarm in found["alarm"] if alarm["feature"] == "total_10m"]
        # Windows whose sums were still filling differ by so much among themselves that a sum may stay silent.
        assert all(total.get("because_of", "amount") == "amount" for total in totals)


def test_kills_neither_lose_nor_repeat_results(project, cli):
    project = project()
    payments, outcomes = stream(shift=True, seed=2)
    for round in range(4):
        worker = project.start()
        project.publish("payments", payments[round * 1_500 : (round + 1) * 1_500])
        end = T0 + (round + 1) * 1_500 * STEP if round < 3 else float("inf")
        start = T0 + round * 1_500 * STEP if round else 0
        project.publish("outcomes", [row for row in outcomes if start <= row["ts"] < end])
        if round == 3:
            break
        time.sleep(1 + 0.7 * round)
        worker.kill()
        worker.process.wait()
    try:
        project.wait_for(worker, "window", WINDOWS - 1)
        found = project.wait_for(worker, "performance", 5 * 4)
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    ids = collections.Counter(value["id"] for values in found.values() for value in values)
    assert max(ids.values()) == 1, "a result was told twice"
    starts = [window["window"]["start"] for window in found["window"]]
    assert starts == sorted(starts) and len(starts) == WINDOWS - 1
    predictions = cli.records(f"{project.name}.predictions")
    counts = collections.Counter(record["value"]["event_time"] // WINDOW * WINDOW for record in predictions)
    for window in found["window"]:
        expected = [count for start, count in counts.items() if stamp(start) == window["window"]["start"]]
        assert window["window"]["rows"] == expected[0]
    rows = DeltaTable(str(project.data / "tables" / "drift" / "fraud")).to_pyarrow_table().to_pylist()
    keys = collections.Counter((row["id"], row["feature"], row["segment"], row["test"]) for row in rows)
    assert max(keys.values()) == 1, "a result is in the table twice"
    assert {row["id"] for row in rows} == set(ids)


def test_a_known_change_does_not_ring(project):
    day = stamp(T0)[:10]
    later = stamp(T0 + 2 * 86_400_000)[:10]
    project = project(f"    known_changes: {{a sale: {{from: {day}, to: {later}}}}}\n")
    payments, outcomes = stream(shift=True, seed=3)
    worker = project.start()
    try:
        project.publish("payments", payments)
        project.publish("outcomes", outcomes)
        found = project.wait_for(worker, "alarm", 1)
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    assert all(alarm["muted_by"] == "known change: a sale" for alarm in found["alarm"])


def test_a_training_set_is_the_reference(project, cli, tmp_path):
    """Trained on smaller amounts than those that come: the first window is an alarm, and says against what."""
    project = project("    reference: {dataset: fraud@1}\n")
    payments, outcomes = stream(shift=False, seed=7)
    small = [{**row, "amount": row["amount"] / 4, "payment": f"t{row['payment']}", "ts": row["ts"] - 86_400_000}
             for row in payments[:2_000]]
    training = (tmp_path / "training.yaml")
    training.write_text(project.file.read_text().replace("    reference: {dataset: fraud@1}\n", "").replace(
        "file: models", "file: topologies/models"))
    worker = Worker(cli, tmp_path, "run", training, "--data", project.data, "--checkpoint-interval", "500ms",
                    "--table-freshness", "500ms", "--schemas", tmp_path / "schemas")
    try:
        project.publish("payments", small)
        worker.wait_until_applied(f"{project.name}.payments", len(small))
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    cli("dataset", "build", "fraud", "--topology", project.file, "--service", "payments_v1", "--labels", "events/payments",
        "--label-time", "ts", "--data", project.data)
    worker = project.start("--apply")
    try:
        project.publish("payments", payments)
        found = project.wait_for(worker, "window", 3)
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    alarms = [alarm for alarm in found["alarm"] if alarm["feature"] == "amount" and alarm["window"]["start"] >= stamp(T0)]
    assert alarms and alarms[0]["window"]["start"] == stamp(T0)
    assert alarms[0]["reference_dataset"] == "fraud@1" and alarms[0]["reference"]["rows"] == len(small)
    assert "against dataset fraud@1" in cli("plan", project.file, "--offline").text


def test_a_silenced_feature_does_not_ring(project, cli):
    project = project()
    payments, outcomes = stream(shift=True, seed=4)
    worker = project.start()
    try:
        project.publish("payments", payments[:SHIFT_AT])
        project.wait_for(worker, "window", 2)
        cli(
            "drift", "silence", project.monitor, "--topology", project.name, "--from", T0, "--until", T0 + 86_400_000,
            "--reason", "a migration")
        project.publish("payments", payments[SHIFT_AT:])
        found = project.wait_for(worker, "alarm", 1)
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    assert all(alarm["muted_by"] == "silenced: a migration" for alarm in found["alarm"])
    text = cli("drift", "silence", "x", "--topology", "y", "--until", "soon", "--reason", "z", code=2).err
    assert "--until soon" in text


@pytest.mark.parametrize(
    "more, message",
    [
        ("    reference: trailing windows\n", "`trailing 7 windows`"),
        ("    reference: 7m earlier\n", "a multiple of the window"),
        ("    reference: {dataset: late}\n", "NAME@VERSION"),
        ("    known_changes: {sale: {from: yesterday, to: 2026-01-01}}\n", "has no time"),
        ("    false_discovery_rate: 2\n", "must lie between 0 and 1"),
    ],
)
def test_what_is_wrong_in_a_monitor_is_named(project, cli, more, message):
    project = project(more)
    assert message in cli("plan", project.file, "--offline", code=1).err
