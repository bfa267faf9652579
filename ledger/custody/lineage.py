"""Repackaging: which old serials went into which new ones, kept for six years (21 U.S.C. 360eee-1(e)(2)(A)).

An event that the rules believe gives a **link** for each package: the old ones that end, the new ones that begin, and
the reference by which they belong together. All that one party named on either side of one reference is one repacking::

    TransformationEvent        its transformationID, where it has none its event id
    ObjectEvent, repackaging   (DELETE of the old, ADD of the new): the production order that both name (CBV 2.0, btt
                               prodorder)

Each link follows from one event alone, so that it does not matter which of the two came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.custody.event import Event
from ledger.custody.vocabulary import EventType, Step


class Side(IntEnum):
    """Whether a package went in or came out."""

    OLD = 0
    NEW = 1


@dataclass(frozen=True, slots=True)
class Link:
    """The package `item` (canonical EPC) is on this side of what the act's party calls `reference`."""

    reference: str
    item: str
    side: Side


def references(event: Event) -> tuple[str, ...]:
    """What the event calls the repacking it is part of; nothing where it is part of none."""
    if event.type is EventType.TRANSFORMATION:
        return (event.transformation_id or event.id,)
    if event.biz_step != Step.REPACKAGING:
        return ()
    return tuple(sorted({each.id for each in event.transactions if each.type == "prodorder"}))


def link(links: list[Link], event: Event, item: str, side: Side) -> None:
    """Add the links of a package that `event` ended or began."""
    links += [Link(reference, item, side) for reference in references(event)]
