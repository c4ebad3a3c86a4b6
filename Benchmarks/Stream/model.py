#!/usr/bin/env python3
"""A model in the stream: what it takes of the throughput, and how old predictions are when they can be read.

The model is LightGBM, 100 trees of 31 leaves, over the service of topologies/payments.yaml. Throughput: one topology with the
model and the same without it read a topic in turns; the ratio is printed. Latency: events are written at a steady rate,
predictions are read with isolation read_committed; from the event's time to the moment at which the consumer has its
prediction, at the default commit interval and at 10 ms.

usage: model.py [--records N] [--runs N] [--rate N] [--seconds N]      needs lightgbm and confluent-kafka
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import confluent_kafka
import lightgbm
import numpy
import stream

PLAIN = (stream.ROOT / "topologies/payments.yaml").read_text()
MODEL = """
models:
  fraud: {service: fraud_v1, each: payments, file: fraud.txt, output: NAME.predictions, threshold: 0.5}
"""


def features() -> list[str]:
    """The names of the service's features, as the plan has them."""
    answer = subprocess.run([stream.HEADRACE, "plan", str(stream.ROOT / "topologies/payments.yaml"), "--offline",
                             "--output", "json"], check=True, capture_output=True)
    return [feature["name"] for feature in json.loads(answer.stdout)["services"][0]["features"]]


def topology(name: str, topic: str, has_model: bool) -> str:
    text = PLAIN.replace("topology: payments", f"topology: {name}").replace("topic: payments ", f"topic: {topic} ")
    return text + MODEL.replace("NAME", name) if has_model else text


def train(folder: Path) -> None:
    names = features()
    generator = numpy.random.default_rng(7)
    rows = numpy.exp(generator.standard_normal((50_000, len(names)))) * 100
    rows[generator.random(rows.shape) < 0.05] = numpy.nan
    target = (numpy.nansum(rows[:, ::2], axis=1) + generator.normal(0, 300, len(rows)) > 1_300).astype(int)
    settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "seed": 1, "num_threads": 2}
    lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=names), 100).save_model(folder / "fraud.txt")


def throughput(folder: Path, broker: stream.Server, arguments: argparse.Namespace) -> None:
    subprocess.run([stream.HEADRACE, "topics", "create", stream.TOPIC, "--partitions", "2", "--bootstrap", broker.address],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([stream.HEADRACE, "generate", "payments", "--count", str(arguments.records), "--rate", "0", "--seed", "7",
                    "--users", "100000", "--topic", stream.TOPIC, "--bootstrap", broker.address],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rates: dict[str, list[float]] = {"plain": [], "scored": []}
    for run in range(arguments.runs):
        for kind in rates:
            # Each run is a group of its own, with output topics of its own.
            file = folder / f"{kind}-{run}.yaml"
            file.write_text(topology(file.stem, stream.TOPIC, kind == "scored"))
            result = stream.run_worker(folder, broker.address, file, arguments.records, 1)
            rates[kind].append(result["rate"])
            print(f"run {run + 1}: {kind} {result['rate'] / 1e6:.3f} M/s, {result['nanoseconds']:.0f} ns of processor "
                  f"an event, at most {result['peak']:.0f} MiB", flush=True)
    plain, scored = (statistics.median(rates[name]) for name in ("plain", "scored"))
    print(f"median: {scored / 1e6:.3f} M/s with the model, {plain / 1e6:.3f} M/s without: {scored / plain:.0%}", flush=True)


def latency(folder: Path, broker: stream.Server, interval: str | None, arguments: argparse.Namespace) -> None:
    name = f"latency-{interval or 'default'}"
    topic, output = f"{name}.payments", f"{name}.predictions"
    shutil.copy(stream.ROOT / "schemas/payments.avsc", folder / f"{topic}.avsc")
    file = folder / f"{name}.yaml"
    file.write_text(topology(name, topic, True))
    subprocess.run([stream.HEADRACE, "topics", "create", topic, "--partitions", "2", "--bootstrap", broker.address],
                   check=True, stdout=subprocess.DEVNULL)
    data = folder / f"{name}-state"
    worker = stream.Server(folder, "worker", [
        "run", str(file), "--bootstrap", broker.address, "--data", str(data), "--listen", "127.0.0.1:0",
        "--schemas", str(folder), *(["--commit-interval", interval] if interval else [])])
    ages: list[float] = []
    done = threading.Event()

    def consume() -> None:
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": broker.address, "group.id": "unused", "isolation.level": "read_committed",
            "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10, "fetch.error.backoff.ms": 10,
            "topic.metadata.refresh.interval.ms": 500})
        consumer.assign([confluent_kafka.TopicPartition(output, partition, 0) for partition in range(2)])
        while not done.is_set():
            messages = consumer.consume(500, 0.005)
            now = time.time() * 1_000
            ages.extend(now - json.loads(message.value())["event_time"] for message in messages if not message.error())
        consumer.close()

    try:
        deadline = time.monotonic() + 30
        while output not in subprocess.run([stream.HEADRACE, "topics", "list", "--bootstrap", broker.address],
                                           capture_output=True, text=True).stdout:
            assert time.monotonic() < deadline, "no topic of predictions"
            time.sleep(0.1)
        reader = threading.Thread(target=consume)
        reader.start()
        producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "linger.ms": 0})
        start, sent = time.monotonic(), 0
        while (passed := time.monotonic() - start) < arguments.seconds:
            while sent < passed * arguments.rate:
                user = f"u{sent * 7919 % 20_000:06d}"
                event = {"event_id": f"{name}{sent}", "user_id": user, "merchant_id": "m1", "amount": 10 + sent % 90,
                         "currency": "EUR", "country": "DE", "channel": "web", "is_fraud": 0, "ts": int(time.time() * 1_000)}
                producer.produce(topic, json.dumps(event), user, partition=sent % 2)
                sent += 1
            producer.poll(0)
            time.sleep(0.001)
        producer.flush(10)
        deadline = time.monotonic() + 20
        while len(ages) < sent and time.monotonic() < deadline:
            time.sleep(0.05)
        done.set()
        reader.join()
        # The first second is the group's and the caches'.
        kept = sorted(ages[arguments.rate:])
        assert len(ages) == sent, f"{len(ages)} predictions of {sent} events"
        print(f"commit interval {interval or 'default'}: {sent} events at {arguments.rate}/s, one prediction each; "
              f"p50 {kept[len(kept) // 2]:.1f} ms, p99 {kept[len(kept) * 99 // 100]:.1f} ms, at most {kept[-1]:.1f} ms", flush=True)
    finally:
        done.set()
        worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=15)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    broker = stream.Server(folder, "broker", [
        "broker", "--data", str(folder / "log"), "--listen", "127.0.0.1:0", "--log-level", "warning"])
    try:
        train(folder)
        throughput(folder, broker, arguments)
        for interval in (None, "10ms"):
            latency(folder, broker, interval, arguments)
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
