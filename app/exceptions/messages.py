"""PDG's messages at the desk: reports out and in, responses out and in, each kept as it was and once.

A report goes out about one case or several that are with one partner. One that comes in opens a case at the desk of
whose shipment it is about; whatever else comes under its case id joins it. How a message travels is not our matter:
it is handed out and taken in, by page or by interface.
"""

import json
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select

from app.cases import service as cases
from app.cases.choice import Choice
from app.cases.rules import Desk, NoteKind
from app.cases.service import DeskCase
from app.custody import loading
from app.custody.items import item_name
from app.errors import Conflict, Invalid, NotFound
from app.exceptions import facts, pdg, service
from app.exceptions.models import exception_case, exception_message
from app.exceptions.pdg import Answer, Report, ReportItem, ReportResponse, Sender
from app.exceptions.reported import answered
from app.exceptions.rules import ALL_REPORTED, KINDS, RESOLVED, Pdg, reported_as
from app.exceptions.service import OwnCase
from app.partners import service as partners
from app.shared.clock import Clock
from ledger.custody.state import Item

NAMESPACE = uuid.UUID("6b1f0c9e-52f0-5a0e-9f0b-3f6f6f0c2d11")
MOST_OPEN = 200  # reports of one partner that are open at one desk
MOST_MESSAGES = 200  # of one partner under one case
_MOST_LINES = 20

Direction = Literal["in", "out"]


def case_uuid(case_ids: Sequence[str]) -> str:
    """The id under which we report these cases: always the same."""
    return str(uuid.uuid5(NAMESPACE, " ".join(sorted(case_ids))))


def send_report(
    connection: Connection, clock: Clock, found: Sequence[DeskCase], who: str, *, resolved: bool = False
) -> dict[str, Any]:
    """The report about these cases, read with their items: kept, and in their threads. Raises `Conflict` unless all
    are one party's with one partner."""
    if not found or len({(each.party_gln, each.partner_gln) for each in found}) > 1:
        raise Conflict("pdg.partners", "A report goes to one partner", "", "Choose cases that are with one.")
    first = found[0]
    about = [facts.gather(connection, each) for each in found]
    orders = [order for each in about for order in each.facts.purchase_orders]
    items: list[ReportItem] = []
    others: list[str] = []
    for case, each in zip(found, about, strict=True):
        if not resolved:
            more, left = _told(connection, case, each)
            items += more
            others += left
    report = Report(
        str(uuid.uuid4()), case_uuid([each.case_id for each in found]), clock.now(), orders[0] if orders else "",
        _sender(connection, first.party_gln), tuple(items[: pdg.MOST_ITEMS]), tuple(others), resolved,
    )  # fmt: skip
    body = pdg.write_report(report)
    for case in found:
        _keep(
            connection, clock, case, "out", "report", report.uuid, report.case_uuid, body, once=case is first
        )
        said = (
            "PDG exception report, resolved" if resolved else f"PDG exception report of {_items(len(items))}"
        )
        cases.say(connection, clock, case.case_id, who, f"{said}: message {report.uuid}.", NoteKind.SENT)
    return body


def _told(connection: Connection, case: DeskCase, about: facts.About) -> tuple[list[ReportItem], list[str]]:
    kind = KINDS[case.kind]
    things = _packages(connection, about.items) if kind.pdg is Pdg.MISSING_PRODUCT else list(about.items)
    told, others = [], []
    for item in things:
        name = item_name(item.key)
        values: dict[str, Any] | None = None
        if name.gtin and name.ns.startswith("01/"):
            values = _values(case, about, item, name.gtin, name.serial)
        if values is None:
            others.append(f"{kind.title}: {item.key}")
        else:
            item_uuid = str(uuid.uuid5(NAMESPACE, f"{case.case_id} {item.key}"))
            told.append(
                ReportItem(str(kind.pdg), item_uuid, {**values, "resolution_request": kind.resolution.value})
            )
    if not things:
        others.append(f"{kind.title}. {about.facts.detail}".strip())
    return told, others


def _values(case: DeskCase, about: facts.About, item: Item, gtin: str, serial: str) -> dict[str, Any] | None:
    kind = KINDS[case.kind].pdg
    if kind is Pdg.MISSING_DATA:
        return {"product_gtin": gtin, "observation_source": "Scan", "product_serial": serial}
    if kind is Pdg.MISSING_PRODUCT:
        file_id = (
            about.facts.advices[0] if about.facts.advices else f"entry {case.data.get('entry', '')}".strip()
        )
        return {"file_id": file_id, "product_gtin": gtin, "product_serial": serial}
    if kind is Pdg.MISALIGNMENT:
        label = {name: str(case.data.get(name) or "") for name in ("lot", "expiry")}
        return {
            "received_product_gtin": gtin,
            "received_product_lot": label["lot"] or item.lot or "",
            "received_product_expiry": label["expiry"] or item.expiry or "",
            "received_product_serial": serial,
            "product_data_gtin": gtin,
            "product_data_lot": item.lot or "",
            "product_data_expiry": item.expiry or "",
            "product_data_serial": serial,
        }
    return None


def _packages(connection: Connection, items: Sequence[Item]) -> list[Item]:
    """The packages among `items` and in them: PDG's report names serial numbers, no containers."""
    found: list[Item] = []
    for item in items:
        loaded, inside = loading.load_contents(connection, item.key, pdg.MOST_ITEMS)
        packages = [loaded.world.item(key) for key in inside if item_name(key).ns.startswith("01/")]
        found += packages or [item]
    return found[: pdg.MOST_ITEMS]


def take_report(connection: Connection, clock: Clock, value: object, *, by: str, to: str) -> str:
    """A report that the party `by` (GLN) sends to `to`: the case it opens or joins. Raises `Invalid`, `NotFound` where
    `to` takes none, `Conflict` for another message under the same id."""
    report = pdg.read_report(value, clock.now())
    _from(report.sender, by)
    known = _again(connection, to, by, report.uuid, value)
    if known is not None:
        return known
    case_id = _case_of(connection, to, report.case_uuid, "in", by)
    told = "resolved" if report.resolved else _items(len(report.items) + len(report.others))
    text = f"PDG exception report {report.uuid}, order {report.purchase_order or 'not named'}: {told}."
    if case_id is None:
        if report.resolved:
            raise NotFound("No such case", report.case_uuid, "Nothing was reported under this id.")
        _room(connection, to, by)
        new = OwnCase(
            reported_as({item.list for item in report.items}), to, by, report.purchase_order or report.uuid,
            data={"purchase_order": report.purchase_order, "reply_to": report.sender.email},
        )  # fmt: skip
        case_id = service.open_own(connection, clock, new, "Packproof")
    case = cases.case(connection, Desk.EXCEPTIONS, case_id, to)
    _room_under(connection, case_id)
    _keep(connection, clock, case, "in", "report", report.uuid, report.case_uuid, value, once=True)
    cases.say(connection, clock, case_id, _name(connection, by), text[:2000], NoteKind.CAME)
    if report.resolved and case.is_open:
        _resolved(connection, clock, case_id, _name(connection, by))
    return case_id


def _resolved(connection: Connection, clock: Clock, case_id: str, partner: str) -> None:
    """A partner says that what it reported is resolved: the case ends on its word, unless the record says otherwise."""
    against = select(exception_case.c.seq).where(
        exception_case.c.case_id == case_id, exception_case.c.standing
    )
    if connection.execute(against.limit(1)).first() is not None:
        said = "The partner reports it resolved. The record still has findings: it stays open."
        cases.say(connection, clock, case_id, cases.SYSTEM, said)
        return
    said = "Closed: the partner reports it resolved."
    cases.close(connection, clock, case_id, partner, service.CLOSED, text=said, root_cause=RESOLVED)


def take_response(connection: Connection, clock: Clock, value: object, *, by: str, to: str) -> str:
    """A response of `by` to a report of `to`: the case it is about. Raises as `take_report`."""
    response = pdg.read_response(value, clock.now())
    _from(response.sender, by)
    known = _again(connection, to, by, response.uuid, value)
    if known is not None:
        return known
    case_id = _case_of(connection, to, response.case_uuid, "out", by)
    if case_id is None:
        raise NotFound("No such case", response.case_uuid, "Nothing was reported to you under this id.")
    case = cases.case(connection, Desk.EXCEPTIONS, case_id, to)
    _room_under(connection, case_id)
    _keep(connection, clock, case, "in", "response", response.uuid, response.case_uuid, value, once=True)
    lines = [_said(each) for each in response.answers][:_MOST_LINES]
    text = "\n".join(
        [f"PDG response {response.uuid}.", *lines, *([response.notes] if response.notes else [])]
    )
    cases.say(connection, clock, case_id, _name(connection, by), text[:2000], NoteKind.CAME)
    return case_id


def reported(connection: Connection, case: DeskCase) -> Report | None:
    """The last report that came under a case, to be answered; None where none did."""
    query = select(exception_message.c.body).where(
        exception_message.c.case_id == case.case_id,
        exception_message.c.direction == "in",
        exception_message.c.kind == "report",
    )
    body = connection.execute(query.order_by(exception_message.c.message_no.desc()).limit(1)).scalar()
    return pdg.read_report(json.loads(body), case.opened_at) if body else None


def send_response(
    connection: Connection, clock: Clock, case: DeskCase, answers: Sequence[Answer], notes: str, who: str
) -> dict[str, Any]:
    """The response to what was reported under a case: kept, and in its thread. Raises `Invalid` unless it answers
    items of that report, `NotFound` where nothing was reported."""
    report = reported(connection, case)
    if report is None:
        raise NotFound("Nothing was reported under this case", case.case_id)
    known = {item.uuid for item in report.items}
    if not answers and not notes:
        raise Invalid(
            "pdg.empty", "The response says nothing", case.case_id, "Answer an item, or write a note."
        )
    if strange := [each.item for each in answers if each.item not in known]:
        raise Invalid(
            "pdg.item", "The report has no such item", ", ".join(strange)[:200], "Answer its items."
        )
    response = ReportResponse(
        str(uuid.uuid4()), report.case_uuid, clock.now(), report.purchase_order,
        _sender(connection, case.party_gln), tuple(answers), notes,
    )  # fmt: skip
    body = pdg.write_response(response)
    # What goes out must be what we would take in.
    pdg.read_response(body, clock.now())
    _keep(connection, clock, case, "out", "response", response.uuid, response.case_uuid, body, once=True)
    text = "\n".join(
        [f"PDG response {response.uuid}.", *[_said(each) for each in answers][:_MOST_LINES], notes]
    )
    cases.say(connection, clock, case.case_id, who, text.strip()[:2000], NoteKind.SENT)
    return body


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"


def _said(answer: Answer) -> str:
    return f"Item {answer.item}: {answered(answer)}"


def _keep(
    connection: Connection, clock: Clock, case: DeskCase, direction: Direction, kind: str, message: str,
    about: str, body: object, *, once: bool,
) -> None:  # fmt: skip
    """Keep a message. A report about several cases is kept once, under the first."""
    if not once:
        return
    party = partners.by_gln(connection, case.party_gln)
    partner = partners.by_gln(connection, case.partner_gln) if case.partner_gln else None
    assert party is not None
    connection.execute(
        insert(exception_message).values(
            party_id=party.party_id, direction=direction, kind=kind, uuid=message, case_uuid=about,
            partner_id=partner.party_id if partner else None,
            case_id=case.case_id, at=clock.now(), body=json.dumps(body, sort_keys=True),
        )
    )  # fmt: skip


def _again(connection: Connection, gln: str, by: str, message: str, body: object) -> str | None:
    """The case of a message that came from `by` before; None for a new one: an id is its sender's alone. Raises
    `Conflict` for other content under its id, `NotFound` where the party takes no messages here."""
    party = partners.by_gln(connection, gln)
    if party is None or not party.verified:
        raise NotFound("No such recipient", gln, "Send it to the GLN of a company on this node.")
    sender = partners.by_gln(connection, by)
    columns = (exception_message.c.case_id, exception_message.c.body)
    row = connection.execute(
        select(*columns).where(
            exception_message.c.party_id == party.party_id,
            exception_message.c.direction == "in",
            exception_message.c.partner_id.is_not_distinct_from(sender.party_id if sender else None),
            exception_message.c.uuid == message,
        )
    ).one_or_none()
    if row is None:
        return None
    if row.body != json.dumps(body, sort_keys=True):
        raise Conflict("pdg.other_content", "This message came before with other content", message)
    return str(row.case_id)


def _case_of(connection: Connection, gln: str, about: str, direction: Direction, partner: str) -> str | None:
    """The case of ours that this partner reported ('in') under this case id, or that we reported to it ('out').

    An answer reports nothing: whoever could join a case by one would close what another has opened.
    """
    party = partners.by_gln(connection, gln)
    query = select(exception_message.c.case_id).where(
        exception_message.c.party_id == (party.party_id if party else -1),
        exception_message.c.case_uuid == about,
        exception_message.c.direction == direction,
        exception_message.c.kind == "report",
    )
    found = connection.execute(query.order_by(exception_message.c.message_no)).scalars().all()
    known = cases.some(connection, found)
    return next((each for each in found if known[each].partner_gln == partner), None)


def _room(connection: Connection, gln: str, partner: str) -> None:
    # Asked for by themselves: a queue shows the most urgent of all, and these need not be among them.
    mine = Choice(partner_gln=partner, kinds=tuple(ALL_REPORTED))
    if len(cases.queue(connection, Desk.EXCEPTIONS, gln, choice=mine, limit=MOST_OPEN)) >= MOST_OPEN:
        raise Conflict("pdg.too_many", "Too many of your reports are open there", f"{MOST_OPEN} are the most")


def _room_under(connection: Connection, case_id: str) -> None:
    came = select(func.count()).where(
        exception_message.c.case_id == case_id, exception_message.c.direction == "in"
    )
    if connection.execute(came).scalar_one() >= MOST_MESSAGES:
        raise Conflict(
            "pdg.too_many", "Too many of your messages stand under this case", f"{MOST_MESSAGES} are the most"
        )


def _from(sender: Sender, by: str) -> None:
    if sender.gln and sender.gln != by:
        raise Invalid("pdg.sender", "The message names another sender", sender.gln, f"Your GLN is {by}.")


def _sender(connection: Connection, gln: str) -> Sender:
    known = partners.called(connection, [gln]).get(gln)
    contact = known.contact if known else ""
    return Sender(gln, contact if "@" in contact else "", "" if "@" in contact else contact)


def _name(connection: Connection, gln: str) -> str:
    return partners.names(connection, [gln]).get(gln, gln)
