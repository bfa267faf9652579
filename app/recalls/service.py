"""Recalls: called back by their maker, everybody who has a package found at once, told, and heard.

A recall is an event like any other (ObjectEvent, bizStep holding, disposition recalled), so it stands in the ledger
under its maker's name, and the verdict follows by itself. What is a desk's is who was told and what they answered: the
maker's case, and for each party that had packages a case of its own ('recalls affecting me')::

    case_id = recalls.open(actor, Scope.parse(gtin, ["A1"]), RecallClass.II, "Vials may leak", "Set apart, return")
    recalls.answer(actor_of_a_holder, notice_id, Counts(quarantined=24))
    recalls.end(actor, case_id, "The investigation found no leak.")
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.capture.desk import Deed, document_of, report
from app.capture.service import Capture
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import loading, made
from app.custody import service as custody
from app.custody.whereabouts import Holding, Population, holdings
from app.errors import Conflict, Invalid, NotFound, Refused
from app.partners import service as partners
from app.recalls import captured, notices
from app.recalls.captured import RECALL, RECALLED
from app.recalls.rules import CLASSES, LONGEST_REASON, MOST_LOTS, Counts, RecallClass, Scope
from app.shared.actor import Actor
from app.shared.audit import Outcome, disclose, record
from app.shared.clock import Clock
from app.shared.ids import new_id
from ledger.gs1.epc import Lgtin
from ledger.store.sql.engine import Database


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a lot is: by holder, and in all."""

    lot: str
    packages: int
    holdings: tuple[Holding, ...]


def lot_of(gtin: str, lot: str) -> Lgtin:
    """The lot that somebody named. Raises `Invalid`."""
    scope = Scope.parse(gtin, [lot])
    if not scope.lots:
        raise Invalid("lot.invalid", "That names no lot", "", "Give a GTIN and the lot as printed.")
    return Lgtin(scope.gtin, scope.lots[0])


def called_back(lots: tuple[str, ...], packages: tuple[str, ...] = ()) -> Deed:
    """What its maker does: call these lots or packages (canonical EPCs) back."""
    return Deed("holding", RECALLED, epcs=packages, lots=lots)


def taken_back(lots: tuple[str, ...], packages: tuple[str, ...] = ()) -> Deed:
    """The end of a recall that was right: looked into, sellable, and no longer recalled (docs/decisions/0052)."""
    return Deed("inspecting", "sellable_accessible", epcs=packages, lots=lots, no_longer=(RECALLED,))


def recall_document(lot: Lgtin, at: datetime, place_gln: str, *, ends: bool = False) -> bytes:
    """The EPCIS 2.0 document of a recall, or of its end: what its maker says, ready to be captured or signed."""
    deed = (taken_back if ends else called_back)((lot.canonical,))
    return document_of((deed,), at, place_gln)


def whereabouts(connection: Connection, lot: Lgtin) -> Whereabouts:
    """Who has packages of the lot, inferred contents of containers included. Raises `NotFound` for an unknown lot."""
    number = loading.find_ids(connection, [lot.canonical]).get(lot.canonical)
    if number is None:
        raise NotFound(
            "No record of this lot", f"GTIN {lot.gtin.digits}, lot {lot.lot}", "Check both as printed."
        )
    found = holdings(connection, Population(lots=(number,)))
    return Whereabouts(lot.lot, sum(each.packages for each in found), tuple(found))


@dataclass(frozen=True, slots=True)
class Found:
    """What a scope names on this node: lots or packages, by canonical EPC and number."""

    lots: dict[str, int]
    packages: dict[str, int]

    @property
    def population(self) -> Population:
        return Population(tuple(sorted(self.lots.values())), tuple(sorted(self.packages.values())))


def find(connection: Connection, scope: Scope) -> Found:
    """What there is of the scope. Raises `NotFound` with what there is not."""
    if not scope.lots and not scope.serials:
        known = made.lots_of(connection, scope.gtin.digits, MOST_LOTS + 1)
        if len(known) > MOST_LOTS:
            raise Invalid("recall.scope", "Too many lots", f"more than {MOST_LOTS}", "Name them, in turns.")
        found = {Lgtin(scope.gtin, each.number).canonical: each.item_id for each in known}
        if not found:
            raise NotFound("No record of this product", f"GTIN {scope.gtin.digits}", "Check it as printed.")
        return Found(found, {})
    keys = scope.keys()
    numbers = loading.find_ids(connection, keys)
    missing = [
        name for name, key in zip(scope.lots or scope.serials, keys, strict=True) if key not in numbers
    ]
    if missing:
        what = "lot" if scope.lots else "serial"
        raise NotFound(
            f"No record of this {what}",
            f"GTIN {scope.gtin.digits}, {what} {', '.join(missing[:5])}",
            "Check it as printed; that it was looked for and not found is recorded.",
        )
    return Found(numbers, {}) if scope.lots else Found({}, numbers)


@dataclass
class Recalls:
    """The recalls desk. One a process."""

    database: Database
    clock: Clock
    capture: Capture

    def open(
        self,
        actor: Actor,
        scope: Scope,
        klass: RecallClass,
        reason: str,
        instruction: str,
        *,
        channel: str = "page",
    ) -> str:
        """Call back on behalf of the actor's party, tell everybody who has it, and give the case's id.

        Raises `NotFound` (a search that found nothing, which is recorded), `Refused` for another than its maker.
        """
        gln = _party(actor)
        reason, instruction = _text(reason, "reason"), _text(instruction, "instruction")
        with self.database.snapshot() as connection:
            found = self._find(connection, actor, scope)
            _require_maker(connection, found, gln)
            whom = notices.reached(connection, gln, found.population)
        keys = tuple(sorted(found.lots)), tuple(sorted(found.packages))
        case_id = new_id("case")
        deed = replace(called_back(*keys), references=(captured.reference_of(gln, case_id),))
        receipt = report(self.capture, self.clock, actor, deed, channel=channel)
        with self.database.writing() as connection:
            texts = {"class": klass.value, "reason": reason, "instruction": instruction}
            data = {
                **captured.about(connection, scope),
                **texts,
                "entry": receipt.index,
                "waits": captured.TOLD,
            }
            new = NewCase(
                Desk.RECALLS,
                RECALL,
                gln,
                captured.title_of(data),
                subject=keys[0][0] if len(keys[0]) == 1 else f"GTIN {scope.gtin.digits}",
                due_at=self.clock.now() + CLASSES[klass][1],
                data=data,
                items=dict.fromkeys((*found.lots.values(), *found.packages.values()), RECALLED),
                case_id=case_id,
            )
            text = f"Recalled: {reason} Entry {receipt.index} of the ledger says so."
            self._begin(connection, actor, new, text)
            case = cases.case(connection, Desk.RECALLS, case_id, gln)
            told = notices.tell(connection, self.clock, case, whom)
            record(
                connection,
                self.clock,
                actor,
                "recall.open",
                subject=case_id,
                whose=gln,
                detail=f"{data['product']}, {scope.said}; {told} told",
            )
        return case_id

    def _begin(self, connection: Connection, actor: Actor, new: NewCase, text: str) -> None:
        """Open the case, or fill in the one that opened with the capture."""
        if new.case_id not in cases.some(connection, [new.case_id]):
            cases.open_case(connection, self.clock, new, who=actor.name, text=text)
            return
        cases.add_items(connection, new.case_id, new.items)
        cases.move(
            connection, self.clock, new.case_id, actor.name, new.state, text=text, title=new.title,
            subject=new.subject, due_at=new.due_at, data=new.data,
        )  # fmt: skip

    def describe(self, actor: Actor, case_id: str, klass: RecallClass, reason: str, instruction: str) -> None:
        """Say of a recall how grave it is, why, and what is to be done: one that came as a document says none of it.

        Whoever was told of it is told this too, and has the class's time from now on.
        """
        gln = _party(actor)
        reason, instruction = _text(reason, "reason"), _text(instruction, "instruction")
        texts = {"class": klass.value, "reason": reason, "instruction": instruction}
        with self.database.writing() as connection:
            case = _own(connection, case_id, gln)
            if all(case.data[name] == text for name, text in texts.items()):
                return
            due = self.clock.now() + CLASSES[klass][1]
            said = f"{CLASSES[klass][0]}. {reason} {instruction}"
            cases.move(
                connection, self.clock, case_id, actor.name, case.state, text=said, due_at=due,
                data={**case.data, **texts},
            )  # fmt: skip
            notices.describe(connection, self.clock, case, texts, due, said)
            record(
                connection,
                self.clock,
                actor,
                "recall.describe",
                subject=case_id,
                whose=gln,
                detail=klass.value,
            )

    def tell_again(self, actor: Actor, case_id: str) -> int:
        """Tell those who have got packages since. How many were new."""
        gln = _party(actor)
        with self.database.snapshot() as connection:
            whom = notices.reached(connection, gln, captured.population_of(_own(connection, case_id, gln)))
        with self.database.writing() as connection:
            case = _own(connection, case_id, gln)
            told = notices.tell(connection, self.clock, case, whom)
            if not told:
                cases.say(
                    connection,
                    self.clock,
                    case_id,
                    actor.name,
                    "Looked again: nobody new has packages of it.",
                )
            record(
                connection,
                self.clock,
                actor,
                "recall.tell",
                subject=case_id,
                whose=gln,
                outcome=Outcome.DONE if told else Outcome.NOTHING,
                detail=f"{told} told",
            )
        return told

    def end(self, actor: Actor, case_id: str, text: str) -> int:
        """Take the recall back: what it stood over, and no other open recall, is free again. The entry that says so; 0
        where other recalls stand over all of it."""
        gln = _party(actor)
        with self.database.snapshot() as connection:
            case = _own(connection, case_id, gln)
            about = cases.about(connection, Desk.RECALLS, case.items, gln)
            others = {
                number
                for number, listed in about.items()
                if any(each.kind == RECALL and each.case_id != case_id for each in listed)
            }
            keys = custody.keys_of(connection, set(case.items) - others)
        of_lots = tuple(sorted(key for key in keys.values() if "/21/" not in key))
        packages = tuple(sorted(key for key in keys.values() if "/21/" in key))
        index, said = 0, text.strip()[:1500]
        if keys:
            deed = replace(taken_back(of_lots, packages), references=(captured.reference_of(gln, case_id),))
            index = report(self.capture, self.clock, actor, deed).index
            said += f" Entry {index} of the ledger ends the recall."
        if others:
            said += " What another open recall names stays recalled."
        with self.database.writing() as connection:
            cases.close(connection, self.clock, case_id, actor.name, "ended", text=said)
            notices.end(connection, self.clock, case, said)
            record(
                connection,
                self.clock,
                actor,
                "recall.end",
                subject=case_id,
                whose=gln,
                detail=str(index) if index else "",
            )
        return index

    def acknowledge(self, actor: Actor, notice_id: str) -> None:
        """Say for the actor's party that the notice arrived."""
        gln = _party(actor)
        with self.database.writing() as connection:
            notice = cases.case(connection, Desk.RECALLS, notice_id, gln)
            notices.acknowledge(connection, self.clock, notice, actor.name)
            record(connection, self.clock, actor, "recall.acknowledge", subject=notice_id, whose=gln)

    def answer(self, actor: Actor, notice_id: str, counts: Counts, text: str = "") -> None:
        """Say for the actor's party what was done with the packages; none at all is a search that found nothing."""
        gln = _party(actor)
        with self.database.writing() as connection:
            notice = cases.case(connection, Desk.RECALLS, notice_id, gln)
            notices.answer(connection, self.clock, notice, actor.name, counts, text)
            record(
                connection,
                self.clock,
                actor,
                "recall.answer",
                subject=notice_id,
                whose=gln,
                outcome=Outcome.DONE if counts.total else Outcome.NOTHING,
                detail=notices.said(counts),
            )

    def _find(self, connection: Connection, actor: Actor, scope: Scope) -> Found:
        try:
            return find(connection, scope)
        except NotFound as nothing:
            disclose(
                self.database,
                self.clock,
                actor,
                "recall.search",
                subject=f"GTIN {scope.gtin.digits}, {scope.said}",
                outcome=Outcome.NOTHING,
                detail=nothing.detail,
            )
            raise


def _own(connection: Connection, case_id: str, gln: str) -> DeskCase:
    case = cases.case(connection, Desk.RECALLS, case_id, gln)
    if case.kind != RECALL:
        raise NotFound()
    if not case.is_open:
        raise Conflict("case.closed", "This recall has ended", case.title, "Recall it anew.")
    return case


def _require_maker(connection: Connection, found: Found, gln: str) -> None:
    numbers = (*found.lots.values(), *found.packages.values())
    party = partners.by_gln(connection, gln)
    makers = set(made.makers_of(connection, numbers).values())
    if party is None or makers != {party.party_id}:
        raise Refused(
            "recall.maker",
            "Only its maker recalls it",
            "The record names another maker of this, or none.",
            "Set your own stock apart by holding it, and ask the maker.",
        )


def _party(actor: Actor) -> str:
    if actor.party_gln is None:
        raise Refused("recall.party", "A recall is a party's", "This account belongs to none.")
    return actor.party_gln


def _text(text: str, name: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= LONGEST_REASON:
        raise Invalid("recall.text", f"Give the {name}", f"It has 1 to {LONGEST_REASON} characters.")
    return text


def shown(data: Any) -> list[tuple[str, str]]:
    """What a recall's or a notice's page says of it, as (name, value)."""
    lots = ", ".join(data["lots"]) or data["scope"]
    return [
        ("Product", data["product"]),
        ("GTIN", data["gtin"]),
        ("Lots", lots),
        ("Class", CLASSES[RecallClass(data["class"])][0]),
        ("Why", data["reason"]),
        ("What to do", data["instruction"]),
    ]
