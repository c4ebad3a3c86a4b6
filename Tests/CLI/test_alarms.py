"""The life of an alarm: opened, open, resolved, and in the digest of its day."""

import collections
import json
import urllib.request

from test_monitors import SHIFT_AT, STEP, T0, WINDOW, outside, project, stamp, stream  # noqa: F401


def test_an_alarm_has_a_life(project, cli):  # noqa: F811
    """Told when it opens and when it is over, open in between, and in the digest of its day."""
    project = project()
    payments, _ = stream(shift=False, seed=8)
    end = SHIFT_AT + 2 * WINDOW // STEP
    for row in payments[SHIFT_AT:end]:
        row["amount"] = row["amount"] * 1.4 + 10
    worker = project.start()
    try:
        project.publish("payments", payments[:end + 300])
        found = project.wait_for(worker, "alarm", 1)
        project.wait_for(worker, "window", (end * STEP) // WINDOW - 1)
        open_ = json.load(urllib.request.urlopen(f"http://{worker.address}/api/drift", timeout=10))["monitors"]
        metrics = urllib.request.urlopen(f"http://{worker.address}/metrics", timeout=10).read().decode()
        # The process dies with the alarm open; the rest of the day, and a payment of each user on the next one.
        worker.kill()
        worker.process.wait()
        worker = project.start()
        project.publish("payments", payments[end + 300:])
        late = [{**row, "payment": f"late{index}", "ts": T0 + 7_200_000 + index}
                for index, row in enumerate({row["user"]: row for row in payments}.values())]
        project.publish("payments", late)
        found = project.wait_for(worker, "digest", 1)
        after = json.load(urllib.request.urlopen(f"http://{worker.address}/api/drift", timeout=10))["monitors"]
    finally:
        assert worker.stop() == 0, worker.text()[-2000:]
    begin = stamp(T0 + SHIFT_AT * STEP)
    own = [alarm for alarm in found["alarm"] if alarm["feature"] == "amount" and alarm["state"] == "opened"]
    assert [alarm["window"]["start"] for alarm in own] == [begin] and own[0]["alarm_id"] == own[0]["id"]
    seen = [evidence for evidence in outside(found) if evidence["feature"] == "amount"]
    assert [evidence["windows_in_a_row"] for evidence in seen] == [1, 2]
    assert {evidence["alarm_id"] for evidence in seen} == {own[0]["id"]}
    over = [alarm for alarm in found["resolved"] if alarm["feature"] == "amount"]
    assert len(over) == 1 and over[0]["reason"] == "inside its limits for 3 windows" and over[0]["windows_outside"] == 2
    opened = [(one["monitor"], [life["feature"] for life in one["open"]][:1]) for one in open_]
    assert opened == [(project.monitor, ["amount"])]
    severity = seen[0]["severity"]
    alike = [life for life in open_[0]["open"] if life["severity"] == severity]
    labels = f'monitor="{project.monitor}",model="fraud",severity="{severity}"'
    assert f"headrace_drift_alarms_open{{{labels}}} {len(alike)}\n" in metrics
    assert "amount" not in [life["feature"] for life in after[0]["open"]]
    digest = found["digest"][0]
    assert digest["window"]["start"] == stamp(T0)[:10] + "T00:00:00Z" and digest["counts"]["opened"] >= 1
    assert own[0]["id"] in digest["opened"] and "amount" in [alarm["feature"] for alarm in digest["resolved"]]
    assert after[0]["digest"]["id"] == digest["id"]
    assert max(collections.Counter(value["id"] for values in found.values() for value in values).values()) == 1

    data = ("--data", project.data)
    lives = cli("drift", "alarms", "fraud", *data, "--all", "--output", "json").json["alarms"]
    life = next(life for life in lives if life["alarm_id"] == own[0]["id"])
    assert life["state"] == "resolved" and life["windows_outside"] == 2 and life["since"] == begin
    assert own[0]["feature"] in cli("drift", "alarms", "fraud", *data, "--all").text
    assert cli("drift", "digest", "fraud", *data, "--output", "json").json["digests"] == [digest]
    text = cli("drift", "digest", "fraud", *data, "--day", stamp(T0)[:10]).text
    assert f"{len(digest['resolved'])} resolved" in text and "inside its limits for 3 windows" in text
    assert "no digest" in cli("drift", "digest", "fraud", *data, "--day", "2020-01-01").text
    assert "--day soon" in cli("drift", "digest", "fraud", *data, "--day", "soon", code=2).err
    page = project.folder / "life.html"
    cli("drift", "report", "fraud", *data, "--html", page)
    assert "The newest digest" in page.read_text() and "amount" in page.read_text()
