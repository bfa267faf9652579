"""What of a capture stands already: under its id, or as the same document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, select, update

from app.capture.prepared import OtherContent
from app.erasable.vault import same_but_erased
from app.errors import Invalid
from app.events.models import document, endorsement, event, inbox, inbox_event
from app.events.pending import APPLYING
from app.shared.chunks import chunks
from ledger.custody.event import Event
from ledger.custody.stored import unpack
from ledger.store.sql.types import to_micros

NOT_YET = 0  # the number of an event whose entry stands and that is not applied yet

# Made once: they are asked at every capture, and to make one takes longer than to run it.
_STANDING = (
    select(event.c.event_id, event.c.declared_at, event.c.seq, event.c.idx, event.c.digest, document.c.signer)
    .join(document, document.c.doc_id == event.c.doc_id)
    .where(event.c.by_id == bindparam("by"), event.c.event_id.in_(bindparam("ids", expanding=True)))
)
_ENDORSED = (
    select(endorsement.c.seq)
    .join(document, document.c.idx == endorsement.c.idx)
    .where(endorsement.c.seq.in_(bindparam("seqs", expanding=True)), document.c.signer.is_not(None))
)
_signing = document.alias("signing")
SIGNED_LATER = exists().where(
    endorsement.c.seq == event.c.seq, _signing.c.idx == endorsement.c.idx, _signing.c.signer.is_not(None)
)
"""Whether an event that came unsigned was signed since. An entry that adopts one need not be signed."""
_APPLYING = select(inbox.c.job_no, inbox.c.idx, inbox.c.signer).where(
    inbox.c.state == APPLYING, inbox.c.by_id == bindparam("by")
)


@dataclass(frozen=True, slots=True)
class Known:
    """An event that stands already."""

    seq: int
    index: int
    digest: bytes
    signed: bool


def declared_at(each: Event) -> int:
    return to_micros(each.declaration.time) if each.declaration else 0


def known_events(connection: Connection, by_id: int, keys: Sequence[tuple[str, int]]) -> list[Known | None]:
    """For each (event id, declaration time) of the party's, the event that stands under it already."""
    found: dict[tuple[str, int], Known] = {}
    for chunk in chunks(sorted({event_id for event_id, _ in keys})):
        for row in connection.execute(_STANDING, {"by": by_id, "ids": chunk}):
            found[row.event_id, row.declared_at] = Known(
                row.seq, row.idx, bytes(row.digest), row.signer is not None
            )
    unsigned = [k.seq for k in found.values() if not k.signed]
    endorsed: set[int] = set()
    for chunk in chunks(unsigned):
        endorsed.update(connection.execute(_ENDORSED, {"seqs": chunk}).scalars())
    for key, each in found.items():
        if each.seq in endorsed:
            found[key] = Known(each.seq, each.index, each.digest, True)
    return [found.get(key) for key in keys]


def waiting_events(connection: Connection, by_id: int, keys: Sequence[tuple[str, int]]) -> list[Known | None]:
    """The same for events of a long document whose entry stands, and that are not applied yet."""
    jobs = {row.job_no: row for row in connection.execute(_APPLYING, {"by": by_id})}
    found: dict[tuple[str, int], Known] = {}
    for chunk in chunks(sorted({event_id for event_id, _ in keys})) if jobs else ():
        query = select(inbox_event).where(
            inbox_event.c.by_id == by_id,
            inbox_event.c.event_id.in_(chunk),
            inbox_event.c.job_no.in_(jobs),
        )
        for row in connection.execute(query):
            job = jobs[row.job_no]
            found[row.event_id, row.declared_at] = Known(
                NOT_YET, job.idx, bytes(row.digest), job.signer is not None
            )
    return [found.get(key) for key in keys]


def same_document(connection: Connection, by_id: int, sha256: bytes, signer: bytes | None) -> int | None:
    """The entry of the very same bytes, signed by the same key or by none. It tells a document of master data alone,
    which has no events to know it by, and one whose entry only endorsed what stood before."""
    query = select(func.min(document.c.idx)).where(
        document.c.by_id == by_id,
        document.c.sha256 == sha256,
        document.c.signer.is_(None) if signer is None else document.c.signer == signer,
    )
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def refuse_other_content(connection: Connection, job_no: int) -> None:
    """No event stands twice in the long document of this job, and none already with other content.

    Raises `Invalid`, `OtherContent`.
    """
    own, other = inbox_event, inbox_event.alias("other")
    same = and_(
        other.c.job_no == job_no,
        other.c.by_id == own.c.by_id,
        other.c.event_id == own.c.event_id,
        other.c.declared_at == own.c.declared_at,
        other.c.ev_no > own.c.ev_no,
    )
    double = connection.execute(
        select(own.c.event_id, own.c.digest, other.c.digest.label("another"))
        .join(other, same)
        .where(own.c.job_no == job_no)
        .limit(1)
    ).first()
    if double is not None and double.digest == double.another:
        raise Invalid(
            "capture.double",
            "An event stands twice in this document",
            double.event_id,
            "Nothing was stored. Send each event once.",
        )
    if double is not None:
        raise OtherContent([double.event_id])
    query = standing(job_no, event.c.event_id).where(event.c.digest != own.c.digest).limit(1000)
    clashing = connection.execute(query).scalars().all()
    if clashing:
        raise OtherContent(list(clashing))


def standing(job_no: int, *columns: Any) -> Any:
    """A query of `columns` over the events of a long document that stand already."""
    own = inbox_event
    return (
        select(*columns)
        .select_from(own)
        .join(
            event,
            and_(
                event.c.by_id == own.c.by_id,
                event.c.event_id == own.c.event_id,
                event.c.declared_at == own.c.declared_at,
            ),
        )
        .where(own.c.job_no == job_no)
    )


def take_what_is_left_for_the_same(connection: Connection, job_no: int) -> None:
    """An event of which something was erased stands under another digest. Where the rest of it is the same in the long
    document of this job, whose bodies still have all, that digest is taken over: it is the same event."""
    own = inbox_event
    columns = (own.c.ev_no, own.c.body, event.c.idx, event.c.digest)
    for row in connection.execute(standing(job_no, *columns).where(event.c.digest != own.c.digest)).all():
        if same_but_erased(connection, row.idx, unpack(bytes(row.body)), bytes(row.digest)):
            here = (own.c.job_no == job_no) & (own.c.ev_no == row.ev_no)
            connection.execute(update(own).where(here).values(digest=row.digest))
