"""Which of what was told counts, and in which order: decided from the acts alone, whatever order they came in.

An act does not count where its own party declared its event wrong, or where it says again, under another event id, what
an act before it in custody's order says already: the same content is told once. Who takes back the one that counts
makes the next of its equals count::

    history([sale, sale_again])              [sale]             the smaller event id comes first
    history([sale, sale_again, declared])    [sale_again]       sale was declared wrong
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.custody.act import Act
from ledger.custody.event import Event
from ledger.custody.findings import Finding, FindingCode

TOLD_AGAIN = Finding(
    FindingCode.OTHER_ID_SAME_CONTENT, "its party tells the same content under another id: no effect"
)
DECLARED_BY_OTHER = Finding(
    FindingCode.DECLARED_BY_OTHER,
    "another party's event is declared wrong: it stands, because only who said it can take it back",
)


def named(event: Event) -> tuple[str, ...]:
    """The keys of everything that an event is about: its objects and its lots."""
    return (*event.all_epcs(), *event.lots())


@dataclass(slots=True)
class Retold:
    """Which acts, given one after the other in custody's order, say again what one of them said before.

    Equal content has an equal position, so only acts of one moment are compared; and content is hashed only where
    one party tells several things of one moment. An event that names nothing has no effect to repeat.
    """

    _at: int = -(2**63)
    _alone: dict[str, Act] = field(default_factory=dict)
    _said: dict[str, set[bytes]] = field(default_factory=dict)

    def is_again(self, act: Act) -> bool:
        """Whether `act` says what an act before it said. Acts come in custody's order, each once."""
        at = act.event.position
        if at != self._at:
            self._at = at
            self._alone.clear()
            self._said.clear()
        if not (act.event.epcs or act.event.parent or named(act.event)):
            return False
        said = self._said.get(act.by)
        if said is None:
            first = self._alone.setdefault(act.by, act)
            if first is act:
                return False
            said = self._said.setdefault(act.by, {first.event.content_digest})
        content = act.event.content_digest
        if content in said:
            return True
        said.add(content)
        return False


def ordered(acts: Iterable[Act]) -> tuple[list[Act], list[Act]]:
    """The acts that count, in custody's order; and those that only tell again what one of these tells.

    An error declaration repeats its event's id; it counts when the same party made it (EPCIS 2.0, 7.4.1.4).
    """
    listed = list(acts)
    wrong = {(act.by, act.event.id) for act in listed if act.event.declaration is not None}
    kept = [act for act in listed if (act.by, act.event.id) not in wrong]
    kept.sort(key=lambda act: (act.event.position, act.event.id.encode()))
    retold = Retold()
    counting: list[Act] = []
    again: list[Act] = []
    for act in kept:
        (again if retold.is_again(act) else counting).append(act)
    return counting, again


def history(acts: Iterable[Act]) -> list[Act]:
    """The acts that count, in custody's order."""
    return ordered(acts)[0]


def declared_by_others(acts: Iterable[Act]) -> list[tuple[Act, Finding]]:
    """Error declarations of what only another party has said: they take back nothing."""
    listed = list(acts)
    said = {(act.by, act.event.id) for act in listed if act.event.declaration is None}
    ids = {event_id for _, event_id in said}
    return [
        (act, DECLARED_BY_OTHER)
        for act in listed
        if act.event.declaration is not None and act.event.id in ids and (act.by, act.event.id) not in said
    ]
