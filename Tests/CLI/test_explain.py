"""`headrace explain`: the records that it names make the value, held against plain Python over the log."""

import json
import math
import random
import time

import confluent_kafka
import pytest
from test_models import T0, Project, events, lines, project  # noqa: F401 (a fixture)
from test_rollout import rollout  # noqa: F401 (a fixture)
from test_worker import worker  # noqa: F401 (a fixture)

COUNT = 3_000
MINUTE = 60_000
HOUR = 60 * MINUTE


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


DISORDERED = """\
topology: NAME
sources:
  payments: {topic: TOPIC, key: user, event_time: {field: ts, unit: ms}, filter: amount > 0, lateness: 10m}
entities: {user: [user]}
views:
  by_user:
    source: payments
    entity: user
    features:
      n: count over 1h, 24h
      total: sum(amount) over 1h, 24h
      large: max(amount) where amount > 60 over 24h
      mean_share: total_1h / total_24h
"""
USERS = ["u1", "u2", "u3", "u4"]
# What each feature counts: (length of its window, its hop, the least amount, what is made of the amounts).
FEATURES = {
    "n_1h": (HOUR, 5 * MINUTE, 0, len), "n_24h": (24 * HOUR, 2 * HOUR, 0, len),
    "total_1h": (HOUR, 5 * MINUTE, 0, math.fsum), "total_24h": (24 * HOUR, 2 * HOUR, 0, math.fsum),
    "large_24h": (24 * HOUR, 2 * HOUR, 60, max),
}


def disorder():
    """Two days of payments as they come: (payment, when it is stamped). Some come late, some too late to count."""
    generator = random.Random(11)
    newest = 0
    for index in range(1_200):
        draw, ts = generator.random(), T0 + index * 144_000
        if draw < 0.15:
            ts -= generator.randrange(20 * HOUR)
        elif draw < 0.2:
            ts -= generator.randrange(30 * HOUR, 40 * HOUR)
        newest = max(newest, ts)
        amount = -1.0 if generator.random() < 0.05 else round(generator.uniform(0.01, 100), 2)
        yield {"user": USERS[index % len(USERS)], "amount": amount, "ts": ts}, newest


class Judged:
    """A record, and what is decided of it, by arithmetic on the watermark of its partition."""

    def __init__(self, record, watermark):
        self.place = [record["partition"], record["offset"]]
        self.user, self.amount, self.ts = (record["value"][name] for name in ("user", "amount", "ts"))
        self.known = max(self.ts, record["timestamp"])
        oldest = watermark - 10 * MINUTE
        # The tiles of the longest window are those that count for the longest time.
        counts = self.ts // (2 * HOUR) * 2 * HOUR + 2 * HOUR > oldest // (2 * HOUR) * 2 * HOUR - 24 * HOUR
        self.outcome = "applied" if self.ts >= oldest else "repaired" if counts else "late"


def judged(records):
    watermarks, found = {}, []
    for record in sorted(records, key=lambda record: (record["partition"], record["offset"])):
        watermark = watermarks.get(record["partition"], -(2**62))
        if record["value"]["amount"] > 0:
            found.append(Judged(record, watermark))
        watermarks[record["partition"]] = max(watermark, min(record["value"]["ts"], record["timestamp"]))
    return found


def test_windows_with_records_that_came_late_and_too_late(cli, worker, tmp_path):  # noqa: F811
    """Offsets, repaired and late ones, bounds and values, at times inside of the stream and at its end."""
    project = Project(tmp_path, "disorder")  # noqa: F811
    project.file.write_text(DISORDERED.replace("NAME", project.name).replace("TOPIC", project.topic))
    cli("topics", "create", project.topic, "--partitions", 3)
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cli.environment["HEADRACE_BOOTSTRAP_SERVERS"], "partitioner": "murmur2_random"})
    rows = list(disorder())
    for row, stamp in rows:
        producer.produce(project.topic, json.dumps(row).encode(), row["user"].encode(), timestamp=stamp)
    assert producer.flush(30) == 0
    data = tmp_path / "data"
    process = worker(cli, "run", project.file, "--data", data, "--table-freshness", "500ms", "--checkpoint-interval", "1s")
    process.wait_until_applied(project.topic, len(rows))
    served = {
        user: cli("query", "by_user", user, "--server", process.address, "--as-of", "latest", "--output", "json").records[0]
        for user in USERS
    }
    assert process.stop() == 0
    events = judged(cli.records(project.topic))  # noqa: F811
    last = max(event.ts for event in events)
    seen = {"repaired": 0, "late": 0}
    for user in USERS[:2]:
        # A late one that lies an hour before, so that its window would have had it.
        late = next(event.ts for event in events if event.user == user and event.outcome == "late" and event.ts > T0)
        for at in [T0 + 30 * HOUR, T0 + 41 * HOUR + 7 * MINUTE, late + 30 * MINUTE, last]:
            answer = cli("explain", "feature", "by_user", user, "--at", at, "--topology", project.file, "--data", data,
                         "--output", "json").json
            features = {feature["name"]: feature for feature in answer["features"]}
            assert set(features) == {*FEATURES, "mean_share"} and answer["at"] == at
            mine = [event for event in events if event.user == user]
            for name, (length, hop, least, made) in FEATURES.items():
                begin = at // hop * hop - length
                inside = [event for event in mine if begin <= event.ts <= at]
                counted = [event for event in inside
                           if event.outcome != "late" and event.known <= at and event.amount > least]
                assert counted, "the test asks for a window with records"
                feature = features[name]
                assert (feature["from"], feature["to"]) == (begin, at), name
                assert feature["offsets"] == [event.place for event in counted], (user, at, name)
                assert feature["repaired"] == [event.place for event in counted if event.outcome == "repaired"], name
                assert feature["late"] == [event.place for event in inside if event.outcome == "late"], name
                assert feature["value"] == made([event.amount for event in counted]), (user, at, name)
                assert (feature["status"], feature["verified"], feature["newer_records"]) == ("PRESENT", True, False)
                seen = {kind: count + len(feature[kind]) for kind, count in seen.items()}
            share = features["mean_share"]
            assert share["value"] == features["total_1h"]["value"] / features["total_24h"]["value"] and share["verified"]
    assert seen["repaired"] > 50 and seen["late"] > 5, seen
    # What a worker served at its watermark is what is explained of that time.
    for user, row in served.items():
        mine = [event for event in events if event.user == user]
        at = max(min(event.ts, event.known) for event in mine)
        answer = cli("explain", "feature", "by_user", user, "--at", row["at"], "--topology", project.file, "--data", data,
                     "--output", "json").json
        assert answer["at"] >= at
        for feature in answer["features"]:
            assert feature["value"] == row["features"][feature["name"]]["value"] and feature["verified"], feature


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
