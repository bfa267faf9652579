"""Forms FDA 3911 of a case: filled in from what is known, kept as they were made."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody import loading
from app.custody import service as custody
from app.errors import NotFound
from app.investigations.form3911 import KINDS, Form3911, FormKind
from app.investigations.models import form_3911
from app.partners import service as partners
from app.products import service as products
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.clock import Clock
from app.shared.ids import new_id
from ledger.gs1.epc import Sgtin, parse_epc


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was made."""

    form_id: str
    case_id: str
    form: Form3911
    made_at: datetime
    made_by: str


def keep(connection: Connection, clock: Clock, actor: Actor, case: DeskCase, form: Form3911) -> str:
    """Keep a form. Another of the same kind stands for it from then on; both stay."""
    form_id = new_id("f3911")
    # The newest stands: no two of a case are of one moment.
    last = next((each.made_at for each in of_case(connection, case.case_id)), None)
    now = clock.now()
    made_at = max(now, last + timedelta(microseconds=1)) if last else now
    connection.execute(
        insert(form_3911).values(
            form_id=form_id,
            case_id=case.case_id,
            kind=form.kind.value,
            content=form.as_json(),
            made_at=made_at,
            made_by=actor.name,
        )
    )
    if form.incident_number and case.is_open and case.data.get("incident_number") != form.incident_number:
        data = {**case.data, "incident_number": form.incident_number}
        cases.move(
            connection, clock, case.case_id, actor.name, case.state, data=data,
            text=f"FDA's incident number is {form.incident_number[:40]}.",
        )  # fmt: skip
    cases.say(
        connection,
        clock,
        case.case_id,
        actor.name,
        f"Made Form FDA 3911: {KINDS[form.kind].lower()} ({form_id}).",
    )
    record(connection, clock, actor, "investigation.form", subject=form_id, whose=case.party_gln)
    return form_id


def of_case(connection: Connection, case_id: str) -> list[Kept]:
    """All forms of a case, the newest first."""
    query = select(form_3911).where(form_3911.c.case_id == case_id)
    rows = connection.execute(query.order_by(form_3911.c.made_at.desc(), form_3911.c.form_id)).all()
    return [
        Kept(row.form_id, row.case_id, Form3911.from_json(row.content), row.made_at, row.made_by)
        for row in rows
    ]


def newest(connection: Connection, case_id: str, kind: FormKind) -> Kept | None:
    """The form of this kind that stands."""
    return next((each for each in of_case(connection, case_id) if each.form.kind is kind), None)


def one(connection: Connection, form_id: str, gln: str | None) -> Kept:
    """A form of a case within reach. Raises `NotFound`."""
    case_id = connection.execute(
        select(form_3911.c.case_id).where(form_3911.c.form_id == form_id)
    ).scalar_one_or_none()
    if case_id is None:
        raise NotFound()
    cases.case(connection, Desk.INVESTIGATIONS, case_id, gln)
    return next(each for each in of_case(connection, case_id) if each.form_id == form_id)


def begun(connection: Connection, case: DeskCase, kind: FormKind, actor: Actor) -> Form3911:
    """The form as far as the record fills it in: from the last one of the case, else from product and packages."""
    earlier = next((each.form for each in of_case(connection, case.case_id)), None)
    known = _known(connection, case, actor)
    if earlier is not None:
        known |= {name: getattr(earlier, name) for name in Form3911.__slots__ if getattr(earlier, name)}
        known["initial_date"] = str(case.data.get("notified_at", ""))[:10]
    known["incident_number"] = "" if kind is FormKind.INITIAL else str(case.data.get("incident_number", ""))
    if kind is FormKind.INITIAL:
        known["initial_date"] = ""
    if kind is not FormKind.TERMINATION:
        known["termination_reason"] = ""
    return Form3911.parse({**known, "kind": kind.value})


def _known(connection: Connection, case: DeskCase, actor: Actor) -> dict[str, object]:
    gtin = str(case.data.get("gtin", ""))
    product = products.by_gtins(connection, [gtin]).get(gtin) if gtin else None
    party = partners.by_gln(connection, case.party_gln)
    keys = custody.keys_of(connection, case.items)
    world = loading.load_numbers(connection, case.items).world
    items = [world.item(key) for key in keys.values()]
    serials = [epc.serial for epc in map(parse_epc, sorted(keys.values())) if isinstance(epc, Sgtin)]
    return {
        "determined_date": str(case.data.get("illegitimate_at", ""))[:10],
        "classification": case.data.get("ground", ""),
        "product_name": product.name if product else "",
        "strength": product.strength if product else "",
        "dosage_form": product.dosage_form if product else "",
        "drug_use": "human",
        "drug_description": "finished_prescription",
        "ndc": product.ndc if product else "",
        "quantity": str(len(items)) if items else "",
        "quantity_unit": "packages",
        "serials": serials,
        "lots": sorted({item.lot for item in items if item.lot}),
        "expiries": sorted({item.expiry for item in items if item.expiry}),
        "event_description": case.data.get("text", ""),
        "other_reports": ["none"],
        "company_name": party.name if party else "",
        "company_address": party.address if party else "",
        "company_category": party.kind if party else "",
        "contact_name": actor.name,
    }
