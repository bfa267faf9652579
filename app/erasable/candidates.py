"""A value in a document's bytes that may be erasable, and how a placeholder is written in its place."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """Bytes `start` to below `end`; `name` is what it is called there; `write` gives a placeholder's bytes."""

    start: int
    end: int
    name: str
    write: Callable[[str], bytes]
