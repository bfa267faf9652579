"""The receiving desk: a delivery from its document to what is there.

    found = desk.inbound(actor)                           # what is on its way to us
    key = desk.open(found[0].seqs, actor)                 # or the one that is open: clerks share it
    desk.scan(key, raw, "]d2", actor)                     # as often as there is something to scan
    desk.finish(key, actor)                               # one document of what is there, one exception a discrepancy

Nothing is received before it is finished, and nothing that was not seen: what is missing stays under way, with an open
exception. A delivery is work; the record is the document.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from app.capture.inbox import Job
from app.capture.service import Capture
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.custody import inbound as custody
from app.custody import loading
from app.errors import Conflict, Invalid
from app.events import acts as events
from app.exceptions import service as exceptions
from app.history.rules import shown
from app.partners import service as partners
from app.receiving import inside, kept, shipments
from app.receiving.discrepancies import case_of
from app.receiving.document import CONTENT_TYPE, receiving_document
from app.receiving.kept import (
    FINISHED,
    FINISHING,
    GIVEN_UP,
    MOST_ACTS,
    MOST_LINES,
    OPEN,
    RECEIVE_WITHIN,
    Delivery,
    Done,
)
from app.receiving.outcomes import DAMAGES, Outcome
from app.receiving.rules import Act, ActKind, Line, Tally, judge, plan, stopped, withheld
from app.receiving.shipments import Shipment, is_bound_for
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.transactions import purchases
from app.verification.service import Result, Verification
from ledger.store.sql.engine import Database

DELIVERY = "delivery"
_SAYS_NOT_SEEN = (ActKind.DAMAGED, ActKind.MISSING)  # what is scanned after these is not scanned again
# Where the verdict adds nothing to what the dock says.
_PLAIN = (Outcome.MATCH, Outcome.AGAIN, Outcome.OTHER_DELIVERY, Outcome.RECEIVED_BEFORE)
_MOST_COUNTED = 900  # containers opened in one delivery: its document is of one transaction


@dataclass(frozen=True, slots=True)
class State:
    """A delivery with how far it is. `acts`: those that were not undone, the last one last."""

    delivery: Delivery
    tally: Tally
    acts: tuple[Done, ...]

    @property
    def last(self) -> Done | None:
        return self.acts[-1] if self.acts else None


@dataclass
class Receiving:
    """Receives deliveries. One a process."""

    database: Database
    clock: Clock
    verification: Verification
    capture: Capture

    # What is coming.

    def inbound(self, party_gln: str) -> list[Shipment]:
        """The deliveries on their way to a party, the oldest first."""
        with self.database.reading() as connection:
            return shipments.inbound(connection, party_gln)

    def find(self, text: str, party_gln: str) -> Shipment:
        """The delivery that a label in it, or the number of its despatch advice or order, names. Raises `NotFound`."""
        with self.database.reading() as connection:
            return shipments.find(connection, text, party_gln)

    # Opening.

    def open(self, shipment: Shipment, actor: Actor) -> str:
        """Begin to receive a delivery, or join those who have begun. The delivery's id. Raises `Conflict` for one that
        is too large."""
        assert actor.party_gln is not None
        if shipment.receiving_id is not None:
            return shipment.receiving_id
        with self.database.writing() as connection:
            party = partners.by_gln(connection, actor.party_gln)
            assert party is not None
            for each in kept.listed(connection, party.party_id, (OPEN, FINISHING)):
                if set(each.data["seqs"]) & set(shipment.seqs):
                    return each.receiving_id
            awaited = custody.awaited(connection, shipment.seqs, party.party_id, MOST_LINES)
            if len(awaited) > MOST_LINES:
                raise Conflict(
                    "receiving.too_large",
                    "This delivery is too large to be received on a page",
                    f"{len(awaited)} things or more, {MOST_LINES} are the most",
                    "Receive its pallets by packproof-scan receive, or by an EPCIS document.",
                )
            seller = partners.by_gln(connection, shipment.seller_gln) if shipment.seller_gln else None
            delivery = Delivery(
                new_id("rcv"), actor.party_gln, shipment.seller_gln, shipment.reference, shipment.purchase_order,
                OPEN, self.clock.now(), actor.name, None, None, None,
                {
                    "seqs": list(shipment.seqs),
                    "affirmed": shipment.affirmed,
                    "authorized": shipment.authorized,
                    "standing": shipment.standing,
                    "shipped_at": shipment.shipped_at.isoformat(),
                    "information": purchases.standing(connection, shipment.seqs).value,
                },
            )  # fmt: skip
            kept.add(connection, delivery, party.party_id, seller.party_id if seller else None)
            lines = [
                Line(
                    a.item_id,
                    a.parent_id if a.parent_id in known else None,
                    a.key,
                    a.package,
                    a.lot,
                    a.expiry,
                )
                for known in [{one.item_id for one in awaited}]
                for a in awaited
            ]
            kept.add_lines(connection, delivery.receiving_id, lines)
            self._begin(connection, actor, delivery)
            self._audit(connection, actor, "receiving.open", delivery)
        return delivery.receiving_id

    # At the dock.

    def state(self, receiving_id: str, party_gln: str | None) -> State:
        """A delivery as it stands. Raises `NotFound`."""
        with self.database.reading() as connection:
            return self.standing(connection, receiving_id, party_gln)

    def standing(self, connection: Connection, receiving_id: str, party_gln: str | None) -> State:
        """The same, for who reads more beside it: nobody who has one connection waits for another."""
        return self._state(connection, kept.read(connection, receiving_id, party_gln))

    def scan(self, receiving_id: str, raw: bytes, symbology: str | None, actor: Actor) -> Result:
        """Answer a scan, and count what it names. Raises `NotFound`, `Conflict` where the delivery is closed."""
        self._open_one(receiving_id, actor)
        result = self.verification.check(raw, symbology, actor, asker=actor.party_gln)
        label, epc = result.label, result.subject or ""
        expiry = label.expiry.isoformat() if label.expiry else None
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            lines = kept.lines(connection, receiving_id)
            line = next((each for each in lines if each.epc == epc), None)
            counted = {done.act.epc for done in state.acts if done.act.kind not in _SAYS_NOT_SEEN}
            outcome = judge(
                result.verdict.word,
                result.verdict.reason,
                line,
                (label.lot, expiry),
                again=bool(epc) and epc in counted,
                contents=any(line is not None and each.parent_id == line.item_id for each in lines),
                coming=result.record is not None
                and result.record.in_transit
                and is_bound_for(connection, epc, actor.party_gln),
                ours=result.record is not None and result.record.yours,
            )
            said = f"{result.verdict.word.value}: {result.next_step}"
            if any(each.desk is Desk.INVESTIGATIONS for each in result.blocked_by):
                outcome = stopped(outcome, is_container=result.contents is not None)
            note = "" if outcome in _PLAIN else said[:300]
            self._add(
                connection, receiving_id, actor,
                Act(ActKind.SCAN, epc, outcome, note, label.lot, expiry), result.raw, result.check_id,
            )  # fmt: skip
        return result

    def opened(self, receiving_id: str, epc: str, actor: Actor) -> None:
        """A container was opened: what is in it is counted one by one. Raises `Invalid` for what is none."""
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            rows = [row for row in state.tally.rows if row.line.epc == epc and row.container]
            if not rows or any(d.act.kind is ActKind.OPEN and d.act.epc == epc for d in state.acts):
                raise Invalid("receiving.container", "That is no closed container of this delivery", epc[:80])
            self._add(connection, receiving_id, actor, Act(ActKind.OPEN, epc, Outcome.DONE))

    def apart(self, receiving_id: str, epc: str, actor: Actor) -> None:
        """A container with something in it that is not OK is set apart as it is: all of it is held. Raises `Invalid`
        for any other."""
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            if epc not in state.tally.undecided:
                raise Invalid(
                    "receiving.apart", "Nothing in it is known to be wrong", epc[:80], "Scan its label."
                )
            self._add(connection, receiving_id, actor, Act(ActKind.APART, epc, Outcome.DONE))

    def damaged(self, receiving_id: str, epc: str, reason: str, actor: Actor) -> None:
        """Something that was seen is damaged. Raises `Invalid` for what was not, and for a reason that is none."""
        if reason not in DAMAGES:
            raise Invalid("receiving.damage", "Choose what is wrong with it", reason[:80], ", ".join(DAMAGES))
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            if not any(row.line.epc == epc and row.found for row in state.tally.rows):
                raise Invalid(
                    "receiving.unseen", "Scan it first", epc[:80], "Then say what is wrong with it."
                )
            self._add(connection, receiving_id, actor, Act(ActKind.DAMAGED, epc, Outcome.DONE, reason))

    def missing(self, receiving_id: str, epc: str, actor: Actor) -> None:
        """Somebody looked, and it is not there; of a container, what was not seen of it. What is scanned later is there
        all the same. Raises `Invalid` for what is there, or was said to be missing."""
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            if not any(
                row.line.epc == epc and row.found + row.missed < row.units for row in state.tally.rows
            ):
                raise Invalid("receiving.there", "Nothing of it is awaited", epc[:80], "Look at the list.")
            self._add(connection, receiving_id, actor, Act(ActKind.MISSING, epc, Outcome.DONE))

    def undo(self, receiving_id: str, actor: Actor) -> None:
        """Take back the last thing that this actor did; another clerk's stays. `Conflict` where there is none."""
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            own = [done for done in state.acts if done.who_id == actor.id]
            if not own:
                raise Conflict("receiving.nothing", "There is nothing of yours to undo", receiving_id)
            kept.undo(connection, own[-1].number, actor.name)
            self._audit(connection, actor, "receiving.undo", state.delivery, own[-1].act.epc)

    # Finishing.

    def finish(self, receiving_id: str, actor: Actor) -> Delivery:
        """Record what is there by one document, and open an exception for each discrepancy.

        Begun again where it was cut short: the document is kept first, and captured twice it is one. Raises
        `Conflict` where it is finished, and what capture raises: then the delivery is as it was.
        """
        with self.database.writing() as connection:
            delivery = kept.read(connection, receiving_id, actor.party_gln, lock=True)
            if delivery.state == OPEN:
                self._prepare(connection, delivery)
            elif delivery.state != FINISHING:
                kept.turn(connection, receiving_id, OPEN, FINISHING)
            raw = kept.document_of(connection, receiving_id)
        index = None
        if raw:
            receipt = self.capture.receive(
                raw, CONTENT_TYPE, by=delivery.party_gln, channel="page", actor=actor
            )
            assert not isinstance(receipt, Job), "a delivery's document is of one transaction"
            index = receipt.index
        with self.database.writing() as connection:
            self._close(connection, receiving_id, actor, index)
            return kept.read(connection, receiving_id, actor.party_gln)

    def give_up(self, receiving_id: str, actor: Actor) -> None:
        """Stop receiving a delivery: nothing is recorded, and it is on its way as before."""
        with self.database.writing() as connection:
            state = self._locked(connection, receiving_id, actor)
            now = self.clock.now()
            kept.turn(connection, receiving_id, OPEN, GIVEN_UP, finished_at=now, finished_by=actor.name)
            self._end(connection, actor, receiving_id, GIVEN_UP, "Given up: nothing was recorded.")
            self._audit(connection, actor, "receiving.give_up", state.delivery)

    def _prepare(self, connection: Connection, delivery: Delivery) -> None:
        state = self._state(connection, delivery)
        if undecided := state.tally.undecided:
            raise Conflict(
                "receiving.undecided",
                "Something inside is not OK",
                ", ".join(shown(epc) for epc in undecided[:5]),
                "Open it and scan what is in it, or set it apart as it is; then finish.",
            )
        made = plan(kept.lines(connection, delivery.receiving_id), [done.act for done in state.acts])
        for epc in state.tally.apart:
            made.discrepancies += inside.discrepancies(connection, epc, delivery.party_gln, self.clock.now())
        told = purchases.purchases(connection, delivery.data["seqs"])
        made.discrepancies += withheld(
            made, [each for each in told if not each.is_complete and each.affirmed]
        )
        if len(made.counted) > _MOST_COUNTED:
            raise Conflict(
                "receiving.too_many_opened", "Too many containers were opened", f"{len(made.counted)} of them"
            )
        raw = b""
        if made.received:
            shipped = events.read(connection, delivery.data["seqs"])
            first = shipped[0].act.event if shipped else None
            raw = receiving_document(made, first, state.tally.others, delivery.party_gln, self.clock.now())
        found = [
            {"kind": d.kind.value, "epcs": list(d.epcs), "detail": d.detail, "lot": d.lot, "expiry": d.expiry}
            for d in made.discrepancies
        ]
        data = {**delivery.data, "discrepancies": found, "result": state.tally.text()}
        kept.turn(connection, delivery.receiving_id, OPEN, FINISHING, document=raw, data=data)

    def _close(self, connection: Connection, receiving_id: str, actor: Actor, index: int | None) -> None:
        delivery = kept.read(connection, receiving_id, actor.party_gln, lock=True)
        found = delivery.data["discrepancies"]
        numbers = loading.find_ids(connection, [epc for each in found for epc in each["epcs"]])
        opened: list[str] = []
        apart = {
            done.act.epc for done in kept.done(connection, receiving_id) if done.act.kind is ActKind.APART
        }
        for each in found:
            case = case_of(delivery, each, numbers, apart)
            opened.append(exceptions.open_own(connection, self.clock, case, actor.name))
        values = {"idx": index, "finished_at": self.clock.now(), "finished_by": actor.name}
        data = {**delivery.data, "cases": opened}
        kept.turn(connection, receiving_id, FINISHING, FINISHED, data=data, **values)
        said = f"Finished: {delivery.data['result']}." + (f" Entry {index}." if index is not None else "")
        self._end(connection, actor, receiving_id, FINISHED, said)
        self._audit(connection, actor, "receiving.finish", delivery, delivery.data["result"])

    # The desk's case of it: who has taken it, by when, what was said.

    def _begin(self, connection: Connection, actor: Actor, delivery: Delivery) -> None:
        new = NewCase(
            Desk.RECEIVING,
            DELIVERY,
            delivery.party_gln,
            f"Delivery {delivery.name}",
            subject=delivery.reference or delivery.purchase_order,
            partner_gln=delivery.seller_gln,
            due_at=self.clock.now() + RECEIVE_WITHIN,
            case_id=delivery.receiving_id,
        )
        cases.open_case(connection, self.clock, new, who=actor.name)
        cases.take(connection, self.clock, delivery.receiving_id, actor)

    def _end(self, connection: Connection, actor: Actor, receiving_id: str, state: str, text: str) -> None:
        # Deliveries that were begun before they had cases have none.
        if receiving_id in cases.some(connection, [receiving_id]):
            cases.close(connection, self.clock, receiving_id, actor.name, state, text=text)

    # Shared.

    def _open_one(self, receiving_id: str, actor: Actor) -> None:
        with self.database.reading() as connection:
            _require_open(kept.read(connection, receiving_id, actor.party_gln))

    def _locked(self, connection: Connection, receiving_id: str, actor: Actor) -> State:
        """The open delivery, which nobody else changes until this transaction ends."""
        delivery = kept.read(connection, receiving_id, actor.party_gln, lock=True)
        _require_open(delivery)
        return self._state(connection, delivery)

    def _state(self, connection: Connection, delivery: Delivery) -> State:
        acts = tuple(d for d in kept.done(connection, delivery.receiving_id) if not d.undone)
        lines = kept.lines(connection, delivery.receiving_id)
        return State(delivery, Tally.of(lines, [done.act for done in acts]), acts)

    def _add(
        self,
        connection: Connection,
        receiving_id: str,
        actor: Actor,
        act: Act,
        raw: bytes = b"",
        check: str = "",
    ) -> None:
        if len(kept.done(connection, receiving_id)) >= MOST_ACTS:
            raise Conflict(
                "receiving.too_much",
                "Too much was scanned for one delivery",
                f"{MOST_ACTS} acts",
                "Finish it.",
            )
        kept.add_act(connection, receiving_id, self.clock.now(), actor.id, actor.name, act, raw, check)

    def _audit(
        self, connection: Connection, actor: Actor, action: str, delivery: Delivery, detail: str = ""
    ) -> None:
        subject, whose = delivery.receiving_id, delivery.party_gln
        record(connection, self.clock, actor, action, subject=subject, whose=whose, detail=detail)


def _require_open(delivery: Delivery) -> None:
    if not delivery.is_open:
        raise Conflict(
            "receiving.closed",
            "This delivery is not open",
            delivery.receiving_id,
            "Look at it: it was finished.",
        )
