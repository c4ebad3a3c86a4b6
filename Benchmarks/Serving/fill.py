#!/usr/bin/env python3
"""Fills the online store with payments of the last hours, stamped up to now, and waits until all of them are applied."""

from __future__ import annotations

import argparse
import http.client
import json
import random
import time

import confluent_kafka

from freshness import TOPIC, payment

HOURS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=100_000)
    arguments = parser.parse_args()
    producer = confluent_kafka.Producer({
        "bootstrap.servers": arguments.bootstrap, "linger.ms": 20, "partitioner": "murmur2_random",
        "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000})
    chance = random.Random(7)
    end = time.time_ns() // 1_000_000
    began = time.monotonic()
    for number in range(arguments.events):
        moment = end - HOURS * 3_600_000 * (arguments.events - number) // arguments.events
        # Every user has something; the rest goes to few, as payments do.
        user = number if number < arguments.users else int(arguments.users * chance.random() ** 3)
        name = f"u{user:06d}"
        while True:
            try:
                producer.produce(TOPIC, payment(number, name, moment), name, timestamp=moment)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush(120)
    sent = time.monotonic()
    host, _, port = arguments.server.rpartition(":")
    while True:
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        connection.request("GET", "/api/tasks")
        tasks = json.loads(connection.getresponse().read())["tasks"]
        connection.close()
        inputs = [item for task in tasks for item in task["inputs"]]
        applied = sum(item["position"] for item in inputs if item["topic"] == TOPIC)
        if applied >= arguments.events and all(item["lag_records"] == 0 for item in inputs):
            break
        time.sleep(0.2)
    print(f"filled: {arguments.events:,} events sent in {sent - began:.1f} s, all applied "
          f"{time.monotonic() - sent:.1f} s later")


if __name__ == "__main__":
    main()
