"""Returns: each unit scanned, matched to our own sale to this customer, verified, and put back or set apart.

case_id = returns.open(actor, customer_gln, rma="RMA-12")
unit = returns.scan(actor, case_id, raw, None)
unit.saleable, unit.reason
returns.book(actor, case_id)          # receiving, disposition returned; then sellable, or on hold with the reason
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.capture.desk import Deed, report
from app.capture.service import Capture
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import loading
from app.custody.outbound import Outbound, outbound, recipients
from app.errors import Conflict, Invalid, Refused
from app.partners import service as partners
from app.returns import rules
from app.returns.models import return_unit
from app.returns.rules import RETURN_WITHIN, Facts, Reason, Verified
from app.returns.verifying import Verifier
from app.shared.actor import Actor
from app.shared.audit import Outcome, record
from app.shared.chunks import chunks
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.verification.service import Result, Verification
from app.vrs import signals
from app.vrs.rules import Sign, SignalKind
from app.vrs.signals import Noticed
from ledger.custody.event import Linked
from ledger.custody.findings import Severity
from ledger.custody.verdict import Reason as VerdictReason
from ledger.custody.verdict import Word
from ledger.store.sql.engine import Database

RETURN = "return"
LONGEST_RMA = 40
MOST_UNITS = 2_000


@dataclass(frozen=True, slots=True)
class Unit:
    """One scanned unit of a return. `matched_seq`: our event that sold it to this customer."""

    unit_no: int
    subject: str
    scanned_at: datetime
    scanned_by: str
    matched_seq: int | None
    verified: Verified
    saleable: bool
    reason: Reason
    booked_at: datetime | None


@dataclass
class Returns:
    """The returns desk. One a process."""

    database: Database
    clock: Clock
    capture: Capture
    verification: Verification
    verifier: Verifier

    def open(self, actor: Actor, customer_gln: str, rma: str = "") -> str:
        """The return of a customer's under its authorization number: begun, unless it is open already."""
        return self.begin(actor, customer_gln, rma)[0]

    def begin(self, actor: Actor, customer_gln: str, rma: str = "") -> tuple[str, bool]:
        """The same, and whether it was begun now: a return asked for twice, be it at once, is one. A number is given
        where there is none, and then it is always another."""
        gln = _party(actor)
        rma = rma.strip()
        if len(rma) > LONGEST_RMA or not all(char.isalnum() or char in "-_./" for char in rma):
            raise Invalid(
                "return.rma", "That is no RMA number", f"At most {LONGEST_RMA} letters, digits, - _ . /"
            )
        case_id = new_id("case")
        with self.database.writing() as connection:
            customer = partners.by_gln(connection, customer_gln)
            if customer is None or customer_gln == gln:
                raise Invalid("return.customer", "Say whose return it is", customer_gln, "Choose a partner.")
            there = _under(connection, gln, customer_gln, rma) if rma else None
            if there is not None:
                return there, False
            rma = rma or f"RMA-{case_id[-8:].upper()}"
            cases.open_case(
                connection,
                self.clock,
                NewCase(
                    Desk.RETURNS, RETURN, gln, f"Return of {customer.name}, {rma}", subject=rma,
                    partner_gln=customer_gln, due_at=self.clock.now() + RETURN_WITHIN, data={"rma": rma},
                    case_id=case_id,
                ),
                who=actor.name,
            )  # fmt: skip
            record(connection, self.clock, actor, "return.open", subject=case_id, whose=gln, detail=rma)
        return case_id, True

    def scan(
        self, actor: Actor, case_id: str, raw: bytes, symbology: str | None, *, damaged: bool = False
    ) -> Unit:
        """Judge one unit. A unit scanned again before it is booked is judged anew. Raises `Invalid` for no unit."""
        gln = _party(actor)
        with self.database.reading() as connection:
            case = _open_case(connection, case_id, gln)
        result = self.verification.check(raw, symbology, actor, asker=gln)
        if result.subject is None or result.label.serial is None:
            raise Invalid(
                "return.unit",
                "That is no single unit",
                result.label.error or "Returns are matched and verified unit by unit.",
                "Scan the pack's square code.",
            )
        verified = self.verifier.verify(result, actor)
        with self.database.writing() as connection:
            case = _open_case(connection, case_id, gln)
            sale, with_them = _match(connection, result.subject, gln, case.partner_gln or "")
            matched = sale.seq if sale is not None else None
            facts = replace(_facts(result, sale, verified, damaged), with_them=with_them)
            back = _came_back(connection, case_id, {result.subject: matched})
            reason = rules.judge(replace(facts, returned=bool(back)))
            unit = self._keep(connection, actor, case_id, result, matched, verified, reason)
            if reason in rules.UNSOLD:
                sign = Sign(SignalKind.UNSOLD_RETURN, Severity.HOLD, f"returned under {case.data['rma']}")
                noticed = Noticed(sign, result.subject, gln, case.partner_gln or "", self.clock.now())
                signals.note(connection, [noticed])
            text = f"Scanned {result.label.serial}: {rules.SAID[reason]}"
            cases.say(connection, self.clock, case_id, actor.name, text)
            record(
                connection, self.clock, actor, "return.scan", subject=result.subject, whose=gln,
                outcome=Outcome.DONE if reason is Reason.NONE else Outcome.REFUSED,
                detail=f"{case_id} {reason.value} {verified.value}",
            )  # fmt: skip
        return unit

    def book(self, actor: Actor, case_id: str) -> int:
        """Record what came back: saleable units as sellable again, the others set apart. The ledger's entry.

        What by the record is neither ours nor the customer's is not booked: it stays in the case, for an investigation.
        """
        gln = _party(actor)
        with self.database.snapshot() as connection:
            case = _open_case(connection, case_id, gln)
            waiting = [unit for unit in units(connection, case_id) if unit.booked_at is None]
            ours = _bookable(connection, [each.subject for each in waiting], gln, case.partner_gln or "")
        chosen = [each for each in waiting if each.subject in ours and each.reason is not Reason.SUSPECT]
        if not chosen:
            raise Conflict("return.nothing", "There is nothing to book", case.title, "Scan the units first.")
        reference = (Linked("rma", f"urn:epcglobal:cbv:bt:{gln}:{case.data['rma']}"),)

        def claim(connection: Connection) -> None:
            query = update(return_unit).where(
                return_unit.c.unit_no.in_([each.unit_no for each in chosen]),
                return_unit.c.booked_at.is_(None),
            )
            booked = connection.execute(query.values(booked_at=self.clock.now()))
            sold = {each.subject: each.matched_seq for each in chosen if each.saleable}
            gone = not _are_theirs(connection, sold, gln, case.partner_gln or "")
            if booked.rowcount != len(chosen) or gone or _came_back(connection, case_id, sold):
                raise Conflict(
                    "return.booked", "A unit of it is booked already", case.title, "Scan its units again."
                )

        receipt = report(self.capture, self.clock, actor, *_deeds(chosen, reference), first=claim)
        with self.database.writing() as connection:
            numbers = loading.find_ids(connection, [each.subject for each in chosen])
            states = {numbers[each.subject]: each.reason.value for each in chosen}
            cases.add_items(connection, case_id, states)
            saleable = sum(each.saleable for each in chosen)
            text = (
                f"Booked {saleable} saleable and {len(chosen) - saleable} set apart: entry {receipt.index}."
            )
            cases.say(connection, self.clock, case_id, actor.name, text)
            record(
                connection,
                self.clock,
                actor,
                "return.book",
                subject=case_id,
                whose=gln,
                detail=str(receipt.index),
            )
        return receipt.index

    def close(self, actor: Actor, case_id: str, text: str, root_cause: str) -> None:
        """End a return, all of whose saleable units are booked."""
        gln = _party(actor)
        with self.database.writing() as connection:
            _open_case(connection, case_id, gln)
            if any(each.saleable and each.booked_at is None for each in units(connection, case_id)):
                raise Conflict("return.unbooked", "Saleable units are not booked yet", "", "Book them first.")
            cause = root_cause if root_cause in rules.CAUSES else "other"
            cases.close(connection, self.clock, case_id, actor.name, "done", text=text, root_cause=cause)
            record(connection, self.clock, actor, "return.close", subject=case_id, whose=gln)

    def _keep(
        self,
        connection: Connection,
        actor: Actor,
        case_id: str,
        result: Result,
        matched: int | None,
        verified: Verified,
        reason: Reason,
    ) -> Unit:
        known = units(connection, case_id)
        earlier = next((each for each in known if each.subject == result.subject), None)
        if earlier is not None and earlier.booked_at is not None:
            raise Conflict("return.booked", "This unit is booked already", result.label.serial or "")
        if earlier is None and len(known) >= MOST_UNITS:
            raise Conflict("return.full", "This return is full", f"{MOST_UNITS} units", "Open another.")
        connection.execute(
            delete(return_unit).where(
                return_unit.c.case_id == case_id, return_unit.c.subject == result.subject
            )
        )
        connection.execute(
            insert(return_unit).values(
                case_id=case_id,
                subject=result.subject,
                scanned_at=self.clock.now(),
                scanned_by=actor.name,
                check_id=result.check_id,
                matched_seq=matched,
                verified=verified.value,
                saleable=reason is Reason.NONE,
                reason=reason.value,
            )
        )
        return next(each for each in units(connection, case_id) if each.subject == result.subject)


def units(connection: Connection, case_id: str) -> list[Unit]:
    """The units of a return in the order in which they were scanned last."""
    query = select(return_unit).where(return_unit.c.case_id == case_id).order_by(return_unit.c.unit_no)
    return [_unit(row) for row in connection.execute(query)]


def _under(connection: Connection, gln: str, customer_gln: str, rma: str) -> str | None:
    """The open return of a customer's under this number, if there is one. Nobody begins another until this transaction
    has ended."""
    partners.hold(connection, gln)
    listed = cases.queue(connection, Desk.RETURNS, gln, saying=("rma", rma))
    mine = (each for each in listed if each.partner_gln == customer_gln and each.data["rma"] == rma)
    return next((each.case_id for each in mine), None)


def _unit(row: Row[Any]) -> Unit:
    return Unit(
        row.unit_no, row.subject, row.scanned_at, row.scanned_by, row.matched_seq, Verified(row.verified),
        bool(row.saleable), Reason(row.reason), row.booked_at,
    )  # fmt: skip


def _open_case(connection: Connection, case_id: str, gln: str) -> DeskCase:
    case = cases.case(connection, Desk.RETURNS, case_id, gln)
    if not case.is_open:
        raise Conflict("case.closed", "This return is closed", case.title, "Open another.")
    return case


def _match(connection: Connection, subject: str, gln: str, customer: str) -> tuple[Outbound | None, bool]:
    """Our newest transaction with this customer that carried the package, and whether that is with them since."""
    loaded = loading.load(connection, [subject])
    us, them = partners.by_gln(connection, gln), partners.by_gln(connection, customer)
    if subject not in loaded.ids or us is None or them is None:
        return None, False
    for each in outbound(connection, loaded.ids[subject], us.party_id):
        if each.buyer_id == them.party_id and (each.seller_id or us.party_id) == us.party_id:
            delivered = partners.glns(connection, [each.recipient_id]).values()
            outer = loaded.world.outer(loaded.world.item(subject))
            return each, rules.is_theirs(outer, gln, {customer, *delivered})
    return None, False


def _are_theirs(connection: Connection, sold: Mapping[str, int | None], gln: str, customer: str) -> bool:
    """Whether all of these packages, each with the event that sold it, are still with the customer by the record."""
    world = loading.load(connection, sold).world
    to = recipients(connection, [seq for seq in sold.values() if seq is not None])
    names = partners.glns(connection, to.values())
    return all(
        rules.is_theirs(
            world.outer(world.item(key)), gln, {customer, names.get(to.get(seq or 0) or 0, customer)}
        )
        for key, seq in sold.items()
    )


def _came_back(connection: Connection, case_id: str, sold: Mapping[str, int | None]) -> set[str]:
    """Those of these packages, each with the event that sold it, of which a return in another case is booked."""
    found: set[str] = set()
    columns = (return_unit.c.subject, return_unit.c.matched_seq)
    for chunk in chunks(sorted(sold)):
        query = select(*columns).where(
            return_unit.c.subject.in_(chunk),
            return_unit.c.case_id != case_id,
            return_unit.c.booked_at.is_not(None),
            return_unit.c.matched_seq.is_not(None),
        )
        found |= {subject for subject, seq in connection.execute(query) if sold[subject] == seq}
    return found


def _facts(result: Result, sale: Outbound | None, verified: Verified, damaged: bool) -> Facts:
    reasons = {result.verdict.reason, *result.verdict.others}
    ended = {VerdictReason.DECOMMISSIONED, VerdictReason.ENDED_HERE}
    return Facts(
        sold=sale is not None,
        statement=sale is not None and sale.statement,
        verified=verified,
        suspect=result.verdict.word is Word.SUSPECT,
        recalled=VerdictReason.RECALLED in reasons,
        expired=VerdictReason.EXPIRED in reasons,
        held=VerdictReason.HELD in reasons,
        ended=bool(reasons & ended),
        damaged=damaged,
    )


def _bookable(connection: Connection, subjects: list[str], gln: str, customer: str) -> set[str]:
    """Those of which the record fits a return: on its way to us, with the customer, with us, or with nobody known."""
    world = loading.load(connection, subjects).world
    found = set()
    for key in subjects:
        outer = world.outer(world.item(key))
        with_them = outer.holder in (None, gln, customer) and not outer.in_transit
        if with_them or (outer.in_transit and outer.bound_for in (None, gln)):
            found.add(key)
    return found


def _deeds(chosen: Iterable[Unit], reference: tuple[Linked, ...]) -> list[Deed]:
    """What happened: all came back; the saleable ones are sellable again, the others are set apart by reason."""
    listed = list(chosen)
    deeds = [Deed("receiving", "returned", epcs=tuple(each.subject for each in listed), references=reference)]
    saleable = tuple(each.subject for each in listed if each.saleable)
    if saleable:
        deeds.append(Deed("inspecting", "sellable_accessible", epcs=saleable, references=reference))
    apart: dict[str, list[str]] = {}
    for each in listed:
        if not each.saleable:
            apart.setdefault(rules.disposition(each.reason), []).append(each.subject)
    for word, subjects in sorted(apart.items()):
        deeds.append(Deed("holding", word, epcs=tuple(subjects), references=reference))
    return deeds


def _party(actor: Actor) -> str:
    if actor.party_gln is None:
        raise Refused("return.party", "A return is a party's", "This account belongs to none.")
    return actor.party_gln
