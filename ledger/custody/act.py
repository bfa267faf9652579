"""An event with the parties it is about: what the rules take.

An event names places and parties in several ways (readPoint, source and destination lists, SGLN or PGLN,
sites of one company). Whoever captures it knows which company a GLN belongs to; the rules should not have to.
What was resolved is kept beside the event, so that projecting it again gives the same, whatever is learned
about the sites later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.custody.event import Event, Linked

_GLN_BASES = ("https://id.gs1.org/414/", "https://id.gs1.org/417/")


@dataclass(frozen=True, slots=True)
class Act:
    """`event`, vouched for by the party `by` (GLN), with the parties that custody and title move between.

    `statement`: whether the document affirmed the DSCSA transaction statement (FD&C Act 581(27)); None where
    it came without one.
    """

    event: Event
    by: str
    sender: str | None = None
    recipient: str | None = None
    seller: str | None = None
    buyer: str | None = None
    statement: bool | None = None

    @property
    def moves_title(self) -> bool:
        """Whether the event tells of a transaction: a change of ownership, not a move within one company
        (FD&C Act 581(24))."""
        return self.buyer is not None and self.buyer != (self.seller or self.by)


def gln_of(place: str | None) -> str | None:
    """The GLN (13 digits) in a canonical SGLN or PGLN, None where there is none."""
    if place:
        for base in _GLN_BASES:
            if place.startswith(base):
                return place[len(base) : len(base) + 13]
    return None


def read_act(event: Event, by: str, party_of: Callable[[str], str], statement: bool | None = None) -> Act:
    """`event` with its parties resolved: `party_of` gives for a GLN the GLN of the company it belongs to, or
    the GLN itself.

    Custody goes by possessing_party, where there is none by owning_party, where there is none by location
    (CBV 2.0, 7.4).
    """

    def party(linked: tuple[Linked, ...], *kinds: str) -> str | None:
        for kind in kinds:
            for entry in linked:
                gln = gln_of(entry.id) if entry.type == kind else None
                if gln:
                    return party_of(gln)
        return None

    return Act(
        event=event,
        by=by,
        sender=party(event.sources, "possessing_party", "owning_party", "location"),
        recipient=party(event.destinations, "possessing_party", "owning_party", "location"),
        seller=party(event.sources, "owning_party"),
        buyer=party(event.destinations, "owning_party"),
        statement=statement,
    )
