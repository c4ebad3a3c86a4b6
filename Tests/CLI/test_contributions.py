"""Contributions of features over the Open Inference Protocol: LightGBM's own, as an output beside the scores."""

import json
import urllib.error
import urllib.request

import numpy
import pytest
import tritonclient.http
from test_models import FEATURES, Project, served  # noqa: F401

RANGES = [40, 4_000, 200, 200, 1]


@pytest.fixture
def project(tmp_path, request):
    return Project(tmp_path, f"x{abs(hash(request.node.name)) % 10**9}")


def infer(address, body):
    request = urllib.request.Request(f"http://{address}/v2/models/fraud/infer", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def matrix(rows):
    values = (numpy.random.default_rng(5).uniform(0, 1, (rows, len(FEATURES))) * RANGES).astype(numpy.float32)
    values[0, 1] = numpy.nan
    return values


@pytest.mark.parametrize("is_binary", [False, True], ids=["json", "binary"])
def test_contributions_are_lightgbms(project, served, is_binary):  # noqa: F811
    client = tritonclient.http.InferenceServerClient(served.address)
    for rows in (1, 3, 500):
        values = matrix(rows)
        expected = project.booster.predict(values.astype(numpy.float64), pred_contrib=True)
        tensor = tritonclient.http.InferInput("features", list(values.shape), "FP32")
        tensor.set_data_from_numpy(values)
        outputs = [tritonclient.http.InferRequestedOutput("scores", binary_data=is_binary)]
        answer = client.infer("fraud", [tensor], outputs=outputs, parameters={"explain": True})
        found = answer.as_numpy("contributions")
        assert found.shape == expected.shape == (rows, len(FEATURES) + 1)
        assert numpy.abs(found - expected).max() < 1e-9
        scores = answer.as_numpy("scores")
        assert numpy.allclose(1 / (1 + numpy.exp(-found.sum(axis=1))), scores, rtol=1e-12)


def test_beside_a_background(project, served):  # noqa: F811
    """Rows of the caller's take the place of the training set; the base value is their mean margin."""
    client = tritonclient.http.InferenceServerClient(served.address)
    values, background = matrix(9), matrix(200)
    inputs = []
    for name, numbers in (("features", values), ("background", background)):
        tensor = tritonclient.http.InferInput(name, list(numbers.shape), "FP32")
        tensor.set_data_from_numpy(numbers)
        inputs.append(tensor)
    answer = client.infer("fraud", inputs, parameters={"explain": True})
    found = answer.as_numpy("contributions")
    about = answer.get_output("contributions")["parameters"]
    assert about["definition"] == "shapley_path_dependent_background_covers" and about["background_rows"] == 200
    margins = project.booster.predict(values.astype(numpy.float64), raw_score=True)
    mean = project.booster.predict(background.astype(numpy.float64), raw_score=True).mean()
    assert numpy.allclose(found.sum(axis=1), margins, rtol=1e-9) and numpy.allclose(found[:, -1], mean, rtol=1e-9)
    # In JSON the same.
    body = {"parameters": {"explain": True}, "inputs": [
        {"name": name, "shape": list(numbers.shape), "datatype": "FP32",
         "data": [None if numpy.isnan(number) else float(number) for number in numbers.ravel()]}
        for name, numbers in (("features", values), ("background", background))]}
    again = infer(served.address, body)["outputs"][1]
    assert numpy.allclose(numpy.array(again["data"]).reshape(found.shape), found, rtol=1e-12)
    body["inputs"][1]["shape"] = [100, 10]
    with pytest.raises(urllib.error.HTTPError) as refused:
        infer(served.address, body)
    assert refused.value.code == 400 and "expected numbers of shape [rows, 5]" in refused.value.read().decode()


def test_nobody_is_told_who_did_not_ask(served):  # noqa: F811
    body = {"inputs": [{"name": "features", "shape": [1, 5], "datatype": "FP32", "data": [1, 2, 3, 4, 0.5]}]}
    assert [output["name"] for output in infer(served.address, body)["outputs"]] == ["scores"]
    explained = infer(served.address, body | {"parameters": {"explain": True}})["outputs"]
    assert [output["name"] for output in explained] == ["scores", "contributions"]
    assert explained[1]["shape"] == [1, 6] and len(explained[1]["data"]) == 6
