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

_SSCC_BASE = "https://id.gs1.org/00/"
_GLN_BASES = ("https://id.gs1.org/414/", "https://id.gs1.org/417/")


@dataclass(frozen=True, slots=True)
class Act:
    """`event`, vouched for by the party `by` (GLN), with the parties that custody and title move between.

    `statement`: whether the document affirmed the DSCSA transaction statement (FD&C Act 581(27)); None where
    it came without one. `place`: where the event says it happened, as `ledger.custody.travel.place_text` writes it,
    None where nobody knows. `foreign`: those SSCCs in the event whose GS1 Company Prefix is another party's, as far as
    prefixes are known: only who issues an SSCC begins it.
    """

    event: Event
    by: str
    sender: str | None = None
    recipient: str | None = None
    seller: str | None = None
    buyer: str | None = None
    statement: bool | None = None
    place: str | None = None
    foreign: frozenset[str] = frozenset()

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


def sscc_of(key: str) -> str | None:
    """The 18 digits of a canonical SSCC, None for any other EPC."""
    return key[len(_SSCC_BASE) :] if key.startswith(_SSCC_BASE) else None


def read_act(
    event: Event,
    by: str,
    party_of: Callable[[str], str],
    statement: bool | None = None,
    *,
    place_of: Callable[[str], str | None] | None = None,
    issuer_of: Callable[[str], str | None] | None = None,
) -> Act:
    """`event` with its parties resolved: `party_of` gives for a GLN the GLN of the company it belongs to, or
    the GLN itself; `place_of` for a GLN where that is, `issuer_of` for an SSCC (18 digits) the GLN of the company whose
    prefix it has; both None where nobody knows.

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

    places = (gln_of(event.read_point), gln_of(event.biz_location)) if place_of else ()
    return Act(
        event=event,
        by=by,
        sender=party(event.sources, "possessing_party", "owning_party", "location"),
        recipient=party(event.destinations, "possessing_party", "owning_party", "location"),
        seller=party(event.sources, "owning_party"),
        buyer=party(event.destinations, "owning_party"),
        statement=statement,
        place=next((found for gln in places if gln and place_of and (found := place_of(gln))), None),
        foreign=_foreign(event, by, issuer_of) if issuer_of else frozenset(),
    )


def _foreign(event: Event, by: str, issuer_of: Callable[[str], str | None]) -> frozenset[str]:
    numbers = {key: sscc_of(key) for key in event.all_epcs()}
    return frozenset(key for key, sscc in numbers.items() if sscc and issuer_of(sscc) not in (None, by))
