"""What a run left behind: features of every key, records set aside, counters; of the tortured workers and of an undisturbed one."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import confluent_kafka
import deltalake
import duckdb

from history import History
from model import Model
from processes import Worker
from progress import owners_of
from streams import LOGGER, partition_of_bytes

KEYS_PER_REQUEST = 100
Place = tuple[str, int, int]


@dataclass
class Observation:
    # (view, key, read time, feature) → value, status and event time as the bytes of the answer have them.
    features: dict[tuple, str] = field(default_factory=dict)
    reference: dict[tuple, str] = field(default_factory=dict)
    restarted: dict[tuple, str] = field(default_factory=dict)
    # Origin of each record of the side topics, as often as it is there.
    set_aside: dict[str, list[Place]] = field(default_factory=dict)
    reference_set_aside: dict[str, list[Place]] = field(default_factory=dict)
    expected_set_aside: dict[str, set[Place]] = field(default_factory=dict)
    # Of each source's archive: partition, offset and outcome of every row.
    archived: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    expected_archived: dict[str, set[tuple[int, int, str]]] = field(default_factory=dict)
    # Of each view with a history: its rows.
    histories: dict[str, History] = field(default_factory=dict)
    counters: dict[str, Counter[str]] = field(default_factory=dict)
    reference_counters: dict[str, Counter[str]] = field(default_factory=dict)
    expected_counters: dict[str, Counter[str]] = field(default_factory=dict)
    # Differences from a recomputation, and how many values were held against it.
    recomputed: list[str] = field(default_factory=list)
    recomputed_values: int = 0
    # When views that no plan changes were not answered, or did not move.
    pauses: list[str] = field(default_factory=list)
    # Events that came behind the lateness of their source.
    late_events: int = 0
    exit_codes: list[int] = field(default_factory=list)
    owners: Counter[str] = field(default_factory=Counter)

    def copy(self) -> "Observation":
        return copy.deepcopy(self)


def read_features(workers: list[Worker], model: Model, times: list[int], partitions: int,
                  owners: Counter[str]) -> dict[tuple, str]:
    """Every feature of every key at each time, each asked of the worker that has the key's partition."""
    found: dict[tuple, str] = {}
    tasks = owners_of(workers)
    for name, view in model.plan.views.items():
        features = [f"{name}:{feature.name}" for feature in [*view.features, *view.derived]]
        by_partition: dict[int, list[tuple]] = {}
        for key in sorted(model.views[name].rows, key=repr):
            by_partition.setdefault(partition_of_bytes(entity_key(key), partitions), []).append(key)
        for partition, keys in by_partition.items():
            worker = tasks[partition]
            owners[worker.name] += len(keys)
            for start in range(0, len(keys), KEYS_PER_REQUEST):
                some = keys[start:start + KEYS_PER_REQUEST]
                for at in times:
                    for key, answer in zip(some, read_keys(worker, view.keys, some, features, at)):
                        for feature, text in answer.items():
                            found[name, key, at, feature] = text
    return found


def entity_key(key: tuple) -> bytes:
    """What a row is kept and partitioned by: the value itself, or each of several with its length in front."""
    texts = [str(part).encode() for part in key]
    return texts[0] if len(texts) == 1 else b"".join(bytes([len(text)]) + text for text in texts)


def read_keys(worker: Worker, joins: list[str], keys: list[tuple], features: list[str], at: int) -> list[dict[str, str]]:
    """For each key: feature → value, status and event time as text."""
    entities = {join: [key[index] for key in keys] for index, join in enumerate(joins)}
    body = {"features": features, "entities": entities, "full_feature_names": True, "as_of": at}
    content = worker.client.request("POST", "/get-online-features", body)
    # Numbers stay as they are written: equal texts are equal bits.
    answer = json.loads(content, parse_float=str, parse_int=str)
    names = answer["metadata"]["feature_names"]
    return [{name: json.dumps([column["values"][row], column["statuses"][row], column["event_timestamps"][row]])
             for name, column in zip(names, answer["results"])} for row in range(len(keys))]


def read_archive(folder: Path) -> list[tuple[int, int, str]]:
    """Rows of a Delta table as its log has them, read by others."""
    if not folder.exists():
        return []
    files = deltalake.DeltaTable(str(folder)).file_uris()
    with duckdb.connect() as connection:
        return connection.execute(
            "select _partition, _offset, _outcome from read_parquet(?)", [files]).fetchall() if files else []


def read_set_aside(bootstrap: str, topic: str) -> list[Place]:
    """Where the records of a side topic came from; only committed ones are seen."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "torture-reader", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest",
        "logger": LOGGER})
    metadata = consumer.list_topics(topic, timeout=10).topics[topic]
    partitions = [confluent_kafka.TopicPartition(topic, number, 0) for number in metadata.partitions]
    if metadata.error is not None or not partitions:
        consumer.close()
        return []
    consumer.assign(partitions)
    places: list[Place] = []
    open_partitions = {partition.partition for partition in partitions}
    while open_partitions:
        message = consumer.poll(10)
        if message is None:
            raise RuntimeError(f"{topic} cannot be read to its end")
        if message.error() is not None:
            if message.error().code() != confluent_kafka.KafkaError._PARTITION_EOF:
                raise RuntimeError(str(message.error()))
            open_partitions.discard(message.partition())
            continue
        headers = {name: value.decode() for name, value in message.headers() or []}
        origin = re.fullmatch(r"(.+)/(\d+)@(\d+)", headers["headrace-src"])
        place = origin[1], int(origin[2]), int(origin[3])
        named = tuple(headers.get(f"__streams.errors.{part}", str(place[index]))
                      for index, part in enumerate(("topic", "partition", "offset")))
        places.append(place if named == tuple(map(str, place)) else ("headers differ", *place[1:]))
    consumer.close()
    return places
