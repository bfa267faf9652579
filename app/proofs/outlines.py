"""The outlines of documents that evidence was made of last, so that the next file of one costs what it shows.

A maker's document tells of thousands of packages, and each scan of one of them asks for evidence out of it. To hash all
of it again takes a hundred times what the one event takes. Kept are 32 bytes and a number for each event::

    outlines.of(index, seed)          the outlines of the entry's records, if they are kept
    outlines.keep(index, seed, found)

Salts come from the seed, and a redaction leaves another one: what was kept for the old seed is then not found. Nothing
is believed for being kept: who makes a file compares its root with the one that was signed.
"""

import threading
from collections import OrderedDict
from hashlib import sha256
from typing import Final

from ledger.signing.commitment import Outline

MOST_RECORDS: Final = 100_000
"""Kept at once, some 20 MB; a longer document than that is not kept."""

_Key = tuple[int, bytes]


class Outlines:
    """The outlines last used, by entry and seed. Threads may share it."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._most = most
        self._kept: OrderedDict[_Key, tuple[Outline, ...]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def of(self, index: int, seed: bytes) -> tuple[Outline, ...] | None:
        """The outlines of the records of the entry at `index`, where they were kept under this seed."""
        key = _key(index, seed)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, index: int, seed: bytes, found: tuple[Outline, ...]) -> None:
        """Remember them; those that nobody asked for longest go."""
        if len(found) > self._most:
            return
        key = _key(index, seed)
        with self._lock:
            self._count += len(found) - len(self._kept.pop(key, ()))
            self._kept[key] = found
            while self._count > self._most:
                self._count -= len(self._kept.popitem(last=False)[1])


def _key(index: int, seed: bytes) -> _Key:
    """A seed is a secret, and what a redaction leaves of one is long: its digest is kept."""
    return index, sha256(seed).digest()
