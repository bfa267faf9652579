"""Limits of time that hold on any machine, however slow or busy.

A limit is in seconds of one core of the machine that the limits were chosen on. Only what seems to exceed it is looked
at more closely: done again, between two runs of a yardstick of which is known how long it took there. So a machine five
times slower, or one that gives us half a core, is as strict as that one, and what is quick costs nothing to prove::

    refused = within(0.05, lambda: refuse(document))     # what the call returns; fails where it is slower
"""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

YARDSTICK_S = 0.004
TRIES = 5
T = TypeVar("T")


def yardstick_s() -> float:
    """How long a fixed piece of Python takes here and now, in seconds of this core."""
    began = time.thread_time()
    found: dict[str, int] = {}
    for number in range(20_000):
        found[str(number & 1023)] = number
    return time.thread_time() - began


def within(limit_s: float, work: Callable[[], T]) -> T:
    """What `work` returns; the test fails if it takes longer than `limit_s` of the machine described above."""
    began = time.thread_time()
    answer = work()
    spent_s = time.thread_time() - began
    for _ in range(TRIES):
        if spent_s <= limit_s:
            return answer
        before_s = yardstick_s()
        began = time.thread_time()
        answer = work()
        spent_s = time.thread_time() - began
        spent_s *= YARDSTICK_S / max(before_s, yardstick_s())
    if spent_s > limit_s:
        pytest.fail(f"it takes {spent_s:.3f} s of the machine the limit of {limit_s} s is meant for")
    return answer
