"""`kill -9` behind every action of a retraining and in front of every record: the same end, and one training."""

import shutil
import subprocess

import pytest

from project import WINDOW_ROWS, Project, binary

POLICY = """\
    trainer: xgboost
    parameters: {rounds: 30, max_depth: 3}
    gate: {auc: {min: 0.7}}
    shadow: {events: 20}
    promote: approval
"""


def points():
    listed = subprocess.run([binary(), "run", "--list-kill-points"], capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split() if name.startswith("retraining.")]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Events, a champion and an archive, before anything is retrained."""
    shop = Project(tmp_path_factory.mktemp("prepared") / "p", POLICY)
    shop.start()
    shop.champion()
    shop.publish(900, "shift")
    shop.wait("an archive", lambda: list((shop.data / "tables" / "events" / "payments").glob("**/*.parquet")))
    shop.stop()
    return shop


def end(shop):
    """Lets the retraining go on to its end: traffic for the shadow, and somebody who approves."""

    def meanwhile():
        listed = shop.retrainings()
        if listed and listed[0]["step"] == "shadow":
            shop.publish(40, "shift")
        if listed and listed[0]["step"] == "approval":
            # The question may not be there yet.
            shop.call("models", "approve", listed[0]["id"], "--by", "boss", code=None)

    return shop.ended(meanwhile=meanwhile)


def copy(prepared, folder):
    shop = Project.__new__(Project)
    shop.__dict__.update(prepared.__dict__)
    shop.folder = folder
    shutil.copytree(prepared.folder, folder)
    shop.topology = folder / "topologies" / "shop.yaml"
    shop.data, shop.process = folder / "data", None
    return shop


# Those that only an alarm leads to.
BY_ALARM = ["retraining.before-opening", "retraining.opened", "retraining.monitors-told"]
BY_HAND = [name for name in points() if name not in BY_ALARM]


@pytest.mark.parametrize("point", ["none", *BY_HAND])
def test_a_death_changes_nothing(prepared, tmp_path, point):
    shop = copy(prepared, tmp_path / "p")
    try:
        shop.start(**({} if point == "none" else {"HEADRACE_KILL_AT": point}))
        shop.call("retrain", "again")
        if point != "none":
            try:
                end(shop)
            except (AssertionError, subprocess.TimeoutExpired):
                pass
            assert shop.process.wait(60) == -9, (point, shop.log())
            shop.start()
        [one] = end(shop)
        assert one["step"] == "done", (point, one, shop.log())
        assert [step["step"] for step in one["steps"]] == [
            "dataset", "train", "evaluate", "gate", "register", "shadow", "approval", "promote", "done"]
        # One version, out of one run that made one file; nothing of the dead process is in the way.

        assert one["version"] == 2
        folder = shop.data / "retrainings" / one["id"]
        assert not list(folder.glob("*.failures")), list(folder.iterdir())
        files = {path.name for path in (shop.data / "tables" / "models").iterdir()}
        assert len(files) == 2, files
    finally:
        shop.kill()


@pytest.mark.parametrize("point", BY_ALARM)
def test_a_death_on_the_way_of_an_alarm(project, point):
    shop = project()
    shop.start(HEADRACE_KILL_AT=point)
    shop.champion()
    shop.publish(5 * WINDOW_ROWS, "before")
    # The process, and the log with it, may die while this goes on.
    rows = shop.rows(4 * WINDOW_ROWS, "shift")
    shop.call("publish", "payments", "-", "--key", "user", stdin=rows, code=None)
    assert shop.process.wait(90) == -9, (point, shop.log())
    shop.start()
    [one] = shop.ended()
    assert one["step"] == "done" and one["cause"]["kind"] == "drift", (point, one, shop.log())
    assert [step["step"] for step in one["steps"]] == [
        "dataset", "train", "evaluate", "gate", "register", "promote", "done"]
    assert shop.answers() == 2 and len(shop.records("models", "runs")) == 1
    shop.stop()
