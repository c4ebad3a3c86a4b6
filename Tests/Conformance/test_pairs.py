"""What one client writes, every other client reads, in every compression."""

from __future__ import annotations

import pytest

from harness.clients import ALL_CLIENTS, COMPRESSIONS, name_of
from harness.records import contents, text_records
from harness.wire import Connection, fetch

COUNT = 400


@pytest.fixture(scope="module")
def written(shared_cluster):
    """Topics by (producer, compression), each written once."""
    topics = {}

    def topic_for(producer, compression: str) -> str:
        if (producer.name, compression) not in topics:
            name = shared_cluster.create_topic()
            producer.produce(shared_cluster.bootstrap, name, text_records(1, COUNT), compression=compression)
            topics[producer.name, compression] = name
        return topics[producer.name, compression]

    return topic_for


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("consumer", ALL_CLIENTS, ids=name_of)
@pytest.mark.parametrize("producer", ALL_CLIENTS, ids=name_of)
def test_every_pair_of_clients_agrees(cluster, written, producer, consumer, compression):
    read = consumer.consume(cluster.bootstrap, written(producer, compression))
    assert contents(read) == contents(text_records(1, COUNT))
    assert [record.offset for record in read] == list(range(COUNT))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("producer", ALL_CLIENTS, ids=name_of)
def test_batches_are_stored_in_the_compression_that_was_asked_for(cluster, written, producer, compression):
    """Old librdkafka silently stops compressing when a broker advertises no old Produce version: the rows above would
    not show it.
    """
    topic = written(producer, compression)
    with Connection(cluster.bootstrap) as connection:
        batches = fetch(connection, topic, 0).batches
    used = {batch.compression_type for batch in batches}
    # A client may leave a batch as it is when compression would make it larger: librdkafka does so with a lone first
    # record.
    assert COMPRESSIONS.index(compression) in used and used <= {0, COMPRESSIONS.index(compression)}
