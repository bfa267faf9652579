"""Just enough CBOR (RFC 8949) to read a COSE receipt: deterministic encoding (4.2.1), or refused.

Unsigned and negative integers, byte and text strings, arrays, maps, tags and null, each in its shortest form and of
definite length; map keys ascend by their bytes, so no key stands twice. Nothing else stands in a receipt of ours, and
what a strange one holds besides is refused rather than skipped.
"""

from dataclasses import dataclass
from typing import Final

from ledger.errors import VerificationError

MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 256


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under a tag."""

    tag: int
    value: object


def loads(data: bytes) -> object:
    """The one item that `data` is. Raises `VerificationError` with the code ``cbor``."""
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise _refuse(f"{len(data) - end} bytes follow")
    return value


def dumps(value: object) -> bytes:
    """The deterministic encoding of integers, byte and text strings, lists, dicts, `Tagged` and None."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        raw = value.encode()
        return _head(3, len(raw)) + raw
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(dumps, value))
    if isinstance(value, dict):
        pairs = sorted((dumps(key), dumps(each)) for key, each in value.items())
        return _head(5, len(pairs)) + b"".join(key + each for key, each in pairs)
    if isinstance(value, Tagged):
        return _head(6, value.tag) + dumps(value.value)
    raise TypeError(f"{type(value).__name__} has no encoding here")


def _item(data: bytes, at: int, depth: int) -> tuple[object, int]:
    if depth > MAX_DEPTH:
        raise _refuse("nested too deeply")
    if at >= len(data):
        raise _refuse("the bytes end too early")
    major, argument = data[at] >> 5, data[at] & 31
    if major == 7:
        if argument != 22:
            raise _refuse(f"simple value or float at byte {at}")
        return None, at + 1
    number, at = _argument(data, at, argument)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        raw = data[at : at + number]
        if len(raw) != number:
            raise _refuse("the bytes end too early")
        return raw if major == 2 else _text(raw), at + number
    if major == 6:
        value, at = _item(data, at, depth + 1)
        return Tagged(number, value), at
    if number > MAX_ITEMS:
        raise _refuse(f"{number} items; at most {MAX_ITEMS} are read")
    return _array(data, at, number, depth) if major == 4 else _map(data, at, number, depth)


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[object], int]:
    values: list[object] = []
    for _ in range(count):
        value, at = _item(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[object, object], int]:
    found: dict[object, object] = {}
    before = b""
    for _ in range(count):
        start = at
        key, at = _item(data, at, depth + 1)
        if not isinstance(key, int | str | bytes) or data[start:at] <= before:
            raise _refuse("the keys of a map do not ascend, or are no scalars")
        before = data[start:at]
        found[key], at = _item(data, at, depth + 1)
    return found, at


def _argument(data: bytes, at: int, argument: int) -> tuple[int, int]:
    """The number in an item's head, and where the head ends."""
    if argument < 24:
        return argument, at + 1
    if argument > 27:
        raise _refuse(f"indefinite length or reserved head at byte {at}")
    length = 1 << argument - 24
    raw = data[at + 1 : at + 1 + length]
    number = int.from_bytes(raw, "big")
    if len(raw) != length or number < (24 if length == 1 else 1 << 4 * length):
        raise _refuse(f"a head at byte {at} is cut off or longer than it must be")
    return number, at + 1 + length


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for code, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * length:
            return bytes((major << 5 | code,)) + number.to_bytes(length, "big")
    raise ValueError("CBOR integers have 64 bits")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _refuse("a text that is not UTF-8") from None


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"CBOR: {message}", code="cbor")
