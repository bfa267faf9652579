"""When something came to who has it now: when that party last received it, or made it, itself or in what it was then.

`custody_since` does not tell: custody is kept on the outermost container, and packing begins another.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from app.custody import loading
from app.custody.counting import stands
from app.custody.spans import spans
from app.events.models import event, event_epc
from app.partners import service as partners
from app.shared.chunks import chunks
from ledger.custody.event import time_of

_COMINGS = (
    select(event_epc.c.item_id, event.c.pos, event.c.by_id)
    .join(event, event.c.seq == event_epc.c.seq)
    .where(
        event_epc.c.item_id.in_(bindparam("numbers", expanding=True)),
        event.c.biz_step.in_(("receiving", "commissioning")),
        stands(),
    )
)


def arrived(connection: Connection, numbers: Sequence[int]) -> dict[int, datetime]:
    """When each of these items, by number, came to who has it; what is under way or was never told of is left out."""
    loaded = loading.load_numbers(connection, numbers)
    around = spans(connection, list(numbers))
    comings = _comings(connection, sorted({outer for each in around.values() for outer, _, _ in each}))
    found: dict[int, datetime] = {}
    for number in numbers:
        outer = loaded.world.outer(loaded.world.item(loaded.keys[number]))
        if outer.in_transit or not outer.custody_since:
            continue
        came = [
            position
            for each, since, until in around[number]
            for position, gln in comings.get(each, ())
            if gln == outer.holder and since <= position < until
        ]
        # By another step, such as a repackaging: it came with what it is in.
        found[number] = time_of(max(came, default=outer.custody_since))
    return found


def _comings(connection: Connection, numbers: Sequence[int]) -> dict[int, list[tuple[int, str | None]]]:
    """Where in custody's order each of these items was received or made, and by whom (GLN)."""
    rows = [row for chunk in chunks(numbers) for row in connection.execute(_COMINGS, {"numbers": chunk})]
    glns = partners.glns(connection, {row.by_id for row in rows})
    found: dict[int, list[tuple[int, str | None]]] = {}
    for row in rows:
        found.setdefault(row.item_id, []).append((row.pos, glns.get(row.by_id)))
    return found
