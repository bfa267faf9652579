"""A capture divided into what is stored in clear and what is encrypted, before it gets its place.

What goes on holds placeholders: events' fields with the hashes of their leaves, the raw document with marks. The
commitment was made over the originals, and still is. Nothing here needs the ledger's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.erasable import parts as encryption
from app.erasable import spans
from app.erasable.parts import WHOLE, Part, Span
from app.erasable.rings import Rings
from ledger.custody.erasable import is_erasable
from ledger.epcis.document import Document
from ledger.signing.commitment import Field, HiddenLeaf, Leaf, leaf_commitment, leaf_numbers
from ledger.signing.remains import salt_stream


@dataclass(frozen=True, slots=True)
class LockedPart:
    """A part as it is stored."""

    path: str
    ev_no: int | None
    event_id: str | None
    leaf: bytes | None
    wrap: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Locked:
    """What is stored beside a capture: the ring's name, and the parts in their order."""

    ring: str
    parts: tuple[LockedPart, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A capture with placeholders, and what they stand for."""

    raw: bytes
    records: list[list[Field]]
    parts: tuple[Part, ...]


def ring_of(gln: str, received: datetime) -> str:
    """The ring of a party's captures of one month (UTC)."""
    return f"{gln}-{received:%Y-%m}"


def take_out(
    raw: bytes,
    document: Document,
    records: Sequence[Sequence[Field]],
    event_ids: Sequence[str],
    seed: bytes,
    intake: int,
) -> Open:
    """Divide a capture into what is stored in clear and its erasable parts. `intake`: leaves of its intake."""
    found = spans.find(raw, document)
    kept_raw = b"" if found is None else found.raw
    places: Mapping[tuple[int, str], list[Span]] = {} if found is None else found.fields
    numbers = leaf_numbers(intake, records)
    salts = salt_stream(seed, max(numbers.values()) + 1)
    parts: list[Part] = []
    kept: list[list[Field]] = []
    for number, record in enumerate(records):
        fields: list[Field] = []
        for each in record:
            if not isinstance(each, Leaf) or isinstance(each, HiddenLeaf) or not is_erasable(each.path):
                fields.append(each)
                continue
            path = f"e{number}/{each.path}"
            at = numbers[path] * 16
            leaf = leaf_commitment(path, salts[at : at + 16], each.value)
            there = tuple(places.get((number, each.path), ()))
            parts.append(Part(path, number, event_ids[number], leaf, each.value, there))
            fields.append(HiddenLeaf.of(each.path, leaf))
        kept.append(fields)
    if found is None:
        parts.append(Part(WHOLE, None, None, None, b"", (Span(0, 0, raw),)))
    else:
        parts += [
            Part(f"{WHOLE}/{name}", None, None, None, b"", tuple(there))
            for name, there in sorted(found.header.items())
        ]
    return Open(kept_raw, kept, tuple(parts))


def lock(parts: Sequence[Part], rings: Rings, ring: str, origin: str, statement: bytes) -> Locked:
    """Encrypt the parts of the capture with this statement."""
    locked = []
    for part in parts:
        context = encryption.context_of(origin, statement, part.path)
        wrap, data = encryption.lock(rings, ring, context, part.plaintext())
        locked.append(LockedPart(part.path, part.ev_no, part.event_id, part.leaf, wrap, data))
    return Locked(ring, tuple(locked))
