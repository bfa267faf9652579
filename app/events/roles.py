"""What an object is in an event, as `event_epc` keeps it."""

from ledger.custody.event import Event
from ledger.custody.vocabulary import EventType

OBJECT, PARENT, CHILD, INPUT, OUTPUT, LOT = range(6)


def roles_of(event: Event) -> list[tuple[str, int]]:
    """Every canonical EPC the event names, with its role there; each pair once."""
    found = [(event.parent, PARENT)] if event.parent and event.type is not EventType.TRANSFORMATION else []
    for keys, role in (
        (event.epcs, OBJECT),
        (event.children, CHILD),
        (event.inputs, INPUT),
        (event.outputs, OUTPUT),
        (event.lots(), LOT),
    ):
        found += [(key, role) for key in keys]
    return list(dict.fromkeys(found))
