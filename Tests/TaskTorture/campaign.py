"""One run: the load, the kills, and what is read when all is applied."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import plan as plans
from feed import Feed
from history import Reader, kinds
from model import Model
from observation import Observation, entity_key, read_archive, read_features, read_set_aside
from processes import REPOSITORY, Broker, ProcessFailed, Worker, environment, find_binary
from progress import counters_of, owners_of, tasks_of, wait_until_applied
from schedule import Kill
from streams import Publisher, partition_of_bytes
from verdict import Comparison

PARTITIONS = 4
# A group waits for members that died, for as long as their session lasts.
POINT_LIMIT_SECONDS = 20.0
LEAVING = "revoke"
LEAVING_AFTER_SECONDS = 1.0
BETWEEN_SECONDS = 0.8
RETRIES = 3
# Passed only where a plan is replaced.
AT_SWITCH = ("splice", "switch")
# Passed only where snapshots are taken, and where a disk was lost.
OF_SNAPSHOTS = ("runtime.snapshot-", "runtime.restore-")
SNAPSHOT_INTERVAL = "1s"
LOST_DISK_SHARE = 0.5
RESTORED = "the state comes from a snapshot"
READY_TIMEOUT_SECONDS = 60.0
# Often enough that every point is passed many times a second.
FLAGS = ("--commit-interval", "50ms", "--checkpoint-interval", "300ms", "--table-freshness", "500ms", "--log-level",
         "info")
RECOMPUTED_POINTS = 400


def kill_points(at_switch: bool, of_snapshots: bool = False) -> list[str]:
    """The names that the program gives them: those of a plan that is replaced, those of snapshots, or the others."""
    result = subprocess.run([find_binary(), "run", "--list-kill-points"], capture_output=True, check=True,
                            env=environment())
    # Those of an archive are passed where the log has forgotten something, those of scoring where versions of a model
    # replace each other, those of the registry where a folder's is published: Tests/CLI/test_history.py, test_rollout.py
    # and test_registry.py die there.
    names = [name for name in result.stdout.decode().split()
             if name.startswith(("runtime.", "delta."))
             and not name.startswith(("runtime.archive-", "runtime.scoring-", "runtime.registry-"))]
    if of_snapshots:
        return [name for name in names if name.startswith(OF_SNAPSHOTS)]
    return [name for name in names if any(word in name for word in AT_SWITCH) == at_switch
            and not name.startswith(OF_SNAPSHOTS)]


@dataclass
class Death:
    """A kill as it went."""
    number: int
    kill: Kill
    is_reached: bool = True
    note: str = ""
    recovery_seconds: float | None = None


class Campaign:
    def __init__(self, folder: Path, topology: Path, workers: int, rate: float, seed: int, schemas: Path,
                 loses_disks: bool = False):
        self.folder = folder
        self.loses_disks = loses_disks
        self.disk_chance = random.Random(f"{seed}/disks")
        self.lost_disks = 0
        self.tables = folder / "tables"
        self.topology = topology
        self.schemas = schemas
        self.plan = plans.load(topology, self.schemas)
        self.seed = seed
        self.broker = Broker(folder)
        self.publisher = Publisher(self.broker.address, PARTITIONS)
        self.publisher.create(sorted({source.topic for source in self.plan.sources.values()}))
        # What is set aside keeps its time, years ago: the broker's retention would take the first of it in a long run.
        self.publisher.create([f"{name}.{kind}" for name in (self.plan.topology, f"{self.plan.topology}-undisturbed")
                               for kind in ("dlq", "late")], is_ours=False)
        self.feed = Feed(self.plan, REPOSITORY / "samples" / "flights", self.publisher, rate, seed)
        self.workers: list[Worker | None] = [None] * workers
        self.deaths: list[Death] = []
        self.due_back: dict[int, float] = {}
        self.observation = Observation()

    # MARK: Kills

    def kill_all(self, kills: list[Kill], show) -> None:
        self.feed.start()
        for index in range(len(self.workers)):
            self.spawn(index)
        for number, kill in enumerate(kills, 1):
            self.bring_back(except_for=kill.worker)
            death = Death(number, kill)
            self.deaths.append(death)
            self._kill(death)
            show(death)
        for point in self._not_reached():
            for turn in range(RETRIES):
                self.bring_back()
                death = Death(len(self.deaths) + 1, Kill(turn % len(self.workers), point))
                self.deaths.append(death)
                self._kill(death)
                show(death)
                if death.is_reached:
                    break
        self.due_back = dict.fromkeys(self.due_back, 0.0)
        self.bring_back()

    def _not_reached(self) -> list[str]:
        """Points that were due and not passed: what a point needs is not always at hand."""
        reached = {death.kill.point for death in self.deaths if death.is_reached}
        return sorted({death.kill.point for death in self.deaths if death.kill.point} - reached)

    def spawn(self, index: int, armed: str | None = None) -> Worker:
        variables = {"HEADRACE_KILL_AT": armed} if armed else {}
        flags = [*FLAGS, "--tables", str(self.tables)]
        if self.loses_disks:
            flags += ["--snapshots", str(self.folder / "bucket"), "--snapshot-interval", SNAPSHOT_INTERVAL]
            if (armed or "").startswith("runtime.restore-") or self.disk_chance.random() < LOST_DISK_SHARE:
                self._lose_disk(index)
        worker = Worker(self.folder, f"worker-{index}", self.topology, self.broker.address, schemas=self.schemas,
                        flags=tuple(flags), variables=variables)
        self.workers[index] = worker
        self.due_back.pop(index, None)
        return worker

    def _lose_disk(self, index: int) -> None:
        """State and rows on their way to tables are gone; who the worker is in the group is not, which saves waiting."""
        data = self.folder / f"worker-{index}-data"
        self.lost_disks += (data / "state").exists()
        for name in ("state", "spool", "snapshots", "restoring"):
            shutil.rmtree(data / name, ignore_errors=True)

    def restored_states(self) -> int:
        return sum(path.read_text(errors="replace").count(RESTORED) for path in self.folder.glob("worker-*.log"))

    def bring_back(self, except_for: int | None = None) -> None:
        """Workers that left come back when they have been away long enough."""
        for index, moment in list(self.due_back.items()):
            if index != except_for and time.monotonic() >= moment:
                self.spawn(index)

    def _kill(self, death: Death) -> None:
        kill = death.kill
        worker = self.workers[kill.worker]
        # Whoever is to die at a point, or in recovery, must start for it.
        if kill.point is not None or kill.is_in_recovery or worker is None or not worker.is_running:
            if worker is not None and worker.is_running:
                # Something must have happened since its last checkpoint, or there is nothing to recover.
                if kill.point is not None and worker.wait_until_serving():
                    time.sleep(BETWEEN_SECONDS)
                worker.kill()
            worker = self.spawn(kill.worker, kill.armed)
        if kill.point is not None:
            death.is_reached = self._await_death(worker, kill.point)
        elif kill.freeze_seconds is not None:
            self._freeze(worker, kill)
            return
        else:
            if not kill.is_in_recovery and not worker.wait_until_serving():
                raise ProcessFailed(f"{worker.name} ended by itself\n{worker.log_tail()}")
            time.sleep(kill.delay_seconds)
            if not worker.is_running:
                raise ProcessFailed(f"{worker.name} ended by itself\n{worker.log_tail()}")
            self._end(worker, kill)
        self._replace(death)

    def _await_death(self, worker: Worker, point: str) -> bool:
        if LEAVING in point and worker.wait_until_serving():
            # Partitions are given back by one that leaves and has some.
            deadline = time.monotonic() + POINT_LIMIT_SECONDS
            while time.monotonic() < deadline and not any(task["readable"] for task in tasks_of([worker]) or []):
                time.sleep(0.05)
            time.sleep(LEAVING_AFTER_SECONDS)
            worker.process.send_signal(signal.SIGTERM)
        try:
            code = worker.process.wait(POINT_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            return False
        if code == 0 and LEAVING in point:
            return False
        if code != -signal.SIGKILL:
            raise ProcessFailed(f"{worker.name} ended by itself with {code}\n{worker.log_tail()}")
        return True

    def _end(self, worker: Worker, kill: Kill) -> None:
        if kill.drain_seconds is not None:
            worker.process.send_signal(signal.SIGTERM)
            try:
                # One that is done in time ended by itself, and must say so.
                self.observation.exit_codes.append(worker.process.wait(kill.drain_seconds))
                return
            except subprocess.TimeoutExpired:
                pass
        worker.kill()

    def _freeze(self, worker: Worker, kill: Kill) -> None:
        if not worker.wait_until_serving():
            raise ProcessFailed(f"{worker.name} ended by itself\n{worker.log_tail()}")
        time.sleep(kill.delay_seconds)
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(kill.freeze_seconds or 0)
        worker.process.send_signal(signal.SIGCONT)

    def _replace(self, death: Death) -> None:
        kill = death.kill
        if kill.absence_seconds > 0 and len(self.workers) > 1:
            self.due_back[kill.worker] = time.monotonic() + kill.absence_seconds
            return
        began = time.monotonic()
        worker = self.spawn(kill.worker)
        if not kill.is_in_recovery and worker.wait_until_serving():
            death.recovery_seconds = time.monotonic() - began

    # MARK: The end

    def finish(self) -> Observation:
        """Ends the load, waits until all is applied, reads everything, then lets an undisturbed worker do it all again."""
        self.feed.finish()
        self.publisher.check_ends()
        workers = [worker for worker in self.workers if worker is not None]
        for index, worker in enumerate(workers):
            # One that was fenced while it stood still has stopped, as it must.
            if not worker.is_running:
                workers[index] = self.spawn(index)
            workers[index].require_serving(READY_TIMEOUT_SECONDS)
        observation = self.observation
        ends = self.publisher.next_offset
        wait_until_applied(workers, ends, self.broker.address)
        model = self._model()
        times = self._times(model)
        observation.features = read_features(workers, model, times, PARTITIONS, observation.owners)
        observation.counters = counters_of(workers)
        workers = self._restart(workers)
        wait_until_applied(workers, ends, self.broker.address)
        observation.restarted = read_features(workers, model, times, PARTITIONS, observation.owners)
        self._recompute(workers, model, times)
        self._read_side_topics(observation.set_aside, self.plan.topology, model)
        observation.exit_codes += [worker.stop() for worker in workers]
        # A worker that drains leaves no row behind.
        self._read_archive()
        self._read_histories(model)
        self._run_undisturbed(model, times, ends)
        return observation

    def _restart(self, workers: list[Worker]) -> list[Worker]:
        self.observation.exit_codes += [worker.stop() for worker in workers]
        return [self.spawn(index).require_serving(READY_TIMEOUT_SECONDS) for index in range(len(workers))]

    def _model(self) -> Model:
        model = Model(self.plan, self.schemas)
        for topic, events in self.feed.published.events.items():
            model.apply(topic, events)
        for name, rules in model.sources.items():
            self.observation.expected_counters[name] = rules.counts
            self.observation.late_events += rules.counts["late"] + rules.counts["repaired"]
        return model

    def _times(self, model: Model) -> list[int]:
        """The moment of the last event, and two days after it."""
        newest = max(rules.watermark() for rules in model.sources.values())
        return [newest, newest + 2 * 86_400_000 + 12_345]

    def _recompute(self, workers: list[Worker], model: Model, times: list[int]) -> None:
        comparison = Comparison(model, ())
        owners = owners_of(workers)
        chance = random.Random(f"{self.seed}/points")
        for name, view in self.plan.views.items():
            keys = model.keys(name, RECOMPUTED_POINTS // len(self.plan.views), chance)
            features = [f"{name}:{feature.name}" for feature in [*view.features, *view.derived]]
            # Each key is asked of whoever has its partition.
            by_owner: dict[str, tuple[Worker, list[tuple]]] = {}
            for key in keys:
                owner = owners[partition_of_bytes(entity_key(key), PARTITIONS)]
                by_owner.setdefault(owner.name, (owner, []))[1].append(key)
            for owner, some in by_owner.values():
                entities = {join: [key[index] for key in some] for index, join in enumerate(view.keys)}
                for at in times:
                    for key, row in zip(some, owner.client.features(features, entities, as_of=at)):
                        comparison.compare(name, key, at, row)
        self.observation.recomputed = comparison.differences
        self.observation.recomputed_values = comparison.values

    def _read_archive(self) -> None:
        for name, source in self.plan.sources.items():
            self.observation.archived[name] = read_archive(self.tables / "events" / name)
            self.observation.expected_archived[name] = {
                (event.partition, event.offset, event.outcome) for event in self.feed.published.events[source.topic]
                if event.outcome in ("applied", "repaired", "filtered", "late")}

    def _read_histories(self, model: Model) -> None:
        for name, kind in kinds(self.topology).items():
            view = self.plan.views[name]
            events = self.feed.published.events[self.plan.sources[view.source].topic]
            reader = Reader(self.tables, model, view, kind, events)
            self.observation.histories[name] = reader.read(random.Random(f"{self.seed}/history"))

    def _read_side_topics(self, into: dict, topology: str, model: Model) -> None:
        for kind, outcome in (("dlq", "dead_lettered"), ("late", "late")):
            into[kind] = read_set_aside(self.broker.address, f"{topology}.{kind}")
            self.observation.expected_set_aside[kind] = {
                (topic, event.partition, event.offset)
                for topic, events in self.feed.published.events.items() for event in events if event.outcome == outcome}

    def _run_undisturbed(self, model: Model, times: list[int], ends: dict) -> None:
        """The same file under another name: another group, other side topics, the same input."""
        name = f"{self.plan.topology}-undisturbed"
        text = re.sub(r"(?m)^topology:.*$", f"topology: {name}", self.topology.read_text(), count=1)
        twin = self.folder / "undisturbed.yaml"
        twin.write_text(text)
        worker = Worker(self.folder, "undisturbed", twin, self.broker.address, schemas=self.schemas)
        worker.require_serving(READY_TIMEOUT_SECONDS)
        wait_until_applied([worker], ends, self.broker.address)
        observation = self.observation
        observation.reference = read_features([worker], model, times, PARTITIONS, observation.owners)
        observation.reference_counters = counters_of([worker])
        self._read_side_topics(observation.reference_set_aside, name, model)
        observation.exit_codes.append(worker.stop())

    def close(self) -> None:
        for process in [*self.workers, self.broker]:
            if process is not None:
                process.close()
