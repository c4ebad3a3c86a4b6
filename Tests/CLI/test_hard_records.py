"""Hard records through the whole program: what is in the topic, and what comes out of it.

One test for each row 56 to 67 of the catalogue of faults: poison, contracts, keys, extreme numbers, domains, duplicates,
disorder, the future, tombstones, size, clocks; idle partitions are in `RuntimeTests`. The ledger (`sources` of /api/tasks)
must balance in each.
"""

import json
import math
import random
import time

import pytest
from hard_records import HOUR, MINUTE, T0, Hard, await_true, resident_bytes
from test_worker import worker  # noqa: F401
from wall_clock import WallClock


@pytest.fixture
def hard(tmp_path, own_broker, worker):  # noqa: F811
    return Hard(tmp_path, own_broker(), worker)


def test_row_56_poison_bytes(hard):
    """Each goes to the dead letters as it came; what is around it goes on."""
    hard.run()
    poison = [b"\xff\xfe\x00", b"{", b"null", b"[1,2]", b"", b'{"id":"x"', b"\x00" * 100, b'"text"', b"{}{}"]
    headers = [("trace", b"\x00\x01"), ("trace", b"two"), ("empty", None)]
    for value in poison:
        hard.send(hard.event())
        hard.send(value, headers=headers, key=b"k\xff", at=T0 + 7)
    hard.send(hard.event())
    assert hard.settle()["dead_lettered"] == len(poison)
    assert hard.features()["n_1h"] == len(poison) + 1
    letters = hard.letters()
    assert [letter.value() or b"" for letter in letters] == poison
    for number, letter in enumerate(letters):
        found = dict(letter.headers())
        assert letter.headers()[:3] == headers and letter.key() == b"k\xff" and letter.timestamp()[1] == T0 + 7
        assert found["headrace-src"] == b"readings/0@%d" % (2 * number + 1)
        assert found["__streams.errors.offset"] == b"%d" % (2 * number + 1)
        assert found["x-headrace-code"] and found["x-headrace-reason"]


def test_row_57_what_breaks_the_contract(hard):
    """By code and field; a field with a default may be missing."""
    hard.run()
    hard.send(
        hard.event(),
        b'{"id":"a","amount":1,"ts":%d}' % T0,
        hard.event(user=7),
        hard.event(amount="12"),
        hard.event(units=1.5),
        hard.event(id=None),
        hard.event(channel="fax"),
        hard.event(ts="yesterday"),
        hard.event(unknown={"deep": [1, 2]}),
    )
    assert hard.settle()["dead_lettered"] == 7
    found = [(dict(letter.headers())["x-headrace-code"], dict(letter.headers()).get("x-headrace-field"))
             for letter in hard.letters()]
    assert found == [
        (b"MISSING_FIELD", b"user"), (b"WRONG_TYPE", b"user"), (b"WRONG_TYPE", b"amount"), (b"NOT_INTEGRAL", b"units"),
        (b"NULL_VALUE", b"id"), (b"NOT_ALLOWED", b"channel"), (b"WRONG_TYPE", b"ts"),
    ]
    assert hard.features()["units_24h"] == 2


def test_row_58_keys_that_are_none_empty_and_huge(hard):
    """Events are kept by the field; a record that lies elsewhere is counted; a key of 1 MiB is no entity, and says so."""
    hard.run("max.message.bytes=4000000")
    huge = "u" * (1 << 20)
    hard.send(hard.event(), key=None)
    hard.send(hard.event(), key=b"")
    hard.send(hard.event(), key=huge.encode())
    hard.send(hard.event(user=""), key=b"")
    hard.send(hard.event(user=huge), key=b"u")
    hard.send(hard.event(shop=huge))
    hard.send(hard.event(shop=""), hard.event(shop="s"))
    source = hard.settle()
    assert source["applied"] == 8 and source["misplaced"] >= 3
    # The key of one record, and of the deltas of one; those without a shop are without an entity as well.
    assert source["without_entity"] == 1 + 6
    assert hard.features()["n_1h"] == 6 and hard.features("")["n_1h"] == 1
    await_true(lambda: hard.features("s", "by_shop")["n_24h"] == 1)
    assert hard.features("", "by_shop")["n_24h"] == 1


def test_row_59_numbers_at_their_ends(hard):
    """No JSON number is NaN or infinite; what is too large for its type is refused; sums are exact and never trap."""
    hard.run()
    least, most = -(2**63), 2**63 - 1
    hard.send(
        hard.event(amount=0.0).replace(b"0.0", b"NaN"), hard.event(amount=0.0).replace(b"0.0", b"-Infinity"),
        hard.event(amount=0.0).replace(b"0.0", b"1e999"), hard.event(units=most + 1), hard.event(units=least - 1),
        hard.event(heat=0.5).replace(b"0.5", b"1e999"),
    )
    assert hard.settle()["dead_lettered"] == 6
    hard.send(hard.event(amount=-0.0), hard.event(amount=5e-324), hard.event(units=least), hard.event(units=least))
    hard.send(hard.event(user="z", amount=-0.0, heat=-0.0))
    hard.settle()
    # The sign of a zero stays where a value is kept; a sum begins at 0.
    found = hard.features("z")
    signs = {name: math.copysign(1, found[name]) for name in ("newest_24h", "heat_24h", "total_24h")}
    assert (found["n_24h"], found["total_24h"], found["newest_24h"]) == (1, 0, 0)
    assert signs == {"newest_24h": -1, "heat_24h": -1, "total_24h": 1}
    assert hard.features()["least_24h"] == least
    # Two of the least and two ones: more than fits.
    assert hard.features()["units_24h"] is None
    hard.send(hard.event(units=most), hard.event(units=most))
    hard.settle()
    # Back where it fits: nothing was lost on the way.
    assert hard.features()["units_24h"] == 0 and hard.features()["n_24h"] == 6
    assert hard.features()["total_24h"] == 4.0


def test_row_60_out_of_the_domain(hard):
    hard.run()
    hard.send(hard.event(amount=-0.01), hard.event(amount=1_000_000.5), hard.event(amount=1_000_000), hard.event(amount=0))
    source = hard.settle()
    assert (source["dead_lettered"], source["applied"]) == (2, 2)
    assert hard.codes() == ["BELOW_MINIMUM", "ABOVE_MAXIMUM"] and hard.features()["total_24h"] == 1_000_000


def test_row_61_duplicates_inside_and_outside_of_their_window(hard):
    """The first counts, also over a restart; outside of the window an id is a new one."""
    hard.run()
    hard.send(hard.event(id="one", amount=1), hard.event(id="one", amount=2), hard.event(id="two", amount=4))
    hard.settle()
    assert hard.worker.stop() == 0
    hard.go_on()
    hard.send(hard.event(id="one", amount=8, ts=T0 + 30 * MINUTE), at=T0 + 30 * MINUTE)
    assert hard.settle()["deduplicated"] == 2
    hard.send(hard.event(id="three", amount=16, ts=T0 + 2 * HOUR), at=T0 + 2 * HOUR)
    hard.send(hard.event(id="one", amount=32, ts=T0 + 2 * HOUR), at=T0 + 2 * HOUR)
    assert hard.settle()["deduplicated"] == 2
    assert hard.features()["total_24h"] == 1 + 4 + 16 + 32


def test_row_62_out_of_order(hard):
    """Within the lateness, and behind it where a window still counts it: as if it had come in order. Else late."""
    hard.run()
    chance = random.Random(62)
    moments = [chance.randrange(0, 20 * HOUR) for _ in range(300)]
    arrived = 20 * HOUR
    hard.send(hard.event(ts=T0 + arrived), at=T0 + arrived)
    for moment in moments:
        hard.send(hard.event(ts=T0 + moment, amount=moment // MINUTE), at=T0 + arrived)
    # Past every window.
    hard.send(hard.event(ts=T0 - 30 * HOUR, amount=9), at=T0 + arrived)
    source = hard.settle()
    on_time = sum(1 for moment in moments if moment >= arrived - 10 * MINUTE)
    assert (source["applied"], source["repaired"], source["late"]) == (1 + on_time, 300 - on_time, 1)
    found = hard.features(at=T0 + arrived)
    assert found["n_24h"] == 301 and found["total_24h"] == sum(moment // MINUTE for moment in moments) + 1
    assert found["newest_24h"] == 1.0
    (late,) = hard.letters("hard.late")
    assert json.loads(late.value())["amount"] == 9
    assert dict(late.headers())["headrace-watermark"] == b"%d" % (T0 + arrived)


def test_row_63_events_from_the_future_and_from_nowhere(hard):
    """A clock that is wrong moves no watermark: what comes after it is on time."""
    hard.run()
    bad = [9_214_646_400_000, T0 + 6 * MINUTE, 0, -1, -(2**63), 2**63 - 1, 253_402_300_800_000]
    hard.send(hard.event())
    for moment in bad:
        hard.send(hard.event(ts=moment))
        hard.send(hard.event())
    # Within the skew that is allowed.
    hard.send(hard.event(ts=T0 + 4 * MINUTE))
    source = hard.settle()
    assert (source["dead_lettered"], source["applied"], source["late"]) == (len(bad), len(bad) + 2, 0)
    assert set(hard.codes()) == {"EVENT_TIME_AHEAD", "EVENT_TIME_OUT_OF_RANGE"}
    task = hard.worker.get("/api/tasks")["tasks"][0]
    assert task["watermark"].startswith("2023-11-14T22:13:20")
    # The one within the skew lies in the tile that is read at.
    assert hard.features()["n_24h"] == len(bad) + 2


def test_row_65_tombstones(hard):
    """Events are facts: a record without value is none, and is set aside; features stay as they are."""
    hard.run()
    hard.send(None)
    hard.send(hard.event(amount=3))
    before = (hard.settle(), hard.features())[1]
    hard.send(None, None, key=b"u")
    hard.send(None, key=b"nobody")
    assert hard.settle()["dead_lettered"] == 4
    assert hard.codes() == ["TOMBSTONE"] * 4 and hard.features() == before
    assert all(letter.value() is None for letter in hard.letters())


@pytest.mark.parametrize("limit", [1_048_588, 8_000_000])
def test_row_66_records_at_the_limit(hard, limit):
    """A dead letter that would not fit into its topic is a reference to the record; so is a late one."""
    hard.run(f"max.message.bytes={limit}")
    size = min(limit - 2_000, 6_000_000)
    hard.send(hard.event(ts=T0 + 40 * HOUR), at=T0 + 40 * HOUR)
    hard.send(b"x" * size, at=T0 + 40 * HOUR)
    hard.send(hard.event(channel="x" * (size - 200)), at=T0 + 40 * HOUR)
    hard.send(hard.event(note="y" * (size - 200), ts=T0), at=T0 + 40 * HOUR)
    hard.send(b"{", key=b"k" * (size - 200), at=T0 + 40 * HOUR)
    hard.send(b"{", headers=[("big", b"h" * (size - 200))], at=T0 + 40 * HOUR)
    hard.send(b"z" * 500_000, at=T0 + 40 * HOUR)
    hard.send(hard.event(ts=T0 + 40 * HOUR), at=T0 + 40 * HOUR)
    assert not hard.failures
    source = hard.settle()
    assert (source["applied"], source["late"], source["dead_lettered"]) == (2, 1, 5)
    letters = hard.letters()
    assert [len(letter.value() or b"") for letter in letters] == [0, 0, 1, 1, 500_000]
    assert [len(letter.key() or b"") for letter in letters] == [1, 1, 0, 1, 1]
    for letter, offset in zip(letters, (1, 2, 4, 5, 6)):
        headers = dict(letter.headers())
        assert headers["headrace-src"] == b"readings/0@%d" % offset and "big" not in headers
        assert len(headers["x-headrace-reason"]) < 2_000
        assert headers.get("headrace-omitted") == {1: b"value", 2: b"value", 4: b"key", 5: b"headers"}.get(offset)
    (late,) = hard.letters("hard.late")
    assert late.value() is None and dict(late.headers())["headrace-src"] == b"readings/0@3"


def test_row_66_decompression_bomb(hard):
    """A few kilobytes that become a hundred megabytes: refused by the log, and the worker's memory does not notice."""
    hard.run()
    hard.send(hard.event())
    before = resident_bytes(hard.worker.process.pid)
    hard.producer.produce(
        "readings", b"0" * 150_000_000, b"u", 0, timestamp=T0,
        on_delivery=lambda error, _: hard.failures.append(error))
    hard.producer.flush(60)
    assert len(hard.failures) == 1 and hard.failures[0] is not None
    hard.send(hard.event())
    hard.settle()
    assert hard.features()["n_24h"] == 2
    assert resident_bytes(hard.worker.process.pid) - before < 64 << 20


def test_row_67_the_wall_clock_jumps(hard, tmp_path):
    """An hour forth and back, and to 1970: decisions are by event time, time-outs by a clock that does not jump."""
    clock = WallClock(tmp_path)
    hard.run(environment=clock.environment)
    now = int(time.time() * 1000)
    pid = hard.worker.process.pid
    for number, seconds in enumerate([0, 3_600, -3_600, 7_200, 0, -1_700_000_000, 0]):
        clock.set(seconds)
        hard.send(*(hard.event(ts=now + number * MINUTE) for _ in range(10)), at=now + number * MINUTE)
        source = hard.settle()
        # Longer than a heartbeat: nobody is thrown out of the group.
        time.sleep(1.2)
        tasks = hard.worker.get("/api/tasks")["tasks"]
        assert [task["state"] for task in tasks] == ["running"] and tasks[0]["why_not_moving"] is None
    assert (source["applied"], source["late"], source["dead_lettered"]) == (70, 0, 0)
    assert hard.features(at=now + 10 * MINUTE)["n_24h"] == 70
    # A read without a time goes by the wall clock: what it shows is another matter, and it comes back.
    assert "joins again" not in hard.worker.text() and hard.worker.process.pid == pid
    assert hard.worker.stop() == 0
