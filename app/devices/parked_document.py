"""What is kept of a parked act's document: what can be erased of it encrypted, as of any capture, the rest in clear.

The parts lie in `erasable` under the index of the audit entry that parked the act, their keys in `wrap` (docs/formats/
redaction.md); the row in `parked` has the rest::

    document = 0x01 || SHA-256 of the document as it came || zlib of it with placeholders
             | zlib of it as it came                 parked before this was so: encrypted when something of it is erased
             | index of the redaction, 8 bytes       erased; the seed is empty then
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from app.devices.models import parked
from app.erasable import sealing, spans
from app.erasable.parts import Part
from app.erasable.sealing import Locked, Open
from app.erasable.vault import Kept, Vault, keep, kept_of
from app.events.records import RawDamaged, raw_document
from app.partners import service as partners
from ledger.epcis.read import read
from ledger.log.entry import Entry
from ledger.store.sql.reader import SqlReader

_MARK: Final = b"\x01"
_DIGEST_BYTES: Final = 32
_INDEX_BYTES: Final = 8
_ROW_BYTES: Final = 256
"""About what a part takes beside its ciphertext and its key."""


def opened(raw: bytes, content_type: str | None, seed: bytes) -> Open:
    """A document divided into what is kept in clear and what is encrypted. It was read and committed to before."""
    document = read(raw, content_type or None, spans.UNBOUNDED)
    events = [replace(each, event_id=each.id) for each in document.events]
    records = [each.fields() for each in events]
    if not spans.may_have_any(raw, document):
        return Open(raw, records, ())
    return sealing.take_out(raw, document, records, [each.id for each in events], seed, 0)


def lock(found: Open, vault: Vault, ring: str, statement: bytes) -> Locked | None:
    """Its parts encrypted under the audit entry's `statement`; None where nothing of it can be erased."""
    if not found.parts:
        return None
    return sealing.lock(found.parts, vault.rings, ring, vault.origin, statement)


def pack(raw: bytes, kept: bytes) -> bytes:
    """The column for the document `raw`, of which `kept` is stored in clear."""
    return _MARK + sha256(raw).digest() + zlib.compress(kept, 6)


def size_of(packed: bytes, locked: Locked | None) -> int:
    """What a parked document takes, in bytes."""
    return len(packed) + sum(len(part.data) + _ROW_BYTES for part in (locked.parts if locked else ()))


def size_kept(connection: Connection, thumbprint: bytes) -> tuple[int, int]:
    """How many acts of this key are parked, and what their documents take (`size_of`)."""
    documents = func.coalesce(func.sum(func.length(parked.c.document)), 0)
    mine = parked.c.thumbprint == thumbprint
    count, size = connection.execute(select(func.count(), documents).where(mine)).one()
    parts, data = kept_of(connection, select(parked.c.idx).where(mine))
    return int(count), int(size) + data + parts * _ROW_BYTES


def erased_by(row: Row[Any]) -> int | None:
    """The index of the redaction that erased the document of this row of `parked`; None where it is kept."""
    data = bytes(row.document)
    return None if row.seed or len(data) != _INDEX_BYTES else int.from_bytes(data, "big", signed=True)


def erase(connection: Connection, index: int, redaction: int) -> None:
    """Leave nothing of the document of the act parked at `index` but which redaction erased it."""
    left = redaction.to_bytes(_INDEX_BYTES, "big", signed=True)
    connection.execute(update(parked).where(parked.c.idx == index).values(document=left, seed=b""))


def stored(row: Row[Any]) -> tuple[bytes, bytes]:
    """SHA-256 of the document as it came, and what is kept of it in clear. Raises `RawDamaged`."""
    data = bytes(row.document)
    if data[:1] != _MARK:
        raw = raw_document(data)
        return sha256(raw).digest(), raw
    kept = raw_document(data[1 + _DIGEST_BYTES :])
    return data[1 : 1 + _DIGEST_BYTES], kept


def digest(row: Row[Any]) -> bytes:
    """The first of these: nothing is unpacked for it, but of an act that was parked before. Raises `RawDamaged`."""
    data = bytes(row.document)
    return data[1 : 1 + _DIGEST_BYTES] if data[:1] == _MARK else stored(row)[0]


def whole(connection: Connection, vault: Vault, row: Row[Any]) -> bytes | None:
    """The document of this row of `parked` as it came; None where a part of it does not open. Raises `RawDamaged`."""
    digest, kept = stored(row)
    raw, all_there = vault.raw(connection, row.idx, kept)
    if not all_there:
        return None
    if sha256(raw).digest() != digest:
        raise RawDamaged("the parked document is not the one that came")
    return raw


def unlike(connection: Connection, vault: Vault, row: Row[Any], raw: bytes) -> bool:
    """Whether what is kept of `raw`, the document of this row, is other than what `lock` and `pack` give."""
    if bytes(row.document)[:1] != _MARK:
        return bool(vault.parts(connection, row.idx))
    made = opened(raw, row.content_type, bytes(row.seed))
    here = [_told(each) for each in vault.parts(connection, row.idx)]
    return made.raw != stored(row)[1] or here != [_told(each) for each in made.parts]


def _told(part: Part | Kept) -> tuple[Any, ...]:
    return (part.path, part.ev_no, part.event_id, part.leaf, part.value, part.spans)


def in_clear(connection: Connection, event_id: str) -> Iterator[tuple[Row[Any], Open]]:
    """The acts parked before values were encrypted whose documents hold this event, each as it would be kept now."""
    old = select(parked.c.idx).where(func.substr(parked.c.document, 1, 1) != _MARK).order_by(parked.c.idx)
    for index in connection.execute(old).scalars().all():
        row = connection.execute(select(parked).where(parked.c.idx == index)).one()  # one document in memory
        if erased_by(row) is not None:
            continue
        made = opened(stored(row)[1], row.content_type, bytes(row.seed))
        if any(part.event_id == event_id for part in made.parts):
            yield row, made


def encrypt(connection: Connection, vault: Vault, row: Row[Any], made: Open) -> None:
    """Keep an act that was parked before values were encrypted as it would be kept now."""
    reader = SqlReader(connection, vault.origin)
    gln = partners.glns(connection, [row.party_id])[row.party_id]
    statement = Entry.decode(reader.entry(row.idx)).statement
    locked = lock(made, vault, sealing.ring_of(gln, row.parked_at), statement)
    keep(connection, reader.ledger_id, row.idx, locked)
    packed = pack(stored(row)[1], made.raw)
    connection.execute(update(parked).where(parked.c.idx == row.idx).values(document=packed))


def among(connection: Connection, indexes: Sequence[int]) -> set[int]:
    """Those of these entries at which an act is parked."""
    return set(connection.execute(select(parked.c.idx).where(parked.c.idx.in_(indexes))).scalars())
