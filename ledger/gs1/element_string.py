"""What a barcode says: element strings to Application Identifiers, strictly.

A reader hands over the symbol's bytes and its AIM symbology identifier. Variable values end at GS (0x1D) or at the
end of the data; predefined ones after their length (GS1 General Specifications, section 7.8)::

    ]d2 01 00312345678906 21 a1/B% <GS> 17 280531 10 L1

What readers are known to add or respell is tolerated and noted (`ScanNote`). What a reader lost is reported, never
guessed: see `separators` for the rule by which a lost GS is found. UPC, EAN and ITF symbols give a GTIN and nothing
else, so they never name a package. A Digital Link in a plain QR code or Data Matrix is read as one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from ledger.gs1 import ai_table, associations, digital_link, separators
from ledger.gs1.dates import ExpiryDate
from ledger.gs1.epc import Epc, Lgtin, Pgln, Sgln, Sgtin
from ledger.gs1.errors import Gs1Code, Gs1Error, shown
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc

MAX_SCAN_BYTES = 7089
"""The most characters any symbol carries (QR code version 40); more is no scan."""
MAX_ELEMENTS = 64
GS = "\x1d"


class ScanNote(StrEnum):
    """What was tolerated in reading a scan, so that a set-up can be put right before it hurts."""

    LEADING_SEPARATOR = "leading_separator"
    """The reader transmits FNC1 in first position as GS."""
    DOUBLED_SEPARATOR = "doubled_separator"
    """Two or more GS in a row."""
    SPELLED_SEPARATOR = "spelled_separator"
    r"""GS arrived as text: ``<GS>``, ``{GS}`` or ``\x1d``."""
    LINE_ENDING = "line_ending"
    """The reader adds CR, LF or TAB."""
    HUMAN_FORM = "human_form"
    """Identifiers in parentheses, ``(01)...``: typed, or a symbol made wrongly."""
    DAY_ZERO = "day_zero"
    """A date without a day; not permitted on medicines since 2025."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One barcode, read.

    Args:
        ais: identifiers and values in the order of the symbol, each once.
        gtin: from (01), or from a UPC, EAN or ITF symbol.
        serial: (21). lot: (10). expiry: (17). sscc: (00).
        raw: what the reader sent, untouched, without its symbology identifier.
        symbology: the AIM identifier, such as ``]d2``, where known.
        notes: what was tolerated.
    """

    ais: tuple[tuple[str, str], ...]
    gtin: Gtin | None
    serial: str | None
    lot: str | None
    expiry: ExpiryDate | None
    sscc: Sscc | None
    raw: bytes
    symbology: str | None
    notes: tuple[ScanNote, ...]

    @property
    def epc(self) -> Epc | None:
        """What the scan names: a package, else a container, a lot, a place or a party; `None` for a GTIN alone."""
        if self.gtin is not None and self.serial is not None:
            return Sgtin(self.gtin, self.serial)
        if self.sscc is not None:
            return self.sscc
        if self.gtin is not None and self.lot is not None:
            return Lgtin(self.gtin, self.lot)
        values = dict(self.ais)
        if "414" in values:
            extension = values.get("254")
            return Sgln(Gln(values["414"]), None if extension == "0" else extension)
        return Pgln(Gln(values["417"])) if "417" in values else None


_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
# ]d8: GS1 DataMatrix in a rectangular size of ISO/IEC 21471, which GS1 admits in healthcare.
_AI_SYMBOLOGIES = frozenset({"]C1", "]d2", "]d8", "]e0", "]Q3", "]J1"})
# Plain 2D symbols, where a web address may stand.
_LINK_SYMBOLOGIES = frozenset({"]d1", "]Q0", "]Q1", "]J0"})
_GTIN_LENGTHS = {"]E0": (12, 13), "]E4": (8,), "]I0": (14,), "]I1": (14,), "]I3": (14,)}
_HUMAN = re.compile(r"\([0-9]{2,4}\)")
_HUMAN_ELEMENT = re.compile(r"\(([0-9]{2,4})\)((?:[^(\\]|\\.)*)")
_SPELLED_WITH_BRACKETS = re.compile(r"<GS>", re.IGNORECASE)
_SPELLED_OTHERWISE = re.compile(r"\{GS\}|\\x1d", re.IGNORECASE)


def parse_scan(data: bytes | str, symbology: str | None = None) -> Scan:
    """Read what a scanner sent.

    Args:
        data: the symbol's bytes, or the text a keyboard wedge typed; it may begin with an AIM identifier.
        symbology: the AIM identifier, where the reader gives it apart.

    Raises:
        Gs1Error: ``empty``, ``too_long``, ``not_ai_data``, ``unknown_ai``, ``separator_missing``, ``length``,
            ``charset``, ``check_digit``, ``bad_date``, ``duplicate_ai``, ``ai_conflict``, ``ai_required``; for a
            Digital Link also ``link_structure`` and ``bad_escape``.
    """
    text = _as_text(data, symbology)
    prefix = _AIM.match(text)
    if prefix is not None and symbology in (None, prefix[0]):
        symbology, text = prefix[0], text[3:]
    notes: list[ScanNote] = []
    body = text.rstrip("\r\n\t")
    if body != text:
        notes.append(ScanNote.LINE_ENDING)
    if not body:
        raise Gs1Error(Gs1Code.EMPTY, "the scan is empty: scan again")

    def made(ais: tuple[tuple[str, str], ...]) -> Scan:
        return _scan(ais, text.encode("ascii"), symbology, notes)

    if symbology in _GTIN_LENGTHS:
        return made((("01", _retail_gtin(body, symbology)),))
    if body[:8].lower().startswith(("http://", "https://")):
        if symbology is not None and symbology not in _LINK_SYMBOLOGIES:
            raise Gs1Error(
                Gs1Code.NOT_AI_DATA, f"a {symbology} symbol carries element strings, not a web address"
            )
        return made(_link_elements(body))
    if symbology is not None and symbology not in _AI_SYMBOLOGIES:
        raise _plain(symbology)
    if symbology is None:
        return made(_unlabelled(body, notes))
    return made(_elements(body, notes))


def read_elements(text: str) -> tuple[tuple[str, str], ...]:
    """Read raw element strings without FNC1 in first position, GS between them: form only, not their company.

    Raises:
        Gs1Error: as `parse_scan`, but for ``ai_conflict`` and ``ai_required``.
    """
    return _once(_raw_elements(text))


def read_human_form(text: str) -> tuple[tuple[str, str], ...]:
    r"""Read ``(01)00312345678906(21)A1``; a parenthesis inside a value is written ``\(``.

    Raises:
        Gs1Error: as `read_elements`; here no separator can be missing.
    """
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _HUMAN_ELEMENT.match(text, position)
        if match is None:
            raise Gs1Error(
                Gs1Code.UNKNOWN_AI,
                f"expected (01) or another identifier at {shown(text[position:])}; write \\( for (",
            )
        ai = ai_table.named(match[1])
        if ai is None:
            raise Gs1Error(Gs1Code.UNKNOWN_AI, f"there is no Application Identifier ({match[1]})")
        value = match[2].strip(" ").replace("\\(", "(")
        ai.check(value)
        _append(found, ai.code, value)
        position = match.end()
    return _once(found)


def _plain(symbology: str) -> Gs1Error:
    return Gs1Error(
        Gs1Code.NOT_AI_DATA,
        f"a {symbology} symbol carries no GS1 element strings: scan the GS1 DataMatrix or GS1-128 beside it",
    )


def _link_elements(body: str) -> tuple[tuple[str, str], ...]:
    link = digital_link.find(body)
    if link is None:
        raise Gs1Error(
            Gs1Code.NOT_AI_DATA, f"the web address {shown(body)} is no GS1 Digital Link: scan another symbol"
        )
    associations.require(link.ais)
    return link.ais


def _as_text(data: bytes | str, symbology: str | None) -> str:
    if len(data) > MAX_SCAN_BYTES:
        raise Gs1Error(Gs1Code.TOO_LONG, f"a scan has at most {MAX_SCAN_BYTES} characters, not {len(data)}")
    try:
        return data.decode("ascii") if isinstance(data, bytes) else data.encode("ascii").decode("ascii")
    except UnicodeError:
        if symbology is not None and symbology not in _AI_SYMBOLOGIES and symbology not in _GTIN_LENGTHS:
            raise _plain(symbology) from None
        raise Gs1Error(
            Gs1Code.CHARSET, "the scan holds characters outside ASCII: check the reader's keyboard layout"
        ) from None


def _retail_gtin(body: str, symbology: str) -> str:
    lengths = _GTIN_LENGTHS[symbology]
    if body.isdigit() and len(body) not in lengths:
        raise Gs1Error(
            Gs1Code.LENGTH,
            f"a {symbology} symbol has {' or '.join(map(str, lengths))} digits, {shown(body)} has {len(body)}",
        )
    return Gtin.parse(body).digits


def _unlabelled(body: str, notes: list[ScanNote]) -> tuple[tuple[str, str], ...]:
    """Data of an unknown symbol: element strings, or the digits of a retail symbol where those name nothing."""
    retail = body.isdigit() and len(body) in (8, 12, 13, 14)
    try:
        ais = _elements(body, notes)
    except Gs1Error:
        if not retail:
            raise
        return (("01", Gtin.parse(body).digits),)
    if retail and ais[0][0] not in ("00", "01"):
        try:
            return (("01", Gtin.parse(body).digits),)
        except Gs1Error:
            return ais
    return ais


def _elements(body: str, notes: list[ScanNote]) -> tuple[tuple[str, str], ...]:
    if _HUMAN.match(body):
        notes.append(ScanNote.HUMAN_FORM)
        ais = read_human_form(body)
    else:
        ais = read_elements(_normal_separators(body, notes))
    associations.require(ais)
    return ais


def _normal_separators(body: str, notes: list[ScanNote]) -> str:
    """`body` with every separator as one GS between elements."""
    spelled = _SPELLED_OTHERWISE.sub(GS, body)
    if GS not in spelled:
        # `<` and `>` may stand in a serial: where the reader sends real separators, `<GS>` is data.
        spelled = _SPELLED_WITH_BRACKETS.sub(GS, spelled)
    if spelled != body:
        notes.append(ScanNote.SPELLED_SEPARATOR)
    stripped = spelled.lstrip(GS)
    if stripped != spelled:
        notes.append(ScanNote.LEADING_SEPARATOR)
    single = re.sub(f"{GS}{{2,}}", GS, stripped)
    if single != stripped:
        notes.append(ScanNote.DOUBLED_SEPARATOR)
    return single


def _raw_elements(text: str) -> list[tuple[str, str]]:
    if not text:
        raise Gs1Error(Gs1Code.EMPTY, "no element strings in the scan: scan again")
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        ai = ai_table.at_start_of(text[position : position + 4])
        if ai is None:
            raise Gs1Error(
                Gs1Code.UNKNOWN_AI,
                f"no Application Identifier begins {shown(text[position:], 24)}: scan again",
            )
        start = position + len(ai.code)
        separator = text.find(GS, start)
        end = len(text) if separator < 0 else separator
        if ai.predefined:
            end = min(end, start + ai.longest)
        value = text[start:end]
        if not ai.predefined and separator < 0:
            separators.require_no_hidden_elements(ai, value, found, separated=GS in text)
        ai.check(value)
        _append(found, ai.code, value)
        position = end + 1 if text[end : end + 1] == GS else end
    return found


def _append(found: list[tuple[str, str]], code: str, value: str) -> None:
    if len(found) == MAX_ELEMENTS:
        raise Gs1Error(Gs1Code.TOO_LONG, f"more than {MAX_ELEMENTS} elements in one scan")
    found.append((code, value))


def _once(found: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    values: dict[str, str] = {}
    for code, value in found:
        if values.setdefault(code, value) != value:
            raise Gs1Error(
                Gs1Code.DUPLICATE_AI, f"({code}) stands twice, as {shown(values[code])} and as {shown(value)}"
            )
    return tuple(values.items())


def _scan(ais: tuple[tuple[str, str], ...], raw: bytes, symbology: str | None, notes: list[ScanNote]) -> Scan:
    values = dict(ais)
    expiry = ExpiryDate(values["17"]) if "17" in values else None
    if expiry is not None and expiry.day_zero:
        notes.append(ScanNote.DAY_ZERO)
    return Scan(
        ais=ais,
        gtin=Gtin(values["01"]) if "01" in values else None,
        serial=values.get("21"),
        lot=values.get("10"),
        expiry=expiry,
        sscc=Sscc(values["00"]) if "00" in values else None,
        raw=raw,
        symbology=symbology,
        notes=tuple(notes),
    )
