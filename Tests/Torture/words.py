"""How violations name what they are about."""
from __future__ import annotations

from ledger import Sent
from readers import Seen


def name_of(place: tuple[str, int]) -> str:
    return f"{place[0]}/{place[1]}"


def describe(sent: Sent) -> str:
    transaction = "" if sent.transaction is None else f" of transaction {sent.transaction}"
    return f"{sent.topic}/{sent.partition} record {sent.sequence} of {sent.source}{transaction}"


def brief(value: bytes | Seen | None) -> str:
    if isinstance(value, Seen):
        return f"offset {value.offset} {brief(value.value)}"
    return "nothing" if value is None else value.decode(errors="replace").rstrip(".").strip()


def first_difference(wanted: list, found: list) -> str:
    """Where two sequences part, and what is there."""
    pairs = enumerate(zip(wanted, found))
    index = next((index for index, (left, right) in pairs if left != right), min(len(wanted), len(found)))
    here = [brief(records[index]) if index < len(records) else "nothing" for records in (wanted, found)]
    return f"{len(found)} records instead of {len(wanted)}; at record {index}: wanted {here[0]}, found {here[1]}"
