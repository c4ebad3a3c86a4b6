"""All oracles. Each is a function from an observation to the violations that it found in it.

An oracle that cannot fail proves nothing: `mutants.py` has a planted violation for each.
"""
from __future__ import annotations

from typing import Callable, Iterator

import reader_oracles
import record_oracles
import transaction_oracles
from observation import Observation

Oracle = Callable[[Observation], Iterator[str]]

ORACLES: tuple[Oracle, ...] = (
    record_oracles.acknowledged_is_there,
    record_oracles.acknowledged_offset_is_right,
    record_oracles.nothing_is_there_twice,
    record_oracles.order_is_kept,
    record_oracles.nothing_is_invented,
    record_oracles.no_log_has_holes,
    record_oracles.retention_keeps_the_rest,
    record_oracles.compaction_keeps_the_newest,
    record_oracles.topics_are_as_acknowledged,
    transaction_oracles.aborted_is_invisible,
    transaction_oracles.transactions_are_whole,
    transaction_oracles.transactions_finish,
    transaction_oracles.committed_offsets_never_go_back,
    transaction_oracles.pipeline_is_exactly_once,
    reader_oracles.live_reader_saw_the_same,
    reader_oracles.offsets_are_never_reused,
    reader_oracles.client_libraries_agree,
    reader_oracles.a_restart_changes_nothing,
    reader_oracles.no_client_was_failed,
)
