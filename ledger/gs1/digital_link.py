"""GS1 Digital Link: a web address that names a thing (Digital Link URI Syntax 1.6, sections 4 and 5).

The path may begin anywhere; key and qualifiers stand in it in a fixed order, attributes in the query::

    https://example.com/shop/01/00312345678906/10/L%2F1/21/a1?17=280531&lang=en
                    stem    |key |             |qualifiers   |attribute  |not ours, ignored

Values are percent-encoded, so a lot ``L/1`` survives. Compressed links and the old alphabetic names (``/gtin/``) are
not read: the first needs a table that changes, the second was withdrawn.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from ledger.gs1 import ai_table
from ledger.gs1.charset import path_encode, percent_decode
from ledger.gs1.errors import Gs1Code, Gs1Error, shown

CANONICAL_STEM = "https://id.gs1.org"

_GTIN_QUALIFIERS = (("22", "10", "21"), ("235",))
# Primary keys and the sequences of qualifiers that may follow each (Digital Link URI Syntax, section 4.9).
_QUALIFIERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "00": (), "01": _GTIN_QUALIFIERS, "253": (), "255": (), "401": (), "402": (),
    "414": (("254",), ("7040",)), "415": (("8020",),), "417": (("7040",),), "8003": (), "8004": (("7040",),),
    "8006": (("22", "10", "21"),), "8010": (("8011",),), "8013": (), "8017": (("8019",),), "8018": (("8019",),),
}  # fmt: skip
# No attributes: what only means something in the path, or may not stand in a link at all.
_NOT_IN_QUERY = frozenset(
    {"03", "21", "22", "235", "254", "7040", "8011", "8014", "8019", "8020", "8030", "8200"}
)
_URI = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://(?P<domain>(?:[A-Za-z0-9._~\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)"
    r"(?P<path>/[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?"
)
_CHARACTERS = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*")
_KEY_SHAPES = {
    "00": re.compile(r"[0-9]{18}"),
    "01": re.compile(r"[0-9]{8}|[0-9]{12,14}"),
    "414": re.compile(r"[0-9]{13}"),
    "417": re.compile(r"[0-9]{13}"),
}


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A parsed link: `path` is the key and its qualifiers, `attributes` what the query says, all decoded."""

    path: tuple[tuple[str, str], ...]
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def ais(self) -> tuple[tuple[str, str], ...]:
        """Path and attributes in one list, as a barcode would carry them."""
        return self.path + self.attributes


def parse(text: str) -> DigitalLink:
    """Read a Digital Link.

    Raises:
        Gs1Error: ``link_structure`` where it is no Digital Link or its parts are out of place, and the codes of the
            values: ``unknown_ai``, ``length``, ``charset``, ``check_digit``, ``bad_date``, ``bad_escape``.
    """
    match = _URI.fullmatch(text)
    if match is None or _CHARACTERS.fullmatch(text) is None:
        raise Gs1Error(Gs1Code.LINK_STRUCTURE, f"{shown(text)} is not a well-formed web address")
    segments = match["path"].split("/")[1:]
    start = _key_position(segments)
    if start is None:
        raise Gs1Error(Gs1Code.LINK_STRUCTURE, f"no GS1 key such as /01/ in the path of {shown(text)}")
    path = _read_path(segments[start:], text)
    return DigitalLink(path, _read_query(match["query"] or "", path))


def find(text: str) -> DigitalLink | None:
    """The Digital Link in `text`, or `None` where it is some other web address.

    It is a Digital Link where it stands under ``id.gs1.org``, or where a GTIN, SSCC or GLN key is followed by as
    many digits as it has, or where it parses as one; in the first two cases it must be a valid one.

    Raises:
        Gs1Error: as `parse`.
    """
    match = _URI.fullmatch(text)
    if match is None:
        return None
    segments = match["path"].split("/")[1:]
    meant = match["domain"].lower() == "id.gs1.org" or any(
        key in _KEY_SHAPES and _KEY_SHAPES[key].fullmatch(value) for key, value in pairwise(segments)
    )
    try:
        return parse(text)
    except Gs1Error:
        if meant:
            raise
        return None


def _key_position(segments: list[str]) -> int | None:
    """Where the key stands: the rightmost primary key from which pairs lead to the end of the path."""
    for start in range(len(segments) - 2, -1, -2):
        if segments[start] in _QUALIFIERS:
            return start
    return None


def _read_path(segments: list[str], text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for code, raw in zip(segments[::2], segments[1::2], strict=True):
        ai = ai_table.named(code)
        if ai is None:
            raise Gs1Error(
                Gs1Code.UNKNOWN_AI, f"no Application Identifier {shown(code)} in the path of {shown(text)}"
            )
        value = percent_decode(raw)
        ai.check(value)
        pairs.append((code, value))
    key, *qualifiers = [code for code, _ in pairs]
    if qualifiers and not any(_in_order(qualifiers, allowed) for allowed in _QUALIFIERS[key]):
        raise Gs1Error(
            Gs1Code.LINK_STRUCTURE,
            f"({key}) is not followed by {', '.join(f'({q})' for q in qualifiers)} in this order in {shown(text)}",
        )
    return tuple(pairs)


def _in_order(codes: list[str], allowed: tuple[str, ...]) -> bool:
    positions = [allowed.index(code) if code in allowed else -1 for code in codes]
    return -1 not in positions and all(a < b for a, b in pairwise(positions))


def _read_query(query: str, path: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for item in re.split("[&;]", query):
        code, equals, raw = item.partition("=")
        if not (equals and code.isascii() and code.isdigit()):
            continue  # lang=en, linkType=...: not ours
        ai = ai_table.named(code)
        if ai is None:
            raise Gs1Error(Gs1Code.UNKNOWN_AI, f"no Application Identifier {shown(code)} in the query")
        _require_attribute(code, path)
        if code in found or any(code == used for used, _ in path):
            raise Gs1Error(Gs1Code.DUPLICATE_AI, f"({code}) stands twice in one Digital Link")
        value = percent_decode(raw.replace("+", " "))  # in a query `+` is a space
        ai.check(value)
        found[code] = value
    return tuple(found.items())


def _require_attribute(code: str, path: tuple[tuple[str, str], ...]) -> None:
    """Refuse an attribute that is a qualifier of this path's key and could stand in the path."""
    key, *qualifiers = [used for used, _ in path]
    could = any(
        code in allowed and set(qualifiers) <= set(allowed) and code not in qualifiers
        for allowed in _QUALIFIERS[key]
    )
    if could or code in _NOT_IN_QUERY:
        raise Gs1Error(Gs1Code.LINK_STRUCTURE, f"({code}) cannot stand in the query of this Digital Link")


def format_link(link: DigitalLink, stem: str = CANONICAL_STEM) -> str:
    """Write `link` uncompressed under `stem`, everything but RFC 3986 unreserved characters escaped."""
    path = "".join(f"/{code}/{path_encode(value)}" for code, value in link.path)
    query = "&".join(f"{code}={path_encode(value)}" for code, value in link.attributes)
    return f"{stem.rstrip('/')}{path}{'?' if query else ''}{query}"


def from_ais(ais: tuple[tuple[str, str], ...]) -> DigitalLink:
    """Arrange element strings as a link: the first primary key, its qualifiers in order, the rest as attributes.

    Attributes of predefined length come first, as GS1's own encoder writes them.

    Raises:
        Gs1Error: ``link_structure`` where no key is among them or an element fits nowhere.
    """
    values = dict(ais)
    key = next((code for code, _ in ais if code in _QUALIFIERS), None)
    if key is None:
        raise Gs1Error(Gs1Code.LINK_STRUCTURE, "no primary key such as (01) or (00) among the elements")
    chosen: tuple[str, ...] = max(
        _QUALIFIERS[key], key=lambda allowed: sum(code in values for code in allowed), default=()
    )
    path = tuple((code, values[code]) for code in (key, *chosen) if code in values)
    taken = {code for code, _ in path}
    rest = [(code, value) for code, value in values.items() if code not in taken]
    for code, _ in rest:
        _require_attribute(code, path)
    return DigitalLink(path, tuple(sorted(rest, key=_runs_to_a_separator)))


def _runs_to_a_separator(element: tuple[str, str]) -> bool:
    ai = ai_table.named(element[0])
    return ai is None or not ai.predefined
