"""What capture resolves beside an event, kept in one value while a long document waits: its parties by GLN, its place,
and which of its SSCCs are another company's.

    {"sender": "0399999000017", "recipient": ..., "seller": ..., "buyer": ...,
     "place": "40.71280,-74.00600", "foreign": []}

A waiting row of an earlier version has a list of the four parties alone.
"""

import json
from typing import Any

from ledger.custody.act import Act

PARTIES = ("sender", "recipient", "seller", "buyer")


def parties_of(act: Act) -> dict[str, str | None]:
    """The parties of an act, by what they are in it."""
    return {name: getattr(act, name) for name in PARTIES}


def written(act: Act) -> str:
    """All that was resolved about the event of `act`."""
    return json.dumps({**parties_of(act), "place": act.place, "foreign": sorted(act.foreign)})


def read(text: str) -> dict[str, Any]:
    """What `written` wrote, as `Act` takes it."""
    found = json.loads(text)
    if isinstance(found, list):
        return dict(zip(PARTIES, found, strict=True))
    return {**found, "foreign": frozenset(found["foreign"])}
