"""Character set 82 and percent-encoding: what a serial or lot may hold, and how URIs carry it.

Character set 82 (GS1 General Specifications, figure 7.11-1) is ``!"%&'()*+,-./0-9:;<=>?A-Z_a-z``. Serials and lots
are case-sensitive; nothing here changes case. Three encodings of the same text::

    barcode          a1/B%
    EPC URN          a1%2FB%25      seven characters are escaped (Tag Data Standard, section 6.3.1)
    canonical URI    a1%2FB%25      everything but RFC 3986 unreserved is escaped, upper-case hexadecimal
"""

import re
from urllib.parse import quote, unquote_to_bytes

from ledger.gs1.errors import Gs1Code, Gs1Error, shown

CSET82 = r"!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z"

_VALUE = re.compile(f"[{CSET82}]+")
_URN_PLAIN = re.compile(r"[!'()*+,\-.0-9:;=A-Z_a-z]+")
_URN_COMPONENT = re.compile(r"(?:[!'()*+,\-.0-9:;=A-Z_a-z]|%[0-9A-Fa-f]{2})+")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URN_ESCAPES = {ord(c): f"%{ord(c):02X}" for c in '"%&/<>?'}


def require_value(value: str, longest: int, name: str) -> None:
    """Hold `value` against character set 82 and a length of 1 to `longest`; `name` is for the message.

    Raises:
        Gs1Error: ``length`` or ``charset``.
    """
    if not 0 < len(value) <= longest:
        raise Gs1Error(
            Gs1Code.LENGTH, f"a {name} has 1 to {longest} characters, {shown(value)} has {len(value)}"
        )
    if _VALUE.fullmatch(value) is None:
        bad = next(c for c in value if _VALUE.fullmatch(c) is None)
        raise Gs1Error(
            Gs1Code.CHARSET, f"a {name} cannot hold {bad!r} (GS1 character set 82): {shown(value)}"
        )


def path_encode(value: str) -> str:
    """`value` as one path segment of a canonical URI."""
    return value if value.isalnum() else quote(value, safe="")


def percent_decode(text: str) -> str:
    """`text` with its percent escapes resolved; ASCII only, as every GS1 value is.

    Raises:
        Gs1Error: ``bad_escape`` for a stray percent sign, ``charset`` for an escape beyond ASCII.
    """
    if "%" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        raise Gs1Error(
            Gs1Code.BAD_ESCAPE, f"a percent sign without two hexadecimal digits in {shown(text)}: write %25"
        )
    try:
        return unquote_to_bytes(text).decode("ascii")
    except UnicodeError:
        raise Gs1Error(Gs1Code.CHARSET, f"an escape outside ASCII in {shown(text)}") from None


def urn_encode(value: str) -> str:
    """`value` as a component of an EPC URN."""
    return value if value.isalnum() else value.translate(_URN_ESCAPES)


def urn_decode(component: str) -> str:
    """The value behind a component of an EPC URN. Either case of hexadecimal digits is read.

    Raises:
        Gs1Error: ``length`` if empty, ``bad_escape``, or ``charset`` for a character a URN must escape.
    """
    if _URN_PLAIN.fullmatch(component):
        return component
    if not component:
        raise Gs1Error(Gs1Code.LENGTH, "a component of the EPC URN is empty")
    decoded = percent_decode(component)
    if _URN_COMPONENT.fullmatch(component) is None:
        raise Gs1Error(
            Gs1Code.CHARSET,
            f"{shown(component)} holds a character that an EPC URN escapes or that no GS1 value may hold",
        )
    return decoded
