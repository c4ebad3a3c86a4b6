"""The topics of a run, what each is for, and what may be expected of it."""
from __future__ import annotations

from dataclasses import dataclass, field

PARTITIONS = 2


@dataclass(frozen=True)
class TopicPlan:
    name: str
    config: dict[str, str] = field(default_factory=dict)
    # Every record stays for ever: what is acknowledged can be counted at the end.
    is_kept: bool = True
    # Its producers are idempotent or transactional: nothing may be there twice.
    is_exactly_once: bool = True
    is_compacted: bool = False


PLAIN = TopicPlan("plain", is_exactly_once=False)
IDEMPOTENT = TopicPlan("idempotent")
IDEMPOTENT_PYTHON = TopicPlan("idempotent-python")
TRANSACTIONAL = (TopicPlan("transactional-a"), TopicPlan("transactional-b"))
PIPELINE_IN = TopicPlan("pipeline-in")
PIPELINE_OUT = TopicPlan("pipeline-out")
_COMPACT = {"cleanup.policy": "compact", "segment.bytes": "8192", "min.cleanable.dirty.ratio": "0.01",
            "delete.retention.ms": "500"}
FORGOTTEN = TopicPlan("forgotten")
COMPACTED = TopicPlan("compacted", _COMPACT, is_kept=False, is_compacted=True)
COMPACTED_TRANSACTIONAL = TopicPlan("compacted-transactional", _COMPACT, is_kept=False, is_compacted=True)
RETAINED = TopicPlan("retained", {"retention.bytes": "49152", "segment.bytes": "8192"}, is_kept=False)

ALL = (PLAIN, IDEMPOTENT, IDEMPOTENT_PYTHON, *TRANSACTIONAL, FORGOTTEN, PIPELINE_IN, PIPELINE_OUT, COMPACTED,
       COMPACTED_TRANSACTIONAL, RETAINED)
BY_NAME = {plan.name: plan for plan in ALL}
KEPT = tuple(plan for plan in ALL if plan.is_kept)


def partitions_of(*plans: TopicPlan) -> list[tuple[str, int]]:
    return [(plan.name, partition) for plan in plans for partition in range(PARTITIONS)]
