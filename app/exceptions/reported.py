"""PDG's messages of a case as people read them: an item is a line of a table, an answer stands beside its item.

what                    product                          lot     serial   expected                         asked for
Data without product    Sonnenal 00399999001014                  201      the product, by ASN-1            Send product
Label and data differ   Sonnenal 00399999001014          LOT43   7        lot LOT42                        Send new data
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.exceptions import pdg
from app.exceptions.models import exception_message
from app.exceptions.pdg import Answer, Report, ReportItem
from app.exceptions.rules import KINDS, Pdg, reported_as
from app.products import service as products

MOST_MESSAGES = 10  # of one case, the last ones

_WHAT: dict[str, str] = {
    Pdg.MISSING_DATA: "Product without data",
    Pdg.MISSING_PRODUCT: "Data without product",
    Pdg.MISALIGNMENT: "Label and data differ",
    Pdg.OVERAGE: "Too much",
    Pdg.UNDERAGE: "Too little",
    "gln_errors": "The company's number (GLN) is wrong",
    "gtin_errors": "The product's number (GTIN) is wrong",
}
_FIELDS = ("gtin", "lot", "expiry", "serial")


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One item of a report in words. `answer`: what was answered to it, '' where nothing was."""

    uuid: str
    what: str
    hda_class: str
    gtin: str
    product: str
    lot: str
    serial: str
    expected: str
    asked: str
    answer: str = ""

    @property
    def title(self) -> str:
        """The item in a few words."""
        parts = (
            self.product,
            self.gtin,
            self.lot and f"lot {self.lot}",
            self.serial and f"serial {self.serial}",
        )
        return f"{self.what}: {' '.join(filter(None, parts)) or self.expected}"


@dataclass(frozen=True, slots=True)
class Reported:
    """A report of a case: `direction` in or out, `at` when it came or went; `others`: what fits no list of PDG's."""

    uuid: str
    direction: str
    at: datetime
    purchase_order: str
    resolved: bool
    lines: tuple[ReportLine, ...]
    others: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What the interface tells of it."""
        names = [name for name in ReportLine.__slots__ if name != "uuid"]
        return {
            "message_uuid": self.uuid,
            "direction": self.direction,
            "at": self.at.isoformat(),
            "purchase_order": self.purchase_order,
            "resolved": self.resolved,
            "items": [
                {"item": each.uuid} | {name: getattr(each, name) for name in names} for each in self.lines
            ],
            "others": list(self.others),
        }


def of_case(connection: Connection, case_id: str) -> list[Reported]:
    """The reports that are kept under a case, the last first, with what was answered to their items."""
    columns = (
        exception_message.c.direction,
        exception_message.c.kind,
        exception_message.c.at,
        exception_message.c.body,
    )
    query = select(*columns).where(exception_message.c.case_id == case_id)
    rows = connection.execute(
        query.order_by(exception_message.c.message_no.desc()).limit(MOST_MESSAGES)
    ).all()
    answers: dict[str, Answer] = {}
    reports: list[tuple[str, datetime, Report]] = []
    for direction, kind, at, body in rows:
        if kind == "report":
            reports.append((direction, at, pdg.read_report(json.loads(body), at)))
        else:
            for each in pdg.read_response(json.loads(body), at).answers:
                answers.setdefault(each.item, each)  # the last one counts
    gtins = {_gtin(item) for _, _, report in reports for item in report.items}
    known = products.by_gtins(connection, sorted(gtins - {""}))
    names = {gtin: product.title for gtin, product in known.items()}
    return [
        Reported(
            report.uuid, direction, at, report.purchase_order, report.resolved,
            tuple(lines(report.items, names, answers)), report.others,
        )
        for direction, at, report in reports
    ]  # fmt: skip


def lines(
    items: Sequence[ReportItem], names: Mapping[str, str], answers: Mapping[str, Answer]
) -> list[ReportLine]:
    """The items of a report in words; `names` are products by GTIN, `answers` by item."""
    return [
        ReportLine(
            uuid=item.uuid,
            what=_WHAT[item.list],
            hda_class=KINDS[reported_as({item.list})].hda_class.value,
            gtin=_gtin(item),
            product=names.get(_gtin(item), ""),
            lot=_of(item, "received_product_lot"),
            serial=_of(item, "received_product_serial", "product_serial"),
            expected=_expected(item),
            asked=_of(item, "resolution_request"),
            answer=answered(answers[item.uuid]) if item.uuid in answers else "",
        )
        for item in items
    ]


def _of(item: ReportItem, *names: str) -> str:
    return next((str(item.values[name]) for name in names if item.values.get(name) not in (None, "")), "")


def _gtin(item: ReportItem) -> str:
    return _of(item, "product_gtin", "received_product_gtin", "gtin", "invalid_gtin")


def _expected(item: ReportItem) -> str:
    if item.list == Pdg.MISSING_DATA:
        return f"its data; seen by: {_of(item, 'observation_source').lower()}"
    if item.list == Pdg.MISSING_PRODUCT:
        return f"the product, by {_of(item, 'file_id')}"
    if item.list == Pdg.MISALIGNMENT:
        pairs = [
            (name, _of(item, f"received_product_{name}"), _of(item, f"product_data_{name}"))
            for name in _FIELDS
        ]
        told = [f"{name} {data or 'none'}" for name, label, data in pairs if label != data]
        return ", ".join(told) or "the same"
    if item.list in (Pdg.OVERAGE, Pdg.UNDERAGE):
        return f"{_of(item, 'quantity_ordered')} ordered, {_of(item, 'quantity_received')} received"
    wrong, right = _of(item, "invalid_gln", "invalid_gtin"), _of(item, "proposed_gln", "proposed_gtin")
    return f"{right} for {wrong}" if right else f"another than {wrong}"


def answered(answer: Answer) -> str:
    """What is answered to an item, in words."""
    other = f", instead: {answer.alternative}" if answer.alternative else ""
    comment = f" ({answer.comments})" if answer.comments else ""
    return f"{'accepted' if answer.accepted else 'rejected'}{other}{comment}"
