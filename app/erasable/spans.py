"""A raw document with placeholders where erasable values stood, and what stood there.

Where values stand is counted in the bytes (jsonspans, xmlspans). Which field each of them is the reader itself says:
the document with numbered placeholders is read again, and must give the same events but for them. So nothing is guessed
about names, prefixes and contexts, and it is proven each time that no erasable value is left in what is stored. Where
that does not come out, there are no spans, and the whole document is encrypted instead.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from app.erasable import jsonspans, xmlspans
from app.erasable.candidates import Candidate
from app.erasable.parts import Span
from ledger.custody.erasable import is_erasable
from ledger.custody.event import Event
from ledger.epcis.document import Document, Form
from ledger.epcis.errors import DocumentError
from ledger.epcis.limits import Limits
from ledger.epcis.read import read
from ledger.signing.commitment import Field, Leaf

MARK: Final = "packproof:erasable:"
UNBOUNDED: Final = Limits(body_bytes=2**31, events=10**6, epcs_per_event=10**7)
"""For what was read when it came, and is read again: a bound that was lowered since keeps nothing out of it."""
_PLACEHOLDER = re.compile(re.escape(MARK) + r"([0-9]+)")
_TRIES = 3


@dataclass(slots=True)
class Spanned:
    """`raw` is what is stored. Spans by event number and path of the field, and by name for the header's members."""

    raw: bytes
    fields: dict[tuple[int, str], list[Span]] = field(default_factory=dict)
    header: dict[str, list[Span]] = field(default_factory=dict)


def may_have_any(raw: bytes, document: Document) -> bool:
    """Whether anything in the document may be erasable, told without looking for it."""
    if any(is_erasable(f"ext/{name}") for each in document.events for name, _ in each.extensions):
        return True
    if any(is_erasable(f"ilmd/{name}") for each in document.events for name, _ in each.ilmd):
        return True
    master = any(entry.other for entry in (*document.products, *document.locations))
    return bool(document.headers or master or b"ContactInformation" in raw)


def find(raw: bytes, document: Document) -> Spanned | None:
    """`raw` with placeholders in place of all that is erasable; None where that cannot be done exactly."""
    if MARK.encode() in raw:
        return None
    try:
        candidates = jsonspans.find(raw) if document.form is Form.JSON20 else xmlspans.find(raw)
        for _ in range(_TRIES):
            spanned, numbered = _replaced(raw, candidates)
            wrong = _assign(spanned, numbered, candidates, document)
            if wrong is None:
                return None
            if not wrong:
                return spanned if restore(spanned.raw, _all(spanned)) == raw else None
            candidates = [each for number, each in enumerate(candidates) if number not in wrong]
    except (xmlspans.NoSpans, DocumentError, ValueError, RecursionError, IndexError):
        return None
    return None


def restore(raw: bytes, spans: Sequence[Span]) -> bytes:
    """`raw` with the originals of `spans` put back."""
    pieces, at = [], 0
    for span in sorted(spans, key=lambda each: each.offset):
        pieces += (raw[at : span.offset], span.original)
        at = span.offset + span.size
    return b"".join((*pieces, raw[at:]))


def _all(spanned: Spanned) -> list[Span]:
    return [span for spans in (*spanned.fields.values(), *spanned.header.values()) for span in spans]


def _replaced(raw: bytes, candidates: Sequence[Candidate]) -> tuple[Spanned, list[Span]]:
    pieces: list[bytes] = []
    numbered: list[Span] = []
    at = length = 0
    for number, each in enumerate(candidates):
        between, written = raw[at : each.start], each.write(f"{MARK}{number}")
        numbered.append(Span(length + len(between), len(written), raw[each.start : each.end]))
        pieces += (between, written)
        length += len(between) + len(written)
        at = each.end
    return Spanned(b"".join((*pieces, raw[at:]))), numbered


def _assign(
    spanned: Spanned, numbered: Sequence[Span], candidates: Sequence[Candidate], document: Document
) -> set[int] | None:
    """Give each placeholder to its field. The numbers of those that stand in a field that is not erasable; None where
    the document is not the same but for its placeholders."""
    again = read(spanned.raw, _kind(document.form), UNBOUNDED)
    if not _same_front(document, again) or len(again.events) != len(document.events):
        return None
    wrong: set[int] = set()
    used: set[int] = set()
    for number, (before, after) in enumerate(zip(document.events, again.events, strict=True)):
        found = _event(before, after)
        if found is None:
            return None
        for path, places in found.items():
            used |= places
            if is_erasable(path):
                spanned.fields[number, path] = [numbered[place] for place in sorted(places)]
            else:
                wrong |= places
    for place, candidate in enumerate(candidates):
        if place not in used:
            spanned.header.setdefault(candidate.name, []).append(numbered[place])
    return wrong


def _event(before: Event, after: Event) -> dict[str, set[int]] | None:
    """The placeholders in each field that differs; None where something else differs or an erasable value is left."""
    was, now = _fields(before), _fields(after)
    if was.keys() != now.keys():
        return None
    found = {}
    for path, value in was.items():
        if now[path] == value and not is_erasable(path):
            continue
        if not isinstance(value, Leaf):
            return None
        if is_erasable(path):
            places = _placeholders(json.loads(now[path].value))  # type: ignore[union-attr]
        else:  # a standard member under another name, beside one that was known as such
            places = {int(each) for each in _PLACEHOLDER.findall(now[path].value.decode())}  # type: ignore[union-attr]
        if not places:
            return None
        found[path] = places
    return found


def _fields(event: Event) -> dict[str, Field]:
    # An id that was derived from the content is derived from the placeholders now.
    return {each.path: each for each in replace(event, event_id="-").fields()}


def _placeholders(value: Any) -> set[int] | None:
    """The placeholders that `value` is made of; None where there is any other text in it."""
    if isinstance(value, str):
        match = _PLACEHOLDER.fullmatch(value)
        return {int(match[1])} if match else None
    found: set[int] = set()
    for item in value.values() if isinstance(value, dict) else value:
        inner = _placeholders(item)
        if inner is None:
            return None
        found |= inner
    return found


def _same_front(before: Document, after: Document) -> bool:
    def bare(document: Document) -> Document:
        return replace(
            document,
            events=(),
            headers=tuple((name, "") for name, _ in document.headers),
            products=tuple(replace(each, other=()) for each in document.products),
            locations=tuple(replace(each, other=()) for each in document.locations),
            notes=(),
        )

    return bare(before) == bare(after)


def _kind(form: Form) -> str:
    return "application/json" if form is Form.JSON20 else "application/xml"
