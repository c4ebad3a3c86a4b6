"""`headrace consume`: which records, in which form, and when it ends."""

import json
import os
import shutil
import subprocess
import time

import pytest

from conftest import SAMPLES


@pytest.fixture
def numbers(cli, topic, lines):
    """Ten records in one partition: {"n":0} at 1 s to {"n":9} at 10 s."""
    path = lines(*[json.dumps({"n": n, "t": (n + 1) * 1000}) for n in range(10)])
    cli.publish(topic, path, "--event-time", "t", "--key", "n")
    return topic


def seen(cli, topic, *arguments):
    return [record["value"]["n"] for record in cli.records(topic, *arguments)]


def test_json_has_everything(cli, numbers):
    record = cli.records(numbers, "--count", "1")[0]
    assert record == {
        "topic": numbers,
        "partition": 0,
        "offset": 0,
        "timestamp": 1000,
        "key": "0",
        "headers": [],
        "value": {"n": 0, "t": 1000},
    }


@pytest.mark.parametrize(
    "flags, expected",
    [
        ([], range(10)),
        (["--from", "beginning"], range(10)),
        (["--from", "7"], range(7, 10)),
        (["--from", "end"], []),
        (["--from", "99"], []),
        (["--count", "3"], range(3)),
        (["--count", "0"], []),
        (["--from", "8", "--count", "9"], [8, 9]),
        (["--from", "1970-01-01T00:00:04Z"], range(3, 10)),
        (["--from", "1970-01-01T00:00:03.5Z"], range(3, 10)),
        (["--from", "1970-01-01"], range(10)),
        (["--from", "2013-01-01"], []),
    ],
)
def test_from_and_count(cli, numbers, flags, expected):
    assert seen(cli, numbers, *flags) == list(expected)


@pytest.mark.parametrize(
    "until, expected",
    [
        ("end", range(10)),
        ("4", range(4)),
        ("0", []),
        ("10", range(10)),
        ("1970-01-01T00:00:04Z", range(3)),
        ("2013-01-01", range(10)),
    ],
)
def test_until(cli, numbers, until, expected):
    result = cli("consume", numbers, "--until", until)
    assert [record["value"]["n"] for record in result.records] == list(expected)


def test_until_an_offset_that_is_still_to_come(cli, numbers, lines):
    process = cli.start("consume", numbers, "--from", "9", "--until", "11", "--output", "raw")
    assert b'"n": 9' in process.stdout.readline()
    cli.publish(numbers, lines('{"n":10}', '{"n":11}'))
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and out == b'{"n":10}\n'


def test_partitions(cli, topic, lines):
    cli.publish(topic, lines(*[json.dumps({"n": n}) for n in range(100)]), "--key", "n", "--partitions", "4")
    everything = cli.records(topic)
    assert {r["partition"] for r in everything} == {0, 1, 2, 3}
    for wanted in ([2], [0, 3]):
        found = cli.records(topic, "--partition", *map(str, wanted))
        assert sorted(r["value"]["n"] for r in found) == sorted(
            r["value"]["n"] for r in everything if r["partition"] in wanted
        )
    assert "NO_SUCH_PARTITION" in cli("consume", topic, "--partition", "4", code=1).err


def test_a_topic_that_does_not_exist(cli, topic):
    result = cli("consume", topic, "--timeout", "5s", code=1)
    assert topic in result.err and result.out == b""
    assert topic not in cli("topics").text


def test_an_empty_topic(cli, topic):
    cli("topics", "create", topic, "--partitions", "3")
    assert cli.records(topic) == []


@pytest.mark.skipif(not shutil.which("kcat"), reason="no kcat")
class TestForeignRecords:
    def produce(self, cli, topic, *flags, data):
        broker = cli.environment["HEADRACE_BOOTSTRAP_SERVERS"]
        subprocess.run(["kcat", "-q", "-P", "-b", broker, "-t", topic, *flags], input=data, check=True, timeout=30)

    def test_text_bytes_and_tombstones(self, cli, topic):
        cli("topics", "create", topic)
        # -Z: an empty value is none.
        self.produce(
            cli, topic, "-K:", "-Z", data=b'k:plain text\nk:\xff\xfe\nk:\nk:{"a":1}\nk:null\nk:"s"\n\xff:1\n'
        )
        shown = [(r["key"], r["value"], r.get("value_encoding")) for r in cli.records(topic)]
        assert shown == [
            ("k", "plain text", "string"),
            ("k", "//4=", "base64"),
            ("k", None, "none"),
            ("k", {"a": 1}, None),
            ("k", None, None),
            ("k", "s", None),
            ("/w==", 1, None),
        ]
        assert cli.records(topic)[-1]["key_encoding"] == "base64"

    def test_headers(self, cli, topic):
        cli("topics", "create", topic)
        self.produce(cli, topic, "-H", "trace=abc", "-H", "trace=é", data=b"1\n")
        assert cli.records(topic)[0]["headers"] == [{"key": "trace", "value": "abc"}, {"key": "trace", "value": "é"}]

    def test_json_of_many_lines_stays_on_one(self, cli, topic):
        cli("topics", "create", topic)
        self.produce(cli, topic, "-D;", data=b'{\n "a":\r\n [1,\n2]\n};"x\\ny"')
        result = cli("consume", topic, "--until", "end")
        assert [r["value"] for r in result.records] == [{"a": [1, 2]}, "x\ny"]
        raw = cli("consume", topic, "--until", "end", "--output", "raw").out
        assert raw == b'{\n "a":\r\n [1,\n2]\n}\n"x\\ny"\n'


def test_isolation(cli, topic, broker):
    confluent_kafka = pytest.importorskip("confluent_kafka")
    cli("topics", "create", topic)
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "transactional.id": topic})
    producer.init_transactions(20)
    for number, end in enumerate(
        [producer.commit_transaction, producer.abort_transaction, producer.commit_transaction]
    ):
        producer.begin_transaction()
        producer.produce(topic, json.dumps({"n": number}))
        producer.flush(20)
        end(20)
    producer.begin_transaction()
    producer.produce(topic, json.dumps({"n": 3}))
    producer.flush(20)
    # The end is that of what is committed; markers take offsets.
    assert seen(cli, topic) == [0, 2]
    assert seen(cli, topic, "--isolation", "committed") == [0, 2]
    assert seen(cli, topic, "--isolation", "uncommitted") == [0, 1, 2, 3]
    producer.abort_transaction(20)


class TestFollowing:
    def test_new_records_show_at_once(self, cli, topic, lines):
        cli("topics", "create", topic)
        process = cli.start("consume", topic, "--output", "raw", bufsize=0)
        try:
            for number in range(3):
                cli.publish(topic, lines(json.dumps({"n": number})))
                assert process.stdout.readline() == b'{"n": %d}\n' % number
        finally:
            process.terminate()
        result = cli.finish(process)
        assert result.code == 143 and result.err == ""

    def test_from_the_end(self, cli, numbers, lines):
        process = cli.start("consume", numbers, "--from", "end", "--output", "raw", bufsize=0)
        # Nobody can see when the reader is there: publish until it shows something.
        deadline = time.monotonic() + 30
        os.set_blocking(process.stdout.fileno(), False)
        shown = b""
        while not shown and time.monotonic() < deadline:
            cli.publish(numbers, lines('{"new":1}'))
            shown = process.stdout.read() or b""
        process.kill()
        process.wait()
        assert shown.startswith(b'{"new":1}\n')


def test_a_reader_that_leaves_ends_it_quietly(cli, topic):
    cli.publish(topic, SAMPLES / "departures.jsonl.gz")
    process = cli.start("consume", topic)
    head = subprocess.run(["head", "-n", "1"], stdin=process.stdout, stdout=subprocess.PIPE)
    process.stdout.close()
    assert json.loads(head.stdout)["offset"] == 0
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
