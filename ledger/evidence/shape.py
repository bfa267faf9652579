"""The shapes of JSON values in an evidence file: right type, right size, one spelling, or refused."""

from typing import Any

from ledger.errors import VerificationError
from ledger.log.encoding import from_base64, from_hex

MAX_PROOF_HASHES = 64


def members(value: object, *names: str) -> dict[str, Any]:
    """An object of exactly these members."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise _refuse(f"not an object of {', '.join(names)}")
    return value


def array(value: object, least: int, most: int) -> list[Any]:
    """An array of so many values."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise _refuse(f"not an array of {least} to {most} values")
    return value


def text(value: object, most: int = 4096) -> str:
    """Text that has a UTF-8 form."""
    if not isinstance(value, str) or len(value) > most:
        raise _refuse(f"not text of at most {most} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _refuse("text with a half of a surrogate pair") from None
    return value


def integer(value: object, least: int, most: int) -> int:
    """An integer within bounds; true and false are none."""
    if type(value) is not int or not least <= value <= most:
        raise _refuse(f"not an integer of {least} to {most}")
    return value


def hex_of(value: object, length: int) -> bytes:
    """So many bytes in lower-case hex."""
    return from_hex(text(value), length=length)


def base64_of(value: object, most: int = 1 << 20) -> bytes:
    """Bytes in canonical base64."""
    return from_base64(text(value, most * 2))


def hashes(value: object) -> tuple[bytes, ...]:
    """An audit path: an array of 32-byte hashes in base64."""
    return tuple(from_base64(text(item), length=32) for item in array(value, 0, MAX_PROOF_HASHES))


def _refuse(message: str) -> VerificationError:
    return VerificationError(message, code="shape")
