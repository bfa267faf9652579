"""JSON text to Python values, strictly: one meaning or none.

What ordinary parsers let pass, and two parsers read differently, is refused: a name twice in one object, NaN and
Infinity, numbers too long or too large for a double, lone surrogates, characters that XML cannot carry, bytes that are
not UTF-8. Numbers stay the text they were (`Number`), so that ``5.0`` in JSON is ``5.0`` in XML.
"""

import json
import re
from typing import Any

from ledger.epcis.errors import DocumentError, ProblemCode, ValueProblem
from ledger.epcis.limits import Limits
from ledger.epcis.values import require_text
from ledger.gs1.errors import shown

# Escapes, and raw characters, behind which something may hide that no text value may hold.
_SUSPECT = re.compile(rb"\\(?:u00[01]|u[dD][89A-Fa-f]|u[fF]{3}[eEfF]|[bf])|\xef\xbf[\xbe\xbf]")


_MOST_SHARED, _MOST_SHARED_CHARS = 4096, 200


class Number(str):
    """A JSON number, as it was written."""

    __slots__ = ()


class _Twice(dict[str, Any]):
    """An object that had a name twice."""

    name = ""


def parse(body: bytes, limits: Limits) -> Any:
    """The value of a JSON text: dict, list, str, `Number`, bool, None. Raises `DocumentError`."""
    text = _decoded(body, limits)
    repeated: list[_Twice] = []
    known: dict[str, str] = {}

    def once(value: Any) -> Any:
        """Texts that come again and again in a long document, steps and places, are in memory once."""
        if type(value) is not str or len(value) > _MOST_SHARED_CHARS:
            return value
        return known.get(value) or (known.setdefault(value, value) if len(known) < _MOST_SHARED else value)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = {name: once(value) for name, value in pairs}
        if len(found) != len(pairs):
            found = _Twice(found)
            seen: set[str] = set()
            found.name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            repeated.append(found)
        return found

    def number(text: str) -> Number:
        if len(text) > limits.number_chars or abs(float(text)) == float("inf"):
            raise ValueProblem(
                ProblemCode.BAD_NUMBER,
                f"the number {shown(text)} is longer or larger than any number meant here",
            )
        return Number(text)

    try:
        value = json.loads(
            text,
            object_pairs_hook=members,
            parse_float=number,
            parse_int=number,
            parse_constant=_refuse_constant,
        )
    except ValueProblem as problem:
        raise DocumentError(problem.code, problem.message) from None
    except RecursionError:
        raise DocumentError(
            ProblemCode.TOO_DEEP, f"objects and arrays nested deeper than {limits.depth} levels"
        ) from None
    except json.JSONDecodeError as problem:
        raise DocumentError(
            ProblemCode.NOT_JSON,
            problem.msg.removesuffix(" at"),  # where it is stands beside it
            f"line {problem.lineno}, column {problem.colno}",
        ) from None
    if repeated:
        first = repeated[0]
        raise DocumentError(
            ProblemCode.DUPLICATE_NAME,
            f"the name {shown(first.name)} stands twice in one object, and nobody can say which one is meant",
            _pointer(value, first),
        )
    if (b"\\" in body or b"\xef" in body) and _SUSPECT.search(body):
        _refuse_characters(value)
    return value


def _decoded(body: bytes, limits: Limits) -> str:
    if len(body) > limits.body_bytes:
        raise DocumentError(
            ProblemCode.TOO_LARGE,
            f"{len(body)} bytes; at most {limits.body_bytes} are read: divide the document",
        )
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DocumentError(
            ProblemCode.ENCODING, f"JSON is UTF-8, and byte {problem.start} of this is not"
        ) from None


def _refuse_constant(text: str) -> Any:
    raise ValueProblem(ProblemCode.BAD_NUMBER, f"{text} is no JSON number")


def token(name: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def _walk(value: Any) -> Any:
    """Every value in the tree, with its pointer."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        where, item = waiting.pop()
        yield where, item
        if isinstance(item, dict):
            waiting.extend((where + token(name), inner) for name, inner in item.items())
        elif isinstance(item, list):
            waiting.extend((where + token(number), inner) for number, inner in enumerate(item))


def _pointer(value: Any, target: _Twice) -> str:
    return next((where for where, item in _walk(value) if item is target), "")


def _refuse_characters(value: Any) -> None:
    for where, item in _walk(value):
        texts = [item] if isinstance(item, str) else list(item) if isinstance(item, dict) else []
        for text in texts:
            try:
                require_text(text, len(text))
            except ValueProblem as problem:
                raise DocumentError(
                    problem.code, problem.message, where.encode("utf-8", "replace").decode()
                ) from None
