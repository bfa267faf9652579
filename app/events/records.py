"""What an entry committed to, read back: the document's digest, what was noted at intake, and every record.

The events' stored bodies are the committed bytes. An entry whose document repeated events that stood before has not
all of them of its own: then the raw document is read again, as it came.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.erasable.vault import Vault
from app.events import pending
from app.events.models import document, endorsement, event
from app.shared.chunks import chunks
from ledger.custody.stored import unpack_fields
from ledger.epcis.limits import Limits
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.signing.commitment import Leaf, Record

_NO_LIMIT = Limits(body_bytes=2**31, events=10**6, epcs_per_event=10**7)


@dataclass(frozen=True, slots=True)
class Committed:
    """All that a capture's statement commits to, but for the seed."""

    index: int
    document_digest: bytes
    intake: tuple[Leaf, ...]
    records: tuple[Record, ...]


def committed(connection: Connection, index: int, n: int, vault: Vault | None = None) -> Committed | None:
    """What the entry at `index`, whose statement counts `n` records, committed to; None where no document is kept.

    Erasable values are there as far as `vault` opens them; else a `HiddenLeaf` stands for them. None also where a
    redaction took the only document that says what the entry repeated.
    """
    row = connection.execute(select(document).where(document.c.idx == index)).one_or_none()
    if row is None:
        return None
    bodies = dict(
        connection.execute(select(event.c.ev_no, event.c.body).where(event.c.doc_id == row.doc_id)).all()
    )
    waiting = pending.of(connection).get(row.doc_id)
    if waiting is not None:
        bodies |= pending.bodies(connection, waiting)
    if len(bodies) == n:
        records: list[Record] = [unpack_fields(bytes(bodies[number])) for number in range(n)]
        if vault is not None:
            records = list(vault.all_fields(connection, index, records))
    elif vault is not None:
        restored = vault.records(connection, index, raw_document(bytes(row.raw)))
        if restored is None:
            return None
        records = list(restored)
    else:
        records = [each.fields() for each in read(raw_document(bytes(row.raw)), None, _NO_LIMIT).events]
    intake = json.loads(row.intake)
    leaves = tuple(Leaf(name, str(text).encode()) for name, text in sorted(intake.items()))
    return Committed(index, bytes(row.sha256), leaves, tuple(records))


def raw_document(packed: bytes) -> bytes:
    """The bytes of a document as it came. Raises `RawDamaged`."""
    try:
        return zlib.decompress(packed)
    except zlib.error as error:
        raise RawDamaged(f"the raw document cannot be unpacked: {error}") from error


class RawDamaged(LedgerError):
    """A stored raw document is not what was stored."""

    code = "raw_document_damaged"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands: record number `ev_no` of the entry at `index`."""

    seq: int
    index: int
    ev_no: int


def places(connection: Connection, seqs: Sequence[int]) -> list[Place]:
    """Every entry that holds or endorses the events with these numbers."""
    found: list[Place] = []
    for chunk in chunks(sorted(set(seqs))):
        for table in (event, endorsement):
            query = select(table.c.seq, table.c.idx, table.c.ev_no).where(table.c.seq.in_(chunk))
            found += [Place(*row) for row in connection.execute(query)]
    return found
