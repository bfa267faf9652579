"""Which records belong in a file about one package: those that name it, or what it was in at the time.

A file could otherwise be padded with true but foreign events, and a reader would take a pallet's later journeys for
the package's own. The rule (docs/formats/evidence.md, step 8), over the events that are shown:

* an event *links* child to parent at its eventTime if it is an aggregation with action ADD or OBSERVE that shows both;
  one with action DELETE that names the parent *unlinks* the children it shows, or all where it has no list of them;
* a container *holds* the subject at time t if a child it was linked to at or before t, and not unlinked after that and
  before t, is the subject or holds the subject at t;
* an event may be shown if it shows the subject, or something that holds the subject at its eventTime.

An event that is declared wrong links nothing, and neither does one that another shown event of the same id declares so,
if the same party vouches for both: nobody takes back what another has said.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.evidence.retraction import DECLARATION

_EPC_LISTS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """What a shown event says, as text: fields of one value, and the shown elements of its lists by path.

    `hidden` is the number of fields of which only the hash is given. `by` is the GLN of the party that vouches for it:
    whose key signed it, or on whose behalf it was received; empty where that is not shown. `may_retract` where a hidden
    field may be one of an error declaration.
    """

    one: Mapping[str, str]
    many: Mapping[str, Sequence[str]]
    hidden: int = 0
    by: str = ""
    may_retract: bool = False

    @property
    def time(self) -> str:
        """eventTime as the event has it (it sorts as text), empty where hidden."""
        return self.one.get("eventTime", "")

    @property
    def declared_wrong(self) -> bool:
        """Whether it carries an error declaration, as far as it is shown."""
        return any(path.startswith(DECLARATION) for path in (*self.one, *self.many))

    def names(self) -> set[str]:
        """Every object it shows."""
        named = {epc for path in _EPC_LISTS for epc in self.many.get(path, ())}
        return named | ({self.one["parentID"]} if "parentID" in self.one else set())


class Containment:
    """What held what, as far as the shown events tell."""

    def __init__(self, events: Sequence[ShownEvent]) -> None:
        declared = [event for event in events if event.declared_wrong and "eventID" in event.one]
        wrong = {(event.by, event.one["eventID"]) for event in declared}
        self._parents: dict[str, list[tuple[str, str]]] = {}
        self._gone: dict[tuple[str, str | None], list[str]] = {}
        for event in events:
            if event.declared_wrong or (event.by, event.one.get("eventID")) in wrong:
                continue
            if event.one.get("type") == "AggregationEvent" and "parentID" in event.one and event.time:
                self._take(event, event.one["parentID"])
        for times in self._gone.values():
            times.sort()

    def _take(self, event: ShownEvent, parent: str) -> None:
        children = event.many.get("childEPCs", ())
        if event.one.get("action") != "DELETE":
            for child in children:
                self._parents.setdefault(child, []).append((parent, event.time))
        elif "childEPCs" in event.many:
            for child in children:
                self._gone.setdefault((parent, child), []).append(event.time)
        else:
            self._gone.setdefault((parent, None), []).append(event.time)

    def holders(self, subject: str, time: str) -> set[str]:
        """The subject and everything that held it at `time`. Each object is visited once, circles or not."""
        found, waiting = {subject}, [subject]
        while waiting:
            child = waiting.pop()
            for parent, linked in self._parents.get(child, ()):
                if parent not in found and linked <= time and not self._unlinked(parent, child, linked, time):
                    found.add(parent)
                    waiting.append(parent)
        return found

    def _unlinked(self, parent: str, child: str, after: str, before: str) -> bool:
        for key in ((parent, child), (parent, None)):
            times = self._gone.get(key, [])
            next_one = bisect_right(times, after)
            if next_one < len(times) and times[next_one] < before:
                return True
        return False


def foreign(events: Sequence[ShownEvent], subject: str) -> int | None:
    """The number of the first event that belongs to another story, or nothing."""
    containment = Containment(events)
    holders: dict[str, set[str]] = {}
    for number, event in enumerate(events):
        if event.time not in holders:
            holders[event.time] = containment.holders(subject, event.time)
        if not event.names() & holders[event.time]:
            return number
    return None
