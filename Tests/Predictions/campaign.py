#!/usr/bin/env python3
"""One prediction for each event and none twice, whatever dies meanwhile.

    campaign.py [--seconds T] [--seed S] [--rate R] [--keep]

Three workers share a topology with a model of the registry, while payments stream in. All the while workers are
killed (kill -9), leave, stay away and come back, versions of the model replace each other, and the broker, a process of
its own, is killed or stopped and starts again over its data. At the end the predictions are read as a consumer reads
them (read_committed), and held against the events that were published: each that counts has exactly one prediction, by
its id, over the events up to its own, with the score that LightGBM itself gives for the version that the prediction
names. Exit 0 when nothing is wrong.
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "CLI"))

import confluent_kafka  # noqa: E402
import numpy  # noqa: E402
from conftest import CLI, binary  # noqa: E402
from test_models import PARTITIONS, T0  # noqa: E402
from test_rollout import Rollout  # noqa: E402
from test_worker import Worker  # noqa: E402

WORKERS = 3
SETTLE_SECONDS = 120
FLAGS = ("--commit-interval", "50ms", "--checkpoint-interval", "300ms", "--log-level", "info")


class Broker:
    """`headrace broker` on a port that stays, over data that stay."""

    def __init__(self, folder):
        self.folder, self.log, self.process = folder, open(folder / "broker.log", "ab"), None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.start()

    def start(self):
        port_file = self.folder / "broker.port"
        port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [binary(), "broker", "--data", self.folder / "log", "--listen", self.address, "--port-file", port_file],
            stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while not port_file.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, "the broker does not start"
            time.sleep(0.01)

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(30)
        assert how == signal.SIGKILL or code == 0, f"the broker ended with {code}"


class Feed(threading.Thread):
    """Publishes payments at a steady rate, whether or not there is a broker; remembers them by their place."""

    def __init__(self, address, topic, rate, seed):
        super().__init__(daemon=True)
        self.topic, self.rate, self.chance = topic, rate, random.Random(f"{seed}/feed")
        self.events, self.failures, self.is_over = {}, [], threading.Event()
        # Stored once, however often it is sent; sent until it is stored.
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": address, "enable.idempotence": True, "partitioner": "murmur2_random",
            "delivery.timeout.ms": 300_000, "linger.ms": 5, "reconnect.backoff.max.ms": 200})
        self.count = 0

    def run(self):
        while not self.is_over.is_set():
            for _ in range(max(1, self.rate // 50)):
                self.publish()
            self.producer.poll(0)
            time.sleep(0.02)
        left = self.producer.flush(60)
        if left:
            self.failures.append(f"{left} events were never stored")

    def publish(self):
        amount = -1.0 if self.chance.random() < 0.03 else round(self.chance.uniform(0.01, 200), 2)
        event = {"user": f"u{int(self.chance.paretovariate(0.7)) % 40}", "amount": amount, "ts": T0 + self.count * 100}
        self.count += 1

        def stored(error, message):
            if error is not None:
                self.failures.append(str(error))
            else:
                self.events[message.partition(), message.offset()] = event

        self.producer.produce(self.topic, json.dumps(event).encode(), key=event["user"].encode(), on_delivery=stored)

    def finish(self):
        self.is_over.set()
        self.join()


class Campaign:
    def __init__(self, folder, seed, rate):
        self.chance = random.Random(f"{seed}/campaign")
        self.broker = Broker(folder)
        self.cli = CLI(self.broker.address)
        self.rollout = Rollout(folder, "predicted", self.cli)
        self.cli("topics", "create", self.rollout.topic, "--partitions", PARTITIONS)
        self.versions = [self.rollout.add(1), self.rollout.add(2), self.rollout.add(3)]
        self.current = 1
        self.rollout.models("promote", 1)
        self.feed = Feed(self.broker.address, self.rollout.topic, rate, seed)
        self.workers: list[Worker | None] = [None] * WORKERS
        self.back_at: dict[int, float] = {}
        self.counts: collections.Counter[str] = collections.Counter()
        self.problems: list[str] = []

    def spawn(self, index):
        data = f"worker-{index}"
        folder = self.rollout.folder / f"process-{index}"
        folder.mkdir(exist_ok=True)
        self.workers[index] = Worker(
            self.cli, folder, "run", self.rollout.file, "--data", self.rollout.folder / data, "--tables",
            self.rollout.tables, *FLAGS)
        self.back_at.pop(index, None)

    def run(self, seconds, show):
        for index in range(WORKERS):
            self.spawn(index)
        self.feed.start()
        end = time.monotonic() + seconds
        actions = [self.kill_worker, self.kill_worker, self.leave, self.promote, self.promote, self.restart_broker]
        while time.monotonic() < end:
            time.sleep(self.chance.uniform(0.2, 2.0))
            self.bring_back()
            action = self.chance.choice(actions)
            what = action()
            self.counts[what] += 1
            show(what)
        self.feed.finish()
        self.problems += self.feed.failures

    def bring_back(self, is_end=False):
        for index, worker in enumerate(self.workers):
            if worker is not None and worker.process.poll() is not None and index not in self.back_at:
                code = worker.process.poll()
                self.problems.append(f"worker {index} ended by itself with {code}: {worker.text()[-600:]}")
                self.back_at[index] = 0
        for index, moment in list(self.back_at.items()):
            if is_end or time.monotonic() >= moment:
                self.spawn(index)

    def standing(self):
        return [index for index in range(WORKERS) if index not in self.back_at]

    def away(self, index):
        self.back_at[index] = time.monotonic() + self.chance.choice([0, 0, self.chance.uniform(0, 12)])

    def kill_worker(self):
        standing = self.standing()
        if not standing:
            return "nobody to kill"
        index = self.chance.choice(standing)
        self.workers[index].kill()
        self.away(index)
        return "worker killed"

    def leave(self):
        standing = self.standing()
        if not standing:
            return "nobody to leave"
        index = self.chance.choice(standing)
        code = self.workers[index].stop()
        if code != 0:
            self.problems.append(f"a worker that was to stop ended with {code}: {self.workers[index].text()[-600:]}")
        self.away(index)
        return "worker left"

    def promote(self):
        version = self.chance.choice([number for number in self.versions if number != self.current])
        answer = self.rollout.models("promote", version, code=None, timeout=30)
        if not isinstance(answer, dict):
            return "promotion not heard"
        self.current = version
        return "version promoted"

    def restart_broker(self):
        how = self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        self.broker.end(how)
        time.sleep(self.chance.choice([0, self.chance.uniform(0, 3)]))
        self.broker.start()
        return "broker killed" if how == signal.SIGKILL else "broker stopped"

    # MARK: The end

    def settle(self):
        """Everybody is back; until each event that counts has a prediction, or the time is over."""
        self.bring_back(is_end=True)
        wanted = sum(event["amount"] > 0 for event in self.feed.events.values())
        deadline = time.monotonic() + SETTLE_SECONDS
        while len(self.predictions()) < wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        for index, worker in enumerate(self.workers):
            code = worker.stop()
            if code != 0:
                self.problems.append(f"worker {index} ended with {code}: {worker.text()[-600:]}")

    def predictions(self):
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.broker.address, "group.id": "oracle", "auto.offset.reset": "earliest",
            "isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True})
        topic = f"{self.rollout.topic}.predictions"
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        found, ended = [], set()
        while len(ended) < PARTITIONS:
            message = consumer.poll(20)
            if message is None:
                break
            if message.error():
                if message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                continue
            found.append(message.value())
        consumer.close()
        return found

    def judge(self):
        """Yields what is wrong."""
        yield from self.problems
        predictions = [json.loads(value) for value in self.predictions()]
        topic = self.rollout.topic
        wanted = {
            f"{topic}-{partition}-{offset}/fraud"
            for (partition, offset), event in self.feed.events.items() if event["amount"] > 0}
        ids = collections.Counter(value["id"] for value in predictions)
        twice = [name for name, count in ids.items() if count > 1]
        missing, foreign = wanted - set(ids), set(ids) - wanted
        for what, names in (("twice", twice), ("without a prediction", missing), ("of no event", foreign)):
            if names:
                yield f"{len(names)} {what}, such as {sorted(names)[:3]}"
        by_version = collections.defaultdict(list)
        for value in predictions:
            by_version[value["version"]].append(value)
            event = self.feed.events.get((value["partition"], value["offset"]))
            if event is not None and (value["event_time"], value["features"][3]) != (
                    event["ts"], float(str(numpy.float32(event["amount"])))):
                yield f"{value['id']} is of another event than {event}"
        for version, values in by_version.items():
            vectors = numpy.array([value["features"] for value in values], dtype=numpy.float32).astype(numpy.float64)
            scores = self.rollout.boosters[version].predict(vectors)
            wrong = [value["id"] for value, score in zip(values, scores) if value["score"] != score]
            if wrong:
                yield f"{len(wrong)} scores of version {version} are not LightGBM's, such as {wrong[:3]}"
        # Each event sees its own prefix: the count of the user's events so far is the first feature.
        seen: collections.Counter = collections.Counter()
        counts = {}
        for place in sorted(self.feed.events):
            event = self.feed.events[place]
            if event["amount"] > 0:
                seen[event["user"]] += 1
                counts[place] = seen[event["user"]]
        horizon = 86_400_000 // 100
        if len(self.feed.events) < horizon:
            wrong = [value["id"] for value in predictions
                     if value["features"][0] != counts.get((value["partition"], value["offset"]))]
            if wrong:
                yield f"{len(wrong)} predictions did not see exactly the events before theirs, such as {wrong[:3]}"
        print(f"{len(self.feed.events):,} events, {len(predictions):,} predictions of versions "
              f"{({version: len(values) for version, values in sorted(by_version.items())})}; {dict(self.counts)}")

    def close(self):
        for worker in self.workers:
            if worker is not None and worker.process.poll() is None:
                worker.process.kill()
        if self.broker.process.poll() is None:
            self.broker.process.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45, help="how long it goes on (default 45)")
    parser.add_argument("--rate", type=int, default=500, help="events a second (default 500)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="repeats a schedule")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that passed, too")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-predictions-"))
    print(f"predictions: {arguments.seconds:.0f} s of kills, seed {arguments.seed}, folder {folder}", flush=True)
    began = time.monotonic()
    campaign = Campaign(folder, arguments.seed, arguments.rate)
    try:
        campaign.run(arguments.seconds, lambda what: print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True))
        campaign.settle()
        problems = list(campaign.judge())
    finally:
        campaign.close()
    for problem in problems:
        print(f"WRONG: {problem}")
    print(f"{time.monotonic() - began:.0f} s in all")
    if problems:
        print(f"FAILED with seed {arguments.seed}; logs and data are in {folder}")
        return 1
    if not arguments.keep:
        shutil.rmtree(folder)
    print("one prediction for each event, none twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
