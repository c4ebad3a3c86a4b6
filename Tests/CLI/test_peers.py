"""Three workers behind one address: any of them answers for any key, as the worker would that has it."""

import json
import random
import time
import urllib.error
import urllib.request

import numpy
import pytest
from test_models import events, lines
from test_requests import Asked, by_identity, headers_of
from test_worker import Worker

EVENTS = 600
AT = 1_700_000_000_000 + EVENTS * 500


def call(address, path, body, token=None):
    """Status and answer, whatever it is."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(f"http://{address}{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


class Three(Asked):
    """A topology of three partitions with a worker for each."""

    def start(self, number, *arguments):
        folder = self.folder / f"worker-{number}"
        folder.mkdir(exist_ok=True)
        return Worker(self.cli, folder, "run", self.file, "--data", self.folder / f"data-{number}", *arguments)

    def start_all(self, *arguments):
        self.workers = [self.start(number, *arguments) for number in range(3)]
        self.wait(lambda: all(len(self.partitions(worker)) == 1 for worker in self.workers), "a task for each")

    @staticmethod
    def partitions(worker):
        return [task["partition"] for task in worker.get("/api/tasks")["tasks"]]

    def wait(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (what, [worker.text()[-2_000:] for worker in self.workers])
            time.sleep(0.05)

    def publish(self):
        self.rows = list(events(EVENTS, seed=2))
        self.users = sorted({row["user"] for row in self.rows})
        self.cli.publish(self.topic, "-", "--key", "user", stdin=lines(self.rows))

    def wait_until_applied(self):
        def applied():
            tasks = [task for worker in self.workers for task in worker.get("/api/tasks")["tasks"]]
            return sum(item["position"] for task in tasks for item in task["inputs"]) >= EVENTS
        self.wait(applied, "all events applied")

    def owners(self):
        """By user: the worker whose metrics say that it had nobody to ask."""
        found = {}
        for user in self.users:
            for worker in self.workers:
                before = self.forwarded(worker)
                status, _ = self.read(worker, [user])
                if status == 200 and self.forwarded(worker) == before:
                    found[user] = worker
        return found

    @staticmethod
    def forwarded(worker, outcome="answered"):
        with urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=10) as response:
            text = response.read().decode()
        name = f'headrace_forwarded_requests_total{{outcome="{outcome}"}} '
        return int(next(line for line in text.splitlines() if line.startswith(name))[len(name):])

    def read(self, worker, users, **more):
        body = {"features": ["by_user:*"], "entities": {"user": users}, "as_of": AT, **more}
        return call(worker.address, "/get-online-features", body, self.token)

    token = None

    def stop(self):
        for worker in self.workers:
            assert worker.stop() == 0, worker.text()


@pytest.fixture
def three(tmp_path, request, cli, broker):
    found = Three(tmp_path, f"p{abs(hash(request.node.name)) % 10**9}", cli, broker)
    cli("topics", "create", found.topic, "--partitions", "3")
    found.workers = []
    yield found
    for worker in found.workers:
        worker.kill()


def test_any_worker_answers_for_any_key(three):
    """Features, inference by key and requests through topics, each held against the owner's own answer."""
    three.start_all()
    three.publish()
    three.wait_until_applied()
    three.wait(lambda: all(three.read(worker, three.users)[0] == 200 for worker in three.workers), "all keys")
    owners = three.owners()
    assert set(owners) == set(three.users) and len({worker.address for worker in owners.values()}) == 3

    # Value by value what the owners say, and bit for bit the same whoever is asked.
    answers = [three.read(worker, three.users + ["nobody"])[1] for worker in three.workers]
    for answer in answers:
        assert answer["results"] == answers[0]["results"]
    for position, user in enumerate(three.users):
        own = three.read(owners[user], [user])[1]["results"]
        assert [[part[position] for part in column.values()] for column in answers[0]["results"]] == [
            [part[0] for part in column.values()] for column in own], user
    assert answers[0]["results"][1]["statuses"][-1] == "NOT_FOUND"
    assert all(three.forwarded(worker) > 0 and three.forwarded(worker, "failed") == 0 for worker in three.workers)

    # Inference by key: the owner's scores, from every worker, in the order that was asked for.
    amounts = [float(number) for number in range(len(three.users))]
    def infer(worker, users, amounts):
        return call(worker.address, "/v2/models/fraud/infer", {"inputs": [
            {"name": "user", "datatype": "BYTES", "shape": [len(users)], "data": users},
            {"name": "amount", "datatype": "FP64", "shape": [len(users)], "data": amounts}]})
    scores = []
    for worker in three.workers:
        status, answer = infer(worker, three.users, amounts)
        assert status == 200, answer
        scores.append(answer["outputs"][0]["data"])
    assert scores[0] == scores[1] == scores[2] and len(scores[0]) == len(three.users)
    for position, user in enumerate(three.users):
        alone = infer(owners[user], [user], [amounts[position]])[1]["outputs"][0]["data"]
        assert alone == [scores[0][position]], user

    # Requests through topics: whoever gets one answers it.
    for position, user in enumerate(three.users):
        three.ask(user, {"user": user, "amount": amounts[position]})
    three.producer.flush()
    for user, message in by_identity(three.answers(len(three.users))).items():
        assert headers_of(message)["headrace-status"] == "ok", message.value()
        score = json.loads(message.value())["outputs"][0]["data"]
        assert score == [scores[0][three.users.index(user)]], user

    # A push is read by whoever is asked, as soon as it is applied where its task is.
    user = three.users[0]
    other = next(worker for worker in three.workers if worker is not owners[user])
    with urllib.request.urlopen(urllib.request.Request(
        f"http://{other.address}/push", json.dumps({
            "push_source_name": "payments", "df": {"user": [user], "amount": [5.0], "ts": [AT]}, "to": "online",
        }).encode(), {"content-type": "application/json"})) as response:
        offsets = response.headers["headrace-offsets"].split(",")
    status, answer = three.read(other, [user], min_offset=[offset.strip() for offset in offsets], wait_ms=5_000)
    assert status == 200, answer
    counted = answer["results"][answer["metadata"]["feature_names"].index("n_24h")]["values"][0]
    assert counted == sum(row["user"] == user and row["amount"] > 0 for row in three.rows) + 1
    three.stop()


def test_a_worker_that_dies_is_named_and_its_keys_come_back(three):
    three.start_all()
    three.publish()
    three.wait_until_applied()
    three.wait(lambda: all(three.read(worker, three.users)[0] == 200 for worker in three.workers), "all keys")
    expected = three.read(three.workers[0], three.users)[1]["results"]
    owners = three.owners()
    dead = three.workers[2]
    living = [user for user in three.users if owners[user] is not dead]
    dead.kill()
    three.workers = three.workers[:2]
    # Keys of those that live are answered all the while; the others' errors say who has them.
    named, recovered, deadline = 0, False, time.monotonic() + 60
    chance = random.Random(1)
    while not recovered:
        assert time.monotonic() < deadline, [worker.text()[-2_000:] for worker in three.workers]
        worker = chance.choice(three.workers)
        status, answer = three.read(worker, three.users)
        recovered = status == 200
        if not recovered:
            assert status == 503, answer
            named += dead.address in json.dumps(answer)
        # While tasks are given out anew the living stand still for a moment, too.
        if not recovered and dead.address in json.dumps(answer):
            status, answer = three.read(worker, living)
            assert status == 200 or "not ready" in json.dumps(answer) or "moving" in json.dumps(answer), answer
        time.sleep(0.05)
    assert named > 0
    assert any(three.forwarded(worker, "unreachable") > 0 for worker in three.workers)
    assert answer["results"] == expected
    three.wait(lambda: all(three.read(worker, three.users)[0] == 200 for worker in three.workers), "all keys again")
    # It comes back under another port, and its tasks with it.
    three.workers.append(three.start(2))
    three.wait(lambda: all(len(three.partitions(worker)) == 1 for worker in three.workers), "a task for each again")
    three.wait(lambda: all(three.read(worker, three.users)[0] == 200 for worker in three.workers), "all keys at last")
    for worker in three.workers:
        assert three.read(worker, three.users)[1]["results"] == expected
    three.stop()


def test_requests_through_topics_over_a_death(three):
    """An answer for each request, an error that is documented or the score, and scores again in the end."""
    three.start_all()
    three.publish()
    three.wait_until_applied()
    three.wait(lambda: all(three.read(worker, three.users)[0] == 200 for worker in three.workers), "all keys")
    three.workers[2].kill()
    three.workers = three.workers[:2]
    identities = [f"{user}-{turn}" for turn in range(2) for user in three.users]
    for identity in identities:
        three.ask(identity, {"user": identity.split("-")[0], "amount": 3.0})
    three.producer.flush()
    found = by_identity(three.answers(len(identities), seconds=90))
    assert set(found) == set(identities)
    for message in found.values():
        if headers_of(message)["headrace-status"] != "ok":
            assert json.loads(message.value())["code"] in {"OWNER_UNREACHABLE", "OWNERS_MOVE", "NOT_READY"}
    scores = [json.loads(message.value())["outputs"][0]["data"][0] for message in found.values()
              if headers_of(message)["headrace-status"] == "ok"]
    assert len(scores) > len(identities) / 2 and numpy.isfinite(scores).all()
    three.stop()


def test_tokens_go_along(three, tmp_path):
    """With `reading: token` workers ask one another with the caller's token, and with their own for topics."""
    made = three.cli("access", "token", "app", "--roles", "viewer,operator", "--output", "json").json
    access = tmp_path / "access.yaml"
    access.write_text(f"reading: token\nprincipals:\n  - {json.dumps(made['principal'])}\n")
    three.token = made["token"]
    three.cli.environment["HEADRACE_TOKEN"] = three.token
    three.workers = [three.start(number, "--access", access) for number in range(3)]
    three.publish()
    three.wait(lambda: all(three.read(worker, ["u1"])[0] in (200, 503) for worker in three.workers), "readable")
    three.wait(lambda: all(three.read(worker, [f"u{n}" for n in range(1, 20)])[0] == 200 for worker in three.workers),
               "all keys")
    body = {"features": ["by_user:n_24h"], "entities": {"user": three.users}, "as_of": AT}
    for worker in three.workers:
        assert call(worker.address, "/get-online-features", body)[0] == 401
        assert call(worker.address, "/get-online-features", body, "hr_wrong")[0] == 401
        assert call(worker.address, "/api/rows", {})[0] == 401
    for user in three.users[:12]:
        three.ask(user, {"user": user, "amount": 3.0})
    three.producer.flush()
    for message in three.answers(12):
        assert headers_of(message)["headrace-status"] == "ok", message.value()
    three.stop()
