#!/usr/bin/env python3
"""What is served while events stream in, against the same features made again: by `headrace verify` and `dataset build`.

    live_parity.py [--topology FILE] [--events DIR] [--reads N] [--seed N] [--keep]

A month of flights, with disorder, duplicates and late events, is published while random keys are read over HTTP, services
and views alike, at the watermark and at given times. The worker logs what it serves. Then:

 1. each logged value equals the one that the client got, bit for bit;
 2. `headrace verify` makes each again from the archive: all are equal bit for bit, none is unexplained; the worker has
    found the same while it ran;
 3. `headrace dataset build` makes the training value of each logged read: it equals what was served, but for those whose
    cause `verify` prints, and for no others;
 4. faults are planted, and `verify` has to find and name each: a served value that is one bit off, a changed definition, a
    changed ttl, a changed default.

The last line is `N vectors, N values, N differences`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import deltalake  # noqa: E402
import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402
import yaml  # noqa: E402

import plan as plans  # noqa: E402
from processes import REPOSITORY, Broker, Client, Refused, Worker, environment, find_binary  # noqa: E402
from progress import wait_until_applied  # noqa: E402
from samples import read_source  # noqa: E402
from served_values import bits, logged_value, served_text  # noqa: E402
from streams import Mischief, Publisher, Stream, disturb  # noqa: E402

SLICES = 24
READERS = 2
ARCHIVE_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.1
JOIN_KEYS = {"carrier", "origin", "dest", "tailnum"}


class Reader(threading.Thread):
    """Reads random keys until it is told to stop, and remembers what it got."""

    def __init__(self, address: str, requests: list, seed: str, limit: int):
        super().__init__(daemon=True)
        self.client, self.requests, self.limit = Client(address), requests, limit
        self.chance = random.Random(seed)
        self.answers: list[tuple[dict, dict]] = []
        self.refused: Counter[str] = Counter()
        self.failure: Exception | None = None
        self.stopping = threading.Event()
        #: Where event time is: reads of given times lie a little before it.
        self.now = 0

    def run(self) -> None:
        try:
            while not self.stopping.is_set() and len(self.answers) < self.limit:
                body = self.chance.choice(self.requests)(self.chance)
                body["as_of"] = "latest"
                if self.now and self.chance.random() < 0.3:
                    body["as_of"] = self.now - self.chance.randrange(600_000)
                try:
                    self.answers.append((body, self.client.post("/get-online-features", body)))
                except Refused as refused:
                    # Rows of tasks that start, and times that are no longer kept.
                    self.refused[f"{refused.status}"] += 1
                # So that they are spread over the run.
                time.sleep(0.001)
        except Exception as failure:  # noqa: BLE001
            self.failure = failure


class LiveParity:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.arguments, self.folder = arguments, folder
        self.differences: list[str] = []
        self.plan = plans.load(arguments.topology)
        self.schemas = arguments.topology.resolve().parent.parent / "schemas"
        mischief = Mischief(60_000, 0.02, 0.005, 0.005, 0.002)
        self.streams: list[Stream] = []
        for source in self.plan.sources.values():
            read = read_source(source, arguments.events, arguments.seed)
            chance = random.Random(f"{arguments.seed}/{source.topic}")
            self.streams.append(Stream(source.topic, disturb(read, mischief, source.lateness, chance)))
        self.document = yaml.safe_load(arguments.topology.read_text())
        self.broker = Broker(folder)
        self.publisher = Publisher(self.broker.address, arguments.partitions)
        self.publisher.create([stream.topic for stream in self.streams])
        self.worker = Worker(
            folder, "worker", arguments.topology, self.broker.address,
            flags=("--parity-sample", "1000", "--table-freshness", "1s", "--checkpoint-interval", "1s"))
        self.worker.require_serving()
        self.tables = folder / "worker-data" / "tables"

    # What is asked

    def requests(self) -> list:
        events = [json.loads(event.value) for stream in self.streams for event in stream.events if event.outcome == ""
                  and event.value.startswith(b"{\"") and event.value.count(b"\n") == 0 and is_json(event.value)]
        values: dict[str, list] = defaultdict(list)
        for name in ("carrier", "origin", "dest", "tailnum"):
            values[name] = sorted({event[name] for event in events if event.get(name) is not None})
        views = {name: view for name, view in self.plan.views.items()}

        def of_view(chance: random.Random) -> dict:
            name = chance.choice(list(views))
            return {"features": [f"{name}:*"], "entities": {key: [chance.choice(values[key])] for key in views[name].keys}}

        def of_service(chance: random.Random) -> dict:
            count = chance.randrange(1, 4)
            entities = {key: [chance.choice(values[key]) for _ in range(count)] for key in ("carrier", "origin", "dest")}
            entities["dep_delay"] = [chance.randrange(-20, 90) / 1.0 for _ in range(count)]
            entities["distance"] = [chance.randrange(90, 2_600) for _ in range(count)]
            return {"feature_service": "late_arrival_v1", "entities": entities}

        def of_board(chance: random.Random) -> dict:
            return {"feature_service": "airport_board_v1", "entities": {"origin": [chance.choice(values["origin"])]}}

        return [of_view, of_service, of_board]

    # The run

    def stream(self) -> None:
        requests = self.requests()
        readers = [Reader(self.worker.address, requests, f"{self.arguments.seed}/{index}", self.arguments.reads)
                   for index in range(READERS)]
        arrivals = sorted(event.arrival for stream in self.streams for event in stream.events)
        for reader in readers:
            reader.start()
        for index in range(SLICES):
            end = arrivals[len(arrivals) * (index + 1) // SLICES - 1]
            for stream in self.streams:
                self.publisher.publish(stream.topic, stream.due(end))
            self.publisher.flush()
            # Readers read on while it is applied: most of them see half of a slice.
            wait_until_applied([self.worker], self.publisher.next_offset, self.broker.address)
            for reader in readers:
                reader.now = end
        for reader in readers:
            reader.stopping.set()
            reader.join()
            if reader.failure:
                raise reader.failure
        self.answers = [answer for reader in readers for answer in reader.answers]
        print(f"stream: {len(arrivals):,} events, {len(self.answers):,} answers, "
              f"refused {dict(sum((reader.refused for reader in readers), Counter()))}", flush=True)

    def wait_for_worker(self) -> None:
        """Until the worker has compared something by itself."""
        deadline = time.monotonic() + ARCHIVE_TIMEOUT_SECONDS
        while True:
            parity = self.worker.client.get("/api/parity")
            checked = sum(feature["checked"] for feature in parity["features"])
            if checked > 1_000 or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        faults = [example for example in parity["last_mismatches"] if not example["explained"]]
        self.check("the worker's own comparison finds no fault", faults, [])
        self.check("the worker has compared values", checked > 1_000, True)
        metrics = self.worker.client.request("GET", "/metrics").decode()
        counted = sum(int(line.split()[-1]) for line in metrics.splitlines()
                      if line.startswith("headrace_feature_skew_checked_total{"))
        self.check("metrics count at least what the address says", counted >= checked, True)
        code = [line for line in metrics.splitlines()
                if line.startswith("headrace_feature_skew_mismatch_total{") and 'cause="code"' in line]
        self.check("no mismatch is unexplained in the metrics", code, [])
        print(f"worker: {checked:,} values compared while it ran, {parity['sampled_vectors']:,} vectors logged, "
              f"{parity['dropped_vectors']} dropped", flush=True)

    # What was logged

    def served(self) -> list[dict]:
        rows = []
        for table in sorted((self.tables / "served").iterdir()):
            rows += deltalake.DeltaTable(str(table)).to_pyarrow_table().to_pylist()
        return rows

    def check_log(self, rows: list[dict]) -> None:
        """Each logged value is one that the client got."""
        got: dict[tuple, list] = defaultdict(list)
        for body, answer in self.answers:
            at = datetime.fromisoformat(answer["headrace"]["read_at"])
            names = answer["metadata"]["feature_names"]
            for index in range(len(next(iter(body["entities"].values())))):
                values = {name: (column["values"][index], column["statuses"][index])
                          for name, column in zip(names, answer["results"])}
                keys = {key: body["entities"][key][index] for key in body["entities"] if key in JOIN_KEYS}
                got[body.get("feature_service"), frozenset(keys.items())].append((at, values))
        vectors: dict[int, list[dict]] = defaultdict(list)
        for row in rows:
            vectors[row["_vector"]].append(row)
        compared = 0
        for vector in vectors.values():
            entities = {key: value for row in vector if row["entity"] for key, value in json.loads(row["entity"]).items()}
            # The answer names the latest time of all of its rows and views; by `latest` each has its own.
            at = max(row["_read_at"] for row in vector if row["_read_at"])
            candidates = [values for moment, values in got[vector[0]["service"], frozenset(entities.items())]
                          if moment >= at]
            if not any(all(self.is_what_was_got(row, values) for row in vector) for values in candidates):
                self.differences.append(f"logged and not got: {at} {entities} of {vector[0]['service']}, "
                                        f"{len(candidates)} candidates")
            compared += len(vector)
        self.vectors, self.values = len(vectors), compared
        print(f"log: {compared:,} logged values of {len(vectors):,} vectors are what the clients got", flush=True)

    @staticmethod
    def is_what_was_got(row: dict, values: dict) -> bool:
        if row["feature"] not in values:
            # Read for something that is computed of it.
            return True
        value, _ = values[row["feature"]]
        logged = logged_value(row)
        if logged is None and row["default_value"] is not None:
            return value is not None
        if isinstance(logged, str) and isinstance(value, list):
            logged = json.loads(logged)
        if isinstance(value, bool):
            value = int(value)
        return logged == value or (logged == [] and value is None)

    # What it is held against

    def verify(self, topology: Path, *flags: str) -> tuple[dict, int]:
        done = subprocess.run(
            [find_binary(), "verify", "--topology", str(topology), "--schemas", str(self.schemas), "--data",
             str(self.folder / "worker-data"), "--output", "json", *flags], capture_output=True, env=environment())
        if done.returncode not in (0, 1) or not done.stdout:
            raise RuntimeError(f"verify ended with {done.returncode}: {done.stderr.decode()}")
        return json.loads(done.stdout), done.returncode

    def check_verify(self, rows: list[dict]) -> dict:
        report, code = self.verify(self.arguments.topology, "--examples", "1000000")
        self.check("verify: exit code", code, 0)
        self.check("verify: unexplained", report["unexplained"], 0)
        self.check("verify: mismatches of the same events", report["served"]["mismatches"], {})
        expected = sum(row["origin"] != "request" for row in rows)
        found = report["served"]["checked"] + report["pending_values"] + report["uncertain_values"]
        self.check("verify: values", found, expected)
        self.check("verify: nearly all can be made again", report["served"]["checked"] > 0.95 * expected, True)
        self.check("verify: some differ from a training set", report["training"]["equal"] > 0, True)
        self.check("verify: late events are named", report["happened"]["mismatches"].get("late", 0) > 0, True)
        for name in ("served", "training", "happened"):
            tally = report[name]
            print(f"verify, {name}: {tally['checked']:,} checked, {tally['equal']:,} equal, {tally['mismatches']}",
                  flush=True)
        print(f"verify: {report['pending_values']} pending, {report['uncertain_values']} uncertain", flush=True)
        return report

    def check_datasets(self, rows: list[dict], report: dict) -> None:
        """A training set at the times of the reads has the same bits, but where `verify` says why not."""
        document = {**self.document, "services": {f"check_{name}": [f"{name}:*"] for name in self.plan.views}}
        for part in ("models", "monitors", "policies"):
            document.pop(part, None)
        topology = self.write(document, "checked.yaml")
        said = {(example["view"], example["feature"], example["entity"], example["read_at"], example["served"])
                for example in report["examples"] if example["against"] == "training"}
        compared = explained = 0
        for name in self.plan.views:
            reads: dict[tuple, list[dict]] = defaultdict(list)
            for row in rows:
                if row["view"] == name:
                    reads[row["_vector"], row["entity"], row["_read_at"]].append(row)
            if not reads:
                continue
            labels = sorted(reads)
            dataset = self.build(topology, name, labels)
            for label, made in zip(labels, dataset, strict=True):
                for row in reads[label]:
                    compared += 1
                    if bits(logged_value(row)) == bits(made[row["feature"]]):
                        # Statuses may differ where both are null.
                        if logged_value(row) is not None and self.is_said(row, said):
                            self.differences.append(f"{name}:{row['feature']} of {row['entity']} at {row['_read_at']}: "
                                                    "the training set has the same, and verify says otherwise")
                        continue
                    if row["default_value"] is None and self.is_said(row, said):
                        explained += 1
                        continue
                    self.differences.append(
                        f"{name}:{row['feature']} of {row['entity']} at {row['_read_at']}: served {logged_value(row)!r}, "
                        f"training set {made[row['feature']]!r}, and verify does not say why ({row['position']})")
        self.check("datasets: something was compared", compared > 1_000, True)
        print(f"datasets: {compared:,} values, {compared - explained:,} equal bit for bit, {explained:,} differ and "
              "verify says why", flush=True)

    @staticmethod
    def is_said(row: dict, said: set) -> bool:
        at = row["_read_at"]
        texts = {at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z", at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        # A list of one entity at one time may be served by several reads: one of them is as good.
        return any((row["view"], row["feature"], row["entity"], text, served_text(row)) in said for text in texts)

    def build(self, topology: Path, name: str, labels: list[tuple]) -> list[dict]:
        keys = {join: [json.loads(entity)[join] for _, entity, _ in labels] for join in self.plan.views[name].keys}
        table = pyarrow.table({**keys, "label_time": pyarrow.array([at for *_, at in labels], pyarrow.timestamp("us", "UTC"))})
        file, out = self.folder / f"{name}.parquet", self.folder / f"dataset-{name}"
        pyarrow.parquet.write_table(table, file)
        subprocess.run(
            [find_binary(), "dataset", "build", f"check-{name}", "--topology", str(topology), "--schemas", str(self.schemas),
             "--service", f"check_{name}", "--labels", str(file), "--label-time", "label_time", "--data",
             str(self.folder / "worker-data"), "--out", str(out), "--output", "json"], check=True,
            stdout=subprocess.DEVNULL, env=environment())
        return [row for part in sorted(out.glob("*.parquet")) for row in pyarrow.parquet.read_table(part).to_pylist()]

    # Faults

    def plant_faults(self) -> None:
        self.plant_definition("a changed definition", "version", lambda document: document["views"]["carrier_departures"][
            "features"].update(mean_delay="mean(dep_delay + 1) over 1h, 6h, 24h"), "carrier_departures", "mean_delay_6h")
        self.plant_definition("a changed ttl", "ttl", lambda document: document["views"]["carrier_arrivals"].update(
            ttl="5s"), "carrier_arrivals", "arrivals_6h")
        self.plant_definition("a changed default", "version", lambda document: document["services"]["late_arrival_v1"][
            "defaults"].update(wind_6h=11), "origin_weather", "wind_6h")
        self.plant_value()

    def plant_definition(self, what: str, cause: str, change, view: str, feature: str) -> None:
        document = json.loads(json.dumps(self.document))
        change(document)
        report, code = self.verify(self.write(document, "changed.yaml"))
        found = {item["feature"]: item for item in report["features"] if item["view"] == view}
        self.check(f"{what} is found and named {cause}", found[feature]["served"]["mismatches"].get(cause, 0) > 0, True)
        self.check(f"{what} is explained", (report["unexplained"], code), (0, 0))
        print(f"fault: {what}: {found[feature]['served']['mismatches']}", flush=True)

    def plant_value(self) -> None:
        """One bit of one served value, in the table itself."""
        path = next(table for table in sorted((self.tables / "served").iterdir()) if table.name == "late_arrival_v1")
        table = deltalake.DeltaTable(str(path))
        rows = table.to_pyarrow_table()
        values = rows.column("value_double").to_pylist()
        origins = rows.column("origin").to_pylist()
        index = next(i for i, value in enumerate(values) if value is not None and origins[i] == "feature" and value != 0)
        values[index] = math.nextafter(values[index], math.inf)
        place = rows.schema.get_field_index("value_double")
        rows = rows.set_column(place, rows.schema.field(place), pyarrow.array(values, pyarrow.float64()))
        deltalake.write_deltalake(str(path), rows, mode="overwrite")
        row = rows.slice(index, 1).to_pylist()[0]
        report, code = self.verify(self.arguments.topology, "--service", "late_arrival_v1")
        self.check("a corrupted value: exit code", code, 1)
        self.check("a corrupted value: unexplained", report["unexplained"], 1)
        named = [(item["view"], item["feature"], item["cause"], item["entity"]) for item in report["examples"]
                 if not item["explained"]]
        self.check("a corrupted value is named", named, [(row["view"], row["feature"], "code", row["entity"])])
        print(f"fault: a bit of {row['view']}:{row['feature']}: {named}", flush=True)

    # Helpers

    def write(self, document: dict, name: str) -> Path:
        path = self.folder / name
        path.write_text(yaml.safe_dump(document, sort_keys=False, width=1000))
        return path

    def check(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.differences.append(f"{what}: expected {expected!r}, found {str(found)[:600]}")

    def go(self) -> int:
        self.stream()
        self.wait_for_worker()
        self.check("the worker drains", self.worker.stop(), 0)
        rows = self.served()
        self.check_log(rows)
        report = self.check_verify(rows)
        self.check_datasets(rows, report)
        self.plant_faults()
        for difference in self.differences[:40]:
            print(f"  {difference}")
        print(f"{self.vectors:,} vectors, {self.values:,} values, {len(self.differences)} differences")
        return len(self.differences)

    def close(self) -> None:
        for process in (self.worker, self.broker):
            process.close()


def is_json(value: bytes) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topology", type=Path, default=REPOSITORY / "topologies" / "flights.yaml")
    parser.add_argument("--events", type=Path, default=REPOSITORY / "samples" / "flights", help="folder of the events")
    parser.add_argument("--reads", type=int, default=1_000, help="the most requests of each reader (default 1000)")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-parity-"))
    run = None
    failures = 1
    try:
        run = LiveParity(arguments, folder)
        failures = run.go()
    finally:
        if run is not None:
            run.close()
        if failures:
            print(f"FAILED with seed {arguments.seed}; the folder is {folder}")
    if not failures and not arguments.keep:
        shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
