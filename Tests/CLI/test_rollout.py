"""Versions of a model that replace each other in the stream: `headrace models` against a broker."""

import collections
import concurrent.futures
import json
import random
import time

import numpy
import pytest
from test_models import PARTITIONS, Project, events, lines, train
from test_worker import Worker

KILL_POINTS = ["runtime.scoring-before", "runtime.scoring-committed", "runtime.scoring-written"]


class Rollout(Project):
    """The topology of `test_models`, with a model of the registry."""

    def __init__(self, folder, name, cli):
        super().__init__(folder, name)
        self.cli, self.folder = cli, folder
        self.model, self.tables = f"{name}_fraud", folder / "tables"
        text = self.file.read_text().replace("file: models/fraud.txt", f"use: {self.model}@champion")
        self.file.write_text(text)
        self.boosters = {}

    def models(self, what, *arguments, **options):
        result = self.cli("models", what, self.model, *arguments, "--output", "json", **options)
        return result.json if result.code == 0 else result

    def add(self, seed):
        self.put(train(seed))
        answer = self.models("publish", self.model_file, "--tables", self.tables)
        self.boosters[answer["version"]] = self.booster
        return answer["version"]

    def worker(self, data="data", **environment):
        folder = self.folder / f"worker-{data}"
        folder.mkdir(exist_ok=True)
        self.cli.environment.update(environment)
        try:
            return Worker(
                self.cli, folder, "run", self.file, "--data", self.folder / data, "--tables", self.tables,
                "--commit-interval", "50ms")
        finally:
            for name in environment:
                del self.cli.environment[name]

    def publish(self, rows):
        self.cli.publish(self.topic, "-", "--key", "user", stdin=lines(rows))

    def predictions(self, topic="predictions"):
        found = self.cli.records(f"{self.topic}.{topic}")
        return sorted(found, key=lambda record: (record["value"]["partition"], record["value"]["offset"]))

    def expect_all(self):
        """One prediction for each event that counts, each with the score of the version that it names."""
        predictions = self.predictions()
        ids = collections.Counter(record["value"]["id"] for record in predictions)
        assert max(ids.values()) == 1, "a prediction came twice"
        wanted = {
            f"{self.topic}-{record['partition']}-{record['offset']}/fraud"
            for record in self.cli.records(self.topic)
            if record["value"]["amount"] > 0
        }
        assert set(ids) == wanted
        by_version = collections.defaultdict(list)
        for record in predictions:
            by_version[record["value"]["version"]].append(record["value"])
        for version, values in by_version.items():
            vectors = numpy.array([value["features"] for value in values], dtype=numpy.float32)
            scores = self.boosters[version].predict(vectors.astype(numpy.float64))
            assert scores.tolist() == [value["score"] for value in values], f"version {version}"
        return [record["value"] for record in predictions]

    def expect_served(self, predictions, samples=6):
        """`who-served` names the version of each event that has a prediction."""
        edges = {}
        for before, value in zip(predictions, predictions[1:]):
            if before["partition"] == value["partition"] and before["version"] != value["version"]:
                edges[(value["partition"], value["offset"])] = (before, value)
        chosen = [value for pair in edges.values() for value in pair][: 2 * samples]
        for value in chosen + random.Random(1).sample(predictions, samples):
            answer = self.models(
                "who-served", "--topic", self.topic, "--partition", value["partition"], "--offset", value["offset"])
            assert answer["answered"] == value["version"], (value, answer)
        return len(edges)


@pytest.fixture
def rollout(tmp_path, request, cli):
    found = Rollout(tmp_path, f"r{abs(hash(request.node.name)) % 10**9}", cli)
    cli("topics", "create", found.topic, "--partitions", PARTITIONS)
    return found


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


def test_promote_and_roll_back_within_a_second(rollout):
    """One command, no restart: measured from the command until every task has committed that it scores by it."""
    assert [rollout.add(1), rollout.add(2)] == [1, 2]
    rollout.models("promote", 1)
    worker = rollout.worker()
    began = worker.get("/api/models")["position"]
    rows = list(events(3_000, seed=5))
    feed = iter([rows[start : start + 20] for start in range(0, len(rows), 20)])
    try:
        rollout.publish([row for _ in range(20) for row in next(feed)])
        worker.wait_until_applied(rollout.topic, 400)
        times = {}
        for what, arguments, version in (("promote", [2], 2), ("rollback", [], 1)):
            rollout.models(what, *arguments)
            # Each commit makes tasks go over; events make that visible.
            for _ in range(8):
                rollout.publish(next(feed))
            command = max(record["timestamp"] for record in rollout.cli.records("headrace.control")
                          if record["key"] == rollout.model)
            # Each task says in the control topic by what it scores, once the commit that decides it is known.
            def said():
                return [record["timestamp"] - command for record in rollout.cli.records("headrace.control")
                        if record["key"] == rollout.name and record["timestamp"] >= command]
            wait_for("every task to go over", lambda: len(said()) >= PARTITIONS)
            times[what] = max(said())
        print({what: f"every task has gone over {delay} ms after the command" for what, delay in times.items()})
        assert all(delay < 1_000 for delay in times.values()), times
        rollout.publish([row for part in feed for row in part])
        worker.wait_until_applied(rollout.topic, len(rows))
        assert worker.get("/api/models")["position"] > began
    finally:
        assert worker.stop() == 0, worker.text()
    predictions = rollout.expect_all()
    assert {value["version"] for value in predictions} == {1, 2}
    assert rollout.expect_served(predictions) >= 2


def test_kills_while_versions_change(rollout):
    """kill -9 at random and at each line of a switch; two data folders, so that state moves as well."""
    rollout.add(1), rollout.add(2)
    rollout.models("promote", 1)
    rows = list(events(4_000, seed=6))
    chance = random.Random(6)
    current, rounds = 1, 10
    reached = set()
    for round in range(rounds):
        point = KILL_POINTS[round] if round < len(KILL_POINTS) else None
        passes = {"HEADRACE_KILL_AT": f"{point}:{1 + round % 2}"} if point else {}
        worker = rollout.worker("data" if round % 3 else "other", **passes)
        part = rows[round * 400 : (round + 1) * 400]
        rollout.publish(part[:200])
        rollout.models("promote", 3 - current)
        current = 3 - current
        rollout.publish(part[200:])
        if point:
            deadline = time.monotonic() + 15
            while worker.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            if worker.process.poll() is not None:
                reached.add(point)
        else:
            time.sleep(chance.uniform(0, 0.5))
        worker.kill()
    assert reached == set(KILL_POINTS), "a kill point was never passed"
    worker = rollout.worker()
    try:
        worker.wait_until_applied(rollout.topic, len(rows))
    finally:
        assert worker.stop() == 0, worker.text()
    predictions = rollout.expect_all()
    switches = rollout.expect_served(predictions)
    print(f"{rounds} kills, {switches} switches in {len(predictions)} predictions")
    assert switches >= 3


def test_two_who_promote_at_once(rollout):
    """One of them wins, the other one is told; two workers agree on who did."""
    for seed in (1, 2, 3):
        rollout.add(seed)
    rollout.models("promote", 1)
    workers = [rollout.worker("a"), rollout.worker("b")]
    try:
        for _ in range(3):
            current = workers[0].get("/api/models")["models"][0]["version"]
            others = [version for version in (1, 2, 3) if version != current]
            with concurrent.futures.ThreadPoolExecutor() as pool:
                results = list(pool.map(
                    lambda version: rollout.models("promote", version, "--expect", current, code=None), others))
            refused = [result for result in results if not isinstance(result, dict)]
            assert len(refused) == 1 and refused[0].code == 1 and "the alias stands for version" in refused[0].err
            winner = next(result["version"] for result in results if isinstance(result, dict))
            for worker in workers:
                wait_for("both agree", lambda: worker.get("/api/models")["models"][0]["version"] == winner, 5)
        rollout.publish(list(events(600, seed=7)))
        wait_for("predictions", lambda: len(rollout.predictions()) >= 570 * 0.9)
    finally:
        codes = [worker.stop() for worker in workers]
    assert codes == [0, 0]
    assert {value["version"] for value in rollout.expect_all()} == {winner}


def test_shadow_and_canary(rollout):
    """A shadow changes nothing of what is answered; a canary has its share, and each key its arm."""
    rollout.add(1), rollout.add(2)
    rollout.models("promote", 1)
    worker = rollout.worker()
    rows = list(events(2_000, seed=8))
    for index, row in enumerate(rows):
        row["user"] = f"user-{index % 400}"
    try:
        rollout.models("shadow", 2)
        wait_for("the shadow", lambda: worker.get("/api/models")["models"][0]["shadows"])
        rollout.publish(rows[:1_000])
        worker.wait_until_applied(rollout.topic, 1_000)
        count = sum(row["amount"] > 0 for row in rows[:1_000])
        # The watch may not have heard of the rollout yet.
        wait_for(
            "the report",
            lambda: any(each["challenger_arm"]["predictions"] > 0 for each in worker.get("/api/models")["rollouts"]),
        )
        # Applied is not committed yet.
        wait_for("the last commit", lambda: len(rollout.predictions()) >= count)
        answered = rollout.expect_all()
        assert {(value["version"], value["arm"]) for value in answered} == {(1, "champion")} and len(answered) == count
        shadows = {record["value"]["offset"] + record["value"]["partition"] * 10**9: record["value"]
                   for record in rollout.predictions("predictions.shadow")}
        assert len(shadows) > 0.9 * count
        scores = [shadows[key]["score"] for key in sorted(shadows)]
        vectors = numpy.array([shadows[key]["features"] for key in sorted(shadows)], dtype=numpy.float32)
        assert rollout.boosters[2].predict(vectors.astype(numpy.float64)).tolist() == scores
        report = worker.get("/api/models")["rollouts"][0]
        wait_for("the whole report", lambda: (
            worker.get("/api/models")["rollouts"][0]["difference"]["compared"] == len(shadows)))
        report = worker.get("/api/models")["rollouts"][0]
        differences = [abs(value["difference"]) for value in shadows.values()]
        assert report["difference"]["max"] == max(differences)
        assert report["difference"]["mean"] == pytest.approx(sum(differences) / len(differences))
        agreeing = sum(value["agrees"] for value in shadows.values()) / len(shadows)
        assert report["difference"]["agreement"] == pytest.approx(agreeing)
        table = rollout.cli("models", "rollouts", "--server", worker.address).text
        assert "shadow" in table and rollout.model in table
        rollout.models("stop", 2)

        rollout.models("canary", 2, "--share", "25%", "--segment", "amount > 50")
        wait_for("the canary", lambda: worker.get("/api/models")["models"][0]["challenger"] == 2)
        time.sleep(0.5)
        rollout.publish(rows[1_000:])
        worker.wait_until_applied(rollout.topic, 2_000)
        wrong = rollout.models("canary", 2, "--share", "50%", "--segment", "amuont > 50", code=1)
        assert "did you mean `amount`" in wrong.err
    finally:
        assert worker.stop() == 0, worker.text()
    predictions = rollout.expect_all()
    inputs = {(record["partition"], record["offset"]): record["value"] for record in rollout.cli.records(rollout.topic)}
    arms = collections.defaultdict(set)
    for value in predictions:
        event = inputs[value["partition"], value["offset"]]
        assert value["version"] == {"champion": 1, "canary": 2}[value["arm"]]
        if event["amount"] <= 50:
            assert value["arm"] == "champion"
        elif event["ts"] >= rows[1_000]["ts"]:
            arms[event["user"]].add(value["arm"])
    share = sum(found == {"canary"} for found in arms.values()) / len(arms)
    print(f"canary: {share:.3f} of {len(arms)} keys")
    assert all(len(found) == 1 for found in arms.values()), "a key has two arms"
    assert 0.15 < share < 0.35 or len(arms) < 50


@pytest.mark.parametrize("gate", ["score_psi", "score_drift"])
def test_gates_roll_a_bad_canary_back(rollout, gate):
    rollout.add(1)
    rollout.put(train(2))
    rollout.models("promote", 1)
    bad = rollout.folder / "bad.json"
    bad.write_text(json.dumps({"model": "linear", "weights": [0, 0, 0, 0.01, 0], "intercept": 5}))
    answer = rollout.cli("models", "publish", rollout.model, bad, "--tables", rollout.tables, "--output", "json").json
    worker = rollout.worker()
    try:
        refused = rollout.models("canary", answer["version"], "--share", "100%", "--segment", "amount > 50", "--gate",
                                 "score_drift<=0.2", "--automatic", code=1)
        assert "GATE_NOT_MEASURABLE" in refused.err or "cannot be measured here" in refused.err
        rollout.models("canary", answer["version"], "--share", "50%", "--gate", f"{gate}<=0.2", "--window", "100",
                       "--automatic")
        rows = list(events(1_500, seed=9))
        for index, row in enumerate(rows):
            row["user"] = f"user-{index % 300}"
        for start in range(0, len(rows), 300):
            rollout.publish(rows[start : start + 300])
            time.sleep(0.2)
        wait_for("the verdict", lambda: worker.get("/api/models")["models"][0]["challenger"] is None, 15)
        assert worker.get("/api/models")["models"][0]["version"] == 1
        worker.wait_until_applied(rollout.topic, len(rows))
    finally:
        assert worker.stop() == 0, worker.text()
    # The evidence: how far apart, and over which predictions.
    told = next(line for line in worker.text().splitlines() if "the gates of a rollout have decided" in line)
    assert f"{gate} " in told and "of at most 0.2" in told and "decided at 0:" in told, told
    assert gate != "score_drift" or all(part in told for part in ("certain", "keys", "offsets")), told
    served = rollout.models("who-served", "--at", str(int(time.time() * 1_000)))
    assert served["version"] == 1 and served["rollouts"] == []
    versions = collections.Counter(record["value"]["version"] for record in rollout.predictions())
    print(f"versions: {dict(versions)}")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["promote", "NAME", "9"], "there is no version 9"),
        (["promote", "nobody", "1"], "there is no such model"),
        (["rollback", "NAME"], "is the first that the alias stands for"),
        (["canary", "NAME", "1", "--share", "5%"], "in force already"),
        (["stop", "NAME", "1"], "no rollout of version 1"),
    ],
)
def test_what_is_refused(rollout, arguments, message):
    rollout.add(1)
    rollout.models("promote", 1)
    arguments = [rollout.model if text == "NAME" else text for text in arguments]
    assert message in rollout.cli("models", *arguments, code=1).err


@pytest.mark.parametrize("flags", [["--share", "150%"], ["--share", "5%", "--gate", "psi<1"],
                                   ["--share", "5%", "--automatic"], ["--share", "5%", "--window", "0"]])
def test_wrong_usage(rollout, flags):
    rollout.cli("models", "canary", rollout.model, "2", *flags, code=2)
