"""Requests of authorities: opened with their clock, looked into, answered once, each answer an entry of the ledger.

    case_id = requests.open(NewRequest(...), actor)
    preview = requests.preview(case_id, party_gln)           what would be handed out
    requests.answer(case_id, party_gln, actor)               hands it out: files, manifest, ledger entry, audit trail
    requests.archive(case_id, reach)                         the answer as it went out

A company answers with the events that name it and nothing else (its own transaction information, FD&C Act
582(c)(1)(C)). What an inspector searches for on this node is not limited to one company, is answered at once, and is
on no company's desk: an inspection is nobody's business but the inspector's. Its entry and its audit trail are there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import shipped
from app.errors import CaptureStopped, Conflict, Invalid, NotFound
from app.history.search import Asked, Line, search
from app.node.service import Node
from app.partners import service as partners
from app.proofs.evidence import Evidence
from app.regulator import disclosures, pdf, sales, tables
from app.regulator.answers import MOST_BYTES, Answer, bundle
from app.regulator.disclosures import HandedOut
from app.regulator.rules import (
    LONGEST,
    PARTNERS_REASONS,
    REASONS,
    STANDINGS,
    Reason,
    Search,
    Standing,
    due_at,
)
from app.shared.actor import Actor
from app.shared.audit import Outcome, record
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.shared.spreadsheet import as_csv
from app.transactions.service import Transactions
from ledger.epcis import jsonwriter
from ledger.epcis.document import Document, Form
from ledger.evidence.html import page
from ledger.store.sql.engine import Database

MOST_EVENTS = 5_000  # of one answer
OPEN, ANSWERED, WITHDRAWN = "open", "answered", "withdrawn"


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request as it came. `party_gln`: who is asked. `requester`: name and office; `proof`: how it was made sure that
    they are who they say they are; `reference`: their own number, such as the FDA's incident number."""

    party_gln: str
    standing: Standing
    reason: Reason
    requester: str
    reference: str
    proof: str
    search: Search
    asked_by: str = ""  # the account of an inspector who asks on this node

    @classmethod
    def parse(cls, fields: Mapping[str, str], party_gln: str, *, asked_by: str = "") -> "NewRequest":
        """Read a form or a body. Raises `Invalid`."""
        texts = {name: str(fields.get(name) or "").strip() for name in ("requester", "reference", "proof")}
        for name, value in texts.items():
            if len(value) > LONGEST or (not value and name != "reference"):
                raise Invalid("request.field", f"Fill in: {name}", f"1 to {LONGEST} characters.")
        try:
            standing, reason = Standing(fields.get("standing", "")), Reason(fields.get("reason", ""))
            if asked_by and standing is Standing.PARTNER:
                raise ValueError(standing)  # an inspector's account is an authority's
        except ValueError as error:
            raise Invalid(
                "request.standing", "Say who asks and why", "Choose a standing and a reason."
            ) from error
        if standing is Standing.PARTNER and reason not in PARTNERS_REASONS:
            raise Invalid(
                "request.reason",
                "A trading partner may not ask for this",
                REASONS[reason],
                "Partners ask in investigations and recalls; audits and inspections are the authorities'.",
            )
        return cls(party_gln, standing, reason, search=Search.parse(fields), asked_by=asked_by, **texts)


@dataclass
class Requests:
    """The regulator desk. One a process."""

    database: Database
    node: Node
    clock: Clock
    evidence: Evidence
    transactions: Transactions

    def open(self, new: NewRequest, actor: Actor) -> str:
        """Open a request at the company that is asked; its id. Raises `NotFound` for an unknown company."""
        now = self.clock.now()
        with self.database.writing() as connection:
            party = partners.by_gln(connection, new.party_gln)
            if party is None or not party.verified:
                raise NotFound("No such company on this node", f"GLN {new.party_gln}", "Check the GLN.")
            due = due_at(party.kind, now)
            title = f"{STANDINGS[new.standing]}: {REASONS[new.reason].lower()}"
            data = {
                "standing": new.standing.value,
                "reason": new.reason.value,
                "requester": new.requester,
                "reference": new.reference,
                "proof": new.proof,
                "search": new.search.as_json(),
                "asked_by": new.asked_by,
            }
            case = NewCase(
                Desk.REGULATOR, new.reason.value, party.gln, title, str(new.search), due_at=due, data=data
            )
            text = f"{new.requester} asks for {new.search}. To be answered by {due:%Y-%m-%d %H:%M} UTC."
            case_id = cases.open_case(connection, self.clock, case, who=actor.name, text=text)
            record(
                connection,
                self.clock,
                actor,
                "request.open",
                subject=case_id,
                whose=party.gln,
                detail=str(new.search),
            )
        return case_id

    def mine(self, account_id: str) -> list[DeskCase]:
        """The requests that an inspector's account has opened, the open ones first."""
        with self.database.reading() as connection:
            mine = ("asked_by", account_id)
            found = cases.queue(connection, Desk.REGULATOR, None, saying=mine)
            return found + cases.queue(connection, Desk.REGULATOR, None, closed=True, saying=mine)

    def case(self, case_id: str, party_gln: str | None, *, asked_by: str | None = None) -> DeskCase:
        """One request, of the company or of the account that asked. Raises `NotFound`."""
        with self.database.reading() as connection:
            found = cases.case(connection, Desk.REGULATOR, case_id, party_gln)
        if party_gln is None and found.data.get("asked_by") != asked_by:
            raise NotFound()
        return found

    def look(self, asked: Search, reader: str | None) -> list[Line]:
        """The events that a search finds, for a company those that name it. Raises `Invalid` for too many."""
        since, until = asked.span
        wanted = Asked(asked.package, asked.lot_key, asked.gln or None, since, until, reader)
        with self.database.snapshot() as connection:
            found = search(connection, wanted, self.node.vault, most=MOST_EVENTS + 1)
        # One event may name ten thousand packages: the table has a line for each.
        if len(found) > MOST_EVENTS or sum(map(tables.count, found)) > tables.MOST_LINES:
            raise _too_much(f"More than {MOST_EVENTS} events, or {tables.MOST_LINES} packages named in them.")
        return found

    def answer(self, case_id: str, party_gln: str, actor: Actor) -> HandedOut:
        """Answer an open request with the company's own events. Raises `NotFound`, `Conflict`, `CaptureStopped`."""
        case = self.case(case_id, party_gln)
        if not case.is_open:
            raise Conflict("case.closed", "This request is answered already", case_id, "Download the answer.")
        made = self._make(case_id, case.data, Search.parse(case.data["search"]), reader=party_gln)
        with self.database.writing() as connection:
            index = disclosures.enter(connection, self.node, self.clock, case_id, case.data, made, actor)
            text = f"Answered: {_count(made)}. Entry {index} of the ledger says so."
            cases.close(connection, self.clock, case_id, actor.name, ANSWERED, text=text)
            record(
                connection, self.clock, actor, "request.answer", subject=case_id, whose=party_gln,
                outcome=Outcome.SHOWN, detail=f"manifest {made.digest.hex()}",
            )  # fmt: skip
        return HandedOut(index, self.clock.now(), actor.name, made.manifest)

    def withdraw(self, case_id: str, actor: Actor) -> None:
        """Take an inspector's own open request back. Raises `NotFound`, `Conflict`."""
        case = self.case(case_id, None, asked_by=actor.id)
        if not case.is_open:
            raise Conflict("case.closed", "This request is answered already", case_id, "Download the answer.")
        with self.database.writing() as connection:
            cases.close(
                connection, self.clock, case_id, actor.name, WITHDRAWN, text="Withdrawn by who asked."
            )
            record(
                connection,
                self.clock,
                actor,
                "request.withdraw",
                subject=case_id,
                whose=case.party_gln,
            )

    def evidence_of(self, subject: str, actor: Actor) -> bytes:
        """The evidence of a package, taken by an inspector; an entry says so. Raises `NotFound`, `CaptureStopped`."""
        made = self.evidence.of_package(subject, reader=None)
        self._told({"package": subject}, "evidence", {}, actor, {"evidence.json": made})
        return made

    def looked(self, searched: Mapping[str, str], event_ids: Sequence[str], actor: Actor) -> None:
        """An entry about what an inspector was shown on a page. A node that may not write is inspected all the same:
        then the audit trail alone has it."""
        try:
            self.node.may_write()
        except CaptureStopped:
            return
        self._told(searched, "look", {"event_ids": list(event_ids)}, actor, {})

    def _told(
        self,
        searched: Mapping[str, str],
        reason: str,
        shown: Mapping[str, Any],
        actor: Actor,
        files: Mapping[str, bytes],
    ) -> None:
        request = new_id("take")
        data = {"standing": "inspector", "reason": reason, "requester": actor.name}
        about = {"request": request, "searched": dict(searched), "ledger": self.node.origin, **data, **shown}
        made = bundle(about, files, self.clock.now())
        with self.database.writing() as connection:
            disclosures.enter(connection, self.node, self.clock, request, data, made, actor)

    def take(self, asked: Search, standing: Standing, reason: Reason, actor: Actor) -> tuple[int, Answer]:
        """An inspector's own search, answered at once from all of this node; the entry that says so, and the files."""
        data = {
            "standing": standing.value,
            "reason": reason.value,
            "requester": actor.name,
            "reference": "",
        }
        request = new_id("take")
        made = self._make(request, data, asked, reader=None)
        with self.database.writing() as connection:
            index = disclosures.enter(connection, self.node, self.clock, request, data, made, actor)
            record(
                connection, self.clock, actor, "request.take", subject=request, outcome=Outcome.SHOWN,
                detail=f"{asked}; manifest {made.digest.hex()}",
            )  # fmt: skip
        return index, made

    def handed_out(self, case_id: str) -> Sequence[HandedOut]:
        """What went out for a request."""
        with self.database.reading() as connection:
            return disclosures.of_request(connection, case_id)

    def archive(self, case_id: str) -> bytes:
        """The answer as it went out, whoever may have it having been asked before. Raises `NotFound`."""
        with self.database.reading() as connection:
            return disclosures.archive(connection, case_id)

    def _make(self, case_id: str, data: Mapping[str, Any], asked: Search, *, reader: str | None) -> Answer:
        now, found = self.clock.now(), self.look(asked, reader)
        with self.database.snapshot() as connection:
            known = shipped.named(
                connection, sorted({epc for each in found for epc in each.event.all_epcs()})
            )
            sold = self.transactions.of_events(connection, [each.seq for each in found], reader=reader)
            glns = {gln for each in found for gln in (each.by, each.sender, each.recipient) if gln}
            names = partners.names(connection, {*glns, *([reader] if reader else [])})
        sold = [sales.only(each, asked) for each in sold]
        if sales.packages(sold) > tables.MOST_LINES:
            raise _too_much(f"More than {tables.MOST_LINES} packages in the sales found.")
        about = {
            "request": case_id,
            "standing": data["standing"],
            "reason": data["reason"],
            "requester": data["requester"],
            "reference": data["reference"],
            "searched": asked.as_json(),
            "answered_by": reader or "this node, for an inspector",
            "events": len(found),
            "sales": len(sold),
            "ledger": self.node.origin,
        }
        facts = [
            ("Request", case_id),
            ("Asked by", f"{data['requester']} ({STANDINGS[Standing(data['standing'])]})"),
            ("Reason", REASONS[Reason(data["reason"])]),
            ("Reference", data["reference"] or "none given"),
            ("Searched for", str(asked)),
            ("Answered by", f"{names.get(reader, '')} {reader}" if reader else "this node, for an inspector"),
            ("Events", str(len(found))),
            ("Sales among them", str(len(sold))),
        ]
        events = tuple(each.event for each in found)
        wanted = asked.named({epc: inner.lot for epc, inner in known.items()})
        written = Document(Form.JSON20, events, created=now)
        files = {
            "events.csv": as_csv(tables.COLUMNS, tables.lines(found, names, known)),
            "events.pdf": pdf.render("Product history", facts, [pdf.of_events(found, names, wanted)], now),
            "events.json": jsonwriter.write(written, record_times=[each.recorded_at for each in found]),
        }
        if sold:
            title = "Transaction information and statements"
            told = sales.as_json(sold, reader)
            files |= {
                "transactions.csv": as_csv(sales.COLUMNS, sales.rows(sold)),
                "transactions.pdf": pdf.render(title, facts, pdf.of_sales(sold), now),
                "transactions.json": json.dumps(told, indent=1, ensure_ascii=False).encode(),
            }
        if asked.package is not None and found:
            evidence = self.evidence.of_package(asked.package, reader=reader)
            files |= {"evidence.json": evidence, "evidence.html": page(evidence)}
        if sum(map(len, files.values())) > MOST_BYTES:
            raise _too_much(f"More than {MOST_BYTES} bytes of files.")
        return bundle(about, files, now)


def _too_much(detail: str) -> Invalid:
    narrow = "Narrow it down: a span of days, a lot, a serial."
    return Invalid("request.too_many", "That is too much for one answer", detail, narrow)


def _count(made: Answer) -> str:
    events = json.loads(made.manifest)["events"]
    return "no event was found" if not events else f"{events} event{'' if events == 1 else 's'}"
