#!/usr/bin/env python3
"""A Feast 0.67 repository with the benchmark's view: the same 20 feature names, as many users, values of the same looks.

    feast_store.py FOLDER --store sqlite|redis:PORT [--users 100000]

Writes FOLDER/feature_store.yaml, applies the definitions and loads the online store, so that `feast -c FOLDER serve` answers
the requests of read.lua. Run by `run`, in an environment with `feast==0.67.0` (and `redis` for Redis).
"""

from __future__ import annotations

import argparse
import datetime
import pathlib
import time

import numpy
import pandas
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.types import Float64, Int64
from feast.value_type import ValueType

AGGREGATES = ["payments", "spent", "mean_amount", "largest", "smallest"]
WINDOWS = ["5m", "1h", "6h", "24h"]
FEATURES = [f"{aggregate}_{window}" for aggregate in AGGREGATES for window in WINDOWS]
ROWS_PER_WRITE = 10_000


def definitions(folder: pathlib.Path) -> list:
    user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
    # Feast wants a batch source; it is read once, for its types.
    batch = FileSource(name="user_stats_batch", path=str(folder / "batch.parquet"), timestamp_field="event_timestamp")
    view = FeatureView(
        name="user_stats", entities=[user], ttl=datetime.timedelta(days=365), online=True, source=batch,
        schema=[Field(name=name, dtype=Int64 if name.startswith("payments") else Float64) for name in FEATURES])
    return [user, batch, view]


def frame(first: int, count: int) -> pandas.DataFrame:
    """Counts, amounts with cents, and means with as many digits as doubles have."""
    random = numpy.random.default_rng(first)
    columns = {"user_id": [f"u{user:06d}" for user in range(first, first + count)]}
    for name in FEATURES:
        if name.startswith("payments"):
            columns[name] = random.integers(1, 30, count)
        elif name.startswith("mean"):
            columns[name] = random.random(count) * 900
        else:
            columns[name] = numpy.round(random.random(count) * 900 * 4) / 4
    columns["event_timestamp"] = pandas.Timestamp.now(tz="UTC")
    return pandas.DataFrame(columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--users", type=int, default=100_000)
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    kind, _, port = arguments.store.partition(":")
    online = (f"{{type: redis, connection_string: '127.0.0.1:{port}'}}" if kind == "redis"
              else f"{{type: sqlite, path: {folder}/online.db}}")
    (folder / "feature_store.yaml").write_text(
        f"project: bench\nprovider: local\nregistry: {{path: {folder}/registry.db, cache_ttl_seconds: 3600}}\n"
        f"online_store: {online}\noffline_store: {{type: dask}}\nentity_key_serialization_version: 3\n")
    frame(0, 100).to_parquet(folder / "batch.parquet")
    store = FeatureStore(str(folder))
    store.apply(definitions(folder))
    began = time.monotonic()
    for first in range(0, arguments.users, ROWS_PER_WRITE):
        store.write_to_online_store("user_stats", df=frame(first, min(ROWS_PER_WRITE, arguments.users - first)))
    print(f"Feast on {kind}: {arguments.users:,} users loaded in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
