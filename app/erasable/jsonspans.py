"""Where in a JSON document's bytes stand values that may be erasable.

Only the way to the events is walked by hand; every other value is skipped by the standard library's scanner, in C. What
the values are called is left to the reader (app.erasable.spans): here it only counts where they stand.
"""

import json
from collections.abc import Callable
from typing import Any

from app.erasable.candidates import Candidate
from ledger.epcis.names import ALLOWED, EVENT_TYPES, PLACES

_KNOWN = frozenset().union(*ALLOWED.values()) | {"type", "isA", "@context"}
_ROOT = frozenset(
    "@context id type isA schemaVersion creationDate instanceIdentifier sender receiver epcisHeader epcisBody".split()
)
_DECLARATION = frozenset(("declarationTime", "reason", "correctiveEventIDs", "@context"))
_WHITE = " \t\n\r"
_decoder = json.JSONDecoder()

Handler = Callable[[str, int], int]
"""(member's name, where its value begins) -> where the value ends."""


def find(raw: bytes) -> list[Candidate]:
    """The values in `raw`, which the reader has accepted, that may be erasable; ascending."""
    text = raw.decode("utf-8")
    walk = _Walk(text)
    walk.document(1 if text.startswith("\ufeff") else 0)
    return [
        Candidate(start, end, where, _written) for (start, end, where) in _in_bytes(text, sorted(walk.found))
    ]


def _written(placeholder: str) -> bytes:
    return f'"{placeholder}"'.encode()


def _in_bytes(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans of characters as spans of bytes."""
    if text.isascii():
        return spans
    found, done, at = [], 0, 0
    for start, end, where in spans:
        at += len(text[done:start].encode())
        size = len(text[start:end].encode())
        found.append((at, at + size, where))
        done, at = end, at + size
    return found


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self.found: list[tuple[int, int, str]] = []

    def document(self, at: int) -> None:
        at = self._white(at)
        root, _ = _decoder.raw_decode(self._text, at)
        if root.get("type", root.get("isA")) in EVENT_TYPES:
            self._object(at, self._event)
        else:
            self._object(at, self._root)

    # Ways down.

    def _root(self, name: str, at: int) -> int:
        if name == "epcisBody":
            return self._object(at, self._body)
        if name == "epcisHeader":
            return self._object(at, self._header)
        return self._skip(at) if name in _ROOT or _is_statement(name) else self._candidate(name, at)

    def _body(self, name: str, at: int) -> int:
        if name in ("queryResults", "resultsBody"):
            return self._object(at, self._body)
        if name == "eventList":
            return self._array(at, lambda here: self._object(here, self._event))
        if name == "event":
            return self._object(at, self._event)
        if name == "vocabularyList":
            return self._vocabularies(at)
        return self._skip(at)

    def _event(self, name: str, at: int) -> int:
        if name in PLACES:
            return self._object(at, self._beside(frozenset(("id", "@context"))))
        if name == "errorDeclaration":
            return self._object(at, self._beside(_DECLARATION))
        if name == "ilmd":
            return self._object(at, self._ilmd)
        return self._skip(at) if name in _KNOWN else self._candidate(name, at)

    def _beside(self, known: frozenset[str]) -> Handler:
        return lambda name, at: self._skip(at) if name in known else self._candidate(name, at)

    def _ilmd(self, name: str, at: int) -> int:
        standard = name == "@context" or name.startswith(("cbvmda:", "urn:epcglobal:cbv:mda"))
        return self._skip(at) if standard else self._candidate(name, at)

    def _header(self, name: str, at: int) -> int:
        if name == "epcisMasterData":
            return self._object(at, self._master_data)
        return self._skip(at) if name == "@context" or _is_statement(name) else self._candidate(name, at)

    def _master_data(self, name: str, at: int) -> int:
        return self._vocabularies(at) if name == "vocabularyList" else self._skip(at)

    def _vocabularies(self, at: int) -> int:
        return self._array(at, lambda here: self._object(here, self._vocabulary))

    def _vocabulary(self, name: str, at: int) -> int:
        if name != "vocabularyElementList":
            return self._skip(at)
        return self._array(at, lambda here: self._object(here, self._element))

    def _element(self, name: str, at: int) -> int:
        return self._array(at, self._attribute) if name == "attributes" else self._skip(at)

    def _attribute(self, at: int) -> int:
        value, end = _decoder.raw_decode(self._text, at)
        called = value.get("id") if isinstance(value, dict) else None
        if not isinstance(called, str) or "mda" in called:
            return end

        def handle(name: str, here: int) -> int:
            return self._candidate(called, here) if name == "attribute" else self._skip(here)

        return self._object(at, handle)

    # The text.

    def _candidate(self, name: str, at: int) -> int:
        value, end = _decoder.raw_decode(self._text, at)
        if not _is_nothing(value):
            self.found.append((at, end, name))
        return end

    def _skip(self, at: int) -> int:
        return _decoder.raw_decode(self._text, at)[1]

    def _white(self, at: int) -> int:
        text = self._text
        while text[at : at + 1] in _WHITE and at < len(text):
            at += 1
        return at

    def _object(self, at: int, handle: Handler) -> int:
        """Hand every member of the object at `at` to `handle`; where the object ends. Anything else is skipped."""
        text = self._text
        if text[at] != "{":
            return self._skip(at)
        at = self._white(at + 1)
        while text[at] != "}":
            name, at = _decoder.raw_decode(text, at)
            at = self._white(handle(name, self._white(self._white(at) + 1)))
            at = self._white(at + 1) if text[at] == "," else at
        return at + 1

    def _array(self, at: int, handle: Callable[[int], int]) -> int:
        text = self._text
        if text[at] != "[":
            return self._skip(at)
        at = self._white(at + 1)
        while text[at] != "]":
            at = self._white(handle(at))
            at = self._white(at + 1) if text[at] == "," else at
        return at + 1


def _is_statement(name: str) -> bool:
    return name.startswith(("gs1ushc:", "http://epcis.gs1us.org/hc/ns"))


def _is_nothing(value: Any) -> bool:
    """Whether the reader would find nothing there: null, and lists of nothing."""
    return value is None or (isinstance(value, list) and all(_is_nothing(item) for item in value))
