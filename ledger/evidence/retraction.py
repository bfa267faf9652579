"""Whether what is hidden of an event may declare it to be wrong: then it reads as the act, and may be its retraction.

A retraction has the fields of the event that it takes back, and those of its error declaration (docs/formats/event.md).
Fields ascend by path, hidden ones too, so that what is hidden between two that are shown has a path between theirs::

    epcList   (hash)            eventID      a retraction: nothing else of an event sorts there
    epcList   (hash)            eventTime    none: every event has its eventID, and this is it
    epcList   (hash)  (hash)    eventTime    one of the two is not the eventID: it may be
    bizStep   (hash)            disposition  none: errorDeclaration/ sorts behind
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

DECLARATION: Final = "errorDeclaration/"
_BEHIND: Final = "errorDeclaration0"  # the least text above every path that begins with DECLARATION
_ALWAYS: Final = ("eventID", "eventTime", "type")


def may_retract(paths: Sequence[str | None]) -> bool:
    """Whether a field of an error declaration may be hidden. `paths` are those of an event's fields within its record,
    in order, None where only the hash is given."""
    shown = {path for path in paths if path is not None}
    if any(path.startswith(DECLARATION) for path in shown):
        return False  # it says so itself
    below = ""
    runs = [(key, list(run)) for key, run in groupby(paths, key=lambda path: path is None)]
    for place, (hidden, run) in enumerate(runs):
        if not hidden:
            below = run[-1] or ""
            continue
        above = runs[place + 1][1][0] if place + 1 < len(runs) else None
        if below >= _BEHIND or (above is not None and above <= DECLARATION):
            continue
        others = [
            path for path in _ALWAYS if path not in shown and below < path and (above is None or path < above)
        ]
        if len(run) > len(others):
            return True
    return False
