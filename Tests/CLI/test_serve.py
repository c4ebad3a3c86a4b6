"""`headrace models` and `headrace serve`: model files in a folder, served to clients of other people, without Kafka."""

import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import lightgbm
import numpy
import onnxruntime
import pytest
import skl2onnx
import sklearn.linear_model
import tritonclient.http
import xgboost
from conftest import ROOT, binary

FEATURES = 6
KSERVE_PYTHON = ROOT / ".venv-kserve" / "bin" / "python"


def rows(count, seed=1, missing=0.0):
    generator = numpy.random.default_rng(seed)
    matrix = generator.normal(0, 1, (count, FEATURES)).astype(numpy.float32)
    matrix[generator.uniform(0, 1, matrix.shape) < missing] = numpy.nan
    return matrix


def target(matrix):
    return (matrix[:, 0] + matrix[:, 1] * matrix[:, 2] > 0.2).astype(int)


def train_lightgbm(path, seed=1, classes=2):
    matrix = rows(2_000, seed)
    labels = target(matrix) if classes == 2 else (matrix[:, 0] > 0).astype(int) + (matrix[:, 1] > 0)
    objective = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    settings = {**objective, "num_leaves": 15, "num_threads": 1, "verbose": -1, "seed": seed}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, labels), 20)
    booster.save_model(str(path))
    return lambda matrix: booster.predict(matrix.astype(numpy.float64))


def train_xgboost(path):
    matrix = rows(2_000)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 5, "nthread": 1}, xgboost.DMatrix(matrix, target(matrix)), 20)
    booster.save_model(str(path))
    return lambda matrix: booster.predict(xgboost.DMatrix(matrix))


def train_onnx(path):
    matrix = rows(500)
    model = sklearn.linear_model.LinearRegression().fit(matrix, matrix @ numpy.arange(FEATURES))
    content = skl2onnx.to_onnx(model, matrix[:1])
    path.write_bytes(content.SerializeToString())
    session = onnxruntime.InferenceSession(str(path))
    return lambda matrix: session.run(None, {session.get_inputs()[0].name: matrix})[0].ravel()


class Store:
    """A data folder with `headrace models` and, when asked for, `headrace serve`."""

    def __init__(self, cli, folder):
        self.cli, self.folder, self.data = cli, folder, folder / "data"
        self.process = None

    def __call__(self, command, *arguments, **options):
        return self.cli("models", command, *arguments, "--data", self.data, **options)

    def records(self, command, *arguments):
        return self(command, *arguments, "--output", "json").records

    def serve(self, *flags):
        port_file = self.folder / "address"
        port_file.unlink(missing_ok=True)
        self.log = open(self.folder / "serve.log", "wb")
        self.process = self.cli.start(
            "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--port-file", port_file, *flags,
            stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while not port_file.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.01)
        self.address = port_file.read_text().strip()
        return self.address

    def text(self):
        return (self.folder / "serve.log").read_text(errors="replace")

    def post(self, path, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", content)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def infer(self, model, matrix, version=None):
        tensor = {"name": "features", "datatype": "FP32", "shape": list(matrix.shape), "data": matrix.ravel().tolist()}
        place = f"/versions/{version}" if version else ""
        return self.post(f"/v2/models/{model}{place}/infer", {"inputs": [tensor]})

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(20) == 0, self.text()
            self.process = None


@pytest.fixture
def store(cli, tmp_path):
    store = Store(cli, tmp_path)
    yield store
    store.stop()


def test_smaller_weights_of_all_models_or_of_one(store, tmp_path):
    weights = numpy.array([0.31, -0.127, 2.5, 0.7, -1.9, 0.04])
    (tmp_path / "linear.json").write_text(json.dumps({"model": "linear", "weights": weights.tolist(), "intercept": 1}))
    predict = train_lightgbm(tmp_path / "trees.txt")
    for name, file in [("small", "linear.json"), ("exact", "linear.json"), ("trees", "trees.txt")]:
        store("add", name, tmp_path / file)
    store.serve("--weights", "int8", "--weights", "exact=float32")
    scale = 2.5 / 127
    matrix = rows(50)
    for name, kept in [("small", numpy.round(weights / scale) * scale), ("exact", weights)]:
        found = store.infer(name, matrix)["outputs"][0]["data"]
        numpy.testing.assert_allclose(found, matrix @ kept + 1, rtol=1e-4, atol=1e-4)
    numpy.testing.assert_allclose(store.infer("trees", matrix)["outputs"][0]["data"], predict(matrix), rtol=1e-5)
    assert store.text().count("int8 weights: scores differ by") == 1


def test_versions_count_up_and_aliases_remember(store, tmp_path):
    for seed in (1, 2):
        train_lightgbm(tmp_path / f"{seed}.txt", seed)
    first = store("add", "fraud", tmp_path / "1.txt", "--alias", "champion", "--note", "first light", "--output", "json")
    assert first.json["version"] == 1 and first.json["new"] and first.json["alias_former_version"] is None
    assert store("add", "fraud", tmp_path / "2.txt", "--output", "json").json["version"] == 2
    again = store("add", "fraud", tmp_path / "1.txt", "--output", "json").json
    assert again["version"] == 1 and not again["new"]
    store("alias", "fraud", "champion", 2, "--expect", 1, "--reason", "better", "--by", "ada")
    taken = store("alias", "fraud", "champion", 1, "--expect", 1, code=1)
    assert "stands for version 2, expected version 1" in taken.err and "[ALIAS_OVERTAKEN]" in taken.err
    assert store("alias", "fraud", "champion", 2, "--output", "json").json["changed"] is False
    shown = store("show", "fraud", "--output", "json").json
    assert [version["version"] for version in shown["versions"]] == [1, 2]
    assert [(change["version"], change["reason"]) for change in shown["history"]] == [(1, "first light"), (2, "better")]
    assert shown["history"][1]["by"] == "ada"
    (listed,) = store.records("list")
    assert listed["model"] == "fraud" and listed["aliases"] == {"champion": 2} and listed["newest"]["feature_count"] == FEATURES
    assert "champion 2" in store("list").text
    files = [path for path in (store.data / "models").iterdir() if path.is_file()]
    assert sorted(path.name for path in files) == sorted(version["content_hash"] for version in shown["versions"])


def test_what_is_wrong_is_said(store, tmp_path):
    assert "[REGISTRY_MISSING]" in store("list", code=1).err
    train_lightgbm(tmp_path / "m.txt")
    whole = (tmp_path / "m.txt").read_bytes()
    broken = {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"tree\nversion=v4\n", "noise": bytes(range(256)) * 9}
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        refused = store("add", "fraud", tmp_path / name, code=1)
        assert str(tmp_path / name) in refused.err and "[MODEL_" in refused.err, refused.err
    assert not store.data.exists()
    assert "[MODEL_FILE_MISSING]" in store("add", "fraud", tmp_path / "none", code=1).err
    store("add", "fraud", tmp_path / "m.txt")
    assert "did you mean `fraud`" in store("show", "fruad", code=1).err
    assert "found version 1 only" in store("alias", "fraud", "champion", 7, code=1).err
    assert "letters, digits" in store("add", "../fraud", tmp_path / "m.txt", code=2).err
    assert "no number" in store("alias", "fraud", "3", 1, code=2).err
    assert "--data DIR is missing" in store.cli("models", "alias", "fraud", "champion", "1", code=2).err


KILL_POINTS = ["registry.file-kept", "registry.command-written", "registry.before-commit", "registry.after-commit"]


@pytest.mark.parametrize("point", KILL_POINTS)
def test_a_kill_leaves_the_state_before_or_behind(store, tmp_path, point):
    for seed in (1, 2):
        train_lightgbm(tmp_path / f"{seed}.txt", seed)
    store("add", "fraud", tmp_path / "1.txt", "--alias", "champion")
    environment = {**store.cli.environment, "HEADRACE_KILL_AT": f"{point}:1"}
    killed = subprocess.run(
        [binary(), "models", "add", "fraud", tmp_path / "2.txt", "--data", store.data], env=environment, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    expected = 2 if point == "registry.after-commit" else 1
    assert store.records("list")[0]["versions"] == expected
    assert store("add", "fraud", tmp_path / "2.txt", "--output", "json").json["version"] == 2
    assert store.records("list")[0]["versions"] == 2


@pytest.mark.parametrize(
    "train, name", [(train_lightgbm, "m.txt"), (train_xgboost, "m.json"), (train_xgboost, "m.ubj"), (train_onnx, "m.onnx")])
def test_triton_client_unchanged(store, tmp_path, train, name):
    predict = train(tmp_path / name)
    store("add", "m", tmp_path / name)
    client = tritonclient.http.InferenceServerClient(store.serve())
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("m") and client.is_model_ready("m", "1") and not client.is_model_ready("m", "2")
    assert client.get_model_metadata("m")["versions"] == ["1"]
    assert client.get_model_repository_index() == [{"name": "m", "version": "1", "state": "READY", "reason": ""}]
    for count in (1, 64, 1_024, 20_000):
        matrix = rows(count, seed=count, missing=0.0 if train is train_onnx else 0.1)
        expected = predict(matrix)
        for dtype, kind in ((numpy.float32, "FP32"), (numpy.float64, "FP64")):
            tensor = tritonclient.http.InferInput("features", list(matrix.shape), kind)
            tensor.set_data_from_numpy(matrix.astype(dtype))
            scores = client.infer("m", [tensor], request_id="r1").as_numpy("scores")
            numpy.testing.assert_allclose(scores, expected, rtol=1e-6, atol=2e-6)
    whole = numpy.arange(FEATURES * 3, dtype=numpy.int64).reshape(3, FEATURES)
    tensor = tritonclient.http.InferInput("features", list(whole.shape), "INT64")
    tensor.set_data_from_numpy(whole)
    output = tritonclient.http.InferRequestedOutput("scores", binary_data=False)
    scores = client.infer("m", [tensor], outputs=[output], model_version="1").as_numpy("scores")
    numpy.testing.assert_allclose(scores, predict(whole.astype(numpy.float32)), rtol=1e-6)


KSERVE = """
import asyncio, json, sys
import numpy
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

async def main(address, rows):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    url = f"http://{address}"
    assert await client.is_server_ready(url) and await client.is_server_live(url)
    assert await client.is_model_ready(url, "m")
    answers = []
    for binary in (False, True):
        tensor = InferInput("features", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows, binary_data=binary)
        request = InferRequest(model_name="m", infer_inputs=[tensor])
        answer = await client.infer(url, request, model_name="m")
        answers.append(numpy.asarray(answer.outputs[0].as_numpy()).tolist())
    print(json.dumps(answers))

asyncio.run(main(sys.argv[1], numpy.asarray(json.loads(sys.stdin.read()), dtype=numpy.float32)))
"""


@pytest.mark.skipif(not KSERVE_PYTHON.exists(), reason="scripts/setup --tests makes KServe's environment")
def test_kserve_client_unchanged(store, tmp_path):
    predict = train_lightgbm(tmp_path / "m.txt", classes=3)
    store("add", "m", tmp_path / "m.txt")
    matrix = rows(64, seed=5)
    client = subprocess.run(
        [KSERVE_PYTHON, "-c", KSERVE, store.serve()], input=json.dumps(matrix.tolist()).encode(), capture_output=True,
        timeout=60)
    assert client.returncode == 0, client.stderr.decode()
    for answer in json.loads(client.stdout.splitlines()[-1]):
        numpy.testing.assert_allclose(numpy.asarray(answer).reshape(64, 3), predict(matrix), rtol=1e-6)


def test_versions_and_the_champion_by_address(store, tmp_path):
    predicts = [train_lightgbm(tmp_path / f"{seed}.txt", seed) for seed in (1, 2, 3)]
    for seed in (1, 2, 3):
        store("add", "m", tmp_path / f"{seed}.txt")
    store.serve()
    matrix = rows(4, seed=9)

    def version_of(answer):
        number = int(answer["model_version"])
        assert answer["outputs"][0]["data"] == predicts[number - 1](matrix).tolist()
        return number

    assert version_of(store.infer("m", matrix)) == 3, "the newest where nothing is champion"
    # The champion last: who sees it sees the other one too.
    store("alias", "m", "challenger", 2)
    store("alias", "m", "champion", 1)
    deadline = time.monotonic() + 1
    while version_of(store.infer("m", matrix)) != 1:
        assert time.monotonic() < deadline, "an alias takes effect within a second"
    assert [version_of(store.infer("m", matrix, version)) for version in (1, 2, 3)] == [1, 2, 3]
    assert version_of(store.infer("m", matrix, "challenger")) == 2
    with pytest.raises(urllib.error.HTTPError) as missing:
        store.infer("m", matrix, 4)
    assert missing.value.code == 404 and "no version `4` here, found 1, 2, 3" in missing.value.read().decode()


def test_switches_fail_no_request(store, tmp_path):
    predicts = [train_lightgbm(tmp_path / f"{seed}.txt", seed) for seed in (1, 2)]
    for seed in (1, 2):
        store("add", "m", tmp_path / f"{seed}.txt")
    store("alias", "m", "champion", 1)
    store.serve()
    matrix = rows(3, seed=4)
    expected = [predict(matrix).tolist() for predict in predicts]
    seen, failures, is_over = set(), [], threading.Event()

    def ask():
        while not is_over.is_set():
            try:
                answer = store.infer("m", matrix)
                number = int(answer["model_version"])
                assert answer["outputs"][0]["data"] == expected[number - 1]
                seen.add(number)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in (2, 1, 2, 1, 2):
        store("alias", "m", "champion", number)
        deadline = time.monotonic() + 1
        while int(store.infer("m", matrix)["model_version"]) != number:
            assert time.monotonic() < deadline
    is_over.set()
    for thread in threads:
        thread.join()
    assert not failures and seen == {1, 2}


def test_a_version_that_cannot_be_loaded_leaves_what_runs(store, tmp_path):
    predict = train_lightgbm(tmp_path / "1.txt", 1)
    store("add", "m", tmp_path / "1.txt", "--alias", "champion")
    store.serve()
    matrix = rows(2)
    assert store.infer("m", matrix)["model_version"] == "1"
    store.stop()
    train_lightgbm(tmp_path / "2.txt", 2)
    second = store("add", "m", tmp_path / "2.txt", "--output", "json").json
    (store.data / "models" / second["content_hash"]).write_bytes(b"tree\n")
    store.serve()
    store("alias", "m", "champion", 2)
    deadline = time.monotonic() + 10
    while store.text().count("a version cannot be loaded") < 2:
        assert time.monotonic() < deadline, store.text()
        time.sleep(0.02)
    answer = store.infer("m", matrix)
    assert answer["model_version"] == "1" and answer["outputs"][0]["data"] == predict(matrix).tolist()


BAD_REQUESTS = [
    (b"{", "no JSON"),
    ({}, "found 0 inputs"),
    ({"inputs": [{"name": "x", "shape": [1, 5], "datatype": "FP32", "data": [1] * 5}]}, "expected [rows, 6]"),
    ({"inputs": [{"name": "x", "shape": [2, 6], "datatype": "FP32", "data": [1] * 6}]}, "has 6 values"),
    ({"inputs": [{"name": "x", "shape": [1, 6], "datatype": "FP99", "data": [1] * 6}]}, "datatype"),
    ({"inputs": [{"name": "x", "shape": [1, 6], "datatype": "BYTES", "data": ["1"] * 6}]}, "datatype"),
    ({"inputs": [{"name": "x", "shape": [2**62, 6], "datatype": "FP32", "data": [1] * 6}]}, "its shape is"),
    ({"inputs": [{"name": "x", "shape": [1, 6], "datatype": "FP32", "parameters": {"binary_data_size": 24}}]}, "0 bytes are left"),
]


@pytest.mark.parametrize("body, message", BAD_REQUESTS)
def test_a_bad_request_is_told_what_is_wrong(store, tmp_path, body, message):
    train_lightgbm(tmp_path / "m.txt")
    store("add", "m", tmp_path / "m.txt")
    store.serve()
    with pytest.raises(urllib.error.HTTPError) as refused:
        store.post("/v2/models/m/infer", body)
    assert refused.value.code == 400 and message in json.loads(refused.value.read())["error"]
