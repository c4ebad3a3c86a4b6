"""Inference requests through topics, with confluent-kafka as the caller: answers, errors, deadlines, exactly once."""

import json
import random
import struct
import time

import confluent_kafka
import numpy
import pytest
from test_models import FEATURES, PARTITIONS, Project, events, lines
from test_worker import Worker


class Asked(Project):
    """The model of `test_models`, which answers requests."""

    def __init__(self, folder, name, cli, broker):
        super().__init__(folder, name)
        self.cli, self.folder, self.address = cli, folder, broker.address
        self.requests, self.responses, self.replies = f"{name}.requests", f"{name}.responses", f"{name}.team"
        requests = f"requests: {{topic: {self.requests}, responses: {self.responses}, reply_topics: [{self.replies}]}}"
        self.file.write_text(self.file.read_text().replace("threshold: 0.5", f"threshold: 0.5, {requests}"))
        self.producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "linger.ms": 0})

    def worker(self, data="data", **environment):
        folder = self.folder / f"worker-{data}"
        folder.mkdir(exist_ok=True)
        self.cli.environment.update(environment)
        try:
            return Worker(self.cli, folder, "run", self.file, "--data", self.folder / data)
        finally:
            for name in environment:
                del self.cli.environment[name]

    def ask(self, identity, body, **headers):
        body = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = [("correlation-id", identity.encode())] if identity else []
        sent += [(name.replace("_", "-"), str(value).encode()) for name, value in headers.items()]
        self.producer.produce(self.requests, body, key=(identity or "none").encode(), headers=sent)

    def answers(self, count, topic=None, seconds=30):
        """So many committed answers, and no more."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.address, "group.id": f"caller-{random.random()}", "auto.offset.reset": "earliest",
            "isolation.level": "read_committed"})
        consumer.subscribe([topic or self.responses])
        found, deadline = [], time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and not message.error():
                found.append(message)
        assert len(found) == count, f"{len(found)} of {count} answers"
        extra = consumer.poll(1)
        assert extra is None or extra.error(), "an answer too many"
        consumer.close()
        return found


@pytest.fixture
def asked(tmp_path, request, cli, broker):
    found = Asked(tmp_path, f"q{abs(hash(request.node.name)) % 10**9}", cli, broker)
    cli("topics", "create", found.topic, "--partitions", PARTITIONS)
    return found


def vector(chance):
    return [round(chance.uniform(0, 40), 3), round(chance.uniform(0, 4_000), 3), 50.0, round(chance.uniform(0, 200), 2),
            round(chance.random(), 4)]


def infer(rows, **more):
    data = [number for row in rows for number in row]
    return {"inputs": [{"name": "features", "datatype": "FP32", "shape": [len(rows), len(FEATURES)], "data": data}],
            **more}


def headers_of(message):
    return {name: value.decode(errors="replace") for name, value in message.headers() or []}


def by_identity(messages):
    found = {}
    for message in messages:
        identity = headers_of(message).get("correlation-id")
        assert identity not in found, f"{identity} is answered twice"
        found[identity] = message
    return found


def test_answers(asked):
    """Requests of the protocol and flat records, with scores of LightGBM's own; keys whose features are looked up."""
    chance = random.Random(3)
    worker = asked.worker()
    try:
        rows = list(events(400, seed=2))
        asked.cli.publish(asked.topic, "-", "--key", "user", stdin=lines(rows))
        worker.wait_until_applied(asked.topic, len(rows))
        several = [vector(chance) for _ in range(7)]
        asked.ask("several", infer(several, id="mine"))
        asked.ask("record", dict(zip(FEATURES, several[0])))
        asked.ask("partial", {"n_24h": several[1][0], "amount": several[1][3], "share": None})
        asked.ask("keys", {"user": rows[0]["user"], "amount": 12.5})
        binary = json.dumps({"inputs": [{"name": "features", "datatype": "FP64", "shape": [1, 5],
                                         "parameters": {"binary_data_size": 40}}],
                             "outputs": [{"name": "scores", "parameters": {"binary_data": True}}]}).encode()
        asked.ask("binary", binary + struct.pack("<5d", *several[2]), inference_header_content_length=len(binary))
        asked.ask("there", infer(several[3:4]), reply_to=asked.replies)
        asked.ask("in time", infer(several[4:5]), deadline=int(time.time() * 1_000) + 60_000)
        asked.producer.produce(asked.requests, json.dumps(infer(several[5:6])).encode(),
                               headers=[("kafka_correlationId", b"\x00\x01\xff spring"),
                                        ("kafka_replyTopic", asked.replies.encode())])
        asked.producer.flush()
        found = by_identity(asked.answers(6))
        elsewhere = asked.answers(2, asked.replies)
    finally:
        assert worker.stop() == 0, worker.text()

    def scores(message):
        assert headers_of(message)["headrace-status"] == "ok", message.value()
        answer = json.loads(message.value())
        assert answer["model_name"] == "fraud" and len(answer["model_version"]) == 64
        return answer["outputs"][0]["data"]

    def expected(rows):
        return asked.booster.predict(numpy.array(rows, dtype=numpy.float32).astype(numpy.float64)).tolist()

    assert scores(found["several"]) == expected(several) and json.loads(found["several"].value())["id"] == "mine"
    assert found["several"].key() == b"several" and headers_of(found["several"])["headrace-src"].startswith(
        f"{asked.requests}/")
    assert scores(found["record"]) == expected(several[:1])
    partial = [several[1][0], numpy.nan, numpy.nan, several[1][3], numpy.nan]
    assert scores(found["partial"]) == expected([partial])
    assert scores(found["in time"]) == expected(several[4:5])
    assert len(scores(found["keys"])) == 1
    length = int(headers_of(found["binary"])["inference-header-content-length"])
    assert struct.unpack("<d", found["binary"].value()[length:]) == tuple(expected(several[2:3]))
    assert headers_of(found["binary"])["content-type"] == "application/octet-stream"
    spring = [message for message in elsewhere if dict(message.headers()).get("kafka_correlationId")]
    assert dict(spring[0].headers())["kafka_correlationId"] == b"\x00\x01\xff spring"
    assert sorted(scores(message) for message in elsewhere) == sorted([expected(several[3:4]), expected(several[5:6])])


def test_what_cannot_be_answered(asked):
    """Every request has an answer: one that is wrong or too late has one that says so, and is not scored."""
    worker = asked.worker()
    try:
        good = infer([[1, 2, 3, 4, 5]])
        now = int(time.time() * 1_000)
        wrong = {
            "no json": (b"{", {}, 400, "INVALID_INFERENCE_REQUEST"),
            "not utf8": (b"\xff\xfe\x00", {}, 400, "INVALID_INFERENCE_REQUEST"),
            "nothing": (None, {}, 400, "INVALID_INFERENCE_REQUEST"),
            "shape": (infer([[1, 2, 3]]), {}, 400, "INVALID_INFERENCE_REQUEST"),
            "unknown": ({"amuont": 3}, {}, 400, "INVALID_INFERENCE_REQUEST"),
            "text": ({"amount": "much"}, {}, 400, "INVALID_INFERENCE_REQUEST"),
            "late": (good, {"deadline": now - 5_000}, 504, "DEADLINE_EXCEEDED"),
            "late text": (good, {"deadline": "2020-01-01T00:00:00Z"}, 504, "DEADLINE_EXCEEDED"),
            "no deadline": (good, {"deadline": "soon"}, 400, "INVALID_DEADLINE"),
            "elsewhere": (good, {"reply_to": asked.topic}, 403, "REPLY_TOPIC_NOT_ALLOWED"),
            "length": (good, {"inference_header_content_length": "many"}, 400, "INVALID_INFERENCE_REQUEST"),
            "beyond": (good, {"inference_header_content_length": 10**9}, 400, "INVALID_INFERENCE_REQUEST"),
        }
        for identity, (body, headers, _, _) in wrong.items():
            asked.ask(identity, body, **headers)
        asked.ask("good", good)
        asked.producer.flush()
        found = by_identity(asked.answers(len(wrong) + 1))
    finally:
        assert worker.stop() == 0, worker.text()
    for identity, (_, _, status, code) in wrong.items():
        answer = json.loads(found[identity].value())
        assert (answer["status"], answer["code"]) == (status, code) and answer["error"], (identity, answer)
        assert headers_of(found[identity])["headrace-status"] == "error"
    near = json.loads(found["unknown"].value())["error"]
    assert "did you mean `amount`" in near
    assert headers_of(found["good"])["headrace-status"] == "ok"


def test_exactly_once_over_kills(asked):
    """kill -9 at random moments, two workers that share the requests: each is answered once."""
    chance = random.Random(5)
    asked.producer.flush()
    expected, workers = {}, [asked.worker("a"), asked.worker("b")]
    for round in range(6):
        for _ in range(250):
            identity, row = f"r{len(expected)}", vector(chance)
            expected[identity] = row
            asked.ask(identity, infer([row]))
        asked.producer.flush()
        time.sleep(chance.uniform(0, 0.8))
        victim = round % 2
        workers[victim].kill()
        workers[victim] = asked.worker("ab"[victim])
    try:
        found = by_identity(asked.answers(len(expected), seconds=90))
    finally:
        codes = [worker.stop() for worker in workers]
    assert codes == [0, 0]
    rows = numpy.array([expected[identity] for identity in found], dtype=numpy.float32).astype(numpy.float64)
    scores = [json.loads(message.value())["outputs"][0]["data"][0] for message in found.values()]
    assert scores == asked.booster.predict(rows).tolist()


def test_what_a_topology_may_not_say(asked):
    def errors(old, new):
        asked.file.write_text(text.replace(old, new))
        return asked.cli("plan", asked.file, "--offline", code=1).err

    text = asked.file.read_text()
    assert "would be answered into the topic" in errors(f"[{asked.replies}]", f"[{asked.requests}]")
    assert "that its predictions go to" in errors(asked.responses, f"{asked.topic}.predictions")
    assert "that source `payments` reads" in errors(asked.requests, asked.topic)
