#!/usr/bin/env python3
"""How long an event takes from the call of a producer until a read over HTTP shows it, while others are streaming.

    freshness.py --bootstrap HOST:PORT --server HOST:PORT [--rate 50000] [--seconds 20] [--users 100000]

A load of payments goes into the topic at the given rate, stamped with the wall clock. Beside it, probes: one event of a user
of its own, then reads of that user until the event is counted. Prints p50, p90, p99 and the greatest, and the rate that the
load really had. The probe reads again and again without a pause: its own time for a read, printed too, is the resolution.
A worker applies on while a checkpoint is written; to take it costs it a moment: the slowest probes are held against the times of
checkpoints.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import threading
import time

import confluent_kafka

TOPIC = "payments"
FEATURE = "user_stats:payments_1h"


def payment(number: int, user: str, moment: int) -> bytes:
    return (f'{{"event_id":"p{number:012d}","user_id":"{user}","merchant_id":"m{number % 5000:05d}","amount":{number % 900}.25,'
            f'"currency":"EUR","country":"DE","channel":"web","is_fraud":0,"ts":{moment}}}').encode()


class Load(threading.Thread):
    """A steady stream, in steps of some milliseconds."""

    def __init__(self, bootstrap: str, rate: int, users: int):
        super().__init__(daemon=True)
        self.rate, self.users = rate, users
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "linger.ms": 2, "partitioner": "murmur2_random", "acks": "all",
            "queue.buffering.max.messages": 1_000_000})
        self.stopping = threading.Event()
        self.sent = 0
        self.began = 0.0

    def run(self) -> None:
        chance = random.Random(1)
        self.began = time.monotonic()
        while not self.stopping.is_set():
            due = int((time.monotonic() - self.began) * self.rate) - self.sent
            moment = time.time_ns() // 1_000_000
            for _ in range(min(due, 2_000)):
                user = f"u{chance.randrange(self.users):06d}"
                self.producer.produce(TOPIC, payment(self.sent, user, moment), user)
                self.sent += 1
            self.producer.poll(0)
            if due < 100:
                time.sleep(0.002)
        self.producer.flush(30)


class Probe:
    def __init__(self, bootstrap: str, server: str):
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "linger.ms": 0, "partitioner": "murmur2_random", "acks": "all"})
        host, _, port = server.rpartition(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=10)
        self.reads = 0
        self.reading_seconds = 0.0

    def seconds(self, number: int) -> float:
        user = f"probe-{number}-{time.time_ns()}"
        body = json.dumps({"features": [FEATURE], "entities": {"user_id": [user]}})
        began = time.perf_counter()
        self.producer.produce(TOPIC, payment(number, user, time.time_ns() // 1_000_000), user)
        self.producer.poll(0)
        while True:
            asked = time.perf_counter()
            self.connection.request("POST", "/get-online-features", body, {"Content-Type": "application/json"})
            answer = json.loads(self.connection.getresponse().read())
            now = time.perf_counter()
            self.reads += 1
            self.reading_seconds += now - asked
            if answer["results"][1]["values"][0] == 1:
                return now - began
            self.producer.poll(0)
            if now - began > 10:
                raise SystemExit(f"freshness: the event of {user} is not visible after 10 s")


class Checkpoints(threading.Thread):
    """When tasks ended their checkpoints, by the wall clock, as /api/tasks tells their age now and then."""

    def __init__(self, server: str):
        super().__init__(daemon=True)
        self.host, _, self.port = server.rpartition(":")
        self.moments: set[float] = set()
        self.stopping = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=10)
        while not self.stopping.wait(0.5):
            connection.request("GET", "/api/tasks")
            tasks = json.loads(connection.getresponse().read())["tasks"]
            ages = [task["checkpoint_age_seconds"] for task in tasks]
            # Ages are cut to milliseconds: two looks at one checkpoint give nearly the same moment.
            self.moments |= {round(time.time() - age, 1) for age in ages if age is not None}

    def is_near(self, moment: float) -> bool:
        return any(abs(moment - checkpoint) < 0.3 for checkpoint in self.moments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--users", type=int, default=100_000)
    arguments = parser.parse_args()
    load = Load(arguments.bootstrap, arguments.rate, arguments.users)
    if arguments.rate:
        load.start()
        time.sleep(2)
    probe = Probe(arguments.bootstrap, arguments.server)
    probe.seconds(0)
    checkpoints = Checkpoints(arguments.server)
    checkpoints.start()
    probes = []
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        milliseconds = probe.seconds(len(probes) + 1) * 1000
        probes.append((milliseconds, time.time()))
        time.sleep(random.uniform(0, 0.005))
    elapsed = time.monotonic() - load.began
    load.stopping.set()
    checkpoints.stopping.set()
    checkpoints.join()
    probes.sort()
    times = [milliseconds for milliseconds, _ in probes]
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    rate = load.sent / elapsed if arguments.rate else 0
    print(f"freshness: {len(times)} probes at {rate:,.0f} events/s: p50 {at(0.5):.2f} ms, p90 {at(0.9):.2f} ms, "
          f"p99 {at(0.99):.2f} ms, max {times[-1]:.2f} ms; one read of the probe takes "
          f"{probe.reading_seconds / probe.reads * 1000:.2f} ms")
    slowest = probes[-20:]
    near = [milliseconds for milliseconds, moment in slowest if checkpoints.is_near(moment)]
    others = [milliseconds for milliseconds, moment in probes if not checkpoints.is_near(moment)]
    print(f"freshness: of the {len(slowest)} slowest probes {len(near)} ended within 0.3 s of a checkpoint "
          f"({len(checkpoints.moments)} moments seen); the slowest of all others took {max(others, default=0):.2f} ms")


if __name__ == "__main__":
    main()
