"""What the EPCIS interface takes and answers (EPCIS 2.0, REST bindings), as pure rules.

Supported here: capture and its jobs, and ``GET /epcis/events`` by ``MATCH_anyEPC``. A parameter that is not supported
is refused, never ignored: an answer that silently matched more than was asked for would be taken for the truth.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.errors import AppError
from ledger.epcis.spelling import DIGITAL_LINK, Spelling
from ledger.gs1.epc import parse_any, parse_epc
from ledger.gs1.errors import Gs1Error

EPCIS_VERSION = "2.0"
CBV_VERSION = "2.0"
PAYLOAD_VERSIONS = ("2.0", "2.0.0", "1.2", "1.2.0")
DEFAULT_PER_PAGE = 30
MOST_PER_PAGE = 100
MOST_EPCS = 100
LONGEST_LIST_CHARS = 20_000
PARAMETERS = frozenset({"MATCH_anyEPC", "perPage", "nextPageToken"})
FORMATS = ("No_Preference", "Always_GS1_Digital_Link", "Always_EPC_URN")

_EXCEPTIONS = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
    422: "ValidationException",
}
_URN = re.compile(rb"urn:epc:(?:id|class|idpat):[a-z]+:([0-9]{6,12})\.[A-Za-z0-9.%*\-+!()',:;=_/]{1,80}")
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}")


class QueryParameter(AppError):
    """A query parameter that is unknown, not supported or not readable."""

    def __init__(self, title: str, detail: str, next_step: str = "") -> None:
        super().__init__(
            "query.parameter",
            400,
            title,
            detail,
            next_step,
            extra={"type": "epcisException:QueryParameterException"},
        )


class NotAcceptable(AppError):
    """A header asks for what this node does not give."""

    def __init__(self, title: str, detail: str, next_step: str = "") -> None:
        super().__init__("epcis.not_acceptable", 406, title, detail, next_step)


def exception_type(status: int) -> str:
    """The problem type that EPCIS gives a failure of this HTTP status."""
    return "epcisException:" + _EXCEPTIONS.get(status, "ImplementationException")


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What ``GET /epcis/events`` asks: canonical EPCs (None: any), how many, from where on."""

    epcs: tuple[str, ...] | None
    per_page: int
    after: int

    @classmethod
    def parse(cls, parameters: Mapping[str, list[str]]) -> "EventQuery":
        """Read the query's parameters. Raises `QueryParameter`."""
        unknown = sorted(parameters.keys() - PARAMETERS)
        if unknown:
            raise QueryParameter(
                "This query parameter is not known here",
                unknown[0][:100],
                f"Supported: {', '.join(sorted(PARAMETERS))}",
            )
        repeated = sorted(name for name, values in parameters.items() if len(values) != 1)
        if repeated:
            raise QueryParameter(
                "A query parameter stands once", repeated[0], "Separate the values of a list by |"
            )
        texts = {name: values[0] for name, values in parameters.items()}
        return cls(
            _epcs(texts["MATCH_anyEPC"]) if "MATCH_anyEPC" in texts else None,
            _number(texts, "perPage", 1, 10_000, DEFAULT_PER_PAGE),
            _number(texts, "nextPageToken", 0, 2**62, 0),
        )

    @property
    def limit(self) -> int:
        """How many events are answered at most."""
        return min(self.per_page, MOST_PER_PAGE)


def _epcs(text: str) -> tuple[str, ...]:
    values = text.split("|")
    if len(text) > LONGEST_LIST_CHARS or len(values) > MOST_EPCS:
        raise QueryParameter("This list is too long", f"MATCH_anyEPC takes at most {MOST_EPCS} values")
    found = []
    for value in values:
        if value.strip().lower().startswith("urn:epc:idpat:"):
            raise QueryParameter("Patterns are not supported", value[:100], "Name each EPC in full.")
        try:
            found.append(parse_any(value).canonical)
        except Gs1Error as error:
            raise QueryParameter(
                "MATCH_anyEPC takes EPCs",
                str(error),
                "Write a URN (urn:epc:id:...) or a Digital Link.",
            ) from error
    return tuple(dict.fromkeys(found))


def _number(texts: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    text = texts.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise QueryParameter(f"{name} cannot be read", text[:40], f"a whole number from {least} to {most}")
    return int(text)


def check_versions(headers: Mapping[str, str], *, payload: bool) -> None:
    """Refuse versions that this node does not speak; `payload`: the request carries a document.

    Raises `NotAcceptable`.
    """
    for name, own in (("EPCIS", EPCIS_VERSION), ("CBV", CBV_VERSION)):
        stated = headers.get(f"GS1-{name}-Version")
        if payload and stated is not None and stated.strip() not in PAYLOAD_VERSIONS:
            raise NotAcceptable(
                f"This {name} version is not read", stated[:40], f"Send one of {', '.join(PAYLOAD_VERSIONS)}."
            )
        lowest, highest = (_version(headers, f"GS1-{name}-{end}") for end in ("Min", "Max"))
        mine = tuple(int(part) for part in own.split("."))
        if (lowest and lowest > (*mine, 0, 0)) or (highest and highest < mine):
            raise NotAcceptable(f"This node answers in {name} {own}", f"GS1-{name}-Min or -Max excludes it")


def _version(headers: Mapping[str, str], name: str) -> tuple[int, ...] | None:
    text = headers.get(name)
    if text is None:
        return None
    if not _VERSION.fullmatch(text.strip()):
        raise NotAcceptable("This version cannot be read", f"{name}: {text[:40]}")
    return tuple(int(part) for part in text.strip().split("."))


def epc_format(text: str | None) -> str:
    """The ``GS1-EPC-Format`` asked for, by default Digital Links. Raises `NotAcceptable`."""
    asked = (text or "Always_GS1_Digital_Link").strip()
    if asked not in FORMATS:
        raise NotAcceptable(
            "This GS1-EPC-Format is not given", asked[:40], f"Ask for one of {', '.join(FORMATS)}."
        )
    return asked


def spelling(asked: str, raws: Iterable[bytes]) -> Spelling:
    """How EPCs leave. As URNs, the length of each company prefix comes from the documents that brought the events."""
    if asked != "Always_EPC_URN":
        return DIGITAL_LINK
    lengths = prefix_lengths(raws)

    def length(canonical: str) -> int:
        if canonical not in lengths:
            raise NotAcceptable(
                "Not every EPC of this answer has a known company prefix",
                f"{canonical[:100]} did not come as a URN",
                "Ask for GS1-EPC-Format: Always_GS1_Digital_Link.",
            )
        return lengths[canonical]

    return Spelling(length)


def prefix_lengths(raws: Iterable[bytes]) -> dict[str, int]:
    """For each EPC that stands in these documents as a URN, the length of its company prefix."""
    found: dict[str, int] = {}
    for raw in raws:
        for match in _URN.finditer(raw):
            text = match.group(0).decode("ascii")
            try:
                found.setdefault(parse_epc(text).canonical, len(match.group(1)))
            except Gs1Error:
                continue
    return found
