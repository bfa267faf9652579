"""The event value: what happened, in the one form that all parties compute alike.

A 2.0 JSON document, a 2.0 XML one and a 1.2 XML one that tell the same happening give equal values here,
field by field; what is signed, hashed, compared and projected is this value and never a document's text. The
format is docs/formats/event.md; its vectors are tests/ledger/custody/vectors/.

    Event(type=EventType.OBJECT, event_time=..., time_zone_offset="-05:00", action=Action.ADD,
          biz_step="commissioning", epcs=("https://id.gs1.org/01/00300010123457/21/11",),
          ilmd=(("urn:epcglobal:cbv:mda#lotNumber", '"A123"'),))
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from ledger.custody.erasable import is_erasable
from ledger.custody.vocabulary import Action, EventType, step_rank
from ledger.signing.commitment import Field, Leaf, ListField

LOT = "urn:epcglobal:cbv:mda#lotNumber"
EXPIRY = "urn:epcglobal:cbv:mda#itemExpirationDate"

# How a canonical GTIN goes on to its lot and to its serial number (GS1 Digital Link).
_LOT_PART, _SERIAL_PART = "/10/", "/21/"

# What an event and the declaration that it was wrong do not share, extensions of the declaration included.
_NOT_IN_DERIVED_ID = ("eventID", "errorDeclaration/", "ext/https://ref.gs1.org/epcis#errorDeclaration")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RANKS = 16  # room for the step rank below the microseconds in a position


def format_time(moment: datetime) -> str:
    """`moment` (aware) as canonical text: UTC, six digits, ``Z``."""
    # Not strftime: it writes the year 999 with three digits, which no reader takes back.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def compact(value: object) -> str:
    """JCS (RFC 8785) of a value made of objects, arrays and strings only, as all values inside an event are.

    For strings, JCS and Python's ``json`` agree but for one thing: JCS sorts members by UTF-16 code units.
    Raises TypeError for any other scalar, ValueError for a lone surrogate.
    """
    text = _compact(value)
    text.encode("utf-8")  # a lone surrogate has no UTF-8: refuse it here, not in the middle of a commit
    return text


def _compact(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_compact, value)) + "]"
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_compact(name)}:{_compact(item)}" for name, item in members) + "}"
    raise TypeError(f"a value inside an event is text, a list or an object, not {type(value).__name__}")


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """So many of a class of objects (EPCIS 2.0, 7.3.3.3): `epc_class` canonical EPC text, `quantity` decimal
    text, `uom` UN/ECE Rec 20."""

    epc_class: str
    quantity: str | None = None
    uom: str | None = None

    def text(self) -> str:
        members = {"epcClass": self.epc_class, "quantity": self.quantity, "uom": self.uom}
        return compact({name: value for name, value in members.items() if value is not None})


@dataclass(frozen=True, slots=True, order=True)
class Linked:
    """A typed reference: a business transaction, a source or a destination (EPCIS 2.0, 7.3.5.4 and
    7.3.5.5)."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class ErrorDeclaration:
    """'The event of this id was wrong' (EPCIS 2.0, 7.4.1.4); `reason` is a bare CBV word or a URI."""

    time: datetime
    reason: str | None = None
    corrective_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One EPCIS event. EPCs are canonical text, times aware UTC, ILMD, extension and sensor values JCS text.

    Equal content gives an equal `digest` whatever the document's form, order and white space. `event_id` is
    None where the document had none: `id` is then the derived one.
    """

    type: EventType
    event_time: datetime
    time_zone_offset: str
    event_id: str | None = None
    action: Action | None = None
    biz_step: str | None = None
    disposition: str | None = None
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    read_point: str | None = None
    biz_location: str | None = None
    parent: str | None = None
    epcs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()
    input_quantities: tuple[Quantity, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    transactions: tuple[Linked, ...] = ()
    sources: tuple[Linked, ...] = ()
    destinations: tuple[Linked, ...] = ()
    transformation_id: str | None = None
    declaration: ErrorDeclaration | None = None
    sensors: tuple[str, ...] = ()
    ilmd: tuple[tuple[str, str], ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """The event's id: the explicit one, or the one derived from its content."""
        return self.event_id or self.derived_id

    @property
    def position(self) -> int:
        """Where the event stands in custody's order: microseconds since 1970, times 16, plus the step's rank.
        `id` breaks ties."""
        return position_at(self.event_time, step_rank(self.biz_step))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical form without eventID: what makes two captures the same."""
        return digest_of(self._fields())

    @property
    def content_digest(self) -> bytes:
        """SHA-256 of the canonical form without eventID and without what can be erased: what makes two events tell the
        same, however much of either was erased since."""
        return digest_of(field for field in self._fields() if not is_erasable(field.path))

    @property
    def derived_id(self) -> str:
        """The id of an event that came without one (docs/formats/event.md, Derived id)."""
        kept = (f for f in self._fields() if not f.path.startswith(_NOT_IN_DERIVED_ID))
        raw = bytearray(hashlib.sha256(canonical(kept)).digest()[:16])
        raw[6] = raw[6] & 0x0F | 0x80
        raw[8] = raw[8] & 0x3F | 0x80
        return f"urn:uuid:{uuid.UUID(bytes=bytes(raw))}"

    def ilmd_text(self, name: str) -> str | None:
        """The ILMD value `name` (expanded) where it is plain text, else None."""
        return _plain(self.ilmd, name)

    def extension_text(self, name: str) -> str | None:
        """The extension value `name` (expanded) where it is plain text, else None."""
        return _plain(self.extensions, name)

    def all_epcs(self) -> tuple[str, ...]:
        """Every EPC the event names as an object (not as a place): parent, objects, children, inputs,
        outputs; each once."""
        parent = (self.parent,) if self.parent else ()
        return tuple(dict.fromkeys((*parent, *self.epcs, *self.children, *self.inputs, *self.outputs)))

    def lots(self) -> tuple[str, ...]:
        """The lots the event is about: of the packages it commissions, and those it names by their class."""
        number = self.ilmd_text(LOT)
        classes = {q.epc_class for q in self.quantities if _LOT_PART in q.epc_class}
        if number:
            keys = (*self.epcs, *self.outputs)
            begun = {key[:end] for key in keys if (end := key.find(_SERIAL_PART)) >= 0}
            classes |= {f"{gtin}{_LOT_PART}{_quoted(number)}" for gtin in begun}
        return tuple(sorted(classes))

    def fields(self) -> list[Field]:
        """The event's record: its fields sorted by path, as the commitment and the canonical form take
        them."""
        return sorted(
            [Leaf("eventID", self.id.encode()), *(f for f in self._fields() if f.path != "eventID")],
            key=_path_bytes,
        )

    def _fields(self) -> list[Field]:
        found: list[Field] = []
        for path, text in self._single():
            if text:
                found.append(Leaf(path, text.encode()))
        for path, texts in self._lists():
            if texts:
                found.append(ListField(path, tuple(sorted({text.encode() for text in texts}))))
        found.sort(key=_path_bytes)
        return found

    def _single(self) -> Iterable[tuple[str, str | None]]:
        yield "type", self.type
        yield "eventID", self.event_id
        yield "eventTime", format_time(self.event_time)
        yield "eventTimeZoneOffset", self.time_zone_offset
        yield "action", self.action
        yield "bizStep", self.biz_step
        yield "disposition", self.disposition
        yield "readPoint", self.read_point
        yield "bizLocation", self.biz_location
        yield "parentID", self.parent
        yield "transformationID", self.transformation_id
        if self.declaration:
            yield "errorDeclaration/declarationTime", format_time(self.declaration.time)
            yield "errorDeclaration/reason", self.declaration.reason
        for name, value in self.ilmd:
            yield f"ilmd/{name}", value
        for name, value in self.extensions:
            yield f"ext/{name}", value

    def _lists(self) -> Iterable[tuple[str, Sequence[str]]]:
        yield "persistentDisposition/set", self.persistent_set
        yield "persistentDisposition/unset", self.persistent_unset
        yield "epcList", self.epcs
        yield "childEPCs", self.children
        yield "inputEPCList", self.inputs
        yield "outputEPCList", self.outputs
        yield "quantityList", [q.text() for q in self.quantities]
        yield "childQuantityList", [q.text() for q in self.child_quantities]
        yield "inputQuantityList", [q.text() for q in self.input_quantities]
        yield "outputQuantityList", [q.text() for q in self.output_quantities]
        yield (
            "bizTransactionList",
            [compact({"type": t.type, "bizTransaction": t.id}) for t in self.transactions],
        )
        yield "sourceList", [compact({"type": s.type, "source": s.id}) for s in self.sources]
        yield "destinationList", [compact({"type": d.type, "destination": d.id}) for d in self.destinations]
        yield "sensorElementList", self.sensors
        if self.declaration:
            yield "errorDeclaration/correctiveEventIDs", self.declaration.corrective_ids


def position_at(moment: datetime, rank: int = 0) -> int:
    """The first position of `moment` (aware) at step rank `rank` in custody's order."""
    return (moment - _EPOCH) // _MICROSECOND * _RANKS + rank


def time_of(position: int) -> datetime:
    """The event time that a position stands for."""
    return _EPOCH + timedelta(microseconds=position // _RANKS)


def canonical(fields: Iterable[Field]) -> bytes:
    """The canonical form of a record whose fields come sorted by path (docs/formats/event.md, Canonical
    form)."""
    parts: list[bytes] = []
    for field in fields:
        path = field.path.encode()
        if isinstance(field, ListField):
            for number, value in enumerate(field.values):
                parts += (path, b"/%d" % number, b"\0", len(value).to_bytes(4, "big"), value)
        else:
            parts += (path, b"\0", len(field.value).to_bytes(4, "big"), field.value)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _quoted(lot: str) -> str:
    """A lot's number as a canonical EPC has it. Many events in a row are about one lot, and each is asked often."""
    return quote(lot, safe="")


def digest_of(fields: Iterable[Field]) -> bytes:
    """The `digest` of the event whose record is `fields`, sorted by path: for whoever has them already."""
    return hashlib.sha256(canonical(f for f in fields if f.path != "eventID")).digest()


def _path_bytes(field: Field) -> bytes:
    return field.path.encode()


def _plain(pairs: tuple[tuple[str, str], ...], name: str) -> str | None:
    for key, value in pairs:
        if key == name:
            return _text(value)
    return None


@lru_cache(maxsize=1024)
def _text(value: str) -> str | None:
    """The text that a value is; None for another. A lot and an expiry are asked for again and again."""
    parsed: Any = json.loads(value)
    return parsed if isinstance(parsed, str) else None
