"""Reading text from outside so that each value has exactly one spelling.

Lenient base64, hex or numbers let a forger make a second file that 'means the same'. Here everything is decoded,
written again and compared; what differs is refused.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NoReturn

from ledger.errors import VerificationError

MAX_JSON_INT = 2**53 - 1
"""Integers beyond it are not the same number in every JSON reader (RFC 8785, appendix D)."""

MAX_JSON_VALUES = 1_500_000
"""Commas and opening brackets. The largest evidence file, of 32 MiB, has about a million."""


def to_base64(data: bytes) -> str:
    """RFC 4648, section 4, with padding."""
    return b64encode(data).decode("ascii")


def from_base64(text: str, *, length: int | None = None) -> bytes:
    """Canonical base64 only: padding, zero trailing bits, nothing else; `length` in bytes where it is fixed."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise VerificationError(f"{_short(text)} is not base64", code="base64") from None
    if to_base64(data) != text:
        raise VerificationError(f"{_short(text)} is not canonical base64", code="base64")
    if length is not None and len(data) != length:
        raise VerificationError(f"{len(data)} bytes in base64 where {length} belong", code="base64")
    return data


def from_hex(text: str, *, length: int | None = None) -> bytes:
    """Lower-case hex without anything between; `length` in bytes where it is fixed."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise VerificationError(f"{_short(text)} is not hex", code="hex") from None
    if data.hex() != text:
        raise VerificationError(f"{_short(text)} is not lower-case hex", code="hex")
    if length is not None and len(data) != length:
        raise VerificationError(f"{len(data)} bytes in hex where {length} belong", code="hex")
    return data


def from_decimal(text: str) -> int:
    """A decimal number below 2**63 without sign, leading zeros or other digits than ASCII."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (text[0] == "0" and text != "0"):
        raise VerificationError(f"{_short(text)} is not a decimal number", code="decimal")
    number = int(text)
    if number >= 2**63:
        raise VerificationError(f"{text} is too large", code="decimal")
    return number


def to_json(value: Any) -> bytes:
    """Members sorted, no white space. For printable ASCII strings and integers this is JCS (RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def few_values(data: bytes) -> bytes:
    """The JSON text `data` as it came, unless it may hold more than `MAX_JSON_VALUES`: then `VerificationError`.

    A pass over bytes, before anything is built: 32 MiB of ``[],`` would be a gigabyte of empty lists.
    """
    # Each value but the first stands behind one of these. In a text they count too; nothing of ours has many there.
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) >= MAX_JSON_VALUES:
        raise VerificationError(
            f"not JSON as it must be: more than {MAX_JSON_VALUES:,} values are not read", code="json"
        )
    return data


def from_json(data: bytes) -> Any:
    """Read JSON made of objects, arrays, strings, integers, booleans and null; no member twice, no fractions.

    Raises `VerificationError` for everything else. Whether the writing was exact is for the caller to compare.
    """
    few_values(data)
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            parse_int=_integer,
        )
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"not JSON as it must be: {error}", code="json") from None


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in one object")
    return members


def _no_fraction(text: str) -> NoReturn:
    raise ValueError(f"the number {_short(text)} is not an integer")


def _integer(text: str) -> int:
    number = int(text) if len(text) <= 17 else MAX_JSON_INT + 1
    if abs(number) > MAX_JSON_INT:
        raise ValueError(f"the integer {_short(text)} is beyond 2^53-1")
    return number


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
