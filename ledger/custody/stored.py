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
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
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
        return _fields(_unzip(body))
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
    """The fields of a canonical form, in one pass that also finds whether it is one: its fields come by their paths,
    and the values of a list by their numbers."""
    found: list[Field] = []
    before, at = b"", 0
    head: bytes | None = None  # the list that is being read, and its values so far
    values: list[bytes] = []
    lists: list[tuple[int, str, list[bytes]]] = []
    while at < len(plain):
        end = plain.index(b"\0", at)
        path = plain[at:end]
        start = end + 5
        at = start + int.from_bytes(plain[end + 1 : start], "big")
        if at > len(plain):
            raise ValueError("a value runs over the end")
        value = plain[start:at]
        group, _, number = path.rpartition(b"/")
        if group in _LISTS and number.isdigit():
            if group != head:
                if group < before:
                    raise ValueError(_NOT_CANONICAL)
                before, head, values = group, group, []
                lists.append((len(found), group.decode(), values))
                found.append(_LATER)
            if number != b"%d" % len(values):
                raise ValueError(_NOT_CANONICAL)
            values.append(value)
            at = _following(plain, at, group, values)
            continue
        if path < before or path == head:
            raise ValueError(_NOT_CANONICAL)
        before, head = path, None
        text = path.decode()
        sealed = value[:1] == b"\0" and len(value) == _PLACEHOLDER_BYTES and may_be_sealed(text)
        found.append(HiddenLeaf(text, value) if sealed else Leaf(text, value))
    for place, text, those in lists:
        found[place] = ListField(text, tuple(those))
    return found


def _following(plain: bytes, at: int, group: bytes, values: list[bytes]) -> int:
    """Add to `values` those of the same list that follow from `at`; where they end. A list may have thousands."""
    while plain.startswith(named := group + b"/%d\0" % len(values), at):
        start = at + len(named) + 4
        at = start + int.from_bytes(plain[start - 4 : start], "big")
        if at > len(plain):
            raise ValueError("a value runs over the end")
        values.append(plain[start:at])
    return at


_LATER = Leaf("", b"")  # stands for a list until all of it is read
_NOT_CANONICAL = "its fields are not in canonical form"


def _event(fields: list[Field]) -> Event:
    values: dict[str, Any] = {"time_zone_offset": ""}
    declared: dict[str, Any] = {}
    pairs: dict[str, list[tuple[str, str]]] = {"ilmd": [], "extensions": []}
    for each in fields:
        path = each.path
        if isinstance(each, ListField):
            texts = tuple([value.decode() for value in each.values])
            if path in _TEXTS:
                values[_TEXTS[path]] = texts
            elif path in _OBJECTS:
                name, read = _OBJECTS[path]
                values[name] = tuple([read(text) for text in texts])
            else:
                declared["corrective_ids"] = texts
            continue
        text = each.value.decode()
        if path in _SINGLE:
            values[_SINGLE[path]] = text
        elif path.startswith("ilmd/"):
            pairs["ilmd"].append((path[5:], text))
        elif path.startswith("ext/"):
            pairs["extensions"].append((path[4:], text))
        elif path in _DECLARED:
            declared[_DECLARED[path]] = text
    values["type"] = EventType(values["type"])
    values["event_time"] = _time(values["event_time"])
    values["event_id"]  # KeyError where there is none
    if "action" in values:
        values["action"] = Action(values["action"])
    if declared.get("time"):
        values["declaration"] = ErrorDeclaration(**(declared | {"time": _time(declared["time"])}))
    values |= {name: tuple(some) for name, some in pairs.items()}
    return Event(**values)


@lru_cache(maxsize=4096)
def _quantity(text: str) -> Quantity:
    parsed = json.loads(text)
    return Quantity(parsed["epcClass"], parsed.get("quantity"), parsed.get("uom"))


def _linked(member: str) -> Callable[[str], Linked]:
    @lru_cache(maxsize=4096)  # the same parties and orders are named by event after event
    def read(text: str) -> Linked:
        parsed = json.loads(text)
        return Linked(parsed["type"], parsed[member])

    return read


# Where each field of an event lies in its canonical form (docs/formats/event.md).
_SINGLE = {
    "type": "type",
    "eventID": "event_id",
    "eventTime": "event_time",
    "eventTimeZoneOffset": "time_zone_offset",
    "action": "action",
    "bizStep": "biz_step",
    "disposition": "disposition",
    "readPoint": "read_point",
    "bizLocation": "biz_location",
    "parentID": "parent",
    "transformationID": "transformation_id",
}
_DECLARED = {"errorDeclaration/declarationTime": "time", "errorDeclaration/reason": "reason"}
_TEXTS = {
    "persistentDisposition/set": "persistent_set",
    "persistentDisposition/unset": "persistent_unset",
    "epcList": "epcs",
    "childEPCs": "children",
    "inputEPCList": "inputs",
    "outputEPCList": "outputs",
    "sensorElementList": "sensors",
}
_OBJECTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "quantityList": ("quantities", _quantity),
    "childQuantityList": ("child_quantities", _quantity),
    "inputQuantityList": ("input_quantities", _quantity),
    "outputQuantityList": ("output_quantities", _quantity),
    "bizTransactionList": ("transactions", _linked("bizTransaction")),
    "sourceList": ("sources", _linked("source")),
    "destinationList": ("destinations", _linked("destination")),
}
_LISTS = frozenset(path.encode() for path in (*_TEXTS, *_OBJECTS, "errorDeclaration/correctiveEventIDs"))


def _time(text: str) -> datetime:
    # Five times as fast as strptime, and strict by round trip: fromisoformat takes more forms than the canonical one.
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or format_time(found) != text:
        raise ValueError(f"{text!r} is no canonical time")
    return found.astimezone(UTC)
