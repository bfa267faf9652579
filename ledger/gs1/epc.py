"""Which thing: the EPC as a value, with one canonical text however a partner spelled it.

One package has many spellings; this module reads each and keeps one::

    urn:epc:id:sgtin:0399999.000101.a1%2FB      EPC URN, company prefix of 7 digits
    urn:epc:id:sgtin:039999900.0101.a1%2FB      the same package, prefix taken as 9 digits
    https://example.com/01/00399999001014/21/a1%2FB
    https://id.gs1.org/01/00399999001014/21/a1%2FB      canonical: uncompressed GS1 Digital Link

Sources: Tag Data Standard, section 6 (URNs); Digital Link URI Syntax, section 4 (canonical form); CBV 2.0, section 8
(what may stand in an event). Serials and lots keep their case. ``parse_epc(x.canonical) == x`` for every value here,
and ``parse_epc(x.urn(n)) == x`` for every company prefix length `n`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ledger.gs1 import digital_link, other_epc
from ledger.gs1.charset import path_encode, percent_decode, require_value, urn_decode, urn_encode
from ledger.gs1.check_digit import check_digit
from ledger.gs1.company_prefix import require_gcp_length, split_digits
from ledger.gs1.errors import Gs1Code, Gs1Error, shown
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc

MAX_EPC_CHARS = 2048
"""The longest identifier read from a document."""
_LONGEST_SERIAL = 20
_SERIAL = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}")


@dataclass(frozen=True, slots=True)
class Sgtin:
    """One package: GTIN and serial, the key of everything this project records.

    Args:
        gtin: which product.
        serial: 1 to 20 characters of character set 82, case-sensitive.

    Raises:
        Gs1Error: ``length`` or ``charset`` for a serial that AI (21) could not carry.
    """

    gtin: Gtin
    serial: str

    def __post_init__(self) -> None:
        if _SERIAL.fullmatch(self.serial) is None:
            require_value(self.serial, _LONGEST_SERIAL, "serial")

    @property
    def canonical(self) -> str:
        """The key under which this package is stored."""
        return f"https://id.gs1.org/01/{self.gtin.digits}/21/{path_encode(self.serial)}"

    def urn(self, gcp_length: int) -> str:
        """The EPC URN for a company prefix of `gcp_length` digits."""
        return f"urn:epc:id:sgtin:{_gtin_in_urn(self.gtin, gcp_length)}.{urn_encode(self.serial)}"


@dataclass(frozen=True, slots=True)
class Lgtin:
    """All packages of one GTIN and lot.

    Raises:
        Gs1Error: ``length`` or ``charset`` for a lot that AI (10) could not carry.
    """

    gtin: Gtin
    lot: str

    def __post_init__(self) -> None:
        require_value(self.lot, _LONGEST_SERIAL, "lot")

    @property
    def canonical(self) -> str:
        """The key under which this lot is stored."""
        return f"https://id.gs1.org/01/{self.gtin.digits}/10/{path_encode(self.lot)}"

    def urn(self, gcp_length: int) -> str:
        """The EPC class URN for a company prefix of `gcp_length` digits."""
        return f"urn:epc:class:lgtin:{_gtin_in_urn(self.gtin, gcp_length)}.{urn_encode(self.lot)}"


@dataclass(frozen=True, slots=True)
class GtinClass:
    """All packages of one GTIN, as master data and quantities name them."""

    gtin: Gtin

    @property
    def canonical(self) -> str:
        """The key under which this product is stored."""
        return f"https://id.gs1.org/01/{self.gtin.digits}"

    def urn(self, gcp_length: int) -> str:
        """The EPC pattern URN for a company prefix of `gcp_length` digits."""
        return f"urn:epc:idpat:sgtin:{_gtin_in_urn(self.gtin, gcp_length)}.*"


@dataclass(frozen=True, slots=True)
class Sgln:
    """A place: GLN, and an extension where one GLN covers several.

    Raises:
        Gs1Error: ``length`` or ``charset`` for an extension that AI (254) could not carry; ``length`` for the
            extension ``0``, which a URN writes for *none*: give `None`.
    """

    gln: Gln
    extension: str | None = None

    def __post_init__(self) -> None:
        if self.extension is not None:
            require_value(self.extension, _LONGEST_SERIAL, "GLN extension")
            if self.extension == "0":
                raise Gs1Error(Gs1Code.LENGTH, "the GLN extension 0 means that there is none: leave it out")

    @property
    def canonical(self) -> str:
        """The key under which this place is stored."""
        base = f"https://id.gs1.org/414/{self.gln.digits}"
        return base if self.extension is None else f"{base}/254/{path_encode(self.extension)}"

    def urn(self, gcp_length: int) -> str:
        """The EPC URN for a company prefix of `gcp_length` digits."""
        extension = "0" if self.extension is None else urn_encode(self.extension)
        return f"urn:epc:id:sgln:{_gln_in_urn(self.gln, gcp_length)}.{extension}"


@dataclass(frozen=True, slots=True)
class Pgln:
    """A party, as sources, destinations and owners name it."""

    gln: Gln

    @property
    def canonical(self) -> str:
        """The key under which this party is stored."""
        return f"https://id.gs1.org/417/{self.gln.digits}"

    def urn(self, gcp_length: int) -> str:
        """The EPC URN for a company prefix of `gcp_length` digits."""
        return f"urn:epc:id:pgln:{_gln_in_urn(self.gln, gcp_length)}"


@dataclass(frozen=True, slots=True)
class OtherEpc:
    """Any other identifier that CBV allows in an event, kept verbatim: it is compared character by character.

    GRAI, GIAI, GDTI and other EPC URNs, Digital Links with other primary keys, and companies' private URIs.
    Make it with `parse_epc`, which has checked its form.
    """

    uri: str

    @property
    def canonical(self) -> str:
        """The URI itself."""
        return self.uri


Epc = Sgtin | Lgtin | GtinClass | Sscc | Sgln | Pgln | OtherEpc


def _gtin_in_urn(gtin: Gtin, gcp_length: int) -> str:
    require_gcp_length(gcp_length)
    digits, end = gtin.digits, 1 + gcp_length
    return f"{digits[1:end]}.{digits[0]}{digits[end:13]}"


def _gln_in_urn(gln: Gln, gcp_length: int) -> str:
    require_gcp_length(gcp_length)
    return f"{gln.digits[:gcp_length]}.{gln.digits[gcp_length:12]}"


@lru_cache(maxsize=8192)
def _gtin_of(split: str) -> Gtin:
    """The GTIN behind ``GCP.indicator+itemref``. Cached: a document names few products and many serials."""
    gcp, rest = split_digits(split, 13, "SGTIN")
    body = rest[0] + gcp + rest[1:]
    return Gtin(body + check_digit(body))


@lru_cache(maxsize=8192)
def _gtin_14(digits: str) -> Gtin:
    return Gtin(digits)


@lru_cache(maxsize=8192)
def _gln_13(digits: str) -> Gln:
    return Gln(digits)


@lru_cache(maxsize=8192)
def _gln_of(split: str, scheme: str) -> Gln:
    gcp, rest = split_digits(split, 12, scheme)
    return Gln(gcp + rest + check_digit(gcp + rest))


def _split_last(body: str, scheme: str) -> tuple[str, str]:
    """``GCP.ref`` and what follows the second dot."""
    dot = body.find(".", body.find(".") + 1)
    if dot < 0 or body.count(".", 0, dot) != 1:
        raise Gs1Error(Gs1Code.NOT_AN_EPC, f"an {scheme} URN has three parts between dots: {shown(body)}")
    return body[:dot], body[dot + 1 :]


def _sgtin(body: str) -> Sgtin:
    split, serial = _split_last(body, "SGTIN")
    return Sgtin(_gtin_of(split), urn_decode(serial))


def _lgtin(body: str) -> Lgtin:
    split, lot = _split_last(body, "LGTIN")
    return Lgtin(_gtin_of(split), urn_decode(lot))


def _sscc(body: str) -> Sscc:
    gcp, rest = split_digits(body, 17, "SSCC")
    digits = rest[0] + gcp + rest[1:]
    return Sscc(digits + check_digit(digits))


def _sgln(body: str) -> Sgln:
    split, extension = _split_last(body, "SGLN")
    decoded = urn_decode(extension)
    return Sgln(_gln_of(split, "SGLN"), None if decoded == "0" else decoded)


def _pgln(body: str) -> Pgln:
    return Pgln(_gln_of(body, "PGLN"))


_URN_READERS: dict[str, Callable[[str], Epc]] = {
    "urn:epc:id:sgtin": _sgtin,
    "urn:epc:id:sscc": _sscc,
    "urn:epc:id:sgln": _sgln,
    "urn:epc:id:pgln": _pgln,
    "urn:epc:class:lgtin": _lgtin,
}


def _parse_urn(text: str) -> Epc:
    parts = text.split(":", 4)
    if len(parts) == 5:
        reader = _URN_READERS.get(":".join(parts[:4]))
        if reader is not None:
            return reader(parts[4])
        if parts[2:4] == ["idpat", "sgtin"]:
            split, serial = _split_last(parts[4], "SGTIN")
            if serial == "*" and "*" not in split:
                return GtinClass(_gtin_of(split))
    other_epc.require_epc_urn(text)
    return OtherEpc(text)


def from_link(link: digital_link.DigitalLink, text: str) -> Epc:
    """The EPC that a parsed Digital Link names; `text` itself where its key has no value type here."""
    key, value = link.path[0]
    qualifiers = dict(link.path[1:])
    if key == "01":
        if "21" in qualifiers:
            return Sgtin(_gtin_14(value), qualifiers["21"])
        if "10" in qualifiers and "22" not in qualifiers:
            return Lgtin(_gtin_14(value), qualifiers["10"])
        if not qualifiers:
            return GtinClass(_gtin_14(value))
    elif key == "00":
        return Sscc(value)
    elif key == "414" and "7040" not in qualifiers:
        return _place(value, qualifiers.get("254"))
    elif key == "417" and not qualifiers:
        return Pgln(_gln_13(value))
    return OtherEpc(text)


def _parse_web(text: str) -> Epc:
    link = digital_link.find(text)
    if link is None:
        other_epc.require_private_uri(text)
        return OtherEpc(text)
    return from_link(link, text)


_SEGMENT = r"[!$&'()*+,\-.0-9:;=@A-Z_a-z~%]+"
# What `canonical` writes, read back without the table of identifiers: most of what a ledger parses.
_CANONICAL = re.compile(
    rf"https://id\.gs1\.org/(?:01/(?P<gtin>[0-9]{{14}})(?:/21/(?P<serial>{_SEGMENT})|/10/(?P<lot>{_SEGMENT}))?"
    rf"|00/(?P<sscc>[0-9]{{18}})|414/(?P<place>[0-9]{{13}})(?:/254/(?P<extension>{_SEGMENT}))?"
    r"|417/(?P<party>[0-9]{13}))"
)


def _from_canonical(match: re.Match[str]) -> Epc:
    gtin, serial, lot, sscc, place, extension, party = match.groups()
    if gtin is not None:
        if serial is not None:
            return Sgtin(_gtin_14(gtin), percent_decode(serial))
        return GtinClass(_gtin_14(gtin)) if lot is None else Lgtin(_gtin_14(gtin), percent_decode(lot))
    if sscc is not None:
        return Sscc(sscc)
    if place is not None:
        return _place(place, extension and percent_decode(extension))
    return Pgln(_gln_13(party))


def _place(gln: str, extension: str | None) -> Sgln:
    return Sgln(_gln_13(gln), None if extension == "0" else extension)


def parse_epc(text: str) -> Epc:
    """Read an identifier as it stands in an EPCIS document.

    EPC URNs (``id``, ``class``, ``idpat``), GS1 Digital Links on any domain, and the private URIs that CBV allows
    (``urn:``, ``http:``, ``https:``). White space around it is not tolerated.

    Raises:
        Gs1Error: with the `Gs1Code` that says what is wrong; ``not_an_epc`` for what is no identifier at all.
    """
    if len(text) > MAX_EPC_CHARS:
        raise Gs1Error(Gs1Code.TOO_LONG, f"an EPC has at most {MAX_EPC_CHARS} characters, not {len(text)}")
    if text.startswith("urn:epc:id:sgtin:"):  # nine identifiers of ten: no dispatch
        return _sgtin(text[17:])
    canonical = _CANONICAL.fullmatch(text)
    if canonical is not None:
        return _from_canonical(canonical)
    head = text[:8].lower()
    if head == "urn:epc:":
        return _parse_urn(text)
    if head.startswith(("http://", "https://")):
        return _parse_web(text)
    if head.startswith("urn:"):
        other_epc.require_private_uri(text)
        return OtherEpc(text)
    if not text:
        raise Gs1Error(Gs1Code.EMPTY, "the EPC is empty")
    raise Gs1Error(
        Gs1Code.NOT_AN_EPC,
        f"{shown(text)} is neither an EPC URN (urn:epc:id:...) nor a GS1 Digital Link nor another URI",
    )


def parse_any(text: str) -> Epc:
    """Read what a person types or pastes: anything `parse_epc` reads, an element string in any spelling, an SSCC.

    ``(01)00312345678906(21)A1``, raw with GS (also spelled ``<GS>``), with an AIM prefix ``]d2``, or 18 bare digits.
    A GTIN alone gives its class. White space around it is ignored.

    Raises:
        Gs1Error: as `parse_epc` and `element_string.parse_scan`; ``not_an_epc`` for data that names nothing.
    """
    from ledger.gs1.element_string import parse_scan

    stripped = text.strip(" \t\r\n")
    if stripped[:5].lower() in ("urn:e", "http:", "https") or stripped[:4].lower() == "urn:":
        return parse_epc(stripped)
    if len(stripped) == 18 and stripped.isascii() and stripped.isdigit():
        return Sscc(stripped)
    scan = parse_scan(stripped)
    if scan.epc is not None:
        return scan.epc
    if scan.gtin is not None:
        return GtinClass(scan.gtin)
    raise Gs1Error(
        Gs1Code.NOT_AN_EPC,
        f"{shown(text)} names neither a package nor a container nor a place: give (01) and (21)",
    )


__all__ = [
    "MAX_EPC_CHARS",
    "Epc",
    "GtinClass",
    "Lgtin",
    "OtherEpc",
    "Pgln",
    "Sgln",
    "Sgtin",
    "from_link",
    "parse_any",
    "parse_epc",
]
