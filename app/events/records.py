"""What an entry committed to, read back: the document's digest, what was noted at intake, and every record.

The events' stored bodies are the committed bytes. An entry whose document repeated events that stood before has not
all of them of its own: then the raw document is read again, as it came.
"""

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from app.erasable.spans import UNBOUNDED
from app.erasable.vault import Vault
from app.events import pending
from app.events.models import document, endorsement, event
from app.shared.chunks import chunks
from ledger.custody.stored import unpack_fields
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.signing.commitment import Field, HiddenLeaf, Leaf, Outline, Record


@dataclass(frozen=True, slots=True)
class Committed:
    """All that a capture's statement commits to, but for the seed."""

    index: int
    document_digest: bytes
    intake: tuple[Leaf, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a capture's statement commits to, with the records that are wanted of it; of the others an outline."""

    document_digest: bytes
    intake: tuple[Leaf, ...]
    records: tuple[Record | Outline, ...]


def excerpt(
    connection: Connection, index: int, outlines: Sequence[Outline], wanted: Collection[int], vault: Vault
) -> Excerpt | None:
    """Records `wanted` of the entry at `index`, of whose records the outlines are known; None unless all of these stand
    as rows of its own: then `committed` finds them, or not."""
    row = connection.execute(select(document).where(document.c.idx == index)).one_or_none()
    if row is None:
        return None
    query = select(event.c.ev_no, event.c.body).where(event.c.doc_id == row.doc_id, event.c.ev_no.in_(wanted))
    bodies = dict(connection.execute(query).all())
    if bodies.keys() != set(wanted):
        return None
    fields = vault.filling(connection, index)
    records: list[Record | Outline] = list(outlines)
    for number, body in bodies.items():
        records[number] = fields(number, unpack_fields(bytes(body)))
    return Excerpt(bytes(row.sha256), _intake(row), tuple(records))


def committed(connection: Connection, index: int, n: int, vault: Vault | None = None) -> Committed | None:
    """What the entry at `index`, whose statement counts `n` records, committed to; None where no document is kept.

    Erasable values are there as far as `vault` opens them; else a `HiddenLeaf` stands for them. None also where a
    redaction took the only document that says what the entry repeated, and these events were signed before.
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
    if bodies.keys() == set(range(n)):
        records: list[Record] = [unpack_fields(bytes(bodies[number])) for number in range(n)]
        if vault is not None:
            records = list(vault.all_fields(connection, index, records))
    elif vault is not None:
        restored = vault.records(connection, index, raw_document(bytes(row.raw)))
        if restored is None:
            restored = _endorsed(connection, row, bodies, n, vault)
        if restored is None:
            return None
        records = list(restored)
    else:
        records = [each.fields() for each in read(raw_document(bytes(row.raw)), None, UNBOUNDED).events]
    return Committed(index, bytes(row.sha256), _intake(row), tuple(records))


def _intake(row: Row[Any]) -> tuple[Leaf, ...]:
    return tuple(Leaf(name, str(text).encode()) for name, text in sorted(json.loads(row.intake).items()))


def _endorsed(
    connection: Connection, row: Row[Any], bodies: Mapping[int, bytes], n: int, vault: Vault
) -> list[list[Field]] | None:
    """The records of a document that was erased as a whole: its own events, those that its entry endorsed,
    and those whose id is kept with what was erased of them. None where others were among them.

    What was erased has in each entry a leaf of its own, because the salts differ.
    """
    parts = vault.parts(connection, row.idx)
    named = {each.event_id: each.ev_no for each in parts if each.event_id is not None}
    columns = (event.c.idx, event.c.ev_no, event.c.body)
    earlier = select(event.c.event_id, *columns).where(
        event.c.event_id.in_(named), event.c.by_id == row.by_id, event.c.idx < row.idx
    )
    endorsed = (
        select(endorsement.c.ev_no, *columns)
        .join(event, event.c.seq == endorsement.c.seq)
        .where(endorsement.c.idx == row.idx)
    )
    found: dict[int | None, tuple[int, int, bytes]] = {}
    for event_id, *where in connection.execute(earlier):
        found[named[event_id]] = tuple(where)  # of several, that which was endorsed
    for number, *where in connection.execute(endorsed):
        found[number] = tuple(where)
    found |= {number: (row.idx, number, body) for number, body in bodies.items()}
    if found.keys() != set(range(n)):
        return None
    leaves = {each.path: each.leaf for each in parts if each.value is None}
    records = []
    for number in range(n):
        index, ev_no, body = found[number]
        fields = vault.fields(connection, index, ev_no, unpack_fields(bytes(body)))
        records.append([_own(each, leaves.get(f"e{number}/{each.path}")) for each in fields])
    return records


def _own(field: Field, leaf: bytes | None) -> Field:
    return field if leaf is None else HiddenLeaf.of(field.path, leaf)


def raw_document(packed: bytes) -> bytes:
    """The bytes of a document as it came. Raises `RawDamaged`, also where anything follows them."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed)
    except zlib.error as error:
        raise RawDamaged(f"the raw document cannot be unpacked: {error}") from error
    if not unpacker.eof or unpacker.unused_data:
        raise RawDamaged("the raw document does not end where it should")
    return plain


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
