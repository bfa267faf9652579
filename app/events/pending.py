"""Documents whose entry stands and whose events are not all applied yet: how far they are, and what they name.

A long document's entry commits to all of its events at once; they are applied by slices, in order, up to a **mark**.
What stands on the events (I9) holds up to it::

    for doc_id, pending in of(connection).items():
        pending.mark        # records 0 .. mark-1 have their events, and custody knows them
        pending.events      # records mark .. events-1 have none yet
    bodies(connection, pending)      # {number: body} of those, as they will be stored: what was committed to
    named(connection, keys, asker)   # those of these EPCs that are in such a document

An audit reads `of` on its snapshot: a record below the mark without its event is missing, one at or above it with one
is a stray, and the entry's commitment is over the events' bodies followed by `bodies`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from app.events.models import inbox, inbox_event, inbox_name
from app.shared.chunks import chunks

APPLYING = "applying"


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that is being applied: its entry, how many events it has, how many of them are applied."""

    job_no: int
    job_id: str
    doc_id: int
    index: int
    events: int
    mark: int


def of(connection: Connection) -> dict[int, Pending]:
    """The documents that are being applied, by their number."""
    query = select(
        inbox.c.job_no, inbox.c.job_id, inbox.c.doc_id, inbox.c.idx, inbox.c.events, inbox.c.mark
    ).where(inbox.c.state == APPLYING, inbox.c.doc_id.is_not(None))
    return {row.doc_id: Pending(*row) for row in connection.execute(query)}


def bodies(connection: Connection, pending: Pending) -> dict[int, bytes]:
    """The packed fields of the records that are not applied yet, by their number in the document."""
    query = select(inbox_event.c.ev_no, inbox_event.c.body).where(
        inbox_event.c.job_no == pending.job_no, inbox_event.c.ev_no >= pending.mark
    )
    return {number: bytes(body) for number, body in connection.execute(query)}


def name_of(text: str) -> int:
    """What `inbox_name` keeps of a canonical EPC or of `party_name`: 64 bits. Where two share them, somebody waits."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)


def party_name(gln: str) -> str:
    """How a party is named there."""
    return f"party {gln}"


_APPLYING = select(inbox.c.job_no).where(inbox.c.state == APPLYING)


def named(connection: Connection, keys: Iterable[str], asker: str | None = None) -> set[str]:
    """Those of these canonical EPCs that a document names which is being applied; and which names `asker` (GLN) too,
    if that is given: to a stranger nothing must show."""
    applying = connection.execute(_APPLYING).scalars().all()
    if applying and asker is not None:
        query = select(inbox_name.c.job_no).where(
            inbox_name.c.name == name_of(party_name(asker)), inbox_name.c.job_no.in_(applying)
        )
        applying = connection.execute(query).scalars().all()
    if not applying:
        return set()
    by_name = {name_of(key): key for key in keys}
    found: set[str] = set()
    for chunk in chunks(sorted(by_name)):
        query = select(inbox_name.c.name).where(
            inbox_name.c.name.in_(chunk), inbox_name.c.job_no.in_(applying)
        )
        found.update(by_name[name] for name in connection.execute(query).scalars())
    return found
