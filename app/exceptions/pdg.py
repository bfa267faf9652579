"""PDG's exception report and response (dscsagovernance/ExceptionsSchemas), between their JSON and values of ours. Pure.

    report      {"message_uuid", "exception_case_uuid", "timestamp" (seconds), "po_number", "sender_information",
                 "exceptions": {"missing_product": [...], ...}, "other_errors": [...], "case_resolved": false}
    response    {..., "response_items": [{"exception_item_uuid", "resolution_response": "Accept"}], "additional_notes"}

This module is the adapter: a later draft of PDG's (root `exceptionNotification`) is another module with the same three
values, and nothing else of the desk changes. What comes from outside is read strictly and within limits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.errors import Invalid
from app.exceptions.rules import Pdg, Resolution

MOST_ITEMS = 1_000  # of one message
LONGEST = 1_000  # characters of one text
LISTS = (Pdg.MISSING_DATA, Pdg.MISSING_PRODUCT, Pdg.MISALIGNMENT, Pdg.OVERAGE, Pdg.UNDERAGE)
_NUMBERS = ("quantity_ordered", "quantity_received")
# What an item of each list must say besides its id (report_schema.json); all of it is text but the quantities.
_MEMBERS: dict[str, tuple[str, ...]] = {
    Pdg.MISSING_DATA: ("product_gtin", "observation_source", "resolution_request"),
    Pdg.MISSING_PRODUCT: ("file_id", "product_gtin", "product_serial", "resolution_request"),
    Pdg.MISALIGNMENT: (
        *(f"received_product_{name}" for name in ("gtin", "lot", "expiry")),
        *(f"product_data_{name}" for name in ("gtin", "lot", "expiry")),
        "resolution_request",
    ),
    Pdg.OVERAGE: ("gtin", *_NUMBERS, "resolution_request"),
    Pdg.UNDERAGE: ("gtin", *_NUMBERS, "resolution_request"),
    "gln_errors": ("invalid_gln",),
    "gtin_errors": ("invalid_gtin",),
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, and how to reach them. `vp`: a presentation of their credentials (JWT), not verified here."""

    gln: str = ""
    email: str = ""
    phone: str = ""
    vp: str = ""


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One thing that does not fit. `list`: PDG's; `values`: its members but for its id."""

    list: str
    uuid: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """An exception report. `at` aware."""

    uuid: str
    case_uuid: str
    at: datetime
    purchase_order: str
    sender: Sender
    items: tuple[ReportItem, ...] = ()
    others: tuple[str, ...] = ()
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to one item. `alternative`: what is offered instead; `follow_up`: Email, Phone or ''."""

    item: str
    accepted: bool
    comments: str = ""
    alternative: str = ""
    follow_up: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class ReportResponse:
    """The answer to a report, item by item."""

    uuid: str
    case_uuid: str
    at: datetime
    purchase_order: str
    sender: Sender
    answers: tuple[Answer, ...] = field(default=())
    notes: str = ""


# Out.


def write_report(report: Report) -> dict[str, Any]:
    """The report as PDG's JSON."""
    exceptions: dict[str, Any] = {}
    for each in report.items:
        exceptions.setdefault(each.list, []).append({"exception_item_uuid": each.uuid, **each.values})
    return {
        **_head(report),
        "exceptions": exceptions,
        "other_errors": list(report.others) or None,
        "case_resolved": report.resolved,
    }


def write_response(response: ReportResponse) -> dict[str, Any]:
    """The response as PDG's JSON."""
    return {
        **_head(response),
        "response_items": [_written(each) for each in response.answers],
        "additional_notes": response.notes or None,
    }


def _written(answer: Answer) -> dict[str, Any]:
    alternative = None
    if answer.alternative or answer.follow_up:
        alternative = {
            "alternative_resolution": answer.alternative or None,
            "follow_up": answer.follow_up or None,
            "follow_up_details": answer.details or None,
        }
    return {
        "exception_item_uuid": answer.item,
        "resolution_response": "Accept" if answer.accepted else "Reject",
        "comments": answer.comments or None,
        "alternative_resolution": alternative,
    }


def _head(message: Report | ReportResponse) -> dict[str, Any]:
    sender = message.sender
    return {
        "message_uuid": message.uuid,
        "exception_case_uuid": message.case_uuid,
        "timestamp": int(message.at.timestamp()),
        "po_number": message.purchase_order,
        "sender_information": {
            "vp": sender.vp or None,
            "gln": sender.gln or None,
            "email": sender.email,
            "phone": sender.phone or None,
        },
    }


# In.


def read_report(value: object, at: datetime) -> Report:
    """A report that came, `at` being now. Raises `Invalid` with the place of what is wrong."""
    message = _object(value, "the report")
    found = _object(message.get("exceptions") or {}, "exceptions")
    items: list[ReportItem] = []
    for name in LISTS:
        items += _items(found.get(name), name)
    master = _object(found.get("master_data_errors") or {}, "master_data_errors")
    for name in ("gln_errors", "gtin_errors"):
        items += _items(master.get(name), name)
    others = tuple(_text(each, "other_errors") for each in _list(message.get("other_errors"), "other_errors"))
    resolved = message.get("case_resolved")
    if not isinstance(resolved, bool):
        raise _wrong("case_resolved", "true or false")
    if len(items) + len(others) > MOST_ITEMS:
        raise _wrong("exceptions", f"at most {MOST_ITEMS} items")
    _distinct([each.uuid for each in items])
    return Report(*_read_head(message, at), tuple(items), others, resolved)


def read_response(value: object, at: datetime) -> ReportResponse:
    """A response that came. Raises `Invalid`."""
    message = _object(value, "the response")
    answers = tuple(_answer(each) for each in _list(message.get("response_items"), "response_items"))
    _distinct([each.item for each in answers])
    notes = _text(message.get("additional_notes") or "", "additional_notes")
    return ReportResponse(*_read_head(message, at), answers, notes)


def _items(value: object, name: str) -> list[ReportItem]:
    found = []
    for each in _list(value, name):
        item = _object(each, name)
        values: dict[str, Any] = {}
        for member in _MEMBERS[name]:
            if member in _NUMBERS:
                values[member] = _count(item.get(member), f"{name}.{member}")
            else:
                values[member] = _text(item.get(member), f"{name}.{member}")
        _resolution(values.get("resolution_request", Resolution.NEW_DATA.value))
        for member in sorted(item.keys() - values.keys() - {"exception_item_uuid"}):
            if item[member] is not None and len(values) < 20:
                values[member[:100]] = _text(item[member], f"{name}.{member[:100]}")
        found.append(ReportItem(str(name), _id(item.get("exception_item_uuid"), name), values))
    return found


def _answer(value: object) -> Answer:
    item = _object(value, "response_items")
    word = item.get("resolution_response")
    if word not in ("Accept", "Reject"):
        raise _wrong("resolution_response", "Accept or Reject")
    other = _object(item.get("alternative_resolution") or {}, "alternative_resolution")
    alternative = other.get("alternative_resolution") or ""
    if alternative:
        _resolution(alternative)
    follow_up = other.get("follow_up") or ""
    if follow_up not in ("", "Email", "Phone"):
        raise _wrong("follow_up", "Email or Phone")
    return Answer(
        _id(item.get("exception_item_uuid"), "response_items"),
        word == "Accept",
        _text(item.get("comments") or "", "comments"),
        alternative,
        follow_up,
        _text(other.get("follow_up_details") or "", "follow_up_details"),
    )


def _read_head(message: Mapping[str, Any], at: datetime) -> tuple[str, str, datetime, str, Sender]:
    stamp = message.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise _wrong("timestamp", "whole seconds since 1970")
    who = _object(message.get("sender_information"), "sender_information")
    return (
        _id(message.get("message_uuid"), "message_uuid"),
        _id(message.get("exception_case_uuid"), "exception_case_uuid"),
        at,
        _text(message.get("po_number"), "po_number"),
        Sender(
            _text(who.get("gln") or "", "gln"),
            _text(who.get("email"), "email"),
            _text(who.get("phone") or "", "phone"),
        ),
    )


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, "an object")
    return value


def _list(value: object, where: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        raise _wrong(where, f"a list of at most {MOST_ITEMS}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise _wrong(where, f"text of at most {LONGEST} characters")
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in value)


def _id(value: object, where: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isprintable():
        raise _wrong(where, "an id of 1 to 64 characters")
    return value


def _count(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**9:
        raise _wrong(where, "a number of things")
    return value


def _resolution(value: object) -> None:
    if value not in [each.value for each in Resolution]:
        raise _wrong("resolution_request", ", ".join(each.value for each in Resolution))


def _distinct(ids: Iterable[str]) -> None:
    listed = list(ids)
    if len(set(listed)) < len(listed):
        raise _wrong("exception_item_uuid", "each item once")


def _wrong(where: str, expected: str) -> Invalid:
    return Invalid(
        "pdg.invalid", "This is no message that PDG's schema allows", f"at {where}", f"It takes {expected}."
    )
