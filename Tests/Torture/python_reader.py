"""A group member of the second client library."""
from __future__ import annotations

from collections import defaultdict

import kafka
from kafka.errors import KafkaError

from ledger import TopicPartition
from readers import Seen
from workload import Workload


class PythonGroupReader(Workload):
    """Reads one topic with kafka-python, commits what it read, and reads back what it committed."""

    def __init__(self, name, context, topic_name: str):
        super().__init__(name, context)
        self.topic_name = topic_name
        self.seen: dict[TopicPartition, list[Seen]] = defaultdict(list)

    def work(self) -> None:
        while not self.is_finishing:
            consumer = self._consumer()
            try:
                while not self.is_finishing:
                    self._read(consumer)
                    self._commit(consumer)
                    self.pause(50)
            except KafkaError:
                pass  # The library hands the end of a connection to its user, who begins anew.
            consumer.close(autocommit=False, timeout_ms=1000)

    def _consumer(self) -> kafka.KafkaConsumer:
        return kafka.KafkaConsumer(
            self.topic_name, bootstrap_servers=self.bootstrap, group_id=self.name, enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed", session_timeout_ms=6000,
            heartbeat_interval_ms=300, reconnect_backoff_ms=20, reconnect_backoff_max_ms=150, retry_backoff_ms=30,
            request_timeout_ms=7000, fetch_max_wait_ms=100)

    def _read(self, consumer: kafka.KafkaConsumer) -> None:
        for place, messages in consumer.poll(timeout_ms=200, max_records=2000).items():
            self.seen[place.topic, place.partition] += [
                Seen(message.offset, message.key, message.value) for message in messages]

    def _commit(self, consumer: kafka.KafkaConsumer) -> None:
        try:
            positions = {place: consumer.position(place, timeout_ms=500) for place in consumer.assignment()}
            positions = {place: offset for place, offset in positions.items() if offset is not None}
            if not positions:
                return
            consumer.commit({
                place: kafka.structs.OffsetAndMetadata(offset, "", -1) for place, offset in positions.items()})
            for place, offset in positions.items():
                self.ledger.commit(self.name, (place.topic, place.partition), offset, is_read_back=False)
            for place in positions:
                found = consumer.committed(place)
                self.ledger.commit(self.name, (place.topic, place.partition), found or 0, is_read_back=True)
        except KafkaError:
            pass  # Whether it was committed is unknown; nobody was told that it was.
