"""Reads the views that no plan changes, again and again, while plans are replaced: they must never pause."""

from __future__ import annotations

import threading
import time

from processes import Client, Refused, Worker

PERIOD_SECONDS = 0.005
STALL_LIMIT_SECONDS = 2.5
FREEZE_SECONDS = 0.25


class Probe(threading.Thread):
    """`features` of one key of each view; a refusal, or records that stand still for long, is a pause."""

    def __init__(self, worker: Worker, requests: list[dict]):
        super().__init__(name="probe", daemon=True)
        self.client = Client(worker.address)
        self.requests = requests
        self.pauses: list[str] = []
        self.answers = 0
        self.longest_answer = 0.0
        self.longest_stall = 0.0
        self._ending = threading.Event()

    def finish(self) -> "Probe":
        self._ending.set()
        self.join(30)
        if self.longest_stall > STALL_LIMIT_SECONDS:
            self.pauses.append(f"no record was applied for {self.longest_stall:.1f} s while records came")
        return self

    def run(self) -> None:
        position, moved = -1, time.monotonic()
        while not self._ending.is_set():
            for body in self.requests:
                began = time.monotonic()
                try:
                    self.client.request("POST", "/get-online-features", body)
                    self.answers += 1
                except (Refused, OSError) as error:
                    self.pauses.append(f"{body['features'][0]}: {error}")
                self.longest_answer = max(self.longest_answer, time.monotonic() - began)
            try:
                found = sum(item["position"] for task in self.client.get("/api/tasks")["tasks"]
                            for item in task["inputs"])
            except (Refused, OSError) as error:
                self.pauses.append(f"/api/tasks: {error}")
                continue
            now = time.monotonic()
            self.longest_stall = max(self.longest_stall, now - moved)
            if found != position:
                position, moved = found, now
            self._ending.wait(PERIOD_SECONDS)
            # Where this thread stood still, so did the machine.
            if time.monotonic() - now > FREEZE_SECONDS:
                moved = time.monotonic()
