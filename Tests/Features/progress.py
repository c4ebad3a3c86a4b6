"""How far workers are: what /api/tasks says, held against what was published."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

import confluent_kafka

from processes import ProcessFailed, Refused, Worker
from streams import LOGGER

APPLY_TIMEOUT_SECONDS = 180.0
POLL_SECONDS = 0.05


def tasks_of(workers: list[Worker]) -> list[dict] | None:
    """The tasks of all workers; nothing while one of them does not answer."""
    try:
        return [task for worker in workers for task in worker.client.get("/api/tasks")["tasks"]]
    except (Refused, OSError):
        return None


Ends = dict[tuple[str, int], int]


def is_committed(tasks: list[dict], ends: Ends) -> bool:
    """Whether every published record is applied, and with its commit whatever was sent on because of it."""
    inputs = {(item["topic"], item["partition"]): item for task in tasks for item in task["inputs"]}
    return all(task["readable"] for task in tasks) and all(
        min(inputs.get(place, {}).get("position") or 0, inputs.get(place, {}).get("committed_offset") or 0) >= end
        for place, end in ends.items() if end > 0)


def is_sent_on(tasks: list[dict], ends: Ends, consumer: confluent_kafka.Consumer) -> bool:
    """Whether everything in the repartition topics is applied as well; their ends are asked of the broker."""
    for task in tasks:
        for item in task["inputs"]:
            place = item["topic"], item["partition"]
            if place not in ends:
                _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(*place), timeout=10)
                if item["position"] < end:
                    return False
    return True


def wait_until_applied(workers: list[Worker], ends: Ends, bootstrap: str,
                       timeout: float = APPLY_TIMEOUT_SECONDS) -> None:
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "progress", "logger": LOGGER})
    deadline = time.monotonic() + timeout
    while True:
        for worker in workers:
            if not worker.is_running:
                raise ProcessFailed(f"{worker.name} ended with {worker.process.returncode}\n{worker.log_tail()}")
        tasks = tasks_of(workers)
        if tasks is not None and is_committed(tasks, ends) and is_sent_on(tasks, ends, consumer):
            consumer.close()
            return
        if time.monotonic() > deadline:
            raise ProcessFailed(f"not applied after {timeout:.0f} s: {tasks}\n{workers[0].log_tail()}")
        time.sleep(POLL_SECONDS)


def counters_of(workers: list[Worker]) -> dict[str, Counter[str]]:
    """Records of each source by their outcome, over all tasks of all workers."""
    counters: dict[str, Counter[str]] = defaultdict(Counter)
    for worker in workers:
        for source in worker.client.get("/api/tasks")["sources"]:
            counters[source["name"]].update({name: count for name, count in source.items() if isinstance(count, int)})
    return counters


def owners_of(workers: list[Worker]) -> dict[int, Worker]:
    """Which worker has the task of each partition number."""
    return {task["partition"]: worker for worker in workers for task in worker.client.get("/api/tasks")["tasks"]}
