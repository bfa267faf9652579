"""Long lists of values, in pieces that fit into one query."""

from collections.abc import Iterator, Sequence
from typing import Any

CHUNK = 5000  # values in one IN list; SQLite takes 32,766 parameters


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """`values` in pieces that fit into one IN list."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
