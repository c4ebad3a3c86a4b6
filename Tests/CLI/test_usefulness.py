"""`GET /usefulness`: 200 while a model keeps its budgets, 503 with the figures when it does not."""

import json
import time
import urllib.error
import urllib.request

import pytest
from test_monitors import SHIFT_AT, WINDOWS, Project, stream


def usefulness(worker):
    try:
        with urllib.request.urlopen(f"http://{worker.address}/usefulness", timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def budgets(answer, kind):
    (model,) = answer["models"]
    return {budget["name"]: budget for budget in model[kind]}


def wait_for(worker, condition):
    deadline = time.monotonic() + 60
    while True:
        status, answer = usefulness(worker)
        if condition(status, answer):
            return answer
        assert worker.process.poll() is None and time.monotonic() < deadline, (status, answer, worker.text()[-2000:])
        time.sleep(0.3)


def test_a_model_that_breaks_its_budgets_is_no_longer_useful(cli, tmp_path):
    project = Project(cli, tmp_path, "useful")
    project.file.write_text(
        project.file.read_text().replace("features: {n: count over 1m}", "features: {n: count over 1m}\n    ttl: 10m", 1))
    payments, outcomes = stream(shift=True)
    worker = project.start()
    try:
        # What nobody knows yet breaks nothing.
        status, answer = usefulness(worker)
        assert status == 200 and answer["useful"] is True
        assert not budgets(answer, "drift") and not budgets(answer, "accuracy")
        project.publish("payments", payments[:SHIFT_AT])
        project.wait_for(worker, "window", 2)
        answer = wait_for(worker, lambda status, answer: budgets(answer, "drift"))
        kept = budgets(answer, "drift")
        assert {"psi:amount", "ks:amount", "psi:prediction"} <= set(kept), kept
        assert kept["psi:amount"]["limit"] == 0.2 and kept["ks:amount"]["limit"] == 0.15
        assert all(budget["kept"] is True and budget["limit_is"] == "upper" for budget in kept.values()), kept
        freshness = wait_for(worker, lambda status, answer: status == 200)["models"][0]["freshness"]
        assert [(budget["limit"], budget["kept"]) for budget in freshness] == [(600, True)], freshness

        # Others' amounts, and labels that say how well it foretells: not as well as was asked for.
        project.publish("payments", payments[SHIFT_AT:])
        project.publish("outcomes", outcomes)
        project.wait_for(worker, "window", WINDOWS - 1)
        found = project.wait_for(worker, "performance", 5 * 4)
        answer = wait_for(
            worker,
            lambda status, answer: status == 503 and budgets(answer, "accuracy")
            and not budgets(answer, "drift").get("ks:amount", {}).get("kept", True))
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    (model,) = answer["models"]
    assert answer["useful"] is False and model["useful"] is False and model["model"] == "fraud"
    drift = budgets(answer, "drift")["ks:amount"]
    assert drift["value"] > drift["limit"] == 0.15 and drift["limit_is"] == "upper"
    assert project.monitor in drift["evidence"]
    # Those that did not move keep theirs.
    assert budgets(answer, "drift")["ks:n_1m"]["kept"] is True
    accuracy = [budget for budget in model["accuracy"] if "country" not in budget["evidence"]]
    assert [(budget["name"], budget["limit"], budget["limit_is"], budget["kept"]) for budget in accuracy] == [
        ("auc", 0.99, "lower", False)]
    # The figures are those of the last results.
    told = [result for result in found["performance"] if result["segment"] is None]
    values = [result["figures"]["auc"]["value"] for result in told]
    assert any(accuracy[0]["value"] == pytest.approx(value) for value in values), (accuracy, values)
    assert any("country=DE" in budget["evidence"] for budget in model["accuracy"])
