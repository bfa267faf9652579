"""What was told before its time, and the command by which a person lets it count.

An event of the future is recorded with a finding and changes nothing. Mostly its clock or its offset was wrong: then
its party declares it wrong and tells it again. Where the time was right, somebody of its party says so when it has
come::

    waiting = adoption.listed("0399999000017")
    receipt = adoption.adopt(actor, waiting[0].event_id, "The truck left at night, as planned.")

What is recorded is a document of that one event, *received* from its party or signed by a key of it (``packproof
capture FILE --ref LEAF``), which refers to the leaf of the entry where the event stands. Nothing that stood is changed;
custody is projected again, as for any event that comes late.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.capture import prepare
from app.capture.prepared import Receipt
from app.capture.service import Capture
from app.custody.ahead import OVERDUE, told_ahead, waiting
from app.erasable import spans
from app.errors import Conflict, Invalid, NotFound, Refused
from app.events import acts
from app.events.adoption import Ahead, numbers_of, read_ahead
from app.events.query import raw_documents
from app.history.rules import shown
from app.partners import service as partners
from app.shared.actor import Actor, Role
from app.shared.audit import record
from app.shared.clock import Clock
from ledger.custody.event import Event
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from ledger.epcis.read import read
from ledger.store.sql.engine import Database

LONGEST_WHY = 500
MOST_LISTED = 500
MOST_NAMED = 5
ADOPTING = frozenset({Role.QUALITY, Role.MANUFACTURER, Role.PHARMACIST, Role.PARTNER_SYSTEM, Role.OPERATOR})
"""Who may say that the time of an event was right."""
_CHANNELS = {"person": "page", "token": "rest"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits to be adopted. `may`: its time has come and nobody has declared it wrong; `overdue`: it came
    so long ago that the exceptions desk has a case of it."""

    event_id: str
    party_gln: str
    index: int
    step: str
    named: tuple[str, ...]  # some of what it is about, as on labels
    more: int
    happens_at: datetime
    recorded_at: datetime
    may: bool
    overdue: bool


@dataclass
class Adoption:
    """Lists and adopts. One a process."""

    database: Database
    clock: Clock
    capture: Capture

    def listed(self, gln: str) -> list[Waiting]:
        """What the party has told before its time and nobody has adopted or declared wrong, the earliest first; at most
        `MOST_LISTED`."""
        with self.database.snapshot() as connection:
            party = partners.by_gln(connection, gln)
            found = read_ahead(connection, waiting(connection, party.party_id, MOST_LISTED) if party else [])
        now = self.clock.now()
        return [_waiting(each, gln, now) for each in found]

    def adopt(self, actor: Actor, gln: str, event_id: str, why: str) -> Receipt:
        """Let the party's event count; the receipt of the entry that says so. Adopted twice is once, and `Conflict`.

        Raises `Refused` for a role that may not, `Invalid` without a reason, `NotFound` where none of the party's
        waits under this id, `Conflict` where its time has not come, it was declared wrong or something of it was
        erased.
        """
        if actor.role not in ADOPTING:
            raise Refused("event.role", "You may not adopt events", "", "Ask quality.")
        reason = " ".join(why.split())
        if not 1 <= len(reason) <= LONGEST_WHY:
            raise Invalid("note.length", "Say why its time was right", f"1 to {LONGEST_WHY} characters.")
        with self.database.snapshot() as connection:
            event, leaf = self._adoptable(connection, gln, event_id)
        raw = write(Document(Form.JSON20, (event,), created=self.clock.now()))
        document = prepare.read_document(
            raw, "application/json", self.capture.most_events, self.capture.most_bytes
        )
        assert prepare.with_id(document.events[0]).fields() == event.fields()
        node = self.capture.node
        receipt = self.capture.submit(
            prepare.receive(
                document=document,
                raw=raw,
                events=self.capture.events(document, gln),
                by=gln,
                channel=_CHANNELS.get(actor.kind, "file"),
                origin=node.origin,
                intake_key=node.intake_key,
                account=actor.id,
                session=actor.session_id,
                refs=(leaf,),
            )
        )
        if receipt.known:
            raise _adopted(event_id)
        with self.database.writing() as connection:
            detail = f"entry {receipt.index}: {reason[:200]}"
            record(connection, self.clock, actor, "event.adopt", subject=event_id, whose=gln, detail=detail)
        return receipt

    def _adoptable(self, connection: Connection, gln: str, event_id: str) -> tuple[Event, bytes]:
        """The event as it was told, and the leaf of its entry."""
        party = partners.by_gln(connection, gln)
        told = told_ahead(connection, numbers_of(connection, party.party_id, event_id)) if party else []
        if not told:
            raise NotFound("No such event waits", "None of this party's has this id and waits to be adopted.")
        [one] = read_ahead(connection, told)
        if one.event.event_time > self.clock.now():
            raise Conflict(
                "event.ahead",
                "The time of this event has not come",
                f"it says {one.event.event_time:%Y-%m-%d %H:%M} UTC",
                "Adopt it then; or, if the time is wrong, declare it wrong and tell it again.",
            )
        if acts.already_declared_wrong(connection, [one.seq]):
            raise Conflict("event.declared_wrong", "Its party has declared this event wrong", event_id)
        reader = self.capture.node.ledger.reader(connection)
        return self._as_told(connection, one, event_id), reader.leaf(one.index)

    def _as_told(self, connection: Connection, one: Ahead, event_id: str) -> Event:
        """The event with what is kept of it beside its row; `Conflict` where that was erased."""
        vault, stored = self.capture.node.vault, raw_documents(connection, {one.doc_id})[0]
        raw, whole = vault.raw(connection, one.index, stored)
        if not whole:
            raise _erased(event_id)
        told = prepare.with_id(read(raw, None, spans.UNBOUNDED).events[one.number])
        if told.content_digest != one.event.content_digest:
            raise _erased(event_id)
        return told


def _waiting(each: Ahead, gln: str, now: datetime) -> Waiting:
    event = each.event
    named = dict.fromkeys((*((event.parent,) if event.parent else ()), *event.all_epcs(), *event.lots()))
    return Waiting(
        event.id,
        gln,
        each.index,
        event.biz_step or event.type.value,
        tuple(shown(key) for key in list(named)[:MOST_NAMED]),
        max(0, len(named) - MOST_NAMED),
        event.event_time,
        each.recorded_at,
        event.event_time <= now,
        event.event_time <= now - OVERDUE,  # what is added to the last of days is no time any more
    )


def _erased(event_id: str) -> Conflict:
    return Conflict(
        "event.erased",
        "Something of this event was erased",
        event_id,
        "It cannot be repeated as it was told. Tell what is left of it under a new id.",
    )


def _adopted(event_id: str) -> Conflict:
    return Conflict("event.adopted", "This event was adopted already", event_id)
