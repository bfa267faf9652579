"""What is told of an event of which something was erased: what, when, and on which legal basis; never what it said."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from app.erasable.models import erasable, redaction
from app.shared.chunks import chunks
from ledger.custody.event import compact, format_time

ERASED = "https://packproof.example/ns#erased"
"""The extension under which GET /epcis/events says it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One redaction of an event: `fields` are paths within the event."""

    at: datetime
    basis: str
    fields: tuple[str, ...]

    @property
    def text(self) -> str:
        """A sentence for the timeline."""
        count = f"{len(self.fields)} fields were" if len(self.fields) > 1 else "A field was"
        return f"{count} erased on {self.at:%Y-%m-%d}, on this legal basis: {self.basis}"


def of(connection: Connection, event_ids: Collection[str]) -> dict[tuple[int, str], list[Notice]]:
    """The redactions of these events, by the entry that holds the event and its id, oldest first."""
    found: dict[tuple[int, str], dict[int, tuple[datetime, str, list[str]]]] = {}
    for chunk in chunks(sorted(set(event_ids))):
        query = (
            select(
                erasable.c.idx,
                erasable.c.event_id,
                erasable.c.path,
                redaction.c.idx.label("number"),
                redaction.c.at,
                redaction.c.basis,
            )
            .join(redaction, redaction.c.idx == erasable.c.erased_idx)
            .where(erasable.c.event_id.in_(chunk))
            .order_by(redaction.c.idx, erasable.c.part)
        )
        for row in connection.execute(query):
            one = found.setdefault((row.idx, row.event_id), {})
            one.setdefault(row.number, (row.at, row.basis, []))[2].append(row.path.partition("/")[2])
    return {
        key: [Notice(at, basis, tuple(paths)) for at, basis, paths in each.values()]
        for key, each in found.items()
    }


def extension(notices: Collection[Notice]) -> tuple[str, str]:
    """The notices as an extension of an event."""
    told = [
        {"at": format_time(each.at), "basis": each.basis, "fields": list(each.fields)} for each in notices
    ]
    return ERASED, compact(told)
