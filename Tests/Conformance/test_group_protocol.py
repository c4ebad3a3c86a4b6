"""The group coordinator request by request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest
from kafka.protocol.consumer import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    OffsetCommitRequest,
    SyncGroupRequest,
)

from harness.cluster import unique_name
from harness.wire import Connection, wait_for_coordinator

ILLEGAL_GENERATION, INCONSISTENT_PROTOCOL, INVALID_GROUP, UNKNOWN_MEMBER = 22, 23, 24, 25
INVALID_SESSION_TIMEOUT, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED, FENCED_INSTANCE = 26, 27, 79, 82


@dataclass
class HandMember:
    """A group member on a connection of its own, since a JoinGroup waits for the others."""

    bootstrap: str
    group: str
    topic: str
    instance: str | None = None
    member: str = ""
    generation: int = -1
    leader: str = ""
    session: int = 10_000
    protocols: tuple[tuple[str, bytes], ...] = (("range", b"metadata"),)
    protocol: str = ""

    def __post_init__(self):
        self.connection = Connection(self.bootstrap, timeout=30)

    def join(self, *, version: int = 5, rebalance_timeout: int = 10_000, protocol_type: str = "consumer") -> int:
        """Joins and takes the member id that is asked for (79); returns the error of the last answer."""
        for _ in range(2):
            answer = self.connection.call(
                JoinGroupRequest(
                    version=version,
                    group_id=self.group,
                    session_timeout_ms=self.session,
                    rebalance_timeout_ms=rebalance_timeout,
                    member_id=self.member,
                    group_instance_id=self.instance,
                    protocol_type=protocol_type,
                    protocols=[
                        JoinGroupRequest.JoinGroupRequestProtocol(name=name, metadata=data)
                        for name, data in self.protocols
                    ],
                )
            )
            if answer.error_code != MEMBER_ID_REQUIRED:
                break
            self.member = answer.member_id
        if answer.error_code == 0:
            self.member, self.generation, self.leader = answer.member_id, answer.generation_id, answer.leader
            self.protocol, self.members = answer.protocol_name, [each.member_id for each in answer.members]
        return answer.error_code

    def join_in_background(self, **options) -> threading.Thread:
        thread = threading.Thread(target=self.join, kwargs=options, daemon=True)
        thread.start()
        return thread

    def sync(self, assignments: dict[str, bytes] | None = None, *, generation: int | None = None) -> tuple[int, bytes]:
        answer = self.connection.call(
            SyncGroupRequest(
                version=3,
                group_id=self.group,
                generation_id=self.generation if generation is None else generation,
                member_id=self.member,
                group_instance_id=self.instance,
                assignments=[
                    SyncGroupRequest.SyncGroupRequestAssignment(member_id=member, assignment=data)
                    for member, data in (assignments or {}).items()
                ],
            )
        )
        return answer.error_code, answer.assignment

    def heartbeat(self, *, generation: int | None = None, member: str | None = None) -> int:
        return self.connection.call(
            HeartbeatRequest(
                version=3,
                group_id=self.group,
                generation_id=self.generation if generation is None else generation,
                member_id=self.member if member is None else member,
                group_instance_id=self.instance,
            )
        ).error_code

    def leave(self) -> int:
        return self.connection.call(LeaveGroupRequest(version=1, group_id=self.group, member_id=self.member)).error_code

    def commit(
        self, offset: int, *, generation: int | None = None, member: str | None = None, group: str | None = None
    ) -> int:
        answer = self.connection.call(
            OffsetCommitRequest(
                version=7,
                group_id=self.group if group is None else group,
                generation_id_or_member_epoch=self.generation if generation is None else generation,
                member_id=self.member if member is None else member,
                group_instance_id=self.instance,
                topics=[
                    OffsetCommitRequest.OffsetCommitRequestTopic(
                        name=self.topic,
                        partitions=[
                            OffsetCommitRequest.OffsetCommitRequestTopic.OffsetCommitRequestPartition(
                                partition_index=0,
                                committed_offset=offset,
                                committed_leader_epoch=-1,
                                committed_metadata="",
                            )
                        ],
                    )
                ],
            )
        )
        return answer.topics[0].partitions[0].error_code

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def member(cluster, topic, group, finally_close):
    with Connection(cluster.bootstrap) as connection:
        wait_for_coordinator(connection, group)

    def make(**options) -> HandMember:
        return finally_close(HandMember(cluster.bootstrap, group, topic, **options))

    return make


def stable_pair(member, **options) -> tuple[HandMember, HandMember]:
    """Two members of one stable generation, the leader first."""
    first, second = member(**options), member(**options)
    assert first.join() == 0
    waiting = second.join_in_background()
    for _ in range(500):
        if first.heartbeat() == REBALANCE_IN_PROGRESS:
            break
        time.sleep(0.02)
    assert first.join() == 0
    waiting.join(30)
    assert first.generation == second.generation and first.leader == second.leader
    leader, follower = (first, second) if first.member == first.leader else (second, first)
    results = []
    other = threading.Thread(target=lambda: results.append(follower.sync()), daemon=True)
    other.start()
    assert leader.sync({leader.member: b"L", follower.member: b"F"}) == (0, b"L")
    other.join(30)
    assert results == [(0, b"F")]
    return leader, follower


def test_a_new_member_is_told_its_id_first(member):
    newcomer = member()
    answer = newcomer.connection.call(
        JoinGroupRequest(
            version=4,
            group_id=newcomer.group,
            session_timeout_ms=10_000,
            rebalance_timeout_ms=10_000,
            member_id="",
            protocol_type="consumer",
            protocols=[JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")],
        )
    )
    assert answer.error_code == MEMBER_ID_REQUIRED and answer.member_id
    older = member()
    assert older.join(version=3) == 0, "before version 4 the id comes with the answer"


def test_one_member_is_its_own_leader(member):
    only = member()
    assert only.join() == 0
    assert only.leader == only.member and only.members == [only.member] and only.protocol == "range"
    assert only.sync({only.member: b"everything"}) == (0, b"everything")
    assert only.heartbeat() == 0
    assert only.sync({}) == (0, b"everything"), "a repeated sync gets the same assignment"


def test_only_the_leader_learns_the_members(member):
    leader, follower = stable_pair(member)
    assert sorted(leader.members) == sorted((leader.member, follower.member)) and follower.members == []


def test_wrong_generations_and_members_are_refused(member):
    only = member()
    assert only.join() == 0
    assert only.sync({only.member: b"x"})[0] == 0
    assert only.heartbeat(generation=only.generation + 1) == ILLEGAL_GENERATION
    assert only.heartbeat(member="stranger") == UNKNOWN_MEMBER
    assert only.sync(generation=only.generation - 1)[0] == ILLEGAL_GENERATION
    assert only.commit(5, generation=only.generation + 1) == ILLEGAL_GENERATION
    assert only.commit(5, member="stranger") == UNKNOWN_MEMBER
    assert only.commit(5) == 0


def test_commits_without_membership_need_an_empty_group(member):
    only = member()
    assert only.commit(1, generation=-1, member="") == 0
    assert only.join() == 0
    assert only.sync({only.member: b"x"})[0] == 0
    assert only.commit(2, generation=-1, member="") in (UNKNOWN_MEMBER, ILLEGAL_GENERATION)
    assert only.leave() == 0
    assert only.commit(3, generation=-1, member="") == 0


def test_a_join_makes_the_others_rejoin(member):
    first, second = member(), member()
    assert first.join() == 0
    assert first.sync({first.member: b"x"})[0] == 0
    generation = first.generation
    waiting = second.join_in_background()
    for _ in range(500):
        if (error := first.heartbeat()) == REBALANCE_IN_PROGRESS:
            break
        time.sleep(0.02)
    assert error == REBALANCE_IN_PROGRESS
    assert first.commit(9) == 0, "a member may still commit while the group prepares to rebalance"
    assert first.join() == 0
    waiting.join(30)
    assert first.generation == second.generation == generation + 1
    assert first.commit(9, generation=generation) == ILLEGAL_GENERATION


def test_commits_wait_until_the_assignment_is_made(member):
    only = member()
    assert only.join() == 0
    assert only.commit(5) == REBALANCE_IN_PROGRESS
    assert only.sync({only.member: b"x"})[0] == 0
    assert only.commit(5) == 0


def test_the_rebalance_timeout_drops_a_member_that_does_not_rejoin(member):
    leader, follower = stable_pair(member, session=20_000)
    started = time.monotonic()
    assert leader.join(rebalance_timeout=1000) == 0
    assert time.monotonic() - started < 15
    assert leader.members == [leader.member]
    assert follower.heartbeat() in (UNKNOWN_MEMBER, ILLEGAL_GENERATION)


def test_a_silent_member_is_dropped_after_its_session(cluster, member):
    silent = member(session=cluster.session_timeout_milliseconds)
    assert silent.join() == 0
    assert silent.sync({silent.member: b"x"})[0] == 0
    time.sleep(cluster.session_timeout_milliseconds / 1000 * 1.5 + 1)
    assert silent.heartbeat() == UNKNOWN_MEMBER


def test_heartbeats_keep_a_member(cluster, member):
    session = cluster.session_timeout_milliseconds
    alive = member(session=session)
    assert alive.join() == 0
    assert alive.sync({alive.member: b"x"})[0] == 0
    until = time.monotonic() + session / 1000 * 2
    while time.monotonic() < until:
        assert alive.heartbeat() == 0
        time.sleep(session / 5000)


def test_a_member_that_leaves_is_gone_at_once(member):
    leader, follower = stable_pair(member)
    assert follower.leave() == 0
    assert follower.heartbeat() == UNKNOWN_MEMBER
    assert leader.heartbeat() == REBALANCE_IN_PROGRESS
    assert leader.join() == 0
    assert leader.members == [leader.member]


def test_a_follower_that_rejoins_unchanged_moves_nothing(member):
    leader, follower = stable_pair(member)
    generation = follower.generation
    assert follower.join() == 0
    assert follower.generation == generation
    assert follower.sync() == (0, b"F")
    assert leader.heartbeat() == 0


def test_the_protocol_with_the_most_votes_among_the_common_ones_wins(member):
    first = member(protocols=(("a", b""), ("b", b""), ("c", b"")))
    second = member(protocols=(("x", b""), ("b", b""), ("a", b"")))
    third = member(protocols=(("b", b""), ("a", b"")))
    assert first.join() == 0 and first.protocol == "a"
    waiting = [each.join_in_background() for each in (second, third)]
    for _ in range(500):
        if first.heartbeat() == REBALANCE_IN_PROGRESS:
            break
        time.sleep(0.02)
    time.sleep(0.3)
    assert first.join() == 0
    for thread in waiting:
        thread.join(30)
    # All three may not land in one generation; the last generation holds all.
    if len(first.members) in (0, 3):
        assert {each.protocol for each in (first, second, third)} == {"b"}


def test_a_member_without_a_common_protocol_is_refused(member):
    only = member()
    assert only.join() == 0
    assert member(protocols=(("other", b""),)).join() == INCONSISTENT_PROTOCOL
    assert member().join(protocol_type="connect") == INCONSISTENT_PROTOCOL
    assert member(protocols=()).join() == INCONSISTENT_PROTOCOL


def test_session_timeouts_outside_the_limits_are_refused(member):
    assert member(session=1).join() == INVALID_SESSION_TIMEOUT
    assert member(session=10**9).join() == INVALID_SESSION_TIMEOUT


def test_an_empty_group_id_is_refused(cluster, topic, finally_close):
    assert finally_close(HandMember(cluster.bootstrap, "", topic)).join() == INVALID_GROUP


def test_an_unknown_member_id_cannot_join(member):
    assert member(member="stranger").join() == UNKNOWN_MEMBER


def test_a_static_member_gets_a_new_id_and_its_old_assignment(member):
    name = unique_name("instance")
    before = member(instance=name)
    assert before.join() == 0
    assert before.sync({before.member: b"mine"})[0] == 0
    after = member(instance=name)
    assert after.join() == 0
    assert after.member != before.member
    assert after.generation == before.generation, "a static member that returns unchanged starts no rebalance"
    assert after.sync({after.member: b"mine"}) == (0, b"mine")
    assert before.heartbeat() == FENCED_INSTANCE
    assert before.commit(1) == FENCED_INSTANCE
    assert after.heartbeat() == 0
