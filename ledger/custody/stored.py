"""An event as it is kept: its canonical form, and the way back.

The canonical form (docs/formats/event.md) is what was committed to, so that a stored event is checked by hashing
the bytes that are there. A body begins with one byte for how it is packed: 0 plain, 1 zlib.

    body = pack(event)        unpack(body) == event, but that an id once derived is now explicit

An erasable field (ledger.custody.erasable) may stand there as a placeholder, a zero byte and the hash of its leaf,
where its value is kept encrypted elsewhere or was erased. `unpack_fields` gives it as a `HiddenLeaf`; `unpack` leaves
it out, because nothing that the rules of custody read is erasable.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from typing import Any

from ledger.custody.erasable import may_be_sealed
from ledger.custody.event import ErrorDeclaration, Event, Linked, Quantity, canonical, format_time
from ledger.custody.vocabulary import Action, EventType
from ledger.errors import LedgerError
from ledger.signing.commitment import Field, HiddenLeaf, Leaf, ListField

_PLAIN, _ZLIB = b"\0", b"\1"
_WORTH_PACKING = 200
_LIMIT = 256 * 1024 * 1024
_PLACEHOLDER_BYTES = 33

_LISTS = frozenset(
    """
    persistentDisposition/set persistentDisposition/unset epcList childEPCs inputEPCList outputEPCList quantityList
    childQuantityList inputQuantityList outputQuantityList bizTransactionList sourceList destinationList
    sensorElementList errorDeclaration/correctiveEventIDs
    """.split()
)


class StoredEventDamaged(LedgerError):
    """The bytes of a stored event are no canonical form."""

    code = "stored_event_damaged"


def pack(event: Event) -> bytes:
    """The body to store for `event`."""
    return pack_fields(event.fields())


def pack_fields(fields: list[Field]) -> bytes:
    """The body to store for a record's `fields`."""
    plain = canonical(fields)
    return _ZLIB + zlib.compress(plain, 6) if len(plain) >= _WORTH_PACKING else _PLAIN + plain


def unpack_fields(body: bytes) -> list[Field]:
    """The fields in a stored body, as they were committed to. Raises `StoredEventDamaged`."""
    try:
        plain = _unzip(body)
        fields = _fields(plain)
        if canonical(fields) != plain:
            raise ValueError("its fields are not in canonical form")
        return fields
    except (zlib.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise StoredEventDamaged(f"the stored event cannot be read: {error}") from error


def unpack(body: bytes) -> Event:
    """The event in a stored body, without the fields that are placeholders. Raises `StoredEventDamaged`."""
    return event_of(unpack_fields(body))


def event_of(fields: list[Field]) -> Event:
    """The event with these fields; those that are placeholders are left out. Raises `StoredEventDamaged`."""
    try:
        return _event([field for field in fields if not isinstance(field, HiddenLeaf)])
    except (KeyError, ValueError, TypeError) as error:
        raise StoredEventDamaged(f"the stored event is no event: {error}") from error


def _unzip(body: bytes) -> bytes:
    if body[:1] == _PLAIN:
        return body[1:]
    if body[:1] != _ZLIB:
        raise ValueError("unknown packing")
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(body[1:], _LIMIT)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it does not end where it should")
    return plain


def _fields(plain: bytes) -> list[Field]:
    found: list[Field] = []
    lists: dict[str, list[bytes]] = {}
    at = 0
    while at < len(plain):
        end = plain.index(b"\0", at)
        path = plain[at:end].decode()
        length = int.from_bytes(plain[end + 1 : end + 5], "big")
        at = end + 5 + length
        if at > len(plain):
            raise ValueError("a value runs over the end")
        value = plain[end + 5 : at]
        head, _, number = path.rpartition("/")
        if head in _LISTS and number.isdigit():
            lists.setdefault(head, []).append(value)
        elif value[:1] == b"\0" and len(value) == _PLACEHOLDER_BYTES and may_be_sealed(path):
            found.append(HiddenLeaf(path, value))
        else:
            found.append(Leaf(path, value))
    found += [ListField(path, tuple(values)) for path, values in lists.items()]
    return sorted(found, key=lambda field: field.path.encode())


def _event(fields: list[Field]) -> Event:
    one = {f.path: f.value.decode() for f in fields if isinstance(f, Leaf)}
    many = {f.path: tuple(v.decode() for v in f.values) for f in fields if isinstance(f, ListField)}

    def parsed(path: str) -> list[dict[str, Any]]:
        return [json.loads(text) for text in many.get(path, ())]

    def quantities(path: str) -> tuple[Quantity, ...]:
        return tuple(Quantity(q["epcClass"], q.get("quantity"), q.get("uom")) for q in parsed(path))

    def linked(path: str, member: str) -> tuple[Linked, ...]:
        return tuple(Linked(entry["type"], entry[member]) for entry in parsed(path))

    def named(prefix: str) -> tuple[tuple[str, str], ...]:
        return tuple((path[len(prefix) :], value) for path, value in one.items() if path.startswith(prefix))

    declared = one.get("errorDeclaration/declarationTime")
    return Event(
        type=EventType(one["type"]),
        event_time=_time(one["eventTime"]),
        time_zone_offset=one.get("eventTimeZoneOffset", ""),
        event_id=one["eventID"],
        action=Action(one["action"]) if "action" in one else None,
        biz_step=one.get("bizStep"),
        disposition=one.get("disposition"),
        persistent_set=many.get("persistentDisposition/set", ()),
        persistent_unset=many.get("persistentDisposition/unset", ()),
        read_point=one.get("readPoint"),
        biz_location=one.get("bizLocation"),
        parent=one.get("parentID"),
        epcs=many.get("epcList", ()),
        children=many.get("childEPCs", ()),
        inputs=many.get("inputEPCList", ()),
        outputs=many.get("outputEPCList", ()),
        quantities=quantities("quantityList"),
        child_quantities=quantities("childQuantityList"),
        input_quantities=quantities("inputQuantityList"),
        output_quantities=quantities("outputQuantityList"),
        transactions=linked("bizTransactionList", "bizTransaction"),
        sources=linked("sourceList", "source"),
        destinations=linked("destinationList", "destination"),
        transformation_id=one.get("transformationID"),
        declaration=ErrorDeclaration(
            _time(declared),
            one.get("errorDeclaration/reason"),
            many.get("errorDeclaration/correctiveEventIDs", ()),
        )
        if declared
        else None,
        sensors=many.get("sensorElementList", ()),
        ilmd=named("ilmd/"),
        extensions=named("ext/"),
    )


def _time(text: str) -> datetime:
    # Five times as fast as strptime, and strict by round trip: fromisoformat takes more forms than the canonical one.
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or format_time(found) != text:
        raise ValueError(f"{text!r} is no canonical time")
    return found.astimezone(UTC)
