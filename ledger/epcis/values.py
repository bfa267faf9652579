"""Single values of an event: times, offsets, EPCs, words, quantities. Text in, canonical value out, or a
`ValueProblem`.

"2023-03-27T01:45:16.1234567-05:00"   -> datetime 2023-03-27 06:45:16.123456 UTC
"-00:00"                              -> "+00:00"
"urn:epc:id:sgtin:030001.0012345.11"  -> "https://id.gs1.org/01/00300010123455/21/11"
"urn:epcglobal:cbv:bizstep:shipping"  -> "shipping"
"1.50E+2"                             -> "150"
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from ledger.custody.vocabulary import bare_word
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.names import is_uri
from ledger.gs1.epc import parse_epc
from ledger.gs1.errors import Gs1Error, shown

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,40}))?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_ENCODABLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]*")
_OLDEST_YEAR = 1900

# CBV 1.0 words that CBV 1.1 replaced (CBV 1.1, section 7.2), and that label lines still write.
_REPLACED_DISPOSITIONS = {
    f"non_sellable_{word}": word
    for word in ("expired", "damaged", "disposed", "no_pedigree_match", "recalled")
}


def parse_time(text: str) -> tuple[datetime, bool]:
    """The moment (aware, UTC), and whether digits beyond the microsecond were cut off. ``bad_time`` otherwise."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueProblem(
            ProblemCode.BAD_TIME,
            f"{shown(text)} is no time: write it like 2026-06-01T10:00:00.000-04:00 (ISO 8601 with an offset)",
        )
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if zone is None:
        raise ValueProblem(
            ProblemCode.BAD_TIME,
            f"{shown(text)} has no offset from UTC: append Z or an offset such as -04:00; it is never guessed",
        )
    micros = int((fraction or "")[:6].ljust(6, "0"))
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second),
            micros,
            UTC if zone == "Z" else timezone(_offset(zone)),
        )
        if moment.year < _OLDEST_YEAR:
            raise ValueError("no event is that old")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise ValueProblem(
            ProblemCode.BAD_TIME, f"{shown(text)} is no time of the calendar: {problem}"
        ) from None
    return moment, fraction is not None and len(fraction) > 6 and fraction[6:].strip("0") != ""


def _offset(zone: str) -> timedelta:
    if _OFFSET.fullmatch(zone) is None:
        raise ValueError(f"an offset lies between -14:00 and +14:00, not {zone}")
    amount = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
    return -amount if zone[0] == "-" else amount


def parse_offset(text: str) -> str:
    """The time zone offset as the kernel writes it. ``bad_offset`` otherwise."""
    if _OFFSET.fullmatch(text) is None:
        raise ValueProblem(
            ProblemCode.BAD_OFFSET,
            f"{shown(text)} is no time zone offset: write +hh:mm or -hh:mm, at most 14:00",
        )
    return "+00:00" if text == "-00:00" else text


def parse_uri(text: str, what: str) -> str:
    """`text`, a URI. ``bad_uri`` otherwise."""
    if not is_uri(text):
        raise ValueProblem(ProblemCode.BAD_URI, f"the {what} {shown(text)} is no URI")
    return text


def parse_word(vocabulary: str, text: str) -> tuple[str, bool]:
    """The bare CBV word or foreign URI, and whether an obsolete word was replaced. ``bad_word`` otherwise."""
    if vocabulary == "disposition":
        old = text.rsplit(":", 1)[-1] if text.startswith("urn:epcglobal:cbv:disp:") else text
        if old in _REPLACED_DISPOSITIONS:
            return _REPLACED_DISPOSITIONS[old], True
    try:
        word = bare_word(vocabulary, text)
    except ValueError:
        raise ValueProblem(
            ProblemCode.BAD_WORD,
            f"{shown(text)} is no {vocabulary} of the Core Business Vocabulary; other vocabularies are written as URIs",
        ) from None
    if ":" in word and not is_uri(word):
        raise ValueProblem(
            ProblemCode.BAD_WORD, f"{shown(text)} is neither a word of the Core Business Vocabulary nor a URI"
        )
    return word, False


def parse_decimal(text: str, code: ProblemCode = ProblemCode.BAD_QUANTITY) -> str:
    """A decimal number as text without exponent and superfluous zeros; `code` otherwise."""
    if len(text) > 40 or _DECIMAL.fullmatch(text) is None:
        raise ValueProblem(code, f"{shown(text)} is no decimal number")
    try:
        number = Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern is narrower than Decimal's grammar
        raise ValueProblem(code, f"{shown(text)} is no decimal number") from None
    if number and not -40 <= number.adjusted() <= 40:
        raise ValueProblem(code, f"{shown(text)} is out of the range of 40 digits")
    if not number:
        return "0"
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def parse_quantity(text: str) -> str:
    """A quantity: decimal text, not below zero. ``bad_quantity`` otherwise."""
    value = parse_decimal(text)
    if value.startswith("-"):
        raise ValueProblem(ProblemCode.BAD_QUANTITY, f"a quantity of {shown(text)} is below zero")
    return value


def parse_uom(text: str) -> str:
    """A unit of measure of UN/ECE Recommendation 20. ``bad_quantity`` otherwise."""
    if _UOM.fullmatch(text) is None:
        raise ValueProblem(
            ProblemCode.BAD_QUANTITY,
            f"{shown(text)} is no unit of measure: two or three capitals or digits, such as KGM",
        )
    return text


def require_text(text: str, longest: int) -> str:
    """`text` if every form of document can carry it and it is not too long."""
    if len(text) > longest:
        raise ValueProblem(
            ProblemCode.TOO_MANY, f"a text of {len(text)} characters; at most {longest} are read"
        )
    if _ENCODABLE.fullmatch(text) is None:
        raise ValueProblem(
            ProblemCode.BAD_TEXT,
            f"{shown(text)} holds a control character or a lone surrogate, which XML cannot carry",
        )
    return text


# A serial that is spelled alike in all spellings, behind a head that names the product.
_CACHED_HEAD = re.compile(r"urn:epc:id:sgtin:[0-9]+\.[0-9]+|https://id\.gs1\.org/01/[0-9]{14}/21")
_LONGEST_SERIAL = 20
_MOST_OTHERS = 1_000  # places and parties recur; containers do not


class EpcReader:
    """Canonical EPC text, fast for what documents are full of: many serials of few products.

    Once one serial of a product was parsed, the others of that spelling differ in their plain serial alone.
    """

    def __init__(self) -> None:
        self._heads: dict[str, dict[str, str]] = {".": {}, "/": {}}  # by what divides head and serial
        self._others: dict[str, str] = {}

    def canonical(self, text: str) -> str:
        """The canonical text of an EPC. ``bad_epc`` otherwise."""
        head, separator, serial = text.rpartition("." if text.startswith("urn:") else "/")
        known = self._heads[separator].get(head) if separator else None
        if known is not None and len(serial) <= _LONGEST_SERIAL and serial.isalnum() and serial.isascii():
            return known + serial
        other = self._others.get(text)
        if other is not None:
            return other
        try:
            canonical = parse_epc(text).canonical
        except Gs1Error as problem:
            raise ValueProblem(ProblemCode.BAD_EPC, problem.message) from None
        if _CACHED_HEAD.fullmatch(head) is None:
            if len(self._others) < _MOST_OTHERS:
                self._others[text] = canonical
        elif serial.isalnum():
            self._heads[separator][head] = canonical[: -len(serial)]
        return canonical

    def canonical_list(self, texts: Sequence[str]) -> list[str]:
        """As `canonical`, for each of a long list; in one sweep where all are plain serials of one product."""
        if len(texts) > 1:
            first = self.canonical(texts[0])
            separator = "." if texts[0].startswith("urn:") else "/"
            head = texts[0].rpartition(separator)[0]
            known, prefix = self._heads[separator].get(head), head + separator
            serials = [text[len(prefix) :] for text in texts if text.startswith(prefix)]
            if known is not None and first.startswith(known) and len(serials) == len(texts):
                together = "".join(serials)
                shortest, longest = min(map(len, serials)), max(map(len, serials))
                if shortest > 0 and longest <= _LONGEST_SERIAL and together.isalnum() and together.isascii():
                    return [known + serial for serial in serials]
        return [self.canonical(text) for text in texts]

    def place(self, text: str) -> str:
        """The canonical text of a read point or business location: an EPC, or a geographic point (``geo:``, RFC
        5870).
        """
        if text.startswith("geo:") and is_uri(text):
            return text
        return self.canonical(text)
