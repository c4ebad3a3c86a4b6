#!/usr/bin/env python3
"""A thousand random histories against brute force: training sets value by value, and Feast's own case of leakage.

    histories.py [--histories 1000] [--seed N]

Each history is an entity of its own with a few dozen events: late ones, duplicates, disorder, ties, nulls, corrections that
become known hours after they happened, and labels at, just before and just behind everything that decides: event times, the
times at which events became known, the ends of ttl and window. All of them go through a broker and a worker into the archive.
Then training sets are built of labels in a file, in a table, and in a topic, from the archive and from the log, in one thread
and in many with hardly any memory, and again from their manifests; every value is held against the published records.
The last line is `N histories, N labels, N features, N differences`.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402
import yaml  # noqa: E402

import plan as plans  # noqa: E402
from datasets import DatasetCheck  # noqa: E402
from model import Model  # noqa: E402
from processes import Broker, Worker, environment, find_binary  # noqa: E402
from progress import wait_until_applied  # noqa: E402
from streams import Event, Publisher, Stream  # noqa: E402
from verdict import Comparison  # noqa: E402

START = 1_760_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
SCHEMA = {"type": "record", "name": "acts", "fields": [
    {"name": "id", "type": "string", "constraints": {"required": True}},
    {"name": "who", "type": "string", "constraints": {"required": True}},
    {"name": "shop", "type": ["null", "string"]},
    {"name": "amount", "type": ["null", "double"]},
    {"name": "items", "type": ["null", "long"]},
    {"name": "ts", "type": "long"}]}
MARKS = {"type": "record", "name": "marks", "fields": [
    {"name": "who", "type": "string"}, {"name": "mark", "type": ["null", "long"]}, {"name": "ts", "type": "long"}]}
TOPOLOGY = """
topology: histories
sources:
  acts:
    topic: acts
    key: who
    event_time: {field: ts, unit: ms}
    lateness: 10m
    dedupe: {by: id, within: 1h}
    filter: items is null or items >= 0
    derive: {is_large: amount > 50}
  marks: {topic: marks, key: who, event_time: {field: ts, unit: ms}, lateness: 1h}
entities: {person: [who], shop: [shop], person_shop: [who, shop]}
views:
  recent:
    source: acts
    entity: person
    ttl: 30m
    features:
      acts: count over 10m, 1h
      spent: sum(amount) over 10m, 1h
      mean_amount: mean(amount) over 1h
      last_amount: last(amount) over 1h
      first_items: first(items) over 1h
      spread: stddev(amount) over 1h
      large: count where is_large over 1h
  lasting:
    source: acts
    entity: person
    ttl: 1d
    features:
      acts: count over 6h, 24h, lifetime
      smallest: min(amount) over 24h
      largest: max(items) over 24h
      shops: count_distinct(shop) over 24h
      recent_items: last_k(items, 3) over 24h
      middle: percentile(amount, 0.5) over 24h
      visits: count over session(30m)
      last_five: sum(items) over last(5)
      daily: sum(items) over tumbling(1h)
  shops:
    source: acts
    entity: person_shop
    features: {amount: "sum(amount) over 6h", items: "sum(items) over lifetime"}
  marked:
    source: marks
    entity: person
    ttl: 2h
    features: {marks: "count over 1h, 24h", newest: "last(mark) over 24h", total: "sum(mark) over lifetime"}
on_demand:
  amount_vs_mean: paid - recent:mean_amount_1h
  busy: coalesce(recent:acts_1h, 0) + coalesce(marked:marks_24h, 0)
services:
  everything:
    features:
      - request:paid
      - recent:*
      - lasting:*
      - shops:*
      - marked:*
      - amount_vs_mean
      - busy
request: {paid: double}
"""
FEAST = """
topology: feast
sources: {d: {topic: d, key: user_id, event_time: {field: ts, unit: ms}, lateness: 7d}}
entities: {user: [user_id]}
views: {u: {source: d, entity: user, ttl: 1d, features: {amt: "last(amt) over 24h"}}}
services: {s: {features: ["u:amt_24h"]}}
"""
FEAST_SCHEMA = {"type": "record", "name": "d", "fields": [
    {"name": "user_id", "type": "string"}, {"name": "amt", "type": "double"}, {"name": "ts", "type": "long"}]}


def headrace(*arguments: object) -> str:
    result = subprocess.run([find_binary(), *map(str, arguments)], capture_output=True, env=environment(), check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: exit {result.returncode}\n{result.stderr.decode()}")
    return result.stdout.decode()


def make_history(number: int, chance: random.Random) -> tuple[list[Event], list[Event]]:
    """The events of one entity over about a day, by their arrival."""
    who = f"p{number:05d}"
    # Ties: many events share few moments.
    moments = [START + chance.randrange(0, 30 * HOUR, chance.choice([1, 1000, 10 * MINUTE])) for _ in range(12)]
    acts: list[Event] = []
    for index in range(chance.randrange(2, 36)):
        time = chance.choice(moments) if chance.random() < 0.5 else START + chance.randrange(30 * HOUR)
        delay = chance.choice([0, 0, 0, 1, 40_000, 5 * MINUTE, 20 * MINUTE, 3 * HOUR])
        document = {"id": f"{who}-{index}", "who": who, "shop": chance.choice([None, "a", "b", "c"]),
                    "amount": chance.choice([None, round(chance.uniform(-20, 120), 2), 0.1, 1e9]),
                    "items": chance.choice([None, -1, 0, 1, 2, 7]), "ts": time}
        event = Event(time + delay, time, who, json.dumps(document).encode())
        acts.append(event)
        if chance.random() < 0.1:
            acts.append(Event(event.arrival + chance.choice([0, 5, 2 * HOUR]), time, who, event.value))
    marks: list[Event] = []
    for _ in range(chance.randrange(0, 8)):
        time = chance.choice(moments)
        value = json.dumps({"who": who, "mark": chance.choice([None, 3, 4, 5]), "ts": time}).encode()
        marks.append(Event(time + chance.choice([0, 0, 7, 2 * HOUR]), time, who, value))
    return acts, marks


class HistoryCheck(DatasetCheck):
    """Labels of all histories in one service, read in one build."""


    def counted(self, view: plans.View, key: tuple, at: int, position: tuple[int, int] | None = None) -> list[tuple]:
        if position is None or view.source != "acts":
            return super().counted(view, key, at)
        events = self.events[self.model.plan.sources[view.source].topic]
        return [row for row in self.model.views[view.name].rows.get(key, [])
                if (row[2] <= position[1] if row[1] == position[0]
                    else row[0] <= at and events[row[1], row[2]].arrival <= at)]

    def compare(self, view: plans.View, key: tuple, at: int, row: dict, comparison: Comparison,
                position: tuple[int, int] | None = None) -> int:
        counted = self.counted(view, key, at, position)
        # Of what comes later than the lateness the stream keeps what still has a tile: arithmetic that tests of tiles hold.
        if position is not None and len(self.in_time(view, counted)) < len(counted):
            return 0
        return super().compare(view, key, at, row, comparison, position)


def boundary_times(events: list[Event], chance: random.Random) -> list[int]:
    """Where something changes, and a millisecond on either side."""
    if not events:
        return [START + chance.randrange(40 * HOUR)]
    event = chance.choice(events)
    base = chance.choice([event.time, event.arrival, max(event.time, event.arrival)])
    span = chance.choice([0, 0, 0, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR])
    return [base + span + chance.choice([-1, 0, 1]), START + chance.randrange(34 * HOUR)]


class Run:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.folder, self.arguments = folder, arguments
        self.chance = random.Random(arguments.seed)
        self.schemas = folder / "schemas"
        self.schemas.mkdir()
        for name, schema in (("acts", SCHEMA), ("marks", MARKS), ("d", FEAST_SCHEMA)):
            (self.schemas / f"{name}.avsc").write_text(json.dumps(schema))
        self.topology = folder / "histories.yaml"
        self.topology.write_text(TOPOLOGY)
        self.histories = [make_history(number, self.chance) for number in range(arguments.histories)]
        self.streams = [Stream(topic, sorted((event for history in self.histories for event in history[index]),
                                             key=lambda event: event.arrival))
                        for index, topic in enumerate(("acts", "marks"))]
        self.broker = Broker(folder)
        self.worker = Worker(folder, "worker", self.topology, self.broker.address, schemas=self.schemas,
                             flags=("--table-freshness", "1s"))
        self.worker_data = folder / "worker-data"
        self.differences: list[str] = []
        self.compared = self.labels_read = 0

    def publish(self) -> None:
        publisher = Publisher(self.broker.address, 3)
        publisher.create([stream.topic for stream in self.streams])
        self.worker.require_serving()
        self.model = Model(plans.parse(yaml.safe_load(TOPOLOGY)), self.schemas)
        for stream in self.streams:
            publisher.publish(stream.topic, stream.events)
            self.model.apply(stream.topic, stream.events)
        publisher.flush()
        wait_until_applied([self.worker], publisher.next_offset, self.broker.address)
        self.worker.stop()

    def check(self) -> None:
        self.comparison = Comparison(self.model, ())
        checker = HistoryCheck(self.topology, self.schemas, self.worker_data, self.folder, self.model, self.streams)
        labels = [{"who": f"p{number:05d}", "shop": self.chance.choice(["a", "b", "c", None]), "at": at,
                   "paid": self.chance.choice([None, 1.5, 80.0])}
                  for number, history in enumerate(self.histories)
                  for at in boundary_times(history[0] + history[1], self.chance)]
        # A key that nobody has seen, and labels that come twice.
        labels += [{"who": "nobody", "shop": "a", "at": START + HOUR, "paid": 1.0}, labels[0], labels[0]]
        self.chance.shuffle(labels)
        file = self.folder / "labels.parquet"
        table = pyarrow.Table.from_pylist(labels, pyarrow.schema([
            ("who", pyarrow.string()), ("shop", pyarrow.string()), ("at", pyarrow.int64()), ("paid", pyarrow.float64())]))
        pyarrow.parquet.write_table(table, file)
        first = self.build("file", "--labels", file, "--label-time", "at", "--service", "everything")
        self.compare(checker, first, [(label["who"], label["shop"], label["at"], label["paid"], None) for label in labels])
        self.same(first, "threads", "--labels", file, "--label-time", "at", "--service", "everything", "--threads", 1)
        self.same(first, "spilled", "--labels", file, "--label-time", "at", "--service", "everything",
                  "--threads", 4, "--memory", "64KiB")
        self.same(first, "logged", "--labels", file, "--label-time", "at", "--service", "everything", "--from-log")
        self.same(first, "again", "--from-manifest", self.folder / "dataset-file" / "manifest.json")
        self.same(first, "logged-again", "--from-manifest", self.folder / "dataset-logged" / "manifest.json")
        self.positions(checker)

    def positions(self, checker: HistoryCheck) -> None:
        """Labels that name records, from a table and from a topic: what the stream knew at each record."""
        topology = self.folder / "positions.yaml"
        topology.write_text(TOPOLOGY.replace("      - request:paid\n", "").replace("      - amount_vs_mean\n", ""))
        kept, self.topology = self.topology, topology
        rows = self.build("table", "--labels", "events/acts", "--label-time", "_event_time", "--service", "everything")
        sample = self.chance.sample(rows, min(len(rows), 2 * self.arguments.histories))
        self.compare(checker, sample, [
            (row["who"], row["shop"], int(row["ts"]), None, (row["_partition"], row["_offset"])) for row in sample])
        manifest = json.loads((self.folder / "dataset-table" / "manifest.json").read_text())
        self.expect("names_records", manifest["names_records"], True)
        self.expect("labels", manifest["labels"]["kind"], "table")
        topic = self.build("topic", "--labels", "acts", "--label-time", "ts", "--service", "everything")
        by_place = {(row["_partition"], row["_offset"]): row for row in topic}
        names = [field["name"] for field in manifest["schema"] if "feature" in field]
        for row in rows:
            other = by_place[row["_partition"], row["_offset"]]
            for name in names:
                self.expect(f"topic {name} at {row['_partition']}/{row['_offset']}", other[name], row[name])
        for name in ("table", "topic"):
            self.same(rows, f"{name}-again", "--from-manifest", self.folder / f"dataset-{name}" / "manifest.json",
                      of=name)
        self.topology = kept

    def build(self, name: str, *flags: object) -> list[dict]:
        out = self.folder / f"dataset-{name}"
        headrace("dataset", "build", "histories", "--topology", self.topology, "--schemas", self.schemas, "--data",
                 self.worker_data, "--bootstrap", self.broker.address, "--out", out, "--output", "json", *flags)
        manifest = json.loads((out / "manifest.json").read_text())
        names = sorted(path.name for path in out.iterdir())
        self.expect("files", names, sorted([*(file["name"] for file in manifest["files"]), "manifest.json"]))
        headrace("dataset", "verify", out)
        rows = pyarrow.concat_tables(
            pyarrow.parquet.read_table(out / file["name"]) for file in manifest["files"]).to_pylist()
        self.expect("row_count", manifest["row_count"], len(rows))
        return rows

    def same(self, _rows: list[dict], name: str, *flags: object, of: str = "file") -> None:
        self.build(name, *flags)
        hashes = [json.loads((self.folder / f"dataset-{other}" / "manifest.json").read_text())["content_hash"]
                  for other in (of, name)]
        self.expect(f"content hash of {name}", hashes[1], hashes[0])

    def compare(self, checker: HistoryCheck, rows: list[dict], labels: list[tuple]) -> None:
        self.expect("rows", len(rows), len(labels))
        for row, (who, shop, at, paid, position) in zip(rows, labels):
            self.labels_read += 1
            if position is not None and self.has_newer(checker, who, at, position):
                continue
            for view in self.model.plan.views.values():
                key = (who, shop) if len(view.keys) == 2 else (who,)
                own = {feature.name: row[feature.name] if feature.name in row else row[f"{view.name}__{feature.name}"]
                       for feature in view.features}
                if None in key:
                    for name, value in own.items():
                        self.expect(f"{view.name}:{name} of {key}", value, None)
                    continue
                self.compared += checker.compare(view, key, at, own, self.comparison, position)
            if position is None:
                mean, acts, marks = row["mean_amount_1h"], row["acts_1h"], row["marks_24h"]
                self.expect(f"amount_vs_mean of {who} at {at}", row["amount_vs_mean"],
                            None if paid is None or mean is None else paid - mean)
                self.expect(f"busy of {who} at {at}", row["busy"], (acts or 0) + (marks or 0))
                self.compared += 2

    def has_newer(self, checker: HistoryCheck, who: str, at: int, position: tuple[int, int]) -> bool:
        """The stream shows what it has: of a tile that is not over, newer events as well. Only `replay` can say that."""
        rows = self.model.views["recent"].rows.get((who,), [])
        return any(at < row[0] < at + 24 * HOUR and row[1] == position[0] and row[2] <= position[1] for row in rows)

    def expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.differences.append(f"{what}: expected {expected!r}, found {found!r}")

    def feast(self) -> None:
        """P4 of Feast's pains: a correction that became known an hour after T must not be in the training row of T."""
        topology = self.folder / "feast.yaml"
        topology.write_text(FEAST)
        publisher = Publisher(self.broker.address, 1)
        publisher.create(["d"])
        worker = Worker(self.folder, "feast", topology, self.broker.address, schemas=self.schemas)
        worker.require_serving()
        moment = START + 48 * HOUR
        events = [Event(known, time, "a", json.dumps({"user_id": "a", "amt": amount, "ts": time}).encode())
                  for amount, time, known in ((1.0, moment - HOUR, moment - HOUR), (9.0, moment - MINUTE, moment + HOUR))]
        publisher.publish("d", events)
        publisher.flush()
        wait_until_applied([worker], publisher.next_offset, self.broker.address)
        worker.stop()
        labels = self.folder / "feast.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"user_id": ["a", "a"], "t": [moment, moment + HOUR]}), labels)
        for as_known, expected in ((True, [1.0, 9.0]), (False, [9.0, 9.0])):
            out = self.folder / f"feast-{as_known}"
            headrace("dataset", "build", "p4", "--topology", topology, "--schemas", self.schemas, "--data",
                     self.folder / "feast-data", "--service", "s", "--labels", labels, "--label-time", "t", "--out", out,
                     "--as-known", str(as_known).lower())
            found = pyarrow.parquet.read_table(out / "data-00000.parquet")["amt_24h"].to_pylist()
            self.expect(f"Feast's P4, as known: {as_known}", found, expected)
        # The same rows as a table of features that somebody else made.
        rows = self.folder / "feast-rows.parquet"
        pyarrow.parquet.write_table(pyarrow.table({
            "user_id": ["a", "a"], "amt": [1.0, 9.0], "t": [moment - HOUR, moment - MINUTE],
            "created": [moment - HOUR, moment + HOUR]}), rows)
        for flags, expected in ((("--known-time", "created"), [1.0, 9.0]), (("--columns", "amt"), [9.0, 9.0])):
            out = self.folder / f"feast-joined-{len(flags[1])}.parquet"
            headrace("dataset", "join", "--labels", labels, "--features", rows, "--on", "user_id", "--label-time", "t",
                     "--ttl", "24h", "--out", out, *flags)
            self.expect(f"Feast's P4 by join {flags}", pyarrow.parquet.read_table(out)["amt"].to_pylist(), expected)

    def close(self) -> None:
        for process in (self.worker, self.broker):
            process.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-histories-"))
    run = Run(arguments, folder)
    try:
        run.publish()
        run.check()
        run.feast()
    finally:
        run.close()
    differences = run.differences + run.comparison.differences
    for text in differences[:20]:
        print(f"  {text}")
    print(f"{arguments.histories:,} histories, {run.labels_read:,} labels, {run.compared:,} features, "
          f"{len(differences)} differences")
    if differences or not run.compared:
        print(f"FAILED with seed {arguments.seed}; the folder is {folder}")
        return 1
    if not arguments.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
