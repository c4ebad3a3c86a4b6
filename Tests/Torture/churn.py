"""Topics that are made, written, given partitions, deleted and made again; records that are deleted."""
from __future__ import annotations

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

import topics
from ledger import TopicLife
from workload import CLIENT_SETTINGS, Workload

NAMES = ("churn-0", "churn-1", "churn-2")
REQUEST_TIMEOUT_SECONDS = 2.0


class TopicChurn(Workload):
    """Every request is repeated until its effect is known, so that at the end it is clear what has to be there."""

    def work(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, **CLIENT_SETTINGS})
        generation = 0
        while not self.is_finishing:
            name = self.random.choice(NAMES)
            life = self.ledger.lives.setdefault(name, TopicLife(False, 0))
            if life.exists and life.partitions == topics.PARTITIONS and self.random.random() < 0.3:
                self._grow(admin, name, life)
                self._fill(name, life)
            elif life.exists:
                self._delete_topic(admin, name, life)
            else:
                generation += 1
                self._make_topic(admin, name, life, generation)
                self._fill(name, life)
            if self.random.random() < 0.3:
                self._delete_records(admin)
            self.pause(self.random.uniform(0, 40))

    def _make_topic(self, admin, name: str, life: TopicLife, generation: int) -> None:
        life.exists, life.generation, life.partitions, life.records = None, generation, topics.PARTITIONS, []
        self._insist(lambda: admin.create_topics(
            [NewTopic(name, topics.PARTITIONS, 1)], operation_timeout=REQUEST_TIMEOUT_SECONDS,
            request_timeout=REQUEST_TIMEOUT_SECONDS)[name], KafkaError.TOPIC_ALREADY_EXISTS)
        life.exists = True

    def _delete_topic(self, admin, name: str, life: TopicLife) -> None:
        life.exists = None
        self._insist(lambda: admin.delete_topics(
            [name], operation_timeout=REQUEST_TIMEOUT_SECONDS, request_timeout=REQUEST_TIMEOUT_SECONDS)[name],
            KafkaError.UNKNOWN_TOPIC_OR_PART)
        life.exists = False

    def _grow(self, admin, name: str, life: TopicLife) -> None:
        wanted = topics.PARTITIONS + 1
        self._insist(lambda: admin.create_partitions(
            [NewPartitions(name, wanted)], operation_timeout=REQUEST_TIMEOUT_SECONDS,
            request_timeout=REQUEST_TIMEOUT_SECONDS)[name], KafkaError.INVALID_PARTITIONS)
        life.partitions = wanted

    def _insist(self, request, is_done_already: int) -> None:
        """Asks until the answer is yes, or, after a lost answer, that it is so already."""
        while True:
            try:
                request().result()
                return
            except KafkaException as error:
                if error.args[0].code() == is_done_already:
                    return
                self.pause(20)

    def _fill(self, name: str, life: TopicLife) -> None:
        """A producer of its own: what it knows of the topic must not be of the topic's former life."""
        client = self.producer(enable_idempotence=False, max_in_flight_requests_per_connection=1)
        for _ in range(self.random.randint(5, 30)):
            sent = self.ledger.make(
                f"{self.name}.{life.generation}", name, self.random.randrange(life.partitions))
            life.records.append(sent)
            client.produce(name, sent.value, partition=sent.partition,
                           on_delivery=lambda error, message, sent=sent:
                           None if error else self.ledger.acknowledge(sent, message.offset()))
        client.flush(self.random.choice([0.05, 5.0]))
        client.purge()
        client.flush(0.05)

    def _delete_records(self, admin) -> None:
        """Moves the start of the retained topic to a random record that is there."""
        partition = self.random.randrange(topics.PARTITIONS)
        place = (topics.RETAINED.name, partition)
        newest = max((sent.offset for sent in self.ledger.records.get(place, ())[-400:]), default=-1)
        if newest < 1:
            return
        offset = self.random.randint(max(0, newest - 300), newest)
        try:
            asked = confluent_kafka.TopicPartition(*place, offset)
            for future in admin.delete_records([asked], request_timeout=REQUEST_TIMEOUT_SECONDS).values():
                low = future.result().low_watermark
                self.ledger.deleted_before[place] = max(self.ledger.deleted_before.get(place, 0), offset, low)
        except KafkaException:
            pass  # Unknown whether it was done; both are right.
