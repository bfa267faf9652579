"""One shipment that a sender told of, as it is kept with the object, and how many of one object are kept.

0860000000017>0370000000018>0370000000018        sender > recipient > to whom the title was offered, or nothing
0860000000017>*>*                                of more than are remembered: whoever names him as sender
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_PROMISES = 16  # shipments of one object beside the one that counts
ANYBODY = "*"  # to whom went those that are beyond: whoever says so


@dataclass(frozen=True, slots=True)
class Promise:
    """One shipment that was told, by GLNs. `buyer` None: it offered no title."""

    sender: str
    recipient: str
    buyer: str | None

    def text(self) -> str:
        """As it is kept."""
        return f"{self.sender}>{self.recipient}>{self.buyer or ''}"

    @classmethod
    def parse(cls, text: str) -> Promise:
        """Read what `text` wrote."""
        sender, recipient, buyer = text.split(">")
        return cls(sender, recipient, buyer or None)


def remembered(promises: Iterable[str]) -> str:
    """What is kept of shipments: the first, each once, and of a sender who has told of more that he has; the title with
    it where he has offered it to one of those."""
    told = list(dict.fromkeys(promises))
    if len(told) <= MOST_PROMISES:
        return " ".join(told)
    beyond: dict[str, str | None] = {}
    for promise in map(Promise.parse, told[MOST_PROMISES - 1 :]):
        sold = ANYBODY if promise.buyer == promise.recipient else None
        beyond[promise.sender] = beyond.get(promise.sender) or sold
    forgotten = (Promise(sender, ANYBODY, sold).text() for sender, sold in beyond.items())
    return " ".join(dict.fromkeys([*told[: MOST_PROMISES - 1], *forgotten]))
