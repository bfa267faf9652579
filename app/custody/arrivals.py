"""When something came to who has it now: custody is kept on the outermost container, and so is when it began."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from app.custody import loading
from ledger.custody.event import time_of


def arrived(connection: Connection, numbers: Sequence[int]) -> dict[int, datetime]:
    """When each of these items, by number, came to who has it; what is under way or was never told of is left out."""
    loaded = loading.load_numbers(connection, numbers)
    found: dict[int, datetime] = {}
    for number in numbers:
        outer = loaded.world.outer(loaded.world.item(loaded.keys[number]))
        if not outer.in_transit and outer.custody_since:
            found[number] = time_of(outer.custody_since)
    return found
