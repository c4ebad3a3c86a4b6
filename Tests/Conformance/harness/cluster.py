"""The cluster that a test talks to: our broker, or any other one named by `BOOTSTRAP`."""

from __future__ import annotations

import itertools
import os
import secrets
from dataclasses import dataclass, field

import kafka
from confluent_kafka.admin import AdminClient, NewTopic

from . import QUIET
from .broker import Broker

EXTERNAL_BOOTSTRAP = os.environ.get("BOOTSTRAP")
numbers = itertools.count(1)


@dataclass
class Cluster:
    """`broker` is None when the cluster is not ours."""

    bootstrap: str
    broker: Broker | None = None
    _admin: AdminClient | None = field(default=None, repr=False)

    @property
    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap}, logger=QUIET)
        return self._admin

    def kafka_python_admin(self) -> kafka.KafkaAdminClient:
        return kafka.KafkaAdminClient(bootstrap_servers=self.bootstrap)

    @property
    def session_timeout_milliseconds(self) -> int:
        """Short where we set the lower limit ourselves; else the shortest that Apache Kafka allows by default."""
        return 1_500 if self.broker else 6_000

    def create_topic(self, partitions: int = 1, *, name: str | None = None, **config: object) -> str:
        """A new topic; underscores in config names stand for dots."""
        name = name or unique_name("topic")
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        replication = 1 if self.broker else -1
        created = self.admin.create_topics(
            [NewTopic(name, partitions, replication_factor=replication, config=settings)]
        )
        created[name].result(20)
        return name

    def delete_topic(self, name: str) -> None:
        self.admin.delete_topics([name])[name].result(20)


def unique_name(kind: str) -> str:
    return f"{kind}-{next(numbers)}-{secrets.token_hex(3)}"
