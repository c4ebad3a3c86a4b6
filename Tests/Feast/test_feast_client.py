"""An unchanged Feast client against Headrace: what it reads, what it writes, and what it is told when it errs.

Every test has a user of its own, so that tests may share the server.
"""

import itertools
from datetime import datetime, timedelta, timezone

import pandas
import pytest
import requests
from feast.errors import FeastObjectNotFoundException, FeatureServiceNotFoundException, FeatureViewNotFoundException
from feast.feature_service import FeatureService
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.remote import RemoteOnlineStore
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from conftest import wait_for

USERS = (f"user-{number}" for number in itertools.count())


@pytest.fixture
def user():
    return next(USERS)


def orders(user, *rows):
    """A frame of orders: (amount, shop, how long ago)."""
    now = datetime.now(timezone.utc)
    return pandas.DataFrame(
        {
            "user_id": [user] * len(rows),
            "amount": [float(amount) for amount, _, _ in rows],
            "shop": [shop for _, shop, _ in rows],
            "items": [2] * len(rows),
            "event_timestamp": [now - ago for _, _, ago in rows],
        }
    )


def read(store, features, user, **options):
    """Values and statuses of one user by feature."""
    response = store.get_online_features(features=features, entity_rows=[{"user_id": user}], **options).proto
    names = response.metadata.feature_names.val
    return {
        name: (result.values[0], FieldStatus.Name(result.statuses[0])) for name, result in zip(names, response.results)
    }


def read_when_there(store, user, count, features=("user_orders:orders_24h",)):
    """What is read once `count` orders of the last day are applied."""

    def found():
        values = read(store, list(features), user)
        return values if values["orders_24h"][0].int64_val == count else None

    return wait_for(found, f"{count} orders of {user}")


SECOND = timedelta(seconds=1)
FEATURES = [
    "user_orders:orders_1h",
    "user_orders:orders_24h",
    "user_orders:spent_1h",
    "user_orders:mean_amount_24h",
    "user_orders:last_amount_24h",
    "user_orders:last_shops_24h",
    "user_history:items_7d",
]


def test_a_push_is_read_back_as_features(store, user):
    store.push("orders", orders(user, (1, "a", 3 * SECOND), (2, "b", 2 * SECOND), (6, "c", SECOND)))
    values = read_when_there(store, user, 3, FEATURES)
    assert {status for _, status in values.values()} == {"PRESENT"}
    assert values["user_id"][0].string_val == user
    assert values["orders_1h"][0].int64_val == 3
    # Whole doubles stay doubles on the way.
    assert values["spent_1h"][0].WhichOneof("val") == "double_val" and values["spent_1h"][0].double_val == 9.0
    assert values["mean_amount_24h"][0].double_val == 3.0
    assert values["last_amount_24h"][0].double_val == 6.0
    assert sorted(values["last_shops_24h"][0].string_list_val.val) == ["b", "c"]
    assert values["items_7d"][0].int64_val == 6


def test_write_to_online_store_lands_in_the_log_too(store, user):
    store.write_to_online_store("orders", orders(user, (5, "a", SECOND)))
    assert read_when_there(store, user, 1)["orders_24h"][1] == "PRESENT"


def test_full_names_and_several_users(store, user):
    store.push("orders", orders(user, (5, "a", SECOND)))
    read_when_there(store, user, 1)
    response = store.get_online_features(
        features=["user_orders:orders_24h", "user_history:orders_7d"],
        entity_rows=[{"user_id": user}, {"user_id": "nobody"}],
        full_feature_names=True,
    )
    assert response.to_dict() == {
        "user_id": [user, "nobody"],
        "user_orders__orders_24h": [1, None],
        "user_history__orders_7d": [1, None],
    }


def test_two_entities_in_one_call(store, user):
    shop = f"shop-of-{user}"
    store.push("orders", orders(user, (5, shop, SECOND)))
    features = ["user_orders:orders_1h", "shop_orders:orders_24h"]

    def found():
        rows = store.get_online_features(features=features, entity_rows=[{"user_id": user, "shop": shop}]).to_dict()
        return rows if rows["orders_24h"] == [1] and rows["orders_1h"] == [1] else None

    wait_for(found, "both views")


def test_feature_service(store, user):
    store.push("orders", orders(user, (5, "a", SECOND), (7, "a", SECOND)))
    read_when_there(store, user, 2)
    service = store.get_feature_service("order_v1")
    row = store.get_online_features(features=service, entity_rows=[{"user_id": user}]).to_dict()
    assert row == {"user_id": [user], "orders_1h": [2], "mean_amount_24h": [6.0], "items_7d": [4]}
    # The default of the service, where nobody is known.
    nobody = store.get_online_features(features=service, entity_rows=[{"user_id": "nobody"}]).to_dict()
    assert nobody == {"user_id": ["nobody"], "orders_1h": [None], "mean_amount_24h": [None], "items_7d": [0]}


def test_missing_entities_are_not_found(store):
    values = read(store, ["user_orders:orders_1h"], "nobody")
    assert values["orders_1h"][1] == "NOT_FOUND" and values["orders_1h"][0].WhichOneof("val") is None


def test_a_value_past_its_ttl_is_not_served_as_fresh(store, user):
    """Feast issue 6821: what is older than the ttl must not look present."""
    store.push("orders", orders(user, (5, "a", timedelta(hours=2))))

    def found():
        values = read(store, ["user_orders:orders_24h", "user_history:orders_7d"], user)
        return values if values["orders_7d"][1] == "PRESENT" else None

    values = wait_for(found, "the order of two hours ago")
    assert values["orders_24h"][1] == "OUTSIDE_MAX_AGE"
    assert values["orders_24h"][0].WhichOneof("val") is None
    # The view without ttl knows it still.
    assert values["orders_7d"][0].int64_val == 1


def test_an_older_event_does_not_overwrite_a_newer_one(store, user):
    store.push("orders", orders(user, (7, "a", SECOND)))
    read_when_there(store, user, 1)
    store.push("orders", orders(user, (1, "a", timedelta(minutes=10))))
    values = read_when_there(store, user, 2, ["user_orders:orders_24h", "user_orders:last_amount_24h"])
    assert values["last_amount_24h"][0].double_val == 7.0


def test_provider_level_read_is_typed_by_the_schema(store, user):
    pushed = orders(user, (5, "a", SECOND))
    store.push("orders", pushed)
    read_when_there(store, user, 1)
    key = EntityKey(join_keys=["user_id"], entity_values=[Value(string_val=user)])
    assert serialize_entity_key(key, entity_key_serialization_version=3)
    rows = RemoteOnlineStore().online_read(
        store.config,
        store.get_feature_view("user_orders"),
        [key],
        ["orders_24h", "spent_1h", "last_shops_24h"],
    )
    event_time, values = rows[0]
    assert abs(event_time - pushed["event_timestamp"][0].to_pydatetime()) < timedelta(milliseconds=2)
    assert values["orders_24h"].int64_val == 1 and values["spent_1h"].double_val == 5.0
    assert list(values["last_shops_24h"].string_list_val.val) == ["a"]


def test_what_is_not_there_raises_what_feast_raises(store, address):
    online = RemoteOnlineStore()

    def get(features):
        return online.get_online_features(
            store.config, features, [{"user_id": "u"}], store.registry, store.project
        )

    with pytest.raises(FeatureViewNotFoundException, match="Feature view nope does not exist in project shop"):
        get(["nope:orders_1h"])
    with pytest.raises(FeastObjectNotFoundException, match="Feature nope not found in projection user_orders"):
        get(["user_orders:nope"])
    with pytest.raises(FeatureServiceNotFoundException, match="nope"):
        get(FeatureService(name="nope", features=[]))


def test_events_against_the_contract_are_refused_with_the_field(store, user):
    with pytest.raises(RuntimeError, match="(?s)422.*amount"):
        store.push("orders", orders(user, (-5, "a", SECOND)))
    assert read(store, ["user_orders:orders_24h"], user)["orders_24h"][1] == "NOT_FOUND"


def test_on_demand_features_and_reading_ones_own_write(address, user):
    """The additions to the protocol, over plain HTTP."""
    timestamp = datetime.now(timezone.utc).isoformat()
    frame = {"user_id": [user], "amount": [4.0], "event_timestamp": [timestamp]}
    pushed = requests.post(f"http://{address}/push", json={"push_source_name": "orders", "df": frame}, timeout=10)
    assert pushed.status_code == 200 and pushed.content == b""
    body = {
        "features": ["amount_vs_mean", "user_orders:orders_1h"],
        "entities": {"user_id": [user], "amount": [10.0]},
        "min_offset": pushed.headers["headrace-offsets"].split(","),
        "wait_ms": 5000,
    }
    answer = requests.post(f"http://{address}/get-online-features", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    results = dict(zip(answer.json()["metadata"]["feature_names"], answer.json()["results"]))
    assert results["amount_vs_mean"]["values"] == [2.5]
    assert results["orders_1h"]["values"] == [1]
    assert answer.json()["headrace"]["tile"] is False


def test_the_push_source_that_is_not_there(address):
    answer = requests.post(f"http://{address}/push", json={"push_source_name": "nope", "df": {}}, timeout=10)
    assert answer.status_code == 422 and "PushSourceNotFoundException" in answer.json()


def test_health(address):
    answer = requests.get(f"http://{address}/health", timeout=10)
    assert answer.status_code == 200 and answer.content == b""
