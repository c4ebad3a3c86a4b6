"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

Value = TypeVar("Value")


def eventually(condition: Callable[[], Value], *, within: float = 15.0, what: str = "condition") -> Value:
    """Asks until the answer is truthy and returns it; fails after `within` seconds, naming the last answer."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} not reached in {within} s; last: {answer!r}")
        time.sleep(0.02)
