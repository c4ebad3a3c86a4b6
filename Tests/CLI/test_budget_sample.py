"""A budget that is spent and lets a model score a sample of the keys: by one command, at a recorded offset, over kills."""

import collections
import random
import time
import urllib.request

import pytest
from conftest import ROOT
from test_models import PARTITIONS, T0, lines, project  # noqa: F401 (a fixture)
from test_worker import Worker

RATE = 0.3
BASE = (ROOT / "deploy" / "prices.yaml").read_text().split("budgets:")[0]


def budget(per):
    return (BASE + f"budgets:\n  - {{name: scoring, scope: 'model:fraud', amount: 1e-12, per: {per}, action: sample, "
            f"sample: {RATE}}}\n")


def events(first, count):
    chance = random.Random(first)
    for index in range(first, first + count):
        yield {"user": f"u{chance.randrange(300)}", "amount": 1.0 + index % 90, "ts": T0 + index * 100}


class Sampled:
    def __init__(self, project, cli, folder):  # noqa: F811
        self.project, self.cli, self.folder = project, cli, folder
        self.prices = folder / "prices.yaml"
        self.published = 0
        cli("topics", "create", project.topic, "--partitions", PARTITIONS)

    def worker(self, data="data"):
        folder = self.folder / f"worker-{data}"
        folder.mkdir(exist_ok=True)
        return Worker(
            self.cli, folder, "run", self.project.file, "--data", self.folder / data, "--prices", self.prices,
            "--usage-interval", "500ms", "--commit-interval", "50ms")

    def publish(self, count):
        self.cli.publish(self.project.topic, "-", "--key", "user", stdin=lines(events(self.published, count)))
        self.published += count

    def commands(self):
        return [record["value"] for record in self.cli.records("headrace.control")
                if isinstance(record["value"], dict) and record["value"].get("kind") == "set_sampling"
                and record["value"]["topology"] == self.project.name]

    def wait(self, what, condition, worker, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not in time: {what}\n{worker.text()[-3000:]}"
            time.sleep(0.1)

    def switches(self):
        """Since which offset of each partition a task scores by which command, oldest first."""
        found = collections.defaultdict(list)
        for record in self.cli.records("headrace.control"):
            headers = {header["key"]: header["value"] for header in record.get("headers", [])}
            if record["key"] != self.project.name or headers.get("headrace-kind") != "scores":
                continue
            for line in record["value"].splitlines():
                place, offset = line.rsplit(" ", 1)
                found[int(place.rsplit("/", 1)[1])].append((int(headers["headrace-position"]), int(offset)))
        return found


@pytest.fixture
def sampled(project, cli, tmp_path):  # noqa: F811
    return Sampled(project, cli, tmp_path)


def test_a_sample_is_the_same_over_kills(sampled):
    sampled.prices.write_text(budget("day"))
    worker = sampled.worker()
    sampled.publish(600)
    sampled.wait("the command", sampled.commands, worker)
    command = sampled.commands()[0]
    assert (command["model"], command["per_mille"], command["actor"]) == ("fraud", 300, "budget")
    # Each task says since which offset it follows.
    sampled.wait("every task", lambda: sum(any(position >= 0 for position, _ in task)
                                           for task in sampled.switches().values()) == PARTITIONS, worker)
    chance = random.Random(1)
    for round in range(4):
        sampled.publish(500)
        time.sleep(chance.uniform(0, 0.6))
        worker.kill()
        # State moves as well.
        worker = sampled.worker("data" if round % 2 else "other")
    sampled.publish(500)
    worker.wait_until_applied(sampled.project.topic, sampled.published)
    with urllib.request.urlopen(f"http://{worker.address}/metrics") as response:
        metrics = response.read().decode()
    skipped = next(line for line in metrics.splitlines() if line.startswith("headrace_model_events_skipped_total{"))
    assert worker.stop() == 0, worker.text()
    assert len(sampled.commands()) == 1, "a restart begins no other sample"
    since = {partition: next(offset for position, offset in task if position >= 0)
             for partition, task in sampled.switches().items()}
    predictions = sampled.cli.records(f"{sampled.project.topic}.predictions")
    places = collections.Counter((record["value"]["partition"], record["value"]["offset"]) for record in predictions)
    assert max(places.values()) == 1, "a prediction came twice"
    by_key = collections.defaultdict(set)
    before = 0
    inputs = sampled.cli.records(sampled.project.topic)
    for record in inputs:
        place = (record["partition"], record["offset"])
        if record["offset"] < since[record["partition"]]:
            before += 1
            assert place in places, "every event in front of the switch has a prediction"
        else:
            by_key[record["key"]].add(place in places)
    assert before >= 600 - 50
    assert all(len(said) == 1 for said in by_key.values()), "a key is in the sample, or it is not"
    share = sum(said == {True} for said in by_key.values()) / len(by_key)
    assert 0.2 < share < 0.4, share
    rates = collections.Counter(
        next((header["value"] for header in record["headers"] if header["key"] == "headrace-sample"), None) for record in predictions
        if record["value"]["offset"] >= since[record["value"]["partition"]])
    assert set(rates) == {str(RATE)}
    assert float(skipped.rsplit(" ", 1)[1]) > 0
    told = [record["value"] for record in sampled.cli.records("headrace.cost") if record["value"]["subject"] == "model:fraud"]
    assert any(event["data"]["action"] == "sample" and event["data"].get("sample") == RATE for event in told)


def test_a_sample_ends_with_the_budgets_span(sampled):
    """Also when whoever began it is no more."""
    sampled.prices.write_text(budget("4s"))
    worker = sampled.worker()
    sampled.publish(400)
    sampled.wait("the command", sampled.commands, worker)
    worker.kill()
    sampled.prices.write_text(BASE + "budgets: []\n")
    worker = sampled.worker()
    sampled.wait("the end", lambda: sampled.commands()[-1]["per_mille"] is None, worker)
    count = len(sampled.commands())
    sampled.wait("every task", lambda: len({tuple(task[-1:])[0][0] for task in sampled.switches().values()}) == 1
                 and all(task[-1][0] > 0 and len(task) > 1 for task in sampled.switches().values()), worker)
    time.sleep(1)
    start = {(record["partition"], record["offset"]) for record in sampled.cli.records(sampled.project.topic)}
    sampled.publish(400)
    worker.wait_until_applied(sampled.project.topic, sampled.published)
    assert worker.stop() == 0, worker.text()
    places = {(record["value"]["partition"], record["value"]["offset"])
              for record in sampled.cli.records(f"{sampled.project.topic}.predictions")}
    later = {(record["partition"], record["offset"]) for record in sampled.cli.records(sampled.project.topic)} - start
    assert len(later) == 400 and later <= places
    assert len(sampled.commands()) == count


@pytest.mark.parametrize("scope, remedy", [("model:fraudd", "model:fraud"), ("total", "sample a scope model:NAME")])
def test_a_budget_that_cannot_sample_is_refused(sampled, scope, remedy):
    sampled.prices.write_text(budget("day").replace("model:fraud", scope))
    result = sampled.cli(
        "run", sampled.project.file, "--data", sampled.folder / "data", "--prices", sampled.prices, code=1)
    assert remedy in result.err, result
