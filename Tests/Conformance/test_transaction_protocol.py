"""The transaction coordinator request by request: error codes, versions, retries, and what a client library would
never send.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from kafka.protocol.consumer import OffsetFetchRequest
from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    TxnOffsetCommitRequest,
)

from harness.cluster import unique_name
from harness.wire import (
    Batch,
    Connection,
    fetch,
    init_producer,
    produce,
    wait_for_coordinator,
)

INVALID_PRODUCER_EPOCH, INVALID_TRANSACTION_STATE, INVALID_PRODUCER_ID_MAPPING = 47, 48, 49
INVALID_TRANSACTION_TIMEOUT, CONCURRENT_TRANSACTIONS, UNSTABLE_OFFSET_COMMIT, PRODUCER_FENCED = 50, 51, 88, 90


@dataclass
class Transaction:
    """One transactional producer, driven by hand."""

    connection: Connection
    name: str
    producer_id: int = -1
    epoch: int = -1
    sequence: int = 0

    def init(self, *, timeout_milliseconds: int = 60_000) -> Transaction:
        answer = init_producer(self.connection, self.name, timeout_milliseconds=timeout_milliseconds)
        assert answer.error_code == 0, answer
        self.producer_id, self.epoch, self.sequence = answer.producer_id, answer.producer_epoch, 0
        return self

    def add(self, topic: str, *, partition: int = 0, version: int = 0, epoch: int | None = None) -> int:
        """A broker may still be ending the transaction before (51); it is asked again."""
        for _ in range(200):
            request = AddPartitionsToTxnRequest(
                version=version,
                v3_and_below_transactional_id=self.name,
                v3_and_below_producer_id=self.producer_id,
                v3_and_below_producer_epoch=self.epoch if epoch is None else epoch,
                v3_and_below_topics=[
                    AddPartitionsToTxnRequest.AddPartitionsToTxnTopic(name=topic, partitions=[partition])
                ],
            )
            answer = self.connection.call(request)
            error = answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
            if error != CONCURRENT_TRANSACTIONS:
                return error
            time.sleep(0.02)
        raise AssertionError("CONCURRENT_TRANSACTIONS for 4 s")

    def send(
        self, topic: str, value: bytes, *, partition: int = 0, epoch: int | None = None, transactional: bool = True
    ) -> int:
        batch = Batch(
            records=[(None, value)],
            producer_id=self.producer_id,
            producer_epoch=self.epoch if epoch is None else epoch,
            base_sequence=self.sequence,
            transactional=transactional,
        )
        error = produce(self.connection, topic, batch, partition=partition, transactional_id=self.name).error
        if error == 0:
            self.sequence += 1
        return error

    def end(
        self, committed: bool, *, version: int = 1, epoch: int | None = None, producer_id: int | None = None
    ) -> int:
        return self.connection.call(
            EndTxnRequest(
                version=version,
                transactional_id=self.name,
                producer_id=self.producer_id if producer_id is None else producer_id,
                producer_epoch=self.epoch if epoch is None else epoch,
                committed=committed,
            )
        ).error_code

    def add_group(self, group: str) -> int:
        return self.connection.call(
            AddOffsetsToTxnRequest(
                version=0,
                transactional_id=self.name,
                producer_id=self.producer_id,
                producer_epoch=self.epoch,
                group_id=group,
            )
        ).error_code

    def commit_offset(
        self, group: str, topic: str, offset: int, *, generation: int = -1, member: str = "", version: int = 3
    ) -> int:
        answer = self.connection.call(
            TxnOffsetCommitRequest(
                version=version,
                transactional_id=self.name,
                group_id=group,
                producer_id=self.producer_id,
                producer_epoch=self.epoch,
                generation_id=generation,
                member_id=member,
                group_instance_id=None,
                topics=[
                    TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic(
                        name=topic,
                        partitions=[
                            TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic.TxnOffsetCommitRequestPartition(
                                partition_index=0,
                                committed_offset=offset,
                                committed_leader_epoch=-1,
                                committed_metadata="m",
                            )
                        ],
                    )
                ],
            )
        )
        return answer.topics[0].partitions[0].error_code


@pytest.fixture
def transaction(connection):
    name = unique_name("transaction")
    wait_for_coordinator(connection, name, transactions=True)
    return Transaction(connection, name).init()


def end_of(connection, topic: str, *, partition: int = 0) -> tuple[int, int]:
    found = fetch(connection, topic, 0, partition=partition)
    return found.last_stable_offset, found.high_watermark


def end_settled(transaction: Transaction, topic: str) -> tuple[int, int]:
    """The ends after a foreign broker has written its markers, which it may do after it answered."""
    for _ in range(200):
        stable, high = end_of(transaction.connection, topic)
        if stable == high:
            break
        time.sleep(0.02)
    return stable, high


def test_the_epoch_grows_with_every_init(connection, transaction):
    first = (transaction.producer_id, transaction.epoch)
    again = Transaction(connection, transaction.name).init()
    assert (again.producer_id, again.epoch) == (first[0], first[1] + 1)


def test_init_aborts_what_was_open(connection, topic, transaction):
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"open") == 0
    assert end_of(connection, topic) == (0, 1)
    heir = Transaction(connection, transaction.name).init()
    assert end_settled(heir, topic) == (2, 2)
    found = fetch(connection, topic, 0, committed_only=True)
    assert found.aborted == [(transaction.producer_id, 0)]
    assert transaction.send(topic, b"zombie") == INVALID_PRODUCER_EPOCH
    assert transaction.add(topic) == INVALID_PRODUCER_EPOCH


def test_a_timeout_above_the_limit_is_refused(connection):
    name = unique_name("transaction")
    wait_for_coordinator(connection, name, transactions=True)
    for timeout in (10**9, 0, -1):
        assert init_producer(connection, name, timeout_milliseconds=timeout).error_code == INVALID_TRANSACTION_TIMEOUT
    assert init_producer(connection, "", timeout_milliseconds=1000).error_code == 42


def test_records_in_a_partition_that_is_not_in_the_transaction_are_refused(connection, topic, transaction):
    assert transaction.send(topic, b"x") == INVALID_TRANSACTION_STATE
    assert end_of(connection, topic) == (0, 0)


def test_a_late_record_of_an_ended_transaction_does_not_hang_the_partition(connection, topic, transaction):
    """Jepsen's lost write: a Produce that arrives after its transaction ended must not open a new one."""
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"in time") == 0
    assert transaction.end(False) == 0
    assert end_settled(transaction, topic) == (2, 2)
    assert transaction.send(topic, b"late") == INVALID_TRANSACTION_STATE
    assert end_of(connection, topic) == (2, 2)


def test_a_plain_batch_inside_a_transaction_is_refused(topic, transaction):
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"x") == 0
    assert transaction.send(topic, b"plain", transactional=False) == INVALID_TRANSACTION_STATE
    assert transaction.send(topic, b"y") == 0
    assert transaction.end(True) == 0


def test_a_control_batch_from_a_client_is_refused(connection, topic, transaction):
    marker = Batch(
        records=[(b"\0\0\0\1", b"\0\0\0\0\0\0")],
        producer_id=transaction.producer_id,
        producer_epoch=transaction.epoch,
        base_sequence=-1,
        transactional=True,
        control=True,
    )
    assert transaction.add(topic) == 0
    assert produce(connection, topic, marker, transactional_id=transaction.name).error in (2, 42, 87)
    assert end_of(connection, topic)[1] == 0


@pytest.mark.parametrize("committed", (True, False))
def test_the_same_end_again_succeeds_and_the_other_does_not(connection, topic, transaction, committed):
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"x") == 0
    assert transaction.end(committed) == 0
    assert end_settled(transaction, topic) == (2, 2)
    assert transaction.end(committed) == 0
    assert transaction.end(not committed) == INVALID_TRANSACTION_STATE
    assert end_settled(transaction, topic) == (2, 2), "a retry wrote a second marker"


def test_an_end_without_a_beginning_is_refused(transaction):
    assert transaction.end(True) == INVALID_TRANSACTION_STATE


def test_errors_of_a_fenced_producer_depend_on_the_version(connection, topic, transaction):
    """PRODUCER_FENCED is only known to AddPartitions 2, EndTxn 2 and later; librdkafka speaks older ones."""
    stale = transaction.epoch
    transaction.init()
    assert transaction.add(topic, epoch=stale, version=0) == INVALID_PRODUCER_EPOCH
    assert transaction.add(topic, epoch=stale, version=2) == PRODUCER_FENCED
    assert transaction.end(True, epoch=stale, version=1) == INVALID_PRODUCER_EPOCH
    assert transaction.end(True, epoch=stale, version=2) == PRODUCER_FENCED
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"x", epoch=stale) == INVALID_PRODUCER_EPOCH
    assert transaction.end(False) == 0


def test_a_foreign_producer_id_is_refused(topic, transaction):
    assert transaction.end(True, producer_id=transaction.producer_id + 1000) == INVALID_PRODUCER_ID_MAPPING


def test_partitions_that_do_not_exist_are_refused(transaction):
    assert transaction.add("no-such-topic") == 3


def test_offsets_are_pending_until_the_end(connection, topic, group, transaction):
    wait_for_coordinator(connection, group)
    assert transaction.add_group(group) == 0
    assert transaction.commit_offset(group, topic, 42) == 0
    assert committed(connection, group, topic, stable=True) == (UNSTABLE_OFFSET_COMMIT, -1)
    assert committed(connection, group, topic, stable=False) == (0, -1)
    assert transaction.end(True) == 0
    for _ in range(200):
        found = committed(connection, group, topic, stable=True)
        if found[0] == 0:
            break
        time.sleep(0.02)
    assert found == (0, 42)


def test_offsets_of_a_wrong_generation_are_refused(connection, topic, group, transaction):
    wait_for_coordinator(connection, group)
    assert transaction.add_group(group) == 0
    assert transaction.commit_offset(group, topic, 1, generation=3, member="ghost") in (22, 25)
    assert transaction.end(False) == 0
    assert committed(connection, group, topic, stable=True) == (0, -1)


def committed(connection, group: str, topic: str, *, stable: bool) -> tuple[int, int]:
    answer = connection.call(
        OffsetFetchRequest(
            version=7,
            group_id=group,
            require_stable=stable,
            topics=[OffsetFetchRequest.OffsetFetchRequestTopic(name=topic, partition_indexes=[0])],
        )
    )
    if answer.error_code:
        return answer.error_code, -1
    partition = answer.topics[0].partitions[0]
    return partition.error_code, partition.committed_offset


def test_the_aborted_list_names_what_overlaps_the_fetch(connection, topic):
    """Sorted by first offset, nothing that ended before the fetch, null for read_uncommitted."""
    name = lambda: unique_name("transaction")
    first, second = Transaction(connection, name()).init(), Transaction(connection, name()).init()
    for transaction in (first, second):
        assert transaction.add(topic) == 0
    assert second.send(topic, b"0") == 0
    assert first.send(topic, b"1") == 0
    assert first.end(False) == 0
    assert second.end(False) == 0
    assert end_settled(second, topic) == (4, 4)
    assert fetch(connection, topic, 0, committed_only=True).aborted == [(second.producer_id, 0), (first.producer_id, 1)]
    assert (second.producer_id, 0) in fetch(connection, topic, 3, committed_only=True).aborted
    assert not fetch(connection, topic, 4, committed_only=True).aborted
    assert fetch(connection, topic, 0).aborted is None


def test_a_marker_is_a_control_batch_with_one_record(connection, topic, transaction):
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"x") == 0
    assert transaction.end(True) == 0
    end_settled(transaction, topic)
    data, marker = fetch(connection, topic, 0).batches
    assert data.is_transactional and not data.is_control_batch
    assert marker.is_transactional and marker.is_control_batch and marker.validate_crc()
    assert (marker.producer_id, marker.producer_epoch, marker.base_sequence) == (
        transaction.producer_id,
        transaction.epoch,
        -1,
    )
    (record,) = marker
    assert record.key == b"\0\0\0\1" and record.value[:2] == b"\0\0" and len(record.value) == 6
    assert record.offset == 1


def test_read_committed_returns_nothing_at_or_past_the_stable_offset(connection, topic, transaction):
    for value in (b"0", b"1"):
        assert produce(connection, topic, Batch(records=[(None, value)])).error == 0
    assert transaction.add(topic) == 0
    assert transaction.send(topic, b"open") == 0
    assert produce(connection, topic, Batch(records=[(None, b"after")])).error == 0
    found = fetch(connection, topic, 0, committed_only=True)
    assert (found.last_stable_offset, found.high_watermark) == (2, 4)
    assert [batch.base_offset for batch in found.batches] == [0, 1]
    assert fetch(connection, topic, 2, committed_only=True).batches == []
    assert [batch.base_offset for batch in fetch(connection, topic, 0).batches] == [0, 1, 2, 3]
    assert transaction.end(True) == 0


def test_recovery_of_an_idempotent_producer_id(connection):
    """KIP-360: a client that names its id and epoch gets the id back with the next epoch, or a new id."""
    first = init_producer(connection)
    again = init_producer(connection, producer_id=first.producer_id, producer_epoch=first.producer_epoch)
    assert again.error_code == 0
    assert (again.producer_id, again.producer_epoch) != (first.producer_id, first.producer_epoch)


def test_recovery_of_a_transactional_producer_id(connection, transaction):
    again = init_producer(
        connection, transaction.name, producer_id=transaction.producer_id, producer_epoch=transaction.epoch
    )
    assert (again.error_code, again.producer_id, again.producer_epoch) == (
        0,
        transaction.producer_id,
        transaction.epoch + 1,
    )
    stranger = init_producer(connection, transaction.name, producer_id=transaction.producer_id + 1000, producer_epoch=0)
    assert stranger.error_code in (INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED)
