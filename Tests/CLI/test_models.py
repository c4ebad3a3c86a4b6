"""Models in the stream and over HTTP: predictions of a LightGBM model, held against LightGBM itself."""

import collections
import json
import random
import time
import urllib.error
import urllib.request

import lightgbm
import numpy
import pytest
import tritonclient.http
from test_worker import Worker

FEATURES = ["n_24h", "total_24h", "largest_24h", "amount", "share"]
T0 = 1_700_000_000_000
PARTITIONS = 3

SCHEMA = """\
{"type": "record", "name": "Payment", "fields": [
  {"name": "user", "type": "string"}, {"name": "amount", "type": "double"}, {"name": "ts", "type": "long"}]}
"""

TOPOLOGY = """\
topology: NAME
sources:
  payments:
    topic: TOPIC
    key: user
    event_time: {field: ts, unit: ms}
    filter: amount > 0
entities: {user: [user]}
views:
  by_user:
    source: payments
    entity: user
    features: {n: count over 1d, total: sum(amount) over 1d, largest: max(amount) over 1d}
on_demand: {share: "amount / by_user:total_24h"}
services:
  payments_v1: ["by_user:n_24h", "by_user:total_24h", "by_user:largest_24h", "request:amount", share]
models:
  fraud: {service: payments_v1, each: payments, file: models/fraud.txt, output: TOPIC.predictions, threshold: 0.5,
    features: full}
"""


def train(seed=1, names=FEATURES):
    generator = numpy.random.default_rng(seed)
    rows = generator.uniform(0, 1, (3_000, len(FEATURES))) * [40, 4_000, 200, 200, 1]
    target = (rows[:, 0] / 40 + rows[:, 3] / 200 + rows[:, -1] + generator.normal(0, 0.2, 3_000) > 1.4).astype(int)
    rows = rows[:, :len(names)]
    settings = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "verbose": -1, "seed": seed}
    return lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=names), 20)


class Project:
    """A topology with a model beside it, in a folder."""

    def __init__(self, folder, name):
        self.name, self.topic = name, f"{name}.payments"
        self.file = folder / "topologies" / "payments.yaml"
        self.model_file = folder / "topologies" / "models" / "fraud.txt"
        self.model_file.parent.mkdir(parents=True)
        (folder / "schemas").mkdir()
        (folder / "schemas" / f"{self.topic}.avsc").write_text(SCHEMA)
        self.file.write_text(TOPOLOGY.replace("NAME", name).replace("TOPIC", self.topic))
        self.put(train())

    def put(self, booster):
        self.booster = booster
        booster.save_model(str(self.model_file))


@pytest.fixture
def project(tmp_path, request):
    return Project(tmp_path, f"m{abs(hash(request.node.name)) % 10**9}")


def events(count, seed):
    generator = random.Random(seed)
    for index in range(count):
        amount = -1.0 if generator.random() < 0.03 else round(generator.uniform(0.01, 200), 2)
        yield {"user": f"u{int(generator.paretovariate(0.7)) % 40}", "amount": amount, "ts": T0 + index * 500}


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def expect_all(project, cli, predictions):
    """One prediction for each event that counts, over the features that it saw, with LightGBM's own score."""
    ids = collections.Counter(record["value"]["id"] for record in predictions)
    assert max(ids.values()) == 1, "a prediction came twice"
    expected, seen, totals = {}, collections.Counter(), collections.Counter()
    inputs = cli.records(project.topic)
    for record in sorted(inputs, key=lambda record: (record["partition"], record["offset"])):
        value = record["value"]
        if value["amount"] <= 0:
            continue
        seen[value["user"]] += 1
        totals[value["user"]] += value["amount"]
        identity = f"{project.topic}-{record['partition']}-{record['offset']}/fraud"
        expected[identity] = (seen[value["user"]], totals[value["user"]], value, record)
    assert set(ids) == set(expected)
    vectors = numpy.array([record["value"]["features"] for record in predictions], dtype=numpy.float32)
    scores = project.booster.predict(vectors.astype(numpy.float64))
    for record, vector, score in zip(predictions, vectors, scores):
        value = record["value"]
        count, total, event, source = expected[value["id"]]
        assert vector[0] == count and vector[1] == pytest.approx(total, rel=1e-6), value
        assert vector[3] == numpy.float32(event["amount"])
        assert value["score"] == score and value["label"] == (score >= 0.5), value
        assert record["key"] == source["key"] and record["partition"] == source["partition"]
        assert value["service"] == "payments_v1" and value["model"] == "fraud" and len(value["model_version"]) == 64
        assert value["latency_ms"] >= 0 and value["event_time"] == event["ts"]


def test_a_prediction_for_each_event_over_kills(project, cli, tmp_path):
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    data = tmp_path / "data"
    rows = list(events(4_000, seed=1))
    for round in range(4):
        worker = Worker(cli, tmp_path, "run", project.file, "--data", data)
        cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows[round * 1_000 : (round + 1) * 1_000]))
        if round == 3:
            break
        time.sleep(0.15 * round)
        worker.kill()
        worker.process.wait()
    try:
        worker.wait_until_applied(project.topic, len(rows))
    finally:
        assert worker.stop() == 0, worker.text()
    expect_all(project, cli, cli.records(f"{project.topic}.predictions"))


def test_another_file_is_another_plan_and_rebuilds_nothing(project, cli):
    before = cli("plan", project.file, "--offline", "--output", "json").json
    project.put(train(seed=2))
    after = cli("plan", project.file, "--offline", "--output", "json").json
    assert before["fingerprint"] != after["fingerprint"]
    assert before["models"][0]["version"] != after["models"][0]["version"]
    assert [view["fingerprint"] for view in before["views"]] == [view["fingerprint"] for view in after["views"]]


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "there is no such file"),
        ("tree\nversion=v4\n", "`file` of model `fraud`"),
        (train(names=FEATURES[:3]), "was trained on other features"),
        (train(names=["amount", *FEATURES[:3], "share"]), "column 0 of the file is not that of service"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_place(project, cli, content, message):
    if content is None:
        project.model_file.unlink()
    elif isinstance(content, str):
        project.model_file.write_text(content)
    else:
        project.put(content)
    result = cli("plan", project.file, "--offline", code=1)
    line = next(index for index, text in enumerate(project.file.read_text().split("\n"), 1) if "file:" in text)
    assert message in result.err and f"payments.yaml:{line}:" in result.err


@pytest.fixture
def served(project, cli, tmp_path):
    cli("topics", "create", project.topic, "--partitions", PARTITIONS)
    worker = Worker(cli, tmp_path, "run", project.file, "--data", tmp_path / "data")
    yield worker
    worker.stop()


def test_triton_client_unchanged(project, served):
    client = tritonclient.http.InferenceServerClient(served.address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("fraud")
    assert client.get_server_metadata()["name"] == "headrace"
    metadata = client.get_model_metadata("fraud")
    assert metadata["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, len(FEATURES)]}]
    generator = numpy.random.default_rng(3)
    for rows in (1, 64, 5_000):
        matrix = (generator.uniform(0, 1, (rows, len(FEATURES))) * [40, 4_000, 200, 200, 1]).astype(numpy.float32)
        matrix[0, 1] = numpy.nan
        expected = project.booster.predict(matrix.astype(numpy.float64))
        for dtype, name in ((numpy.float32, "FP32"), (numpy.float64, "FP64")):
            tensor = tritonclient.http.InferInput("features", list(matrix.shape), name)
            tensor.set_data_from_numpy(matrix.astype(dtype))
            answer = client.infer("fraud", [tensor], request_id="r1")
            assert answer.as_numpy("scores").tolist() == expected.tolist()
            assert answer.get_response()["id"] == "r1"
        tensor = tritonclient.http.InferInput("features", [rows - 1, len(FEATURES)], "FP32")
        tensor.set_data_from_numpy(matrix[1:], binary_data=False)
        output = tritonclient.http.InferRequestedOutput("scores", binary_data=False)
        answer = client.infer("fraud", [tensor], outputs=[output], model_version=metadata["versions"][0])
        assert answer.as_numpy("scores").tolist() == expected[1:].tolist()
    with pytest.raises(tritonclient.http.InferenceServerException, match="there is no model"):
        client.get_model_metadata("frau")


@pytest.mark.parametrize(
    "path, body, status, message",
    [
        ("/v2/models/nobody/infer", {}, 404, "there is no model"),
        ("/v2/models/fraud/versions/3/infer", {}, 404, "has no version `3` here"),
        ("/v2/models/fraud/infer", {}, 400, "found 0 inputs"),
        ("/v2/models/fraud/infer", [], 400, "no JSON"),
        ("/v2/models/fraud/infer", {"inputs": [{"shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}, 400, "[rows, 5]"),
        ("/v2/models/fraud/infer", {"inputs": [{"shape": [1, 5], "datatype": "INT4", "data": [1] * 5}]}, 400, "datatype"),
        ("/v2/models/fraud/infer", {"inputs": [{"shape": [2, 5], "datatype": "FP32", "data": [1] * 5}]}, 400, "5 values"),
        (
            "/v2/models/fraud/infer",
            {"inputs": [{"shape": [4000000000, 5], "datatype": "FP32", "parameters": {"binary_data_size": 80}}]},
            400,
            "binary_data_size",
        ),
    ],
)
def test_what_is_no_request_is_refused_in_the_shape_of_the_protocol(served, path, body, status, message):
    request = urllib.request.Request(f"http://{served.address}{path}", json.dumps(body).encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == status
    answer = json.loads(caught.value.read())
    assert list(answer) == ["error"] and message in answer["error"]


def test_features_are_looked_up_by_key(project, served, cli):
    now = int(time.time() * 1_000)
    amounts = [10.0, 20.5, 30.25]
    rows = [{"user": "u1", "amount": amount, "ts": now + index} for index, amount in enumerate(amounts)]
    cli.publish(project.topic, "-", "--key", "user", stdin=lines(rows))
    served.wait_until_applied(project.topic, len(rows))
    client = tritonclient.http.InferenceServerClient(served.address)
    keys = tritonclient.http.InferInput("user", [2], "BYTES")
    keys.set_data_from_numpy(numpy.array([b"u1", b"nobody"], dtype=object))
    values = tritonclient.http.InferInput("amount", [2], "FP64")
    values.set_data_from_numpy(numpy.array([50.0, 1.5]), binary_data=False)
    total = sum(amounts)
    known = [[3, total, max(amounts), 50, 50 / total], [numpy.nan, numpy.nan, numpy.nan, 1.5, numpy.nan]]
    expected = project.booster.predict(numpy.array(known, dtype=numpy.float32).astype(numpy.float64))
    assert client.infer("fraud", [keys, values]).as_numpy("scores").tolist() == expected.tolist()
