"""`headrace explain`: the records that it names make the value, held against plain Python over the log."""

import time

import pytest
from test_models import T0, events, lines, project  # noqa: F401 (a fixture)
from test_rollout import rollout  # noqa: F401 (a fixture)
from test_worker import worker  # noqa: F401 (a fixture)

COUNT = 3_000
HOUR = 3_600_000


@pytest.fixture
def archived(project, cli, worker, tmp_path):  # noqa: F811
    cli("topics", "create", project.topic, "--partitions", 3)
    data = tmp_path / "data"
    process = worker(cli, "run", project.file, "--data", data, "--table-freshness", "500ms", "--checkpoint-interval", "1s")
    cli.publish(project.topic, "--key", "user", "-", stdin=lines(events(COUNT, 2)))
    process.wait_until_applied(project.topic, COUNT)
    assert process.stop() == 0
    return data


def test_a_feature_is_made_of_the_records_that_are_named(archived, project, cli):  # noqa: F811
    now = int(time.time() * 1_000)
    records = [record for record in cli.records(project.topic) if record["value"]["amount"] > 0]
    for user in ["u1", "u3", "u7"]:
        answer = cli("explain", "feature", "by_user", user, "--at", now, "--topology", project.file, "--data", archived,
                     "--output", "json").json
        assert all(feature["verified"] for feature in answer["features"])
        at = T0 + COUNT * 250
        for feature in answer["features"]:
            assert feature["status"] in ("NOT_FOUND", "PRESENT", "NULL_VALUE")
    # At a time inside of the stream, known only since it was written: nothing was known then.
    answer = cli("explain", "feature", "by_user", "u1", "--at", at, "--topology", project.file, "--data", archived,
                 "--output", "json").json
    assert all(feature["offsets"] == [] for feature in answer["features"])
    assert records


def test_a_prediction_is_made_of_its_prefix(archived, project, cli):  # noqa: F811
    predictions = cli.records(f"{project.topic}.predictions")
    inputs = {(record["partition"], record["offset"]): record["value"] for record in cli.records(project.topic)}
    for record in predictions[:: len(predictions) // 12]:
        value = record["value"]
        answer = cli("explain", "prediction", value["id"], "--topology", project.file, "--data", archived,
                     "--output", "json").json
        assert answer["model_version"] == value["model_version"] and answer["service_version"] == value["service_version"]
        event = inputs[(value["partition"], value["offset"])]
        assert answer["request"] == {"amount": event["amount"]}
        row = answer["rows"][0]
        assert row["key"] == {"user": event["user"]}
        expected = sorted(
            [partition, offset] for (partition, offset), other in inputs.items()
            if partition == value["partition"] and offset <= value["offset"] and other["user"] == event["user"]
            and other["amount"] > 0 and event["ts"] // HOUR * HOUR - 24 * HOUR <= other["ts"] <= event["ts"])
        features = {feature["name"]: feature for feature in row["features"]}
        assert set(features) == {"n_24h", "total_24h", "largest_24h"}
        for feature in features.values():
            assert feature["verified"] is True
            assert feature["offsets"] == expected
        assert features["n_24h"]["value"] == len(expected)
        amounts = [inputs[tuple(place)]["amount"] for place in expected]
        assert features["largest_24h"]["value"] == max(amounts)
    text = cli("explain", "prediction", predictions[0]["value"]["id"], "--topology", project.file, "--data", archived).text
    assert "verified" in text and "NO" not in text.split("verified", 1)[1]


def test_a_prediction_of_the_registry_names_its_version(rollout, cli):  # noqa: F811
    rollout.add(1), rollout.add(2)
    rollout.models("promote", 1)
    rows = list(events(800, seed=3))
    process = rollout.worker()
    try:
        rollout.publish(rows[:400])
        process.wait_until_applied(rollout.topic, 400)
        rollout.models("promote", 2)
        rollout.publish(rows[400:])
        process.wait_until_applied(rollout.topic, 800)
    finally:
        assert process.stop() == 0
    predictions = rollout.predictions()
    last = max(predictions, key=lambda record: record["value"]["version"])
    place = ["--topology", rollout.file, "--tables", rollout.tables, "--bootstrap", cli.environment["HEADRACE_BOOTSTRAP_SERVERS"]]
    for record in [predictions[0], predictions[len(predictions) // 2], last]:
        value = record["value"]
        answer = cli("explain", "prediction", value["id"], *place, "--output", "json").json
        assert (answer["version"], answer["arm"]) == (value["version"], "champion")
        assert answer["model_version"] == value["model_version"] and answer["score"] == value["score"]
        assert answer["service_version"] == value["service_version"] and answer["prediction_offset"] == record["offset"]
        assert all(feature["verified"] for row in answer["rows"] for feature in row["features"])
    text = cli("explain", "prediction", last["value"]["id"], *place).text
    assert f"version {last['value']['version']} (champion)" in text and "said " in text


def test_what_cannot_be_explained_says_why(archived, project, cli):  # noqa: F811
    arguments = ["--topology", project.file, "--data", archived]
    assert "EVENT_NOT_ARCHIVED" in cli("explain", "prediction", f"{project.topic}-0-999999/fraud", *arguments, code=1).err
    assert "NO_SUCH_MODEL" in cli("explain", "prediction", f"{project.topic}-0-1/frau", *arguments, code=1).err
    assert "NO_SUCH_VIEW" in cli("explain", "feature", "by_usr", "u1", "--at", "0", *arguments, code=1).err
