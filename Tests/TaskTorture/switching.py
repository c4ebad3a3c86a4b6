"""A campaign in which plans replace each other: views are added, changed and removed under running workers, which die."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import plan as plans
from campaign import Campaign, Death
from observation import Observation, read_set_aside
from plans import Series, Version
from probe import Probe
from processes import ProcessFailed, Worker, environment, find_binary
from schedule import Kill

BUILD_LIMIT_SECONDS = 90.0
PROBED_KEYS = 3
# A kill while views are built, and often again while that goes on.
NESTED_SHARE = 0.3
RANDOM_DELAY_SECONDS = 1.5
# What a record is, is decided under the plan that runs when it comes: only these do not depend on the views.
RING_OUTCOMES = ("applied", "repaired", "late")


class SwitchCampaign(Campaign):
    def __init__(self, folder: Path, topology: Path, workers: int, rate: float, seed: int, schemas: Path,
                 loses_disks: bool = False):
        super().__init__(folder, topology, workers, rate, seed, schemas, loses_disks)
        self.series = Series(topology, folder, seed)
        self.chance = random.Random(f"{seed}/switches")
        self.probes: list[Probe] = []
        self.changes: Counter[str] = Counter()

    # MARK: Kills

    def kill_all(self, kills: list[Kill], show) -> None:
        self.feed.start()
        for index in range(len(self.workers)):
            self.spawn(index)
        self._all_serve()
        time.sleep(1)
        for number, kill in enumerate(kills, 1):
            self.bring_back()
            # In between one that nobody disturbs: others must not notice it.
            if number % 3 == 1:
                self._switch_under_watch()
            death = Death(number, kill)
            self.deaths.append(death)
            self._kill_at_switch(death)
            show(death)
        self.due_back = dict.fromkeys(self.due_back, 0.0)
        self.bring_back()
        # The last one adds: there is something to compare.
        self._switch_under_watch("add")

    def _kill_at_switch(self, death: Death) -> None:
        kill = death.kill
        worker = self.workers[kill.worker]
        if kill.point is not None:
            # Whoever is to die at a point must start for it, with the plan that runs.
            worker.kill()
            worker = self.spawn(kill.worker, kill.armed)
        self._all_serve()
        # Only a view that is built passes the points of splicing.
        version = self._apply("add" if kill.point and "splice" in kill.point else None)
        if kill.point is not None:
            death.is_reached = self._await_death(worker, kill.point)
        else:
            time.sleep(kill.delay_seconds)
            worker.kill()
        while self.chance.random() < NESTED_SHARE:
            worker = self.spawn(kill.worker)
            time.sleep(self.chance.uniform(0, RANDOM_DELAY_SECONDS))
            worker.kill()
        death.note = version.change
        self._replace(death)

    def _apply(self, operation: str | None = None) -> Version:
        version = self.series.next(operation)
        command = [find_binary(), "apply", str(version.file), "--bootstrap", self.broker.address, "--schemas",
                   str(self.schemas)]
        result = subprocess.run(command, capture_output=True, env=environment(), check=False)
        if result.returncode != 0:
            raise ProcessFailed(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr.decode()}")
        self.topology = version.file
        self.plan = plans.load(version.file, self.schemas)
        self.changes[version.change.split()[0]] += 1
        return version

    def _switch_under_watch(self, operation: str | None = None) -> None:
        self._all_serve()
        self._await_build()
        probe = None
        if len(self.workers) == 1:
            probe = Probe(self.workers[0], self._probes())
            probe.start()
            time.sleep(0.2)
        self._apply(operation)
        self._await_build()
        if probe is not None:
            self.probes.append(probe.finish())
            self.observation.pauses += [f"{self.series.number}: {pause}" for pause in probe.pauses]

    def _probes(self) -> list[dict]:
        """Requests for some keys of each view that stays as it is; keys that were seen."""
        requests = []
        for name in self.series.kept:
            view = self.plan.views[name]
            topic = self.plan.sources[view.source].topic
            events = self.feed.published.events[topic]
            keys = sorted({event.key for event in events[:2_000] if event.key})
            if keys:
                requests.append({
                    "features": [f"{name}:{feature.name}" for feature in view.features],
                    "entities": {view.keys[0]: self.chance.sample(keys, min(PROBED_KEYS, len(keys)))},
                    "as_of": "latest"})
        return requests

    def _all_serve(self) -> None:
        for worker in self.workers:
            if worker is not None and worker.is_running:
                worker.require_serving()

    def _await_build(self) -> None:
        """Until every task runs the plan in force, with all of its views."""
        deadline = time.monotonic() + BUILD_LIMIT_SECONDS
        while not all(self._is_built(worker) for worker in self.workers if worker is not None and worker.is_running):
            if time.monotonic() > deadline:
                raise ProcessFailed(f"views are not built in time\n{self.workers[0].log_tail()}")
            time.sleep(0.02)

    def _is_built(self, worker: Worker) -> bool:
        try:
            # Spawned workers are fenced out by those whose session still lasts: nothing to build then.
            tasks = worker.client.get("/api/tasks")["tasks"]
            topology = worker.client.get("/api/topology")
            shown, plan = set(topology["views"]), topology["fingerprint"]
        except Exception:  # It comes up, or went down: asked again.
            return not worker.is_running
        return shown == set(self.plan.views) and (len(self.workers) > 1 or bool(tasks)) and all(
            task["readable"] and not task["building"] and task["plan"] == plan for task in tasks)

    # MARK: The end

    def finish(self) -> Observation:
        observation = super().finish()
        for counters in (observation.counters, observation.reference_counters, observation.expected_counters):
            for counts in counters.values():
                counts["applied"] = sum(counts.pop(outcome, 0) for outcome in RING_OUTCOMES)
        return observation

    def _read_side_topics(self, into: dict, topology: str, model) -> None:
        """Dead letters alone: what is late depends on the views that there are at that moment."""
        into["dlq"] = read_set_aside(self.broker.address, f"{topology}.dlq")
        self.observation.expected_set_aside["dlq"] = {
            (topic, event.partition, event.offset) for topic, events in self.feed.published.events.items()
            for event in events if event.outcome == "dead_lettered"}


def make_switch_schedule(count: int, points: list[str], workers: int, seed: int) -> list[Kill]:
    """Each point in turn, at its first pass and at later ones, and as many kills at random."""
    chance = random.Random(f"{seed}/switch-schedule")
    kills: list[Kill] = []
    while len(kills) < count:
        for point in chance.sample(points, len(points)):
            first = len(kills) < 2 * len(points)
            kills.append(Kill(chance.randrange(workers), point, 1 if first else chance.randint(1, 3)))
            kills.append(Kill(chance.randrange(workers), delay_seconds=chance.uniform(0, RANDOM_DELAY_SECONDS)))
    return kills[:count]


