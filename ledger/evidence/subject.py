"""Which records belong in a file about one package: those that name it, or what it was in at the time.

A file could otherwise be padded with true but foreign events, and a reader would take a pallet's later journeys for
the package's own. The rule (docs/formats/evidence.md, step 8), over the events that are shown:

* an event *links* child to parent at its eventTime if it is an aggregation with action ADD or OBSERVE that shows both;
  one with action DELETE that names the parent *unlinks* the children it shows, or all where it has no list of them;
* a container *holds* the subject at time t if a child it was linked to at or before t, and not unlinked after that and
  before t, is the subject or holds the subject at t;
* an event may be shown if it shows the subject, or something that holds the subject at its eventTime.

An event that is declared wrong links nothing, and neither does one that another shown event of the same id declares so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 16
"""Unit in case in pallet in container: nesting deeper than this is nobody's."""

_EPC_LISTS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """What a shown event says, as text: fields of one value, and the shown elements of its lists by path.

    `hidden` is the number of fields of which only the hash is given.
    """

    one: Mapping[str, str]
    many: Mapping[str, Sequence[str]]
    hidden: int = 0

    @property
    def time(self) -> str:
        """eventTime as the event has it (it sorts as text), empty where hidden."""
        return self.one.get("eventTime", "")

    @property
    def declared_wrong(self) -> bool:
        """Whether it carries an error declaration."""
        return any(path.startswith("errorDeclaration/") for path in self.one)

    def names(self) -> set[str]:
        """Every object it shows."""
        named = {epc for path in _EPC_LISTS for epc in self.many.get(path, ())}
        return named | ({self.one["parentID"]} if "parentID" in self.one else set())


class Containment:
    """What held what, as far as the shown events tell."""

    def __init__(self, events: Sequence[ShownEvent]) -> None:
        wrong = {event.one["eventID"] for event in events if event.declared_wrong and "eventID" in event.one}
        self._links: dict[str, list[tuple[str, str]]] = {}
        self._unlinks: dict[str, list[tuple[str | None, str]]] = {}
        for event in events:
            parent, time = event.one.get("parentID"), event.time
            if (
                event.one.get("type") != "AggregationEvent"
                or parent is None
                or not time
                or event.declared_wrong
                or event.one.get("eventID") in wrong
            ):
                continue
            children = event.many.get("childEPCs", ())
            if event.one.get("action") == "DELETE":
                gone: Sequence[str | None] = children or ([] if "childEPCs" in event.many else [None])
                self._unlinks.setdefault(parent, []).extend((child, time) for child in gone)
            else:
                self._links.setdefault(parent, []).extend((child, time) for child in children)

    def holds(self, container: str, subject: str, time: str, depth: int = 0) -> bool:
        """Whether `container` is the subject or held it at `time`."""
        if container == subject:
            return True
        if depth >= MAX_DEPTH:
            return False
        return any(
            linked <= time
            and not self._unlinked(container, child, linked, time)
            and self.holds(child, subject, time, depth + 1)
            for child, linked in self._links.get(container, ())
        )

    def _unlinked(self, container: str, child: str, after: str, before: str) -> bool:
        return any(
            gone in (child, None) and after < time < before for gone, time in self._unlinks.get(container, ())
        )


def foreign(events: Sequence[ShownEvent], subject: str) -> int | None:
    """The number of the first event that belongs to another story, or nothing."""
    containment = Containment(events)
    for number, event in enumerate(events):
        if not any(containment.holds(name, subject, event.time) for name in sorted(event.names())):
            return number
    return None
