"""What a maker says of its packages beyond their record, until it takes it back: suspect, illegitimate.

Its own investigation says it for it (FD&C Act 582(b)(4)(C): a response names product that its maker believes
illegitimate); `packproof vrs mark` says it by hand, and of whole lots.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, update

from app.custody.items import item_name
from app.vrs.answers import Mark
from app.vrs.models import vrs_mark


def put(connection: Connection, now: datetime, mark: Mark, epcs: Iterable[str], note: str) -> None:
    """Mark these packages (canonical EPCs). `note`: on whose word, such as the id of a case; it takes them back."""
    rows = [
        {"gtin": name.gtin, "lot": "", "serial": name.serial, "mark": mark.value, "note": note, "since": now}
        for name in map(item_name, epcs)
        if name.gtin and name.ns.startswith("01/")
    ]
    if rows:
        connection.execute(insert(vrs_mark), rows)


def end(connection: Connection, now: datetime, note: str) -> None:
    """Take back every mark of this note."""
    connection.execute(
        update(vrs_mark).where(vrs_mark.c.note == note, vrs_mark.c.ended_at.is_(None)).values(ended_at=now)
    )
