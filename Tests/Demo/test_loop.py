"""The whole loop in one command: `headrace demo loop`."""

import concurrent.futures
import os
import pathlib
import re

import pytest

KEYS = {
    "drift_alarms", "retrainings", "promotions", "auc_frozen", "auc_retrained", "auc_difference", "auc_difference_low",
    "auc_difference_high", "events", "predictions", "seed", "seconds", "months",
}
PERIOD_KEYS = {
    "period", "from", "to", "predictions", "labelled", "auc_frozen", "auc_retrained", "auc_difference",
    "auc_difference_low", "auc_difference_high",
}


def figures(result):
    """All that a seed decides."""
    return {name: value for name, value in result.items() if name != "seconds"}


def expect_shape(result):
    assert KEYS <= set(result)
    assert all(PERIOD_KEYS <= set(month) for month in result["months"]) and result["months"]
    for part in [result, *[month for month in result["months"] if month["labelled"]]]:
        assert part["auc_difference"] == pytest.approx(part["auc_retrained"] - part["auc_frozen"], abs=1e-12)
        assert part["auc_difference_low"] <= part["auc_difference"] <= part["auc_difference_high"]
    # Some events of the first slice happened just before it began.
    assert 0 <= result["predictions"] - sum(month["predictions"] for month in result["months"]) <= 20


def test_payments(loop, tmp_path):
    page = tmp_path / "loop.html"
    # Both at once: what the machine does beside them must not matter.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        other = pool.submit(loop, "--seed", 7)
        first = loop("--seed", 7, "--html", page)
        again = other.result()
    expect_shape(first)
    assert first["seed"] == 7 and first["drift_alarms"] >= 1
    assert first["retrainings"] >= 1 and first["promotions"] >= 1
    # Fraud has changed: who learned it again is better by more than chance.
    assert first["auc_retrained"] > first["auc_frozen"] and first["auc_difference_low"] > 0
    text = page.read_text()
    assert "<svg" in text and "polyline" in text and not re.search(r"(src|href)=.http", text)
    assert figures(again) == figures(first)


def test_another_seed_is_another_stream(loop):
    result = loop("--seed", 8, "--days", 8)
    expect_shape(result)
    assert result["seed"] == 8


def test_flights(loop):
    """Of the year, where it is; else of the month that comes along."""
    folder = pathlib.Path(os.environ.get("HEADRACE_FLIGHTS", ""))
    if os.environ.get("HEADRACE_FLIGHTS"):
        result = loop("--topology", "flights", "--events", folder, timeout=3_000)
        assert result["auc_difference_low"] > 0, result
    else:
        samples = pathlib.Path(__file__).resolve().parents[2] / "samples" / "flights"
        result = loop("--topology", "flights", "--events", samples, "--days", 28)
    expect_shape(result)


def test_flights_need_their_events(tmp_path):
    import subprocess

    from conftest import ROOT, binary

    done = subprocess.run([binary(), "demo", "loop", "--topology", "flights"], cwd=ROOT, capture_output=True)
    assert done.returncode == 2 and b"--events FOLDER is missing" in done.stderr
    done = subprocess.run(
        [binary(), "demo", "loop", "--topology", "flights", "--events", str(tmp_path)], cwd=ROOT, capture_output=True)
    assert done.returncode == 1 and b"departures.jsonl.gz" in done.stderr
