"""A prepared capture with its erasable values encrypted: the last step before the ledger's lock."""

from dataclasses import replace
from datetime import datetime

from app.capture.prepared import PreparedCapture
from app.erasable import sealing, spans
from app.erasable.vault import Vault
from ledger.custody.stored import pack_fields
from ledger.epcis.document import Document
from ledger.signing.commitment import HiddenLeaf


def seal_long(
    capture: PreparedCapture, document: Document, vault: Vault, now: datetime
) -> tuple[PreparedCapture, dict[int, bytes]]:
    """A long document's `capture`, which has no events of its own, and the bodies (by number) of those of `document`
    that hold placeholders now."""
    if not spans.may_have_any(capture.raw, document):
        return capture, {}
    events = [replace(each, event_id=each.id) for each in document.events]
    fields = [each.fields() for each in events]
    opened = sealing.take_out(
        capture.raw, document, fields, [each.id for each in events], capture.seed, len(capture.intake)
    )
    ring = sealing.ring_of(capture.by, now)
    locked = sealing.lock(opened.parts, vault.rings, ring, vault.origin, capture.statement)
    changed = {
        number: pack_fields(record)
        for number, record in enumerate(opened.records)
        if any(isinstance(field, HiddenLeaf) for field in record)
    }
    return replace(capture, raw=opened.raw, erasable=locked if opened.parts else None), changed


def seal(capture: PreparedCapture, vault: Vault, now: datetime) -> PreparedCapture:
    """`capture` as it is to be stored; itself where nothing in it is erasable."""
    if capture.erasable is not None or not spans.may_have_any(capture.raw, capture.document):
        return capture
    opened = sealing.take_out(
        capture.raw,
        capture.document,
        [each.fields for each in capture.events],
        [each.act.event.id for each in capture.events],
        capture.seed,
        len(capture.intake),
    )
    if not opened.parts:
        return capture
    ring = sealing.ring_of(capture.by, now)
    locked = sealing.lock(opened.parts, vault.rings, ring, vault.origin, capture.statement)
    events = tuple(
        replace(each, fields=record, body=None)
        for each, record in zip(capture.events, opened.records, strict=True)
    )
    return replace(capture, raw=opened.raw, events=events, erasable=locked)
