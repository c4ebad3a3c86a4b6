"""`headrace publish`: what is in the log afterwards, and what the command says about it."""

import fcntl
import gzip
import json
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import termios
import time
import zlib

import pytest

from conftest import SAMPLES


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


def sample(name="departures"):
    return gzip.decompress((SAMPLES / f"{name}.jsonl.gz").read_bytes()).splitlines()


def murmur2(key):
    """As `org.apache.kafka.common.utils.Utils.murmur2`."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ len(key)
    for start in range(0, len(key) & ~3, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        value = (value * multiplier & mask) ^ word
    tail = key[len(key) & ~3 :]
    if tail:
        value = (value ^ int.from_bytes(tail, "little")) * multiplier & mask
    value = (value ^ value >> 13) * multiplier & mask
    return value ^ value >> 15


def test_a_month_of_flights(cli, topic):
    receipt = cli.publish(
        topic, SAMPLES / "departures.jsonl.gz", "--key", "carrier", "--event-time", "ts", "--partitions", "4"
    )
    expected = sample()
    assert receipt["acknowledged"] == len(expected) and receipt["failed"] == receipt["skipped"] == 0
    assert sum(p["records"] for p in receipt["partitions"]) == len(expected)
    assert all(p["first_offset"] == 0 and p["last_offset"] == p["records"] - 1 for p in receipt["partitions"])
    records = cli.records(topic)
    assert len(records) == len(expected)
    by_partition = {}
    for line in expected:
        key = json.loads(line)["carrier"].encode()
        by_partition.setdefault((murmur2(key) & 0x7FFFFFFF) % 4, []).append(json.loads(line))
    for partition, events in by_partition.items():
        found = [r for r in records if r["partition"] == partition]
        assert [r["value"] for r in found] == events
        assert [r["timestamp"] for r in found] == [e["ts"] for e in events]
        assert [r["key"] for r in found] == [e["carrier"] for e in events]
        assert [r["offset"] for r in found] == list(range(len(found)))


def test_lines_arrive_byte_for_byte(cli, topic, lines):
    values = [
        '{"a": 1.50, "b":  "\\u00e9"}',
        "[1, 2]",
        '"text"',
        "7",
        "null",
        '{"long":"' + "x" * 70_000 + '"}',
        '{"é":"日本"}',
    ]
    cli.publish(topic, lines(*values))
    assert cli.values(topic) == [v.encode() for v in values]


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, zstd, lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])],
    ids=["gzip", "zstd", "gzip of two members"],
)
@pytest.mark.parametrize("name", ["packed", "packed.jsonl.gz"])
def test_packed_files_are_known_by_their_bytes(cli, topic, tmp_path, pack, name):
    if pack is zstd and not shutil.which("zstd"):
        pytest.skip("no zstd")
    values = [json.dumps({"n": n}) for n in range(1000)]
    (tmp_path / name).write_bytes(pack("\n".join(values).encode()))
    assert cli.publish(topic, tmp_path / name)["acknowledged"] == 1000
    assert cli.values(topic) == [v.encode() for v in values]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_stdin(cli, topic, pack):
    values = [json.dumps({"n": n}).encode() for n in range(5000)]
    assert cli.publish(topic, "-", stdin=pack(b"\n".join(values)))["acknowledged"] == 5000
    assert cli.values(topic) == values


def test_stdin_is_published_as_it_comes(cli, topic):
    process = cli.start("publish", topic, "-", stdin=subprocess.PIPE)
    process.stdin.write(b'{"n":1}\n{"n":2}\n{"n":')
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while True:
        result = cli("consume", topic, "--until", "end", "--output", "raw", code=None)
        if result.out == b'{"n":1}\n{"n":2}\n':
            break
        assert time.monotonic() < deadline, result
    process.stdin.write(b"3}")
    process.stdin.close()
    process.stdin = None
    assert cli.finish(process).code == 0
    assert cli.values(topic)[2] == b'{"n":3}'


def test_files_in_the_order_given(cli, topic, lines):
    files = [lines(f'{{"f":{n}}}', name=f"{n}.jsonl") for n in (3, 1, 2)]
    cli.publish(topic, *files)
    assert cli.values(topic) == [b'{"f":3}', b'{"f":1}', b'{"f":2}']


def test_line_ends_blank_lines_and_marks(cli, topic, tmp_path):
    (tmp_path / "a").write_bytes(b'\xef\xbb\xbf{"n":1}\r\n\r\n  \n{"n":2}\r\n{"n":3}')
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "empty.gz").write_bytes(b"")
    assert cli.publish(topic, tmp_path / "empty", tmp_path / "a", tmp_path / "empty.gz")["acknowledged"] == 3
    assert cli.values(topic) == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


@pytest.mark.parametrize("name, pack", [("a.csv", bytes), ("a.csv.gz", gzip.compress), ("plain", bytes)])
def test_csv(cli, topic, tmp_path, name, pack):
    text = 'carrier,delay,note,ts\r\nUA,2.0,,1357035420000\r\nAA,-14,"on time, ""nearly""\nyes",1357035480000\r\n'
    (tmp_path / name).write_bytes(pack(text.encode()))
    format = ["--format", "csv"] if name == "plain" else []
    cli.publish(topic, tmp_path / name, "--key", "carrier", "--event-time", "ts", *format)
    records = cli.records(topic)
    assert [r["value"] for r in records] == [
        {"carrier": "UA", "delay": 2.0, "note": None, "ts": 1357035420000},
        {"carrier": "AA", "delay": -14, "note": 'on time, "nearly"\nyes', "ts": 1357035480000},
    ]
    assert [(r["key"], r["timestamp"]) for r in records] == [("UA", 1357035420000), ("AA", 1357035480000)]


def test_keys_of_every_kind(cli, topic, lines):
    path = lines('{"k":"a\\u00e9\\n"}', '{"k":12.50}', '{"k":true}', '{"k":null}', "{}", '{"k":{"x":[1]}}')
    receipt = cli.publish(topic, path, "--key", "k")
    assert receipt["without_key"] == 2
    assert [r["key"] for r in cli.records(topic)] == ["aé\n", "12.50", "true", None, None, '{"x":[1]}']


def test_nested_and_dotted_fields(cli, topic, lines):
    path = lines('{"plane":{"id":"N1"},"at.ms":5000}')
    cli.publish(topic, path, "--key", "plane.id", "--event-time", "at\\.ms")
    [record] = cli.records(topic)
    assert (record["key"], record["timestamp"]) == ("N1", 5000)


@pytest.mark.parametrize("partitioner", ["murmur2", "crc32"])
def test_placement(cli, topic, lines, partitioner):
    keys = [f"key-{n}-é" for n in range(300)]
    path = lines(*[json.dumps({"k": key}) for key in keys])
    cli.publish(topic, path, "--key", "k", "--partitions", "7", "--partitioner", partitioner)
    place = {"murmur2": lambda key: (murmur2(key) & 0x7FFFFFFF) % 7, "crc32": lambda key: zlib.crc32(key) % 7}[
        partitioner
    ]
    for record in cli.records(topic):
        assert record["partition"] == place(record["key"].encode())


@pytest.mark.parametrize(
    "unit, value",
    [
        ("ms", "1357035420123"),
        ("s", "1357035420.123"),
        ("us", "1357035420123456"),
        ("ns", "1357035420123456789"),
        ("ms", '"2013-01-01T10:17:00.123Z"'),
        ("s", '"2013-01-01T05:17:00.123-05:00"'),
    ],
)
def test_event_times(cli, topic, lines, unit, value):
    cli.publish(topic, lines(f'{{"t":{value}}}'), "--event-time", "t", "--event-time-unit", unit)
    assert cli.records(topic)[0]["timestamp"] == 1357035420123


def test_without_event_time_the_clock_is_the_timestamp(cli, topic, lines):
    before = time.time() * 1000
    cli.publish(topic, lines("{}"))
    assert before - 1000 <= cli.records(topic)[0]["timestamp"] <= time.time() * 1000 + 1000


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_compression(cli, topic, compression):
    receipt = cli.publish(topic, SAMPLES / "cancellations.jsonl.gz", "--compression", compression)
    assert receipt["acknowledged"] == 512
    assert cli.values(topic) == sample("cancellations")


def test_a_topic_that_is_made_keeps_everything(cli, topic, lines):
    result = cli("publish", topic, lines("{}"))
    assert f"made topic {topic}: 1 partitions, retention.ms=-1" in result.err
    assert cli("topics", "describe", topic, "--output", "json").json[0]["settings"]["retention.ms"] == "-1"
    assert "made topic" not in cli("publish", topic, lines("{}")).err


def test_partition_count_of_a_topic_that_exists(cli, topic, lines):
    cli("topics", "create", topic, "--partitions", "2")
    assert "has 2 partitions" in cli("publish", topic, lines("{}"), "--partitions", "3", code=1).err
    cli("publish", topic, lines("{}"), "--partitions", "2")


class TestWarnings:
    def published(self, cli, topic, *flags, settings, code=0):
        configuration = [flag for setting in settings for flag in ("--config", setting)]
        cli("topics", "create", topic, *configuration)
        path = SAMPLES / "cancellations.jsonl.gz"
        return [line for line in cli("publish", topic, path, *flags, code=code).err.splitlines() if "warning" in line]

    def test_old_events(self, cli, topic):
        [warning] = self.published(cli, topic, "--event-time", "ts", settings=["retention.ms=604800000"])
        assert "older than 7 days" in warning and "2013-01-01T11:00:00Z" in warning

    def test_without_event_time_nothing_is_old(self, cli, topic):
        assert self.published(cli, topic, settings=["retention.ms=604800000"]) == []

    def test_size(self, cli, topic):
        [warning] = self.published(cli, topic, settings=["retention.bytes=10000"])
        assert "retention.bytes=10000" in warning

    def test_compaction(self, cli, topic):
        [warning] = self.published(cli, topic, "--key", "flight_id", settings=["cleanup.policy=compact"])
        assert "newest" in warning

    def test_compaction_without_key_is_refused(self, cli, topic):
        [warning] = self.published(cli, topic, settings=["cleanup.policy=compact"], code=4)
        assert "--key" in warning

    def test_the_brokers_clock(self, cli, topic):
        settings = ["message.timestamp.type=LogAppendTime"]
        [warning] = self.published(cli, topic, "--event-time", "ts", settings=settings)
        assert "LogAppendTime" in warning

    def test_nothing_to_warn_about(self, cli, topic):
        assert self.published(cli, topic, "--event-time", "ts", settings=["retention.ms=-1"]) == []


class TestBadInput:
    def test_a_bad_line_stops_and_is_named(self, cli, topic, lines):
        path = lines('{"n":1}', '{"n":2}', '{"é":1, "n":tru}', '{"n":4}')
        result = cli("publish", topic, path, "--output", "json", code=1)
        assert f'error: {path}:3:13: found "tru}}": a value is expected' in result.err
        assert result.json["acknowledged"] == 2
        assert cli.values(topic) == [b'{"n":1}', b'{"n":2}']

    def test_skip_goes_on(self, cli, topic, lines):
        path = lines('{"n":1}', "{", '{"n":3}', b'{"n":"\xff"}', '{"n":5}')
        result = cli("publish", topic, path, "--on-error", "skip", "--output", "json")
        assert result.json["acknowledged"] == 3 and result.json["skipped"] == 2
        assert f"skipped: {path}:2:2: found the end of the line" in result.err
        assert f"skipped: {path}:4:7: found" in result.err and "UTF-8" in result.err
        assert cli.values(topic) == [b'{"n":1}', b'{"n":3}', b'{"n":5}']

    def test_an_event_without_its_time(self, cli, topic, lines):
        path = lines('{"t":1000}', '{"t":"noon"}', "{}", '{"t":99999999999999999}')
        result = cli("publish", topic, path, "--event-time", "t", "--on-error", "skip")
        assert f"{path}:2: event time 't': found \"noon\"" in result.err
        assert f"{path}:3: event time 't': found nothing" in result.err
        assert f"{path}:4: event time 't': found 99999999999999999, which in ms" in result.err

    def test_a_bad_row_of_csv(self, cli, topic, lines):
        path = lines("a,b", "1,2", "3", "4,5", name="a.csv")
        result = cli("publish", topic, path, code=1)
        assert f"{path}:3: found 1 cells, the header has 2" in result.err
        assert cli("publish", topic, path, "--on-error", "skip", "--output", "json").json["acknowledged"] == 2

    def test_damaged_and_truncated_files(self, cli, topic, tmp_path):
        # What cannot be compressed, so that half of the file holds half of the lines.
        noise = random.Random(1)
        packed = gzip.compress(b"".join(b'{"n":"%x"}\n' % noise.getrandbits(400) for _ in range(20_000)))
        (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
        result = cli("publish", topic, tmp_path / "cut.gz", "--output", "json", code=1)
        assert "cut.gz" in result.err and "decompress" in result.err
        assert 1000 < result.json["acknowledged"] < 20_000
        assert len(cli.values(topic)) == result.json["acknowledged"]

    def test_a_file_that_is_none(self, cli, topic, tmp_path):
        assert "no such file" in cli("publish", topic, tmp_path / "missing", code=1).err
        assert str(tmp_path) in cli("publish", topic, tmp_path, code=1).err

    def test_a_line_without_end(self, cli, topic, tmp_path):
        (tmp_path / "array.json").write_bytes(b"[" + b"1," * (9 << 20))
        assert "longer than 16 MiB" in cli("publish", topic, tmp_path / "array.json", code=1).err

    def test_a_record_that_fails_is_named(self, cli, topic, lines):
        path = lines('{"n":1}', '{"n":"' + "x" * 1_100_000 + '"}', '{"n":3}')
        result = cli("publish", topic, path, "--output", "json", code=4)
        assert f"{path}:2: not acknowledged" in result.err and "MSG_SIZE_TOO_LARGE" in result.err
        assert result.json["failed"] == 1


class TestPace:
    def test_rate(self, cli, topic, lines):
        path = lines(*["{}"] * 200)
        start = time.monotonic()
        cli.publish(topic, path, "--rate", "100/s")
        assert 1.9 < time.monotonic() - start < 6
        stamps = [r["timestamp"] for r in cli.records(topic)]
        assert 1800 < stamps[-1] - stamps[0] < 5000

    def test_speed(self, cli, topic, lines):
        # Gaps of 60 s at 60x; the last one is out of order and due at once.
        path = lines(*[json.dumps({"t": t}) for t in (60_000, 120_000, 180_000, 90_000)])
        start = time.monotonic()
        cli.publish(topic, path, "--event-time", "t", "--speed", "60x")
        assert 1.9 < time.monotonic() - start < 6

    def test_records_are_on_their_way_before_the_pause(self, cli, topic, lines):
        path = lines('{"t":1000}', '{"t":86400000}')
        process = cli.start("publish", topic, path, "--event-time", "t", "--speed", "1x")
        try:
            deadline = time.monotonic() + 20
            while cli("consume", topic, "--until", "end", "--output", "raw", code=None).out != b'{"t":1000}\n':
                assert time.monotonic() < deadline
        finally:
            process.terminate()
        result = cli.finish(process)
        assert result.code == 143 and "published 1 records" in result.err


def test_a_large_file(cli, topic, tmp_path):
    """As many lines as a year of arrivals has."""
    events = sample("arrivals")
    count = 327_346
    with open(tmp_path / "year.jsonl", "wb") as file:
        for index in range(count):
            file.write(events[index % len(events)] + b"\n")
    start = time.monotonic()
    receipt = cli.publish(
        topic, tmp_path / "year.jsonl", "--key", "carrier", "--event-time", "ts", "--partitions", "4"
    )
    seconds = time.monotonic() - start
    assert receipt["acknowledged"] == count and sum(p["records"] for p in receipt["partitions"]) == count
    process = cli.start("consume", topic, "--until", "end", "--output", "raw")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and out.count(b"\n") == count
    print(f"published {count} records in {seconds:.2f} s")


def test_the_last_line_of_stderr_says_it_all(cli, topic):
    result = cli("publish", topic, SAMPLES / "cancellations.jsonl.gz")
    pattern = rf"published 512 records \([\d.]+ kB\) to {re.escape(topic)} in [\d.]+ s: \S+ records/s, [\d.]+ [kM]B/s"
    assert re.fullmatch(pattern, result.err.splitlines()[-1])
    # Not a terminal: no progress.
    assert "\r" not in result.err and "\x1b" not in result.err
    assert [line.split() for line in result.text.splitlines()] == [
        ["PARTITION", "RECORDS", "FIRST", "OFFSET", "LAST", "OFFSET"],
        [f"{topic}/0", "512", "0", "511"],
    ]


def test_a_closed_stdout_changes_nothing(cli, topic, lines):
    process = cli.start("publish", topic, lines("{}"))
    process.stdout.close()
    process.stdout = None
    result = cli.finish(process)
    assert result.code == 0 and result.err.splitlines()[-1].startswith("published 1 records")
    for arguments in (["topics", "list"], ["topics", "describe", topic, "--output", "json"]):
        process = cli.start(*arguments)
        process.stdout.close()
        process.stdout = None
        result = cli.finish(process)
        assert result.code == 0 and result.err == ""


def test_progress_on_a_terminal(cli, topic):
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 110, 0, 0))
    process = cli.start("publish", topic, SAMPLES / "cancellations.jsonl.gz", "--rate", "300/s", stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait(30) == 0
    frames = [frame for frame in shown.decode().split("\r") if "records" in frame and "/s" in frame]
    assert 5 < len(frames) < 60
    assert re.search(r"\d+% \[#+-*\]  [\d,]+ records  \d+/s", " ".join(frames))
    assert any(frame.rstrip("\x1b[K").endswith("cancellations.jsonl.gz") for frame in frames)
    assert max(len(frame.rstrip("\x1b[K")) for frame in frames) < 110
    assert "published 512 records" in shown.decode().splitlines()[-1]
