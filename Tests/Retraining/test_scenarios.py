"""A policy from the alarm to its end, with the real program: what is retrained, what is not, and who is told."""

import json
import time

from project import AUTOMATIC, WINDOW_ROWS


def served(project):
    """Versions of the newest predictions."""
    records = project.records("consume", "predictions", "--until", "end")
    return {json.dumps(record["value"].get("version")) for record in records[-50:]}


def begin(project, kind, windows=4):
    project.start()
    project.champion()
    project.publish(5 * WINDOW_ROWS, "before")
    project.publish(windows * WINDOW_ROWS, kind)


def told(project, kind):
    records = project.records("consume", "headrace.drift", "--until", "end")
    return [record["value"] for record in records if record["value"].get("what") == kind]


def windows(project):
    records = project.records("consume", "headrace.drift", "--until", "end")
    return len([record for record in records if record["value"].get("kind") == "window"])


def test_a_real_shift_is_retrained_and_promoted(project):
    shop = project()
    begin(shop, "shift")
    [one] = shop.ended()
    assert one["step"] == "done", (one, shop.log())
    assert [step["step"] for step in one["steps"]] == [
        "dataset", "train", "evaluate", "gate", "register", "promote", "done"]
    assert one["cause"]["kind"] == "drift" and "data_bug" not in one["cause"]
    report = next(step["evidence"] for step in one["steps"] if step["step"] == "gate")["report"]
    [gain] = [item for item in report["differences"] if item["metric"] == "auc" and item["role"] == "champion"]
    assert gain["low"] > 0.1
    assert one["version"] == 2
    assert len(told(shop, "done")) == 1
    # The monitor's reference begins anew: what is new now is right, and nothing rings again.
    shop.publish(3 * WINDOW_ROWS, "shift")
    shop.wait("new predictions", lambda: len(served(shop)) == 1)
    assert len(shop.retrainings()) == 1
    shop.stop()


def seen(project, count, seconds=4):
    """Waits for results of windows, as many as there may be."""
    deadline = time.monotonic() + seconds
    while windows(project) < count and time.monotonic() < deadline:
        time.sleep(0.1)


def test_another_version_is_no_drift(project):
    """What rings only because another version answers is passed over, and that is said once for each window."""
    shop = project(monitor="tests: {psi: 0.1}")
    begin(shop, "shift")
    [one] = shop.ended()
    assert one["step"] == "done" and shop.answers() == 2, (one, shop.log())
    # Window by window, as time goes by: what rings and is over before anybody looks is passed over without a word.
    known = windows(shop)
    for number in range(1, 6):
        shop.publish(WINDOW_ROWS, "shift")
        # A window that is a reference has no result: how many have one depends on where the monitor began anew.
        seen(shop, known + number)
    ignored = shop.wait("it is said", lambda: told(shop, "ignored"))
    assert len(shop.retrainings()) == 1, shop.retrainings()
    assert len({one["id"] for one in ignored}) == len(ignored), ignored
    assert all("version 1" in one["text"] and "version 2 answers" in one["text"] for one in ignored), ignored
    # The monitor has begun anew with what the new version says.
    shop.publish(4 * WINDOW_ROWS, "shift")
    seen(shop, known + 9)
    assert len(shop.retrainings()) == 1, shop.retrainings()
    shop.stop()


def test_a_unit_bug_is_paged_and_not_trained_on(project):
    shop = project()
    begin(shop, "cents")
    [one] = shop.ended()
    assert (one["step"], one["cause"]["data_bug"]) == ("stopped", "unit"), one
    assert [step["step"] for step in one["steps"]] == ["dataset", "stopped"]
    [page] = told(shop, "paged")
    assert "amount (unit)" in page["text"]
    # While the bug is there nobody is told again.
    shop.publish(2 * WINDOW_ROWS, "cents")
    shop.wait("windows", lambda: windows(shop) >= 9)
    assert len(shop.retrainings()) == 1
    shop.stop()


def test_a_worse_challenger_is_refused_at_the_gate(project):
    shop = project(AUTOMATIC.replace("rounds: 40, max_depth: 3", "rounds: 1, max_depth: 1"))
    begin(shop, "moved")
    [one] = shop.ended()
    assert one["step"] == "refused", one
    assert [step["step"] for step in one["steps"]] == ["dataset", "train", "evaluate", "gate", "refused"]
    assert "auc better than champion" in one["steps"][-1]["note"]
    assert len(told(shop, "refused")) == 1
    shop.stop()
