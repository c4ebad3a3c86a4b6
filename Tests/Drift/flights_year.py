#!/usr/bin/env python3
"""The monitors over real flights: storms and peaks are drift with evidence, and AUC is what scikit-learn says.

    flights_year.py [--events DIR] [--report FILE] [--keep]

Two runs of the program. The first one reads the months of training (a quarter of the year; the first ten days of the
month in samples/flights) and makes a dataset of them, on which LightGBM is trained. The second one has the model
promoted before the first event, and reads everything day by day, monitors on.

What is demanded, from the raw events and the log alone:
- The days on which departures were late as on no others are alarms of the delays' features, called real shifts; their
  evidence names the window, offsets that hold exactly these predictions, and airports that were later than the others.
- The days on which departures were most usual are no alarms.
- AUC, average precision, log loss and Brier score of every labelled window are scikit-learn's of the exported
  predictions joined with their labels, within 1e-9.
- The table drift/late_arrival has what the topic has, each result once.

The last line is `N windows, N alarms, N figures, N differences`. Needs lightgbm, scikit-learn, deltalake,
confluent-kafka.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import confluent_kafka
import lightgbm
import numpy
import pyarrow.parquet
from deltalake import DeltaTable
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Features"))

from processes import REPOSITORY, Broker, Worker, environment, find_binary  # noqa: E402
from progress import wait_until_applied  # noqa: E402
from samples import FILES  # noqa: E402
from streams import LOGGER, Publisher, Stream, read_events  # noqa: E402

DAY = 86_400_000
MODEL = "late_arrival"
MONITOR = "late_arrival_drift"
PARTITIONS = 3
TOLERANCE = 1e-9
# What the day's delays show in.
DELAYS = {"dep_delay", "mean_delay_1h", "mean_delay_6h", "late_share_24h", "p90_delay_24h", "delay_vs_carrier",
          "origin_departures__mean_delay_1h", "carrier_departures__mean_delay_1h", "mean_arr_delay_24h", "prediction"}
MONITORS = """
monitors:
  late_arrival_drift:
    model: late_arrival
    window: 1d
    tests: {psi: 0.2, ks: 0.15}
    reference: trailing 28 windows
    segments: [origin, carrier]
    performance: {auc: {min: 0.65}}
"""


def day_of(milliseconds: int) -> str:
    return datetime.datetime.fromtimestamp(milliseconds / 1_000, datetime.UTC).strftime("%Y-%m-%d")


def start_of(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000)


def topology(folder: Path) -> Path:
    """The project's own topology with a monitor that has more to say, and without what retrains."""
    text = (REPOSITORY / "topologies/flights.yaml").read_text()
    head = text[:text.index("\nmonitors:")]
    path = folder / "topologies" / "flights.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + MONITORS)
    return path


def headrace(*arguments: object) -> bytes:
    done = subprocess.run([find_binary(), *map(str, arguments)], capture_output=True, env=environment())
    if done.returncode:
        raise SystemExit(f"headrace {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


class Run:
    def __init__(self, folder: Path, streams: dict[str, Stream], name: str, slice: int, model: Path | None = None):
        self.slice = slice
        self.streams = [Stream(topic, stream.events) for topic, stream in streams.items()]
        self.folder = folder / name
        self.folder.mkdir()
        self.topology = topology(self.folder)
        self.tables = self.folder / "worker-data" / "tables"
        self.broker = Broker(self.folder)
        self.publisher = Publisher(self.broker.address, PARTITIONS)
        self.publisher.create(list(streams))
        if model is not None:
            place = ["--bootstrap", self.broker.address, "--tables", self.tables]
            headrace("models", "publish", MODEL, model, *place)
            headrace("models", "promote", MODEL, 1, "--bootstrap", self.broker.address)
        self.worker = Worker(self.folder, "worker", self.topology, self.broker.address,
                             schemas=REPOSITORY / "schemas", flags=("--table-freshness", "5s"))
        self.worker.require_serving()

    def publish(self, until: int) -> None:
        """In the order of arrival over all topics, some hours at a time: nobody reads far ahead of anybody."""
        end = min(stream.events[stream.published].arrival for stream in self.streams if stream.published < len(stream.events))
        end = end // DAY * DAY
        while end < until:
            end = min(end + self.slice, until)
            for stream in self.streams:
                self.publisher.publish(stream.topic, stream.due(end - 1))
            self.publisher.flush()
            wait_until_applied([self.worker], self.publisher.next_offset, self.broker.address)

    def records(self, topic: str) -> list[confluent_kafka.Message]:
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.broker.address, "group.id": "check", "isolation.level": "read_committed",
            "enable.partition.eof": True, "logger": LOGGER})
        count = len(consumer.list_topics(topic).topics[topic].partitions)
        consumer.assign([confluent_kafka.TopicPartition(topic, partition, 0) for partition in range(count)])
        found, ended = [], set()
        while len(ended) < count:
            for message in consumer.consume(10_000, 1.0):
                if message.error() is None:
                    found.append(message)
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise RuntimeError(str(message.error()))
        consumer.close()
        return found

    def close(self) -> None:
        for process in (self.worker, self.broker):
            process.close()


def train(folder: Path, streams: dict[str, Stream], first: int, days: int, slice: int) -> Path:
    """A model of what the stream knew at each departure, and of whether the flight arrived late."""
    run = Run(folder, streams, "training", slice)
    try:
        run.publish(first + days * DAY)
        assert run.worker.stop() == 0, run.worker.log_tail()
        out = folder / "dataset"
        headrace("dataset", "build", "late", "--topology", run.topology, "--schemas", REPOSITORY / "schemas", "--service",
                 "late_arrival_v1", "--labels", "events/departed", "--label-time", "ts", "--tables", run.tables, "--out", out)
    finally:
        run.close()
    manifest = json.loads((out / "manifest.json").read_text())
    table = pyarrow.parquet.read_table([str(path) for path in sorted(out.glob("*.parquet"))])
    plan = json.loads(headrace("plan", run.topology, "--offline", "--schemas", REPOSITORY / "schemas", "--output", "json"))
    names = [feature["name"] for feature in next(s for s in plan["services"] if s["name"] == "late_arrival_v1")["features"]]
    columns = {field["feature"]: field["name"] for field in manifest["fields"] if field.get("feature")} if any(
        "feature" in field for field in manifest.get("fields", [])) else {}
    late = {json.loads(event.value)["flight_id"]: json.loads(event.value)["arr_delay"] > 15
            for event in streams["flights.arrivals"].events if event.arrival < first + (days + 1) * DAY}
    rows = numpy.column_stack([
        numpy.array(table.column(name if name in table.column_names else columns[name]).cast("double").to_pylist(), float)
        for name in names])
    truth = [late.get(flight) for flight in table.column("flight_id").to_pylist()]
    known = [index for index, value in enumerate(truth) if value is not None]
    settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "seed": 1, "num_threads": 2, "deterministic": True}
    booster = lightgbm.train(
        settings, lightgbm.Dataset(rows[known], [int(truth[index]) for index in known], feature_name=names), 60)
    path = folder / "late_arrival.txt"
    booster.save_model(path)
    print(f"trained on {len(known):,} departures of {days} days, {len(names)} features", flush=True)
    return path


class Check:
    """What the monitors said, beside what the events say."""

    def __init__(self, run: Run):
        self.run = run
        self.differences: list[str] = []
        self.figures = 0
        self.results = collections.defaultdict(list)
        for record in run.records("headrace.drift"):
            value = json.loads(record.value())
            headers = dict(record.headers())
            self.demand(headers["ce_type"] == f"headrace.drift.{value['kind']}".encode(), f"{value['id']} is no CloudEvent")
            self.results[value["kind"]].append(value)
        self.predictions = [
            (message.partition(), message.offset(), json.loads(message.value()))
            for message in run.records("flights.predictions")]
        self.flights = {
            (event.partition, event.offset): json.loads(event.value)
            for stream in run.streams if stream.topic == "flights.departures" for event in stream.events}

    def demand(self, holds: bool, text: str) -> None:
        if not holds:
            self.differences.append(text)

    def quality(self) -> None:
        """Each labelled window beside scikit-learn."""
        labels: dict[str, list[tuple[int, bool]]] = collections.defaultdict(list)
        for stream in self.run.streams:
            if stream.topic == "flights.arrivals":
                for event in stream.events:
                    document = json.loads(event.value)
                    if document["arr_delay"] is not None:
                        labels[document["flight_id"]].append((document["ts"], document["arr_delay"] > 15))
        days: dict[int, list[tuple[float, bool]]] = collections.defaultdict(list)
        counts: collections.Counter[int] = collections.Counter()
        for _, _, value in self.predictions:
            flight = self.flights[value["partition"], value["offset"]]
            start = value["event_time"] // DAY * DAY
            counts[start] += 1
            due = [label for label in labels[flight["flight_id"]] if 0 <= label[0] - value["event_time"] <= DAY]
            if due:
                days[start].append((value["score"], min(due)[1]))
        told = {start_of(result["window"]["start"]): result for result in self.results["performance"]
                if result["segment"] is None}
        self.demand(len(told) >= len(days) - 3, f"{len(told)} labelled windows of {len(days)} days")
        worst = 0.0
        for start, result in sorted(told.items()):
            pairs = days[start]
            self.demand(result["labelled"] == len(pairs) and result["predictions"] == counts[start],
                        f"{day_of(start)}: {result['labelled']} of {result['predictions']} labelled, "
                        f"expected {len(pairs)} of {counts[start]}")
            scores, truth = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            if len(set(truth)) < 2:
                continue
            for name, expected in (("auc", roc_auc_score(truth, scores)),
                                   ("average_precision", average_precision_score(truth, scores)),
                                   ("log_loss", log_loss(truth, scores)), ("brier", brier_score_loss(truth, scores))):
                found = result["figures"][name]["value"]
                worst = max(worst, abs(found - expected))
                self.figures += 1
                self.demand(abs(found - expected) <= TOLERANCE, f"{day_of(start)} {name}: {found}, expected {expected}")
        areas = [result["figures"]["auc"]["value"] for result in told.values() if "auc" in result["figures"]]
        print(f"quality: {len(told)} windows, AUC {min(areas):.4f} to {max(areas):.4f}, median "
              f"{statistics.median(areas):.4f}; at most {worst:.1e} from scikit-learn", flush=True)

    def drift(self) -> None:
        delays: dict[int, list[float]] = collections.defaultdict(list)
        origins: dict[tuple[int, str], list[float]] = collections.defaultdict(list)
        for flight in self.flights.values():
            start = flight["ts"] // DAY * DAY
            delays[start].append(flight["dep_delay"])
            origins[start, f"origin={flight['origin']}"].append(flight["dep_delay"])
        judged = {start_of(result["window"]["start"]) for result in self.results["window"]}
        alarms: dict[int, list[dict]] = collections.defaultdict(list)
        for window in self.results["window"]:
            for feature in window["features"]:
                if feature["alarm"]:
                    alarms[start_of(window["window"]["start"])].append({**feature["evidence"], "window": window["window"]})
        self.lives(alarms)
        means = {start: statistics.fmean(values) for start, values in delays.items() if start in judged and len(values) >= 300}
        order = sorted(means, key=means.get, reverse=True)
        usual = statistics.median(means.values())
        extreme = order[:max(len(order) // 18, 1)]
        calm = sorted(means, key=lambda start: abs(means[start] - usual))[:max(len(order) // 18, 1)]
        for start in sorted(extreme):
            # A replay writes days at once: rows of other tasks may be behind then, and what is made of them missing.
            found = [alarm for alarm in alarms[start]
                     if alarm["feature"] in DELAYS and alarm["cause"]["class"] != "null"]
            self.demand(bool(found), f"{day_of(start)}: departures {means[start]:.0f} min late, and no alarm of the delays")
            if found:
                self.evidence(start, found, origins, delays)
        rung = [start for start in calm if any(alarm["feature"] == "dep_delay" for alarm in alarms[start])]
        self.demand(not rung, f"alarms of the delays on usual days: {', '.join(map(day_of, rung))}")
        causes = collections.Counter(alarm["cause"]["class"] for found in alarms.values() for alarm in found)
        print(f"drift: {len(judged)} windows judged, {sum(1 for start in judged if alarms[start])} with features outside "
              f"their limits, {sum(map(len, alarms.values()))} in all: {dict(causes)}", flush=True)
        self.calendar(means, alarms)

    def lives(self, alarms: dict[int, list[dict]]) -> None:
        """What somebody is told: each alarm once when it opens and once when it is over, and a digest of each day."""
        told = self.results["alarm"]
        opened = {alarm["id"] for alarm in told if alarm["state"] == "opened"}
        resolved = [alarm["alarm_id"] for alarm in self.results["resolved"]]
        self.demand(len(set(resolved)) == len(resolved) and set(resolved) <= opened, "resolved, and never opened, or twice")
        seen = {alarm["alarm_id"] for found in alarms.values() for alarm in found}
        labels = {alarm["id"] for alarm in told if alarm["feature"] == "label"}
        self.demand(seen == opened - labels, f"{len(seen)} alarms in windows, {len(opened - labels)} opened")
        digests = [digest for digest in self.results["digest"] if digest["of"] == "features"]
        open_, resolutions = set(), collections.defaultdict(set)
        for alarm in self.results["resolved"]:
            resolutions[start_of(alarm["window"]["start"])].add(alarm["alarm_id"])
        days = {start_of(digest["window"]["start"]): digest for digest in digests}
        for start in sorted(start_of(window["window"]["start"]) for window in self.results["window"]):
            open_ |= {alarm["alarm_id"] for alarm in alarms[start]}
            open_ -= resolutions[start]
            listed = {life["alarm_id"] for life in days[start]["open"]} if start in days else set()
            self.demand(listed == open_, f"{day_of(start)}: the digest lists {len(listed)} alarms, {len(open_)} are open")
        common = collections.Counter((digest["common_cause"] or {}).get("text") for digest in digests)
        print(f"told: {len(opened)} alarms opened, {len(told) - len(opened)} escalations, {len(resolved)} resolved, "
              f"{len(digests)} digests; most often in common: {common.most_common(3)}", flush=True)

    def evidence(self, start: int, found: list[dict], origins: dict, delays: dict) -> None:
        strongest = max(found, key=lambda alarm: alarm["value"] / alarm["threshold"])
        offsets = collections.defaultdict(list)
        for partition, offset, value in self.predictions:
            if value["event_time"] // DAY * DAY == start:
                offsets[partition].append(offset)
        ranges = {entry["partition"]: (entry["first"], entry["last"]) for entry in strongest["window"]["offsets"]}
        self.demand(ranges == {partition: (min(values), max(values)) for partition, values in offsets.items()},
                    f"{day_of(start)}: offsets {ranges} are not those of the day's predictions")
        self.demand(strongest["cause"]["class"] == "real_shift", f"{day_of(start)}: cause {strongest['cause']}")
        # Of the airports the one whose flights were latest accounts for at least its share of the rows.
        own = next((alarm for alarm in found if alarm["feature"] == "dep_delay"), strongest)
        parts = {part["name"]: part for part in own["segments"] if part["name"].startswith("origin=")}
        latest = max((name for day, name in origins if day == start), key=lambda name: statistics.fmean(origins[start, name]))
        share = len(origins[start, latest]) / len(delays[start])
        whole = sum(part["share"] for part in parts.values())
        self.demand(latest not in parts or parts[latest]["share"] > 0.5 * share * whole,
                    f"{day_of(start)}: {latest} explains little")
        names = ", ".join(f"{part['name']} {part['share']:.0%}" for part in own["segments"][:2])
        print(f"  {day_of(start)}: {statistics.fmean(delays[start]):4.0f} min late; {strongest['feature']} "
              f"{strongest['test']} {strongest['value']:.2f} >= {strongest['threshold']}; {len(found)} features; {names}", flush=True)

    def calendar(self, means: dict[int, float], alarms: dict[int, list[dict]]) -> None:
        """Days with an alarm of the delays, by month: winter storms, summer peaks."""
        months: dict[str, list[int]] = collections.defaultdict(list)
        for start in sorted(means):
            if any(alarm["feature"] == "dep_delay" for alarm in alarms[start]):
                months[day_of(start)[:7]].append(int(day_of(start)[8:]))
        for month, days in months.items():
            print(f"  {month}: {' '.join(map(str, days))}", flush=True)

    def table(self) -> None:
        rows = DeltaTable(str(self.run.tables / "drift" / MODEL)).to_pyarrow_table().to_pylist()
        ids = {value["id"] for values in self.results.values() for value in values}
        self.demand({row["id"] for row in rows} == ids, "the table has other results than the topic")
        keys = collections.Counter((row["id"], row["feature"], row["segment"], row["test"]) for row in rows)
        self.demand(max(keys.values()) == 1, "a result is in the table twice")
        told = collections.Counter(value["id"] for values in self.results.values() for value in values)
        self.demand(max(told.values()) == 1, "a result was told twice")


def wait_for_monitors(run: Run, seconds: float = 300) -> None:
    """Until they have counted every prediction, and told what follows."""
    expected = len(run.records("flights.predictions"))
    deadline = time.monotonic() + seconds
    while True:
        text = run.worker.client.request("GET", "/metrics").decode()
        counted = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((
            "headrace_monitor_predictions_total{", "headrace_monitor_late_predictions_total{")))
        if counted == expected:
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"monitors counted {counted:.0f} of {expected} predictions\n{run.worker.log_tail()}")
        time.sleep(0.2)
    seen = -1
    while seen != (seen := len(run.records("headrace.drift"))):
        time.sleep(2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=Path, default=REPOSITORY / "samples/flights")
    parser.add_argument("--report", type=Path, help="write the page of `drift report` there")
    parser.add_argument("--slice", type=float, default=3, help="hours of events that are published at once")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="flights-"))
    began = time.monotonic()
    streams = {topic: Stream(topic, read_events(
        arguments.events / f"{name}.jsonl.gz", "origin" if name == "weather" else "carrier", "ts"))
        for topic, name in FILES.items()}
    first = min(stream.events[0].arrival for stream in streams.values()) // DAY * DAY
    last = max(stream.events[-1].arrival for stream in streams.values())
    days = math.ceil((last + 1 - first) / DAY)
    print(f"flights: {sum(len(stream.events) for stream in streams.values()):,} events of {days} days", flush=True)
    run = None
    try:
        slice = int(arguments.slice * 3_600_000)
        model = train(folder, streams, first, 90 if days > 100 else 10, slice)
        run = Run(folder, streams, "monitored", slice, model)
        run.publish(last + 1)
        print(f"applied after {time.monotonic() - began:.0f} s", flush=True)
        wait_for_monitors(run)
        assert run.worker.stop() == 0, run.worker.log_tail()
        check = Check(run)
        check.quality()
        check.drift()
        check.table()
        if arguments.report:
            headrace("drift", "report", MODEL, "--tables", run.tables, "--html", arguments.report)
    finally:
        if run is not None:
            run.close()
        if arguments.keep:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for text in check.differences[:20]:
        print(f"DIFFERENCE {text}")
    print(f"{len(check.results['window'])} windows, {len(check.results['alarm'])} alarms, {check.figures} figures, "
          f"{len(check.differences)} differences in {time.monotonic() - began:.0f} s")
    return 1 if check.differences else 0


if __name__ == "__main__":
    sys.exit(main())
