"""A project of its own for each test: payments, a model of the registry, a monitor and a policy, and `headrace dev`."""

import json
import os
import pathlib
import random
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
T0 = 1_700_000_100_000 // 300_000 * 300_000
STEP = 500
WINDOW_ROWS = 600

SCHEMA = """{"type": "record", "name": "Payment", "fields": [
  {"name": "payment", "type": "string"}, {"name": "user", "type": "string"}, {"name": "country", "type": "string"},
  {"name": "amount", "type": "double"}, {"name": "distance", "type": "double"}, {"name": "fraud", "type": "boolean"},
  {"name": "ts", "type": "long"}]}"""

TOPOLOGY = """\
topology: shop
sources:
  payments: {topic: payments, key: user, event_time: {field: ts, unit: ms}, lateness: 5s}
entities: {user: [user]}
views:
  by_user: {source: payments, entity: user, features: {n: count over 1m}}
services:
  payments_v1: ["by_user:n_1m", "request:amount", "request:distance"]
models:
  fraud:
    service: payments_v1
    each: payments
    use: fraud@champion
    output: predictions
    features: full
    threshold: 0.5
    label: {source: payments, match: payment, value: fraud, within: 5m}
monitors:
  watch: {model: fraud, window: 5m, tests: {psi: 0.3}, minimum_rows: 100}
policies:
  again:
    when: [drift(watch) for 2 windows, by_hand]
    dataset: {window: 15m}
    minimum_labels: 200
"""

AUTOMATIC = """\
    trainer: xgboost
    parameters: {rounds: 40, max_depth: 3}
    gate: {auc: better than champion}
    promote: automatic
"""


def binary():
    candidates = [ROOT / ".build" / mode / "headrace" for mode in ("release", "debug")]
    chosen = os.environ.get("HEADRACE") or next((str(path) for path in candidates if path.exists()), None)
    assert chosen, "no headrace binary: build one, or name it by HEADRACE"
    return chosen


def payments(first, count, kind, seed=1):
    """`before`: fraud is in large amounts. `shift`: it is far away, and more is. `moved`: more is far away, which tells
    nothing. `cents`: as before, and a producer counts in cents."""
    rows = []
    for index in range(first, first + count):
        generator = random.Random(f"{seed}/{index}")
        amount, distance = generator.uniform(1, 200), generator.uniform(0, 100)
        if kind in ("shift", "moved") and generator.random() < 0.6:
            distance = generator.uniform(70, 100)
        cause = (distance - 76) / 2 if kind == "shift" else (amount - 150) / 15
        fraud = generator.random() < 1 / (1 + 2.718281828 ** -cause)
        if kind == "cents":
            amount *= 100
        rows.append({
            "payment": f"p{index}", "user": f"u{generator.randrange(60)}", "country": generator.choice(["DE", "FR"]),
            "amount": amount, "distance": distance, "fraud": fraud, "ts": T0 + index * STEP})
    return rows


class Project:
    def __init__(self, folder, policy=AUTOMATIC, when=None, monitor=None):
        self.folder = pathlib.Path(folder)
        (self.folder / "topologies").mkdir(parents=True)
        (self.folder / "schemas").mkdir()
        (self.folder / "schemas" / "payments.avsc").write_text(SCHEMA)
        self.topology = self.folder / "topologies" / "shop.yaml"
        text = TOPOLOGY
        for old, new in [("[drift(watch) for 2 windows, by_hand]", when), ("tests: {psi: 0.3}", monitor)]:
            assert text.count(old) == 1
            text = text.replace(old, new or old)
        self.topology.write_text(text + policy)
        self.data = self.folder / "data"
        self.environment = {**os.environ, "HOME": str(self.folder)}
        self.process, self.next = None, 0

    def start(self, **environment):
        for name in ("kafka.port", "http.port"):
            (self.folder / name).unlink(missing_ok=True)
        with open(self.folder / "dev.log", "ab") as log:
            self.process = subprocess.Popen(
                [binary(), "dev", self.topology, "--data", self.data, "--kafka", "127.0.0.1:0", "--listen",
                 "127.0.0.1:0", "--kafka-port-file", self.folder / "kafka.port", "--port-file",
                 self.folder / "http.port", "--partitions", "2", "--checkpoint-interval", "500ms",
                 "--table-freshness", "500ms"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**self.environment, **environment})
        self.wait("it serves", lambda: (self.folder / "http.port").exists(), 30)
        self.bootstrap = (self.folder / "kafka.port").read_text().strip()
        self.http = (self.folder / "http.port").read_text().strip()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                assert self.process.wait(30) == 0, self.log()
            finally:
                self.process.kill()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return (self.folder / "dev.log").read_text(errors="replace")[-6000:]

    def call(self, *arguments, stdin=None, code=0):
        result = subprocess.run(
            [binary(), *map(str, arguments), "--bootstrap", self.bootstrap], input=stdin, capture_output=True,
            timeout=60, env=self.environment)
        assert code is None or result.returncode == code, (arguments, result.stderr.decode(), self.log())
        return result

    def records(self, *arguments):
        out = self.call(*arguments, "--output", "json").stdout.decode()
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def champion(self):
        """The first model: right for what was `before`."""
        file = self.folder / "first.json"
        file.write_text(json.dumps({
            "model": "linear", "features": ["n_1m", "amount", "distance"], "weights": [0, 0.066, 0], "intercept": -10,
            "link": "logistic"}))
        self.call("models", "publish", "fraud", file, "--data", self.data, "--promote")

    def rows(self, count, kind):
        """The next payments, as lines."""
        rows = payments(self.next, count, kind)
        self.next += count
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    def publish(self, count, kind):
        self.call("publish", "payments", "-", "--key", "user", stdin=self.rows(count, kind))

    def wait(self, what, found, seconds=90, meanwhile=None):
        deadline = time.monotonic() + seconds
        while True:
            answer = found()
            if answer:
                return answer
            assert self.process.poll() is None, f"{what}: died {self.log()}"
            assert time.monotonic() < deadline, f"{what}: {self.log()}"
            if meanwhile:
                meanwhile()
            time.sleep(0.1)

    def retrainings(self):
        return self.records("retrain", "list")

    def ended(self, count=1, **options):
        return self.wait(
            "a retraining ends",
            lambda: (lambda all: all if len([one for one in all if not one["open"]]) >= count else None)(
                self.retrainings()), **options)

    def answers(self):
        """The version that scores."""
        with urllib.request.urlopen(f"http://{self.http}/api/models", timeout=10) as answer:
            return json.load(answer)["models"][0]["version"]
