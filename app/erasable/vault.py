"""Reading back what was encrypted: the one way from placeholders to values, for whoever shows, proves or audits.

    vault.fields(connection, index, number, fields)     an event's fields, values in place of placeholders
    vault.raw(connection, index, stored)                the document as it came, as far as it was not erased
    vault.events(connection, index, stored)             its events, without what was erased

What cannot be opened (erased, or its ring is not there) stays a placeholder: the commitment holds with either.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from app.erasable import parts
from app.erasable.models import erasable
from app.erasable.parts import WHOLE, WRAP_BYTES, PartDamaged, Span
from app.erasable.rings import NoKey, Rings
from app.erasable.sealing import Locked
from app.erasable.spans import MARK, UNBOUNDED, restore
from ledger.custody.event import Event, canonical
from ledger.epcis.read import read
from ledger.log.entry import Entry
from ledger.signing.commitment import Field, HiddenLeaf, Leaf
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.tables import wrap

FOLDER = "wraps"


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored part. `value` and `spans` are None where it cannot be opened; `erased_idx` says that it was erased."""

    part: int
    path: str
    ev_no: int | None
    event_id: str | None
    leaf: bytes | None
    erased_idx: int | None
    value: bytes | None
    spans: tuple[Span, ...] | None


Filling = Callable[[int, Sequence[Field]], list[Field]]
"""The fields of a record (its number, its fields as stored) with the values of those that are placeholders."""


class Vault:
    """The rings of a node and its origin. One a process."""

    def __init__(self, rings: Rings, origin: str) -> None:
        self.rings = rings
        self.origin = origin

    @classmethod
    def at(cls, data_dir: Path, origin: str) -> "Vault":
        """The vault of the node whose files lie in `data_dir`."""
        return cls(Rings(data_dir / FOLDER), origin)

    def parts(self, connection: Connection, index: int, number: int | None = None) -> list[Kept]:
        """The parts of the entry at `index`, or of its record `number` alone, opened where they can be."""
        query = select(erasable).where(erasable.c.idx == index).order_by(erasable.c.part)
        if number is not None:
            query = query.where(erasable.c.ev_no == number)
        rows = connection.execute(query).all()
        if not rows:
            return []
        reader = SqlReader(connection, self.origin)
        statement = Entry.decode(reader.entry(index)).statement
        if number is None:
            ring, every = wraps_of(connection, reader.ledger_id, index)
            wraps = dict(enumerate(every))
        else:
            ring, wraps = _some_wraps(connection, reader.ledger_id, index, [row.part for row in rows])
        return [self._kept(row, ring, wraps.get(row.part, b""), statement) for row in rows]

    def _kept(self, row: Row[Any], ring: str, wrapped: bytes, statement: bytes) -> Kept:
        value = spans = None
        if row.data is not None:
            context = parts.context_of(self.origin, statement, row.path)
            try:
                plain = parts.unlock(self.rings, ring, context, wrapped, bytes(row.data))
                value, spans = parts.parse(plain)
            except (NoKey, PartDamaged):
                value = spans = None
        leaf = None if row.leaf is None else bytes(row.leaf)
        return Kept(row.part, row.path, row.ev_no, row.event_id, leaf, row.erased_idx, value, spans)

    def fields(self, connection: Connection, index: int, number: int, fields: Sequence[Field]) -> list[Field]:
        """The fields of record `number` of the entry at `index`, with the values of those that are placeholders."""
        if not any(isinstance(each, HiddenLeaf) for each in fields):
            return list(fields)
        return _filled(number, fields, self.parts(connection, index, number))

    def filling(self, connection: Connection, index: int) -> Filling:
        """`fields` for record after record of the entry at `index`: its parts are opened once, when they are needed."""
        by_record: dict[int | None, list[Kept]] = {}

        def fill(number: int, fields: Sequence[Field]) -> list[Field]:
            if not any(isinstance(each, HiddenLeaf) for each in fields):
                return list(fields)
            if not by_record:
                for each in self.parts(connection, index):
                    by_record.setdefault(each.ev_no, []).append(each)
            return _filled(number, fields, by_record.get(number, ()))

        return fill

    def all_fields(
        self, connection: Connection, index: int, records: Sequence[Sequence[Field]]
    ) -> list[list[Field]]:
        """`fields` of all records of the entry at `index`."""
        if not any(isinstance(each, HiddenLeaf) for fields in records for each in fields):
            return [list(fields) for fields in records]
        kept: dict[int | None, list[Kept]] = {}
        for each in self.parts(connection, index):
            kept.setdefault(each.ev_no, []).append(each)
        return [_filled(number, fields, kept.get(number, ())) for number, fields in enumerate(records)]

    def raw(self, connection: Connection, index: int, stored: bytes) -> tuple[bytes, bool]:
        """The document of the entry at `index`, of which `stored` is kept; and whether it is whole, as it came."""
        kept = self.parts(connection, index)
        spans = [span for each in kept for span in each.spans or ()]
        return restore(stored, spans), all(each.spans is not None for each in kept)

    def records(self, connection: Connection, index: int, stored: bytes) -> list[list[Field]] | None:
        """The records of the document of the entry at `index`; None where it is gone as a whole.

        What was erased is a placeholder in them.
        """
        raw, whole = self.raw(connection, index, stored)
        if not raw:
            return None
        kept = {each.path: each for each in self.parts(connection, index)} if not whole else {}
        ids = {each.ev_no: each.event_id for each in kept.values() if each.event_id}
        found: list[list[Field]] = []
        for number, event in enumerate(read(raw, None, UNBOUNDED).events):
            fields: list[Field] = []
            for each in replace(event, event_id=ids.get(number, event.event_id)).fields():
                part = kept.get(f"e{number}/{each.path}")
                hidden = part is not None and part.leaf is not None and part.spans is None
                fields.append(HiddenLeaf.of(each.path, part.leaf) if hidden else each)  # type: ignore[union-attr,arg-type]
            found.append(fields)
        return found

    def events(self, connection: Connection, index: int, raw: bytes) -> list[Event]:
        """The events of `raw`, which `Vault.raw` gave for the entry at `index`, without what was erased of them."""
        events = list(read(raw, None, UNBOUNDED).events)
        if MARK.encode() not in raw:
            return events
        kept = self.parts(connection, index)
        ids = {each.ev_no: each.event_id for each in kept if each.event_id}
        gone = {each.path for each in kept if each.spans is None}

        def left(pairs: tuple[tuple[str, str], ...], prefix: str) -> tuple[tuple[str, str], ...]:
            return tuple(pair for pair in pairs if prefix + pair[0] not in gone)

        return [
            replace(
                event,
                event_id=ids.get(number, event.event_id),
                extensions=left(event.extensions, f"e{number}/ext/"),
                ilmd=left(event.ilmd, f"e{number}/ilmd/"),
            )
            for number, event in enumerate(events)
        ]


def _filled(number: int, fields: Sequence[Field], kept: Iterable[Kept]) -> list[Field]:
    values = {each.path: each.value for each in kept if each.value is not None}
    found: list[Field] = []
    for each in fields:
        value = values.get(f"e{number}/{each.path}") if isinstance(each, HiddenLeaf) else None
        found.append(each if value is None else Leaf(each.path, value))
    return found


def keep(connection: Connection, ledger_id: int, index: int, locked: Locked | None) -> None:
    """Write the parts of the capture whose entry is at `index`."""
    if locked is None:
        return
    rows = [
        {
            "idx": index,
            "part": number,
            "path": part.path,
            "ev_no": part.ev_no,
            "event_id": part.event_id,
            "leaf": part.leaf,
            "data": part.data,
        }
        for number, part in enumerate(locked.parts)
    ]
    connection.execute(insert(erasable), rows)
    key = wrap_row(locked.ring, [part.wrap for part in locked.parts])
    connection.execute(insert(wrap).values(ledger=ledger_id, idx=index, key=key))


def kept_of(connection: Connection, entries: Select[tuple[int]]) -> tuple[int, int]:
    """How many parts are kept of these entries, and how many bytes their ciphertexts have."""
    data = func.coalesce(func.sum(func.length(erasable.c.data)), 0)
    query = select(func.count(), data).where(erasable.c.idx.in_(entries))
    count, size = connection.execute(query).one()
    return int(count), int(size)


def wrap_row(ring: str, wraps: Sequence[bytes]) -> bytes:
    """What `wrap.key` holds: the ring's name after its length (u8), and the wrapped key of each part."""
    return bytes((len(ring),)) + ring.encode() + b"".join(wraps)


def wraps_of(connection: Connection, ledger_id: int, index: int) -> tuple[str, list[bytes]]:
    """The ring's name and the wrapped keys of the entry at `index`; nothing where there are none."""
    query = select(wrap.c.key).where(wrap.c.ledger == ledger_id, wrap.c.idx == index)
    key = connection.execute(query).scalar()
    if not key:
        return "", []
    key = bytes(key)
    at = 1 + key[0]
    ring = key[1:at].decode("ascii", "replace")
    return ring, [key[n : n + WRAP_BYTES] for n in range(at, len(key), WRAP_BYTES)]


def _some_wraps(
    connection: Connection, ledger_id: int, index: int, numbers: Iterable[int]
) -> tuple[str, dict[int, bytes]]:
    """`wraps_of` for some of the parts: a document of a hundred thousand events has megabytes of them."""
    here = (wrap.c.ledger == ledger_id) & (wrap.c.idx == index)
    head = connection.execute(select(func.substr(wrap.c.key, 1, 256)).where(here)).scalar()
    if not head:
        return "", {}
    head = bytes(head)
    size = 1 + head[0]
    found = {}
    for number in numbers:
        piece = func.substr(wrap.c.key, 1 + size + number * WRAP_BYTES, WRAP_BYTES)
        found[number] = bytes(connection.execute(select(piece).where(here)).scalar() or b"")
    return head[1:size].decode("ascii", "replace"), found


def digest_of(fields: Sequence[Field]) -> bytes:
    """The content digest of what is there of an event: without its id and without what is a placeholder."""
    shown = (each for each in fields if each.path != "eventID" and not isinstance(each, HiddenLeaf))
    return sha256(canonical(shown)).digest()


def same_but_erased(connection: Connection, index: int, event: Event, digest: bytes) -> bool:
    """Whether `event` is the one of which `digest` is left, in the entry at `index`, after a redaction."""
    gone = erased_paths(connection, index, event.id)
    return bool(gone) and digest_of([each for each in event.fields() if each.path not in gone]) == digest


def erased_paths(connection: Connection, index: int, event_id: str) -> set[str]:
    """The paths (within the event) of what was erased of an event of the entry at `index`."""
    query = select(erasable.c.path).where(
        erasable.c.idx == index, erasable.c.event_id == event_id, erasable.c.erased_idx.is_not(None)
    )
    return {path.partition("/")[2] for path in connection.execute(query).scalars()}


def fields_json(paths: Sequence[str]) -> str:
    """Paths as `redaction.fields` holds them."""
    return json.dumps(sorted(paths), ensure_ascii=True)


__all__ = [
    "WHOLE",
    "Kept",
    "Vault",
    "digest_of",
    "erased_paths",
    "fields_json",
    "keep",
    "kept_of",
    "same_but_erased",
]
