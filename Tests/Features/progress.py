"""How far workers are: what /api/tasks says, held against what was published."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from processes import ProcessFailed, Refused, Worker

APPLY_TIMEOUT_SECONDS = 180.0
POLL_SECONDS = 0.05


def tasks_of(workers: list[Worker]) -> list[dict] | None:
    """The tasks of all workers; nothing while one of them does not answer."""
    try:
        return [task for worker in workers for task in worker.client.get("/api/tasks")["tasks"]]
    except (Refused, OSError):
        return None


def is_applied(tasks: list[dict], ends: dict[tuple[str, int], int]) -> bool:
    """Whether every published record is applied, and whatever was sent on to repartition topics as well."""
    inputs = {(item["topic"], item["partition"]): item for task in tasks for item in task["inputs"]}
    behind = [place for place, end in ends.items() if end > 0 and inputs.get(place, {}).get("position", 0) < end]
    return (not behind and all(task["readable"] for task in tasks)
            and all(item["lag_records"] == 0 for item in inputs.values()))


def wait_until_applied(workers: list[Worker], ends: dict[tuple[str, int], int],
                       timeout: float = APPLY_TIMEOUT_SECONDS) -> None:
    deadline = time.monotonic() + timeout
    calm = 0
    while calm < 2:
        for worker in workers:
            if not worker.is_running:
                raise ProcessFailed(f"{worker.name} ended with {worker.process.returncode}\n{worker.log_tail()}")
        tasks = tasks_of(workers)
        calm = calm + 1 if tasks is not None and is_applied(tasks, ends) else 0
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
