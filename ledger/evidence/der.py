"""Just enough DER (X.690) to read a time stamp: tags of one byte, definite lengths in their shortest form."""

from dataclasses import dataclass
from typing import Final

from ledger.errors import VerificationError

MAX_PARTS: Final = 256
_CONSTRUCTED: Final = 0x20


@dataclass(frozen=True, slots=True)
class Der:
    """One element: its tag, its content, and all its bytes."""

    tag: int
    content: bytes
    whole_bytes: bytes

    @classmethod
    def whole(cls, data: bytes, tag: int) -> "Der":
        """The element of this tag that `data` is. Raises `VerificationError` with the code ``der``."""
        element, end = _element(data, 0)
        if end != len(data):
            raise _refuse(f"{len(data) - end} bytes follow")
        return element.require(tag)

    def require(self, tag: int) -> "Der":
        """This element, if it has the tag."""
        if self.tag != tag:
            raise _refuse(f"an element of tag {self.tag:#04x} where {tag:#04x} belongs")
        return self

    def parts(self, count: int | None = None) -> list["Der"]:
        """What a constructed element consists of; at least one, or exactly `count`."""
        if not self.tag & _CONSTRUCTED:
            raise _refuse(f"an element of tag {self.tag:#04x} has no parts")
        found: list[Der] = []
        at = 0
        while at < len(self.content) and len(found) <= MAX_PARTS:
            part, at = _element(self.content, at)
            found.append(part)
        if not found or len(found) > MAX_PARTS or count not in (None, len(found)):
            raise _refuse(f"{len(found)} parts in an element of tag {self.tag:#04x}")
        return found

    def integer(self) -> int:
        """The value of an INTEGER."""
        raw = self.require(0x02).content
        if not raw or (len(raw) > 1 and raw[0] in (0, 0xFF) and (raw[0] ^ raw[1]) < 0x80):
            raise _refuse("an integer that is not written as short as it can be")
        return int.from_bytes(raw, "big", signed=True)


def context(number: int) -> int:
    """The tag of a constructed element [number]."""
    return 0xA0 | number


def oid(dotted: str) -> bytes:
    """The content of an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    encoded = b""
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        encoded += bytes(reversed(groups))
    return encoded


def _element(data: bytes, at: int) -> tuple[Der, int]:
    head = data[at : at + 2]
    if len(head) < 2 or head[0] & 0x1F == 0x1F:
        raise _refuse("the bytes end too early, or a tag has several bytes")
    length, start = head[1], at + 2
    if length & 0x80:
        size = length & 0x7F
        raw = data[start : start + size]
        length, start = int.from_bytes(raw, "big"), start + size
        if not 1 <= size <= 4 or len(raw) != size or length < max(0x80, 1 << 8 * (size - 1)):
            raise _refuse("a length that is indefinite, or not written as short as it can be")
    end = start + length
    if end > len(data):
        raise _refuse("the bytes end too early")
    return Der(head[0], data[start:end], data[at:end]), end


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"DER: {message}", code="der")
