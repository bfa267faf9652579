"""The messages of GS1 product verification, read strictly and written: what a requester asks, what a maker answers.

GET /verify/gtin/{gtin}/lot/{lot}/ser/{serial}?exp=YYMMDD&linkType=verificationService&context=dscsaSaleableReturn
    &reqGLN={gln}&corrUUID={uuid}[&ctrlPossessAtt=true][&email=][&telephone=]         GS1US-Version: 1.3.0
{"verificationTimestamp": "2026-06-01T16:48:53Z", "responderGLN": "...", "corrUUID": "<as asked>",
 "data": {"verified": false, "verificationFailureReason": "No_match_GTIN_Serial_Lot"}}

Lot and serial are read from the **raw** path: a server that decodes ``%2F`` before it looks for slashes takes the
serial ``a1/B`` apart. Source: the project's domain reference, section 4.1 (GS1 US Lightweight Messaging R1.3 as its
users quote it; the standard itself is not public in full).
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from app.errors import Invalid
from ledger.gs1.charset import percent_decode, require_value
from ledger.gs1.dates import ExpiryDate
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin

VERSION_HEADER = "GS1US-Version"
VERSION = "1.3.0"
LINK_TYPE = "verificationService"
LONGEST = 20  # characters of a lot or a serial
PADDED_TO = 512
"""Every answer has this many bytes, so that its length tells nobody on the line what it says."""
MOST_ANSWER_BYTES = 16 * 1024

_BEGIN = "/verify/gtin/"
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_VERSION = re.compile(r"1(\.[0-9]{1,3}){0,2}")
_ONCE = ("exp", "linkType", "context", "reqGLN", "corrUUID", "ctrlPossessAtt", "email", "telephone", "gtin")
_LONGEST_CONTACT = 254

Code = TypeVar("Code", bound=StrEnum)


class Failure(StrEnum):
    """Why a pack is not verified: `verificationFailureReason`."""

    SERIAL = "No_match_GTIN_Serial"
    LOT_EXPIRY = "No_match_GTIN_Serial_Lot_Expiry"
    LOT = "No_match_GTIN_Serial_Lot"
    EXPIRY = "No_match_GTIN_Serial_Expiry"
    POLICY = "Manufacturer_policy"
    NOT_FOR_REDISTRIBUTION = "Not_for_re-distribution"
    NO_REASON = "No_reason_provided"


class Info(StrEnum):
    """What is to be known beside it: `additionalInfo`."""

    EXPIRED = "Expired"
    EXTENDED = "ExpirationExtended"
    RECALLED = "Recalled"
    SUSPECT = "Suspect"
    ILLEGITIMATE = "Illegitimate"


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `expiry` is YYMMDD; `attested`: the requester says that the pack is in its hands."""

    gtin: str
    lot: str
    serial: str
    expiry: str
    context: str
    requester: str
    corr_uuid: str
    attested: bool = False
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a maker says of a pack."""

    verified: bool
    failure: Failure | None = None
    info: Info | None = None


def read_question(raw_uri: str, pairs: Sequence[tuple[str, str]], contexts: Collection[str]) -> Question:
    """The request behind a raw request URI and its decoded query. Raises `Invalid` (400) with what is wrong."""
    gtin, lot, serial = read_path(raw_uri)
    asked = _once(pairs)
    if asked.get("linkType") != LINK_TYPE:
        raise _malformed("linkType", f"must be {LINK_TYPE}")
    context = asked.get("context", "")
    if context not in contexts:
        raise _malformed("context", f"must be one of {', '.join(sorted(contexts))}")
    if (attested := asked.get("ctrlPossessAtt", "false")) not in ("true", "false"):
        raise _malformed("ctrlPossessAtt", "must be true or false")
    corr_uuid = asked.get("corrUUID", "")
    if not _UUID.fullmatch(corr_uuid):
        raise _malformed("corrUUID", "must be a UUID of your own making, such as one of version 4")
    return Question(
        gtin=gtin,
        lot=lot,
        serial=serial,
        expiry=_expiry(asked.get("exp", "")),
        context=context,
        requester=_gln(asked.get("reqGLN", "")),
        corr_uuid=corr_uuid,
        attested=attested == "true",
        contact=" ".join(filter(None, (_contact(asked, "email"), _contact(asked, "telephone")))),
    )


def read_path(raw_uri: str) -> tuple[str, str, str]:
    """GTIN-14, lot and serial out of the raw path of a request. Raises `Invalid`.

    A slash that a proxy has decoded is put up with where only one reading is possible.
    """
    path = raw_uri.partition("?")[0].partition("#")[0].partition(_BEGIN)[2]
    gtin, _, rest = path.partition("/")
    lot, found, serial = rest.removeprefix("lot/").partition("/ser/")
    if not rest.startswith("lot/") or not found or "/ser/" in serial:
        raise _malformed("the path", "must be /verify/gtin/{gtin}/lot/{lot}/ser/{serial}, a / written %2F")
    return read_gtin(gtin), _value(lot, "lot"), _value(serial, "serial")


def read_connectivity(pairs: Sequence[tuple[str, str]], contexts: Collection[str]) -> tuple[str, str]:
    """GTIN-14 and the requester's GLN of a connectivity check. Raises `Invalid`."""
    asked = _once(pairs)
    if "context" in asked and asked["context"] not in contexts:
        raise _malformed("context", f"must be one of {', '.join(sorted(contexts))}")
    return read_gtin(asked.get("gtin", "")), _gln(asked.get("reqGLN", ""))


def require_version(text: str | None) -> None:
    """Hold the requester's GS1US-Version against what is spoken here. Raises `Invalid`."""
    if text is not None and not _VERSION.fullmatch(text):
        raise _malformed(VERSION_HEADER, f"this node speaks {VERSION}")


def read_gtin(text: str) -> str:
    """A GTIN with all of its 14 digits. Raises `Invalid`."""
    try:
        if len(text) == 14:
            return Gtin.parse(text).digits
    except Gs1Error as error:
        raise _malformed("the GTIN", error.message) from error
    raise _malformed("the GTIN", "must have 14 digits")


def target(question: Question) -> str:
    """Path and query of `question`, to be put after a responder's address."""
    query = {
        "exp": question.expiry,
        "linkType": LINK_TYPE,
        "context": question.context,
        "reqGLN": question.requester,
        "corrUUID": question.corr_uuid,
        **({"ctrlPossessAtt": "true"} if question.attested else {}),
    }
    lot, serial = _segment(question.lot), _segment(question.serial)
    return f"{_BEGIN}{question.gtin}/lot/{lot}/ser/{serial}?{urlencode(query)}"


def write_answer(answer: Answer, question: Question, responder: str, at: datetime) -> bytes:
    """The body of an answer: JSON, and blanks up to `PADDED_TO` bytes."""
    data: dict[str, object] = {"verified": answer.verified}
    if answer.failure is not None:
        data["verificationFailureReason"] = answer.failure.value
    if answer.info is not None:
        data["additionalInfo"] = answer.info.value
    body = {
        "verificationTimestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "responderGLN": responder,
        "corrUUID": question.corr_uuid,
        "data": data,
    }
    return json.dumps(body, separators=(",", ":")).encode().ljust(PADDED_TO)


def read_answer(body: bytes, question: Question, responder: str) -> Answer:
    """What another's responder answered to `question`. Raises `ValueError` where nothing can be made of it.

    `responder` is the GLN that must have answered; "" where any may.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the answer is no JSON") from error
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("verified"), bool):
        raise ValueError("the answer does not say whether the pack is verified")
    if str(value.get("corrUUID", "")).lower() != question.corr_uuid.lower():
        raise ValueError("the answer is to another request: its corrUUID is not the one that was sent")
    if responder and value.get("responderGLN") != responder:
        raise ValueError("the answer is not by the one who was asked: its responderGLN is another")
    info = _known(Info, data.get("additionalInfo"))
    if data["verified"]:
        return Answer(True, info=info)
    # A reason that a later version brings is none that this one understands.
    return Answer(False, _known(Failure, data.get("verificationFailureReason")) or Failure.NO_REASON, info)


def _known(codes: type[Code], text: object) -> Code | None:
    return next((code for code in codes if code.value == text), None)


def _segment(value: str) -> str:
    # Dots too: clients and proxies take a path segment of dots for a way up.
    return "".join(char if char.isalnum() else f"%{ord(char):02X}" for char in value)


def _once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in _ONCE and found.setdefault(name, value) != value:
            raise _malformed(name, "stands twice")
    return found


def _value(segment: str, name: str) -> str:
    try:
        value = percent_decode(segment)
        require_value(value, LONGEST, name)
    except Gs1Error as error:
        raise _malformed(f"the {name}", error.message) from error
    return value


def _expiry(text: str) -> str:
    try:
        return ExpiryDate.parse(text).yymmdd
    except Gs1Error as error:
        raise _malformed("exp", error.message) from error


def _gln(text: str) -> str:
    try:
        return Gln.parse(text).digits
    except Gs1Error as error:
        raise _malformed("reqGLN", error.message) from error


def _contact(asked: dict[str, str], name: str) -> str:
    text = asked.get(name, "")
    if len(text) > _LONGEST_CONTACT or not text.isprintable():
        raise _malformed(name, f"takes at most {_LONGEST_CONTACT} printable characters")
    return text


def _malformed(what: str, why: str) -> Invalid:
    return Invalid(
        "vrs.malformed",
        "This verification request cannot be read",
        f"{what}: {why}",
        "docs/reference/api.md has its form",
    )
