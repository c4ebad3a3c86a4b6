"""What opens a retraining beside drift, each with the real program, from its cause to its end."""

import json
import time

from project import AUTOMATIC, T0, WINDOW_ROWS, payments

MINUTE = 60_000


def cause(one):
    return one["cause"]


def told(project, what):
    records = project.records("consume", "headrace.drift", "--until", "end")
    return [record["value"] for record in records if record["value"].get("what") == what]


def begin(project):
    project.start()
    project.champion()


def test_rows(project):
    """So many new records, and as many again for the next time."""
    shop = project(AUTOMATIC.replace("better than champion", "{min: 0.5}"), when="rows(payments) >= 1500")
    begin(shop)
    shop.publish(1_200, "shift")
    shop.wait("predictions", lambda: shop.records("consume", "predictions", "--until", "end"))
    assert shop.retrainings() == []
    shop.publish(600, "shift")
    [one] = shop.ended()
    assert (one["step"], cause(one)["kind"]) == ("done", "rows"), (one, shop.log())
    assert cause(one)["rows"]["payments"] >= 1_500
    shop.publish(900, "shift")
    assert len(shop.retrainings()) == 1
    # Records of transactions' ends count as well: they are offsets.
    shop.publish(900, "shift")
    second = shop.ended(2)
    counted = sorted(cause(one)["rows"]["payments"] for one in second)
    assert counted[1] - counted[0] >= 1_500, second
    shop.stop()


def test_a_schedule_of_event_time(project):
    """Due by the times of events: at what it was due, not when somebody looked, and whatever dies in between."""
    shop = project(AUTOMATIC.replace("better than champion", "{min: 0.5}"), when="every 10m")
    begin(shop)
    shop.publish(600, "shift")
    shop.wait("predictions", lambda: shop.records("consume", "predictions", "--until", "end"))
    assert shop.retrainings() == []
    shop.kill()
    shop.start()
    shop.publish(1_000, "shift")
    [one] = shop.ended()
    assert (one["step"], cause(one)["kind"]) == ("done", "schedule"), (one, shop.log())
    # The first record's time, or the monitor's first window, which begins there.
    first = cause(one)["stream_ms"]
    assert T0 + 10 * MINUTE <= first <= T0 + 15 * MINUTE, first - T0
    shop.publish(1_300, "shift")
    second = shop.ended(2)
    assert sorted(cause(one)["stream_ms"] for one in second) == [first, first + 10 * MINUTE], second
    shop.stop()


def test_a_schedule_of_wall_time(project):
    shop = project(AUTOMATIC.replace("better than champion", "{min: 0.5}"), when="every 3s of wall time")
    begin(shop)
    shop.publish(1_000, "shift")
    # Where nothing has come meanwhile there is nothing to train on anew.
    all = shop.ended(2, meanwhile=lambda: shop.publish(100, "shift"))
    times = sorted(cause(one)["wall_ms"] for one in all)
    assert all[0]["cause"]["kind"] == "schedule" and times[1] - times[0] >= 3_000, all
    shop.stop()


def test_a_new_version_of_a_table(project):
    shop = project(AUTOMATIC.replace("better than champion", "{min: 0.5}"), when="new_version(events/payments)")
    begin(shop)
    shop.publish(1_000, "shift")
    shop.wait("one that is trained", lambda: any(one["step"] == "done" for one in shop.retrainings()))
    all = [one for one in shop.retrainings() if not one["open"]]
    versions = [cause(one)["table_versions"]["events/payments"] for one in all]
    assert {cause(one)["kind"] for one in all} == {"new_version"} and len(set(versions)) == len(versions), all
    shop.stop()


def test_performance(project):
    """The truth says that the model fails: no feature has moved."""
    shop = project(when="performance(watch)", monitor="performance: {auc: {min: 0.7}}")
    begin(shop)
    shop.publish(3 * WINDOW_ROWS, "before")
    shop.publish(4 * WINDOW_ROWS, "shift")
    [one] = shop.ended()
    assert (one["step"], cause(one)["kind"]) == ("done", "performance"), (one, shop.log())
    assert cause(one)["alarms"][0]["feature"] == "auc" and shop.answers() == 2
    # The bound stays broken in windows that the former version has scored: nobody trains for them again.
    shop.publish(3 * WINDOW_ROWS, "shift")
    shop.wait("the new version scores", lambda: any(
        record["value"].get("kind") == "performance" and record["value"]["window"].get("versions") == {"2": WINDOW_ROWS}
        for record in shop.records("consume", "headrace.drift", "--until", "end")))
    assert len(shop.retrainings()) == 1, shop.retrainings()
    shop.stop()


def test_a_breach_of_the_contract(project):
    """Broken records page, once, and nothing is trained on what is left."""
    shop = project(when="[contract_breach(payments) > 5%, rows(payments) >= 1000000]")
    begin(shop)
    shop.publish(1_200, "before")
    def broken(count):
        rows = payments(shop.next, count, "before")
        shop.next += count
        for index, row in enumerate(rows):
            if index % 4 == 0:
                row["amount"] = "much"
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        shop.call("publish", "payments", "-", "--key", "user", stdin=lines)

    # Shares are counted from the policies' first look on, which may come behind the first of them.
    for _ in range(20):
        broken(1_500)
        looks = time.monotonic() + 4
        while not shop.retrainings() and time.monotonic() < looks:
            time.sleep(0.1)
        if shop.retrainings():
            break
    [one] = shop.ended()
    assert (one["step"], cause(one)["data_bug"], cause(one)["kind"]) == ("stopped", "contract", "contract_breach"), one
    assert [step["step"] for step in one["steps"]] == ["dataset", "stopped"]
    broken(1_500)
    broken(1_500)
    # Behind them, so that they were looked at.
    shop.publish(1_200, "before")
    shop.wait("all are scored", lambda: len(shop.records("consume", "predictions", "--until", "end")) >= 5_700)
    assert len(shop.retrainings()) == 1 and len(told(shop, "paged")) == 1, shop.retrainings()
    shop.stop()


def test_nothing_is_scheduled_on_broken_data(project):
    """A monitor of the model sees a unit bug: the schedule that falls due pages instead, and once."""
    shop = project(AUTOMATIC.replace("better than champion", "{min: 0.5}"), when="every 40m")
    begin(shop)
    shop.publish(5 * WINDOW_ROWS, "before")
    shop.publish(5 * WINDOW_ROWS, "cents")
    [one] = shop.ended()
    assert (one["step"], cause(one)["kind"], cause(one)["data_bug"]) == ("stopped", "schedule", "unit"), one
    assert len(told(shop, "paged")) == 1
    shop.publish(6 * WINDOW_ROWS, "before")
    # The data is whole again: what was due is trained.
    second = shop.ended(2)
    assert [one["step"] for one in second if "data_bug" not in cause(one)] == ["done"], second
    shop.stop()
