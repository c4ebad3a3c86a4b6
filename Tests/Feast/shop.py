"""The shop in Feast's words: what a team that moves to Headrace has already."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource
from feast.types import Array, Float64, Int64, String
from feast.value_type import ValueType

USER = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
SHOP = Entity(name="shop", join_keys=["shop"], value_type=ValueType.STRING)


def batch_source(folder, name):
    """Feast wants one for every view; nothing is ever read from it."""
    return FileSource(name=name, path=str(folder / f"{name}.parquet"), timestamp_field="event_timestamp")


def definitions(folder):
    pushed = PushSource(name="orders", batch_source=batch_source(folder, "orders_batch"))
    # What is pushed: events. The view has the name of the source in the topology.
    events = FeatureView(
        name="orders",
        entities=[USER],
        ttl=timedelta(days=1),
        schema=[
            Field(name="user_id", dtype=String),
            Field(name="amount", dtype=Float64),
            Field(name="shop", dtype=String),
            Field(name="items", dtype=Int64),
        ],
        source=pushed,
    )
    user_orders = FeatureView(
        name="user_orders",
        entities=[USER],
        ttl=timedelta(hours=1),
        schema=[
            Field(name="user_id", dtype=String),
            Field(name="orders_1h", dtype=Int64),
            Field(name="orders_24h", dtype=Int64),
            Field(name="spent_1h", dtype=Float64),
            Field(name="mean_amount_24h", dtype=Float64),
            Field(name="last_amount_24h", dtype=Float64),
            Field(name="last_shops_24h", dtype=Array(String)),
        ],
        source=batch_source(folder, "user_orders_batch"),
    )
    user_history = FeatureView(
        name="user_history",
        entities=[USER],
        ttl=timedelta(0),
        schema=[
            Field(name="user_id", dtype=String),
            Field(name="orders_7d", dtype=Int64),
            Field(name="items_7d", dtype=Int64),
        ],
        source=batch_source(folder, "user_history_batch"),
    )
    shop_orders = FeatureView(
        name="shop_orders",
        entities=[SHOP],
        ttl=timedelta(0),
        schema=[Field(name="shop", dtype=String), Field(name="orders_24h", dtype=Int64)],
        source=batch_source(folder, "shop_orders_batch"),
    )
    service = FeatureService(
        name="order_v1",
        features=[user_orders[["orders_1h", "mean_amount_24h"]], user_history[["items_7d"]]],
    )
    return [USER, SHOP, events, user_orders, user_history, shop_orders, service]
