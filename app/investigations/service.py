"""Quarantine and investigation: from 'potential suspect' to cleared, or to a terminated notification.

Hold and release are events in the ledger, so the verdict of the next scan follows by itself. The case keeps what events
do not: the bin, the sample, whom one spoke to, the forms, whom one told::

    case_id = desk.open(actor, Suspicion((epc,), Ground.COUNTERFEIT, "Cage 3", "Print is blurred"))
    desk.move(actor, case_id, Move.INVESTIGATE)
    desk.inspect(actor, case_id, raw, None)
    desk.move(actor, case_id, Move.DETERMINE, text="...", maker_consulted="North Pharma, J. Roe, 20 Nov")
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from app.capture.desk import Deed, report
from app.capture.service import Capture
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import loading
from app.errors import Conflict, Invalid, NotFound, Refused
from app.history.rules import subject_of
from app.investigations import answering, forms, partners_told
from app.investigations.form3911 import FormKind, problems
from app.investigations.inspecting import CONFIRMED, DIFFERS, judged
from app.investigations.quarantine import MOST_PACKAGES, affected, holdable, packages_in, product_of
from app.investigations.rules import (
    CAUSES,
    GROUNDS,
    INVESTIGATE_WITHIN,
    NOTIFY_WITHIN,
    QUARANTINE,
    Given,
    Ground,
    Move,
    State,
    due,
    require,
    said,
    sample_size,
    transition,
)
from app.partners import service as partners
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.verification.service import Verification
from ledger.custody.event import Linked
from ledger.gs1.epc import Sgtin, parse_epc
from ledger.store.sql.engine import Database

INVESTIGATION = "investigation"
LONGEST_BIN = 80
LONGEST_TEXT = 1_500  # room for what the thread says beside it
_FORM_OF = {Move.NOTIFY: FormKind.INITIAL, Move.REQUEST_TERMINATION: FormKind.TERMINATION}


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is suspect, and why. `subjects`: canonical EPCs of packages or containers; `bin`: where it is set apart."""

    subjects: tuple[str, ...]
    ground: Ground
    bin: str
    text: str
    check_id: str = ""

    @classmethod
    def parse(cls, typed: str, ground: str, bin: str, text: str, check_id: str = "") -> "Suspicion":
        """As a form gives it: one package a line. Raises `Invalid`."""
        subjects = tuple(dict.fromkeys(subject_of(line) for line in typed.splitlines() if line.strip()))
        if not subjects or len(subjects) > MOST_PACKAGES:
            raise Invalid(
                "investigation.subjects",
                "Say which packages",
                f"1 to {MOST_PACKAGES}, one a line.",
                "Scan them.",
            )
        if ground not in set(Ground):
            raise Invalid("investigation.ground", "Say what is suspected", "", "Choose one of the grounds.")
        place, reason = " ".join(bin.split()), text.strip()
        if not 1 <= len(place) <= LONGEST_BIN:
            raise Invalid(
                "investigation.bin",
                "Say where it is set apart",
                f"1 to {LONGEST_BIN} characters.",
                "Name the bin.",
            )
        if not 1 <= len(reason) <= LONGEST_TEXT:
            raise Invalid("note.length", "Say what was seen", f"1 to {LONGEST_TEXT} characters.")
        return cls(subjects, Ground(ground), place, reason, check_id[:64])

    def as_data(self) -> dict[str, Any]:
        """What the case keeps of it."""
        return {
            "ground": self.ground.value,
            "bin": self.bin,
            "text": self.text,
            "check_id": self.check_id,
            "subjects": list(self.subjects),
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """How many packages are in quarantine, how many must be inspected, and how many were."""

    packages: int
    needed: int
    inspected: int


@dataclass
class Investigations:
    """The desk of quarantine and investigations. One a process."""

    database: Database
    clock: Clock
    capture: Capture
    verification: Verification

    def open(self, actor: Actor, suspicion: Suspicion) -> str:
        """Set packages apart as suspect, on hold in the ledger as far as they are this party's to hold. The case's id.

        Raises `Conflict` where one of them is in an open investigation of this party already.
        """
        gln = _party(actor)
        case_id = new_id("case")
        with self.database.snapshot() as connection:
            held = holdable(connection, suspicion.subjects, gln)
            numbers = loading.find_ids(connection, suspicion.subjects).values()
            if open_ones := cases.about(connection, Desk.INVESTIGATIONS, numbers, gln):
                there = sorted({each.case_id for found in open_ones.values() for each in found})
                raise Conflict(
                    "investigation.open",
                    "It is being investigated already",
                    ", ".join(there[:5]),
                    "Look at the open cases.",
                    cases=there,
                )
        entry = self._report(actor, case_id, QUARANTINE.step, QUARANTINE.disposition, held)
        with self.database.snapshot() as connection:
            packages = packages_in(connection, suspicion.subjects)
            product, gtin = product_of(connection, suspicion.subjects)
        count = len(packages) or len(suspicion.subjects)
        opening = f"{GROUNDS[suspicion.ground]}. {suspicion.text}\nQuarantined in {suspicion.bin}."
        if len(held) < len(suspicion.subjects):
            opening += (
                " What the record says somebody else has is set apart here, and not on hold in the ledger."
            )
        new = NewCase(
            Desk.INVESTIGATIONS,
            INVESTIGATION,
            gln,
            f"Suspect: {count} package{'s' if count != 1 else ''} of {product}",
            subject=suspicion.subjects[0],
            state=State.SUSPECT.value,
            due_at=self.clock.now() + INVESTIGATE_WITHIN,
            data=suspicion.as_data() | {"held": list(held), "product": product, "gtin": gtin, "entry": entry},
            items=dict.fromkeys(packages, ""),
            case_id=case_id,
        )
        with self.database.writing() as connection:
            answering.begun(connection, self.clock, case_id, gtin, gln, packages)
            cases.open_case(connection, self.clock, new, who=actor.name, text=opening)
            record(
                connection, self.clock, actor, "investigation.open", subject=case_id, whose=gln,
                detail=f"{suspicion.ground.value}; {len(suspicion.subjects)} things",
            )  # fmt: skip
        return case_id

    def inspect(self, actor: Actor, case_id: str, raw: bytes, symbology: str | None) -> str:
        """Verify one package of the case by its label; gives the sentence that the thread keeps of it."""
        gln = _party(actor)
        result = self.verification.check(raw, symbology, actor, asker=gln)
        with self.database.writing() as connection:
            case = _case(connection, case_id, gln)
            if case.state != State.INVESTIGATING:
                raise Conflict(
                    "investigation.state", "Begin the investigation first", said(State(case.state))
                )
            number = loading.find_ids(connection, [result.subject or ""]).get(result.subject or "")
            if number not in case.items or number is None:
                raise Invalid(
                    "investigation.other",
                    "This is not one of its packages",
                    "",
                    "Open a case for it, or scan another.",
                )
            state, words = judged(result)
            if state:
                cases.add_items(connection, case_id, {number: state})
            text = f"Inspected {_serial(result.subject or '')}: {words}"
            cases.say(connection, self.clock, case_id, actor.name, text)
            record(
                connection, self.clock, actor, "investigation.inspect", subject=case_id, whose=gln,
                detail=f"{result.check_id} {state or 'unknown'}",
            )  # fmt: skip
        return text

    def move(
        self,
        actor: Actor,
        case_id: str,
        move: Move,
        *,
        text: str = "",
        maker_consulted: str = "",
        retain: str = "",
        whole_lots: bool = False,
    ) -> State:
        """Go on to the next state. `retain`: how the samples that are kept of what is destroyed are typed, one a line.
        `whole_lots`: partners are notified of everything of the packages' lots, and not of these packages alone.

        Raises as `rules.require` does, before any event exists.
        """
        gln = _party(actor)
        with self.database.snapshot() as connection:
            case = _case(connection, case_id, gln)
            given = self._given(connection, case, move, text, maker_consulted)
            row = require(move, State(case.state), actor.role, given)
            keys = affected(connection, case, retain)
        entry = 0
        if row.deed is not None:
            deed = row.deed
            entry = self._report(actor, case_id, deed.step, deed.disposition, keys, deed)
        words = f"{row.name}. {text.strip()}".strip()
        words += f" Manufacturer: {maker_consulted.strip()}." if maker_consulted.strip() else ""
        words += f" Entry {entry} of the ledger." if entry else ""
        with self.database.writing() as connection:
            now = _case(connection, case_id, gln)
            if now.state != case.state:
                raise Conflict("investigation.state", "Somebody else was quicker", f"It is {now.state} now.")
            data = {**now.data, **self._dated(move)}
            if move is Move.NOTIFY:
                data |= {partners_told.WHOLE_LOTS: whole_lots}
                now = replace(now, data=data)
            if row.target in (State.CLEARED, State.TERMINATED):
                cases.move(
                    connection, self.clock, case_id, actor.name, row.target, text=words[:2000], data=data
                )
                cases.close(
                    connection, self.clock, case_id, actor.name, row.target, text="The case is closed."
                )
            else:
                cases.move(
                    connection, self.clock, case_id, actor.name, row.target, text=words[:2000], data=data,
                    due_at=due(move, self.clock.now()),
                )  # fmt: skip
            answering.moved(connection, self.clock, now, move)
            if move is Move.NOTIFY:
                partners_told.tell(connection, self.clock, now)
            if move is Move.TERMINATE:
                partners_told.end(connection, self.clock, now, words)
            record(
                connection, self.clock, actor, f"investigation.{move.value}", subject=case_id, whose=gln,
                detail=str(entry) if entry else "",
            )  # fmt: skip
        return row.target

    def answer(self, actor: Actor, case_id: str, cause: str, text: str) -> None:
        """Answer a partner's notification, which ends it here. An investigation of one's own ends by its steps."""
        gln = _party(actor)
        with self.database.writing() as connection:
            case = case_of(connection, case_id, gln)
            if case.kind == INVESTIGATION or cause not in CAUSES:
                raise Invalid(
                    "investigation.close", "An investigation ends by its steps", "", "Use its buttons."
                )
            cases.close(connection, self.clock, case_id, actor.name, "answered", text=text, root_cause=cause)
            record(connection, self.clock, actor, "investigation.close", subject=case_id, whose=gln)

    def high_risk(self, actor: Actor, case_id: str, text: str) -> None:
        """A manufacturer finds a high risk that it is illegitimate: 24 hours run from here (582(b)(4)(B)(ii)(II))."""
        gln = _party(actor)
        with self.database.writing() as connection:
            case = _case(connection, case_id, gln)
            if not answering.is_maker(connection, case.data.get("gtin", ""), gln) or case.state not in (
                State.SUSPECT,
                State.INVESTIGATING,
            ):
                raise Refused(
                    "investigation.high_risk",
                    "This is the manufacturer's to find",
                    "And before a determination.",
                )
            cases.move(
                connection, self.clock, case_id, actor.name, case.state, data={**case.data, "high_risk": True},
                due_at=self.clock.now() + NOTIFY_WITHIN, text=f"A high risk that it is illegitimate. {text.strip()}",
            )  # fmt: skip
            record(connection, self.clock, actor, "investigation.high_risk", subject=case_id, whose=gln)

    def sample(self, connection: Connection, case: DeskCase) -> Sample:
        """How far the inspection is."""
        party = partners.by_gln(connection, case.party_gln)
        is_dispenser = party is not None and party.kind == "dispenser"
        inspected = sum(state in (CONFIRMED, DIFFERS) for state in case.items.values())
        return Sample(len(case.items), sample_size(len(case.items), is_dispenser=is_dispenser), inspected)

    def _given(
        self, connection: Connection, case: DeskCase, move: Move, text: str, maker_consulted: str
    ) -> Given:
        sample = self.sample(connection, case)
        form = forms.newest(connection, case.case_id, _FORM_OF[move]) if move in _FORM_OF else None
        return Given(
            text=text,
            maker_consulted=maker_consulted,
            is_maker=answering.is_maker(connection, case.data.get("gtin", ""), case.party_gln),
            inspected=sample.inspected,
            needed=sample.needed,
            differ=sum(state == DIFFERS for state in case.items.values()),
            problems=problems(form.form) if form else {},
            has_form=form is not None,
        )

    def _dated(self, move: Move) -> dict[str, str]:
        now = self.clock.now().isoformat()
        return {f"{transition(move).target.value}_at": now}

    def _report(
        self,
        actor: Actor,
        case_id: str,
        step: str,
        disposition: str,
        keys: tuple[str, ...],
        deed: Any = None,
    ) -> int:
        """Record the event, where there is anything that it may be about. Its entry, 0 for none."""
        if not keys:
            return 0
        # The case is named as a business transaction of no CBV type: it has none for an investigation.
        reference = Linked("", f"urn:epcglobal:cbv:bt:{actor.party_gln}:{case_id}")
        made = Deed(step, disposition, epcs=keys, references=(reference,))
        if deed is not None:
            made = Deed(step, disposition, epcs=keys, references=(reference,), action=deed.action)
        return report(self.capture, self.clock, actor, made).index


def case_of(connection: Connection, case_id: str, gln: str | None) -> DeskCase:
    """An investigation, or a notification from a partner. Raises `NotFound`."""
    return cases.case(connection, Desk.INVESTIGATIONS, case_id, gln)


def _case(connection: Connection, case_id: str, gln: str) -> DeskCase:
    case = case_of(connection, case_id, gln)
    if case.kind != INVESTIGATION:
        raise NotFound()
    return case


def _serial(subject: str) -> str:
    epc = parse_epc(subject)
    return epc.serial if isinstance(epc, Sgtin) else subject


def _party(actor: Actor) -> str:
    if actor.party_gln is None:
        raise Refused("investigation.party", "An investigation is a party's", "This account belongs to none.")
    return actor.party_gln
