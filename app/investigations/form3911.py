"""The content of Form FDA 3911 (drug notification) as data, keyed by each item's name.

Keyed by name and not by number, because a revision renumbers (OMB 202502-0910-009): `NUMBERS` has the numbers of the
8/15 layout for people who hold that form. Items 21 to 24 of it are not public in full; ours are the contact's::

    form = Form3911(kind=FormKind.INITIAL, classification="counterfeit", product_name="Sonnenal", ...)
    problems(form)    # {"event_description": "Describe what happened (item 17)."}

The form itself is handed in on FDA's own platform; this is what to enter there, kept as it was.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from app.investigations.rules import Ground

MULTIPLE = "Multiple"
LONGEST_TEXT = 4_000  # characters of one item
MOST_LISTED = 2_000  # serials, lots or expiry dates of one form


class FormKind(StrEnum):
    """Item 1: the type of notification."""

    INITIAL = "initial"
    FOLLOW_UP = "follow_up"
    TERMINATION = "termination"


KINDS: dict[FormKind, str] = {
    FormKind.INITIAL: "Initial notification",
    FormKind.FOLLOW_UP: "Follow-up notification",
    FormKind.TERMINATION: "Request for termination",
}

CLASSIFICATIONS: dict[str, str] = {
    Ground.COUNTERFEIT: "Counterfeit",
    Ground.DIVERTED: "Diverted",
    Ground.STOLEN: "Stolen",
    Ground.ADULTERATED: "Intentional adulteration",
    Ground.FRAUDULENT: "Fraudulent transaction",
    Ground.UNFIT: "Unfit for distribution",
}
"""Item 5, a single pick; what applies besides goes into the description."""

DRUG_USES: dict[str, str] = {"human": "Human use", "other": "Other"}
DESCRIPTIONS: dict[str, str] = {
    "finished_prescription": "Finished prescription drug",
    "vaccine": "Vaccine",
    "plasma_derivative": "Plasma derivative",
    "allergenic": "Allergenic product",
    "multiple": MULTIPLE,
}
OTHER_REPORTS: dict[str, str] = {
    "none": "None",
    "bpdr": "BPDR (biological product deviation report)",
    "far": "FAR (field alert report)",
    "medwatch_3500": "MedWatch 3500",
    "medwatch_3500a": "MedWatch 3500A",
    "other": "Other",
}

# Name, number in the 8/15 layout, what the item is called. In the form's order.
ITEMS: tuple[tuple[str, str, str], ...] = (
    ("kind", "1", "Type of notification"),
    ("incident_number", "2", "FDA incident number"),
    ("initial_date", "3", "Date of initial notification to FDA"),
    ("determined_date", "4", "Date company determined product was illegitimate"),
    ("classification", "5", "Classification of notification"),
    ("product_name", "6", "Name of product as it appears on the label"),
    ("ingredients", "7", "Primary ingredients"),
    ("drug_use", "8", "Drug use"),
    ("drug_description", "9", "Drug description"),
    ("strength", "10", "Strength of drug"),
    ("dosage_form", "11", "Dosage form"),
    ("quantity", "12", "Quantity of drug"),
    ("quantity_unit", "12", "Unit of quantity"),
    ("ndc", "13", "NDC number"),
    ("serials", "14", "Serial numbers"),
    ("lots", "15", "Lot numbers"),
    ("expiries", "16", "Expiration dates"),
    ("event_description", "17", "Description of event or issue"),
    ("termination_reason", "18", "Why the notification should be terminated"),
    ("other_reports", "19", "Other reports submitted to FDA"),
    ("company_name", "20", "Company name"),
    ("company_address", "20", "Company address"),
    ("company_category", "21", "Company category"),
    ("contact_name", "22", "Name of contact"),
    ("contact_email", "23", "Email of contact, to which FDA sends the incident number"),
    ("contact_phone", "24", "Telephone of contact"),
)
NUMBERS: dict[str, str] = {name: number for name, number, _ in ITEMS}
LABELS: dict[str, str] = {name: label for name, _, label in ITEMS}

_LISTS = frozenset({"serials", "lots", "expiries", "other_reports"})
_ALWAYS = (
    "classification product_name ingredients drug_use drug_description strength dosage_form quantity quantity_unit "
    "ndc lots event_description company_name company_address contact_name contact_email contact_phone determined_date"
).split()
_DATES = ("initial_date", "determined_date")
_CHOICES: dict[str, Mapping[str, str]] = {
    "classification": CLASSIFICATIONS,
    "drug_use": DRUG_USES,
    "drug_description": DESCRIPTIONS,
}


@dataclass(frozen=True, slots=True)
class Form3911:
    """One form. Dates and expiries are YYYY-MM-DD, `quantity` a whole number; '' is what was not filled in."""

    kind: FormKind
    incident_number: str = ""
    initial_date: str = ""
    determined_date: str = ""
    classification: str = ""
    product_name: str = ""
    ingredients: str = ""
    drug_use: str = ""
    drug_description: str = ""
    strength: str = ""
    dosage_form: str = ""
    quantity: str = ""
    quantity_unit: str = ""
    ndc: str = ""
    serials: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    expiries: tuple[str, ...] = ()
    event_description: str = ""
    termination_reason: str = ""
    other_reports: tuple[str, ...] = ()
    company_name: str = ""
    company_address: str = ""
    company_category: str = ""
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Form3911":
        """The form in what somebody typed or sent: lists as lists, or one a line. Unknown names are left out.

        Raises ValueError for an unknown kind; everything else is told by `problems`.
        """
        values: dict[str, Any] = {"kind": FormKind(str(raw.get("kind", "")))}
        for each in fields(cls):
            if each.name == "kind" or each.name not in raw:
                continue
            given = raw[each.name]
            if each.name in _LISTS:
                lines = given if isinstance(given, list | tuple) else str(given or "").splitlines()
                cleaned = (str(line).strip() for line in lines)
                values[each.name] = tuple(dict.fromkeys(line for line in cleaned if line))
            else:
                values[each.name] = str(given or "").replace("\r\n", "\n").replace("\x00", "").strip()
        return cls(**values)

    def as_json(self) -> str:
        """The form as it is kept: one object, members by name."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Form3911":
        return cls.parse(json.loads(text))


def problems(form: Form3911) -> dict[str, str]:
    """What keeps the form from being handed in: item's name to a sentence; nothing where it is complete."""
    found: dict[str, str] = {}
    for name in _ALWAYS:
        if not getattr(form, name):
            found[name] = f"{LABELS[name]} is missing (item {NUMBERS[name]})."
    if form.kind is FormKind.INITIAL and form.incident_number:
        found["incident_number"] = "The incident number stays blank on an initial notification (item 2)."
    if form.kind is not FormKind.INITIAL:
        if not form.incident_number:
            found["incident_number"] = "FDA's incident number is missing (item 2)."
        if not form.initial_date:
            found["initial_date"] = "The date of the initial notification is missing (item 3)."
    if form.kind is FormKind.TERMINATION and not form.termination_reason:
        found["termination_reason"] = "Say why the notification should be terminated (item 18)."
    if form.kind is not FormKind.TERMINATION and form.termination_reason:
        found["termination_reason"] = "Item 18 is for a request for termination alone."
    found |= _malformed(form)
    return found


def _malformed(form: Form3911) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, choices in _CHOICES.items():
        value = getattr(form, name)
        if value and value not in choices:
            found[name] = f"{LABELS[name]}: choose one of those given (item {NUMBERS[name]})."
    if set(form.other_reports) - OTHER_REPORTS.keys():
        found["other_reports"] = "Other reports: choose of those given (item 19)."
    for name in _DATES:
        if not _is_date(getattr(form, name)):
            found[name] = f"{LABELS[name]}: write it as YYYY-MM-DD (item {NUMBERS[name]})."
    if not all(map(_is_date, form.expiries)):
        found["expiries"] = "Expiration dates: write each as YYYY-MM-DD (item 16)."
    if form.quantity and not (
        form.quantity.isascii() and form.quantity.isdigit() and len(form.quantity) < 10
    ):
        found["quantity"] = "The quantity is a whole number (item 12)."
    if form.initial_date and form.determined_date and form.initial_date < form.determined_date:
        found["initial_date"] = "It was notified before it was determined: check items 3 and 4."
    for each in fields(form):
        value = getattr(form, each.name)
        if isinstance(value, tuple) and len(value) > MOST_LISTED:
            found[each.name] = f"{LABELS[each.name]}: at most {MOST_LISTED}; say the rest in item 17."
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            found[each.name] = f"{LABELS[each.name]}: at most {LONGEST_TEXT} characters."
    return found


def _is_date(text: str) -> bool:
    try:
        return not text or (len(text) == 10 and bool(date.fromisoformat(text)))
    except ValueError:
        return False


def shown(form: Form3911) -> list[tuple[str, str, str]]:
    """(number, label, value in words) of every item, in the form's order; '' where nothing stands."""
    words: dict[str, Mapping[str, str]] = {**_CHOICES, "kind": KINDS, "other_reports": OTHER_REPORTS}
    rows = []
    for name, number, label in ITEMS:
        value = getattr(form, name)
        called = words.get(name, {})
        texts = [str(called.get(each, each)) for each in (value if isinstance(value, tuple) else (value,))]
        rows.append((number, label, ", ".join(texts)))
    return rows
