"""Dispensing: a command. It is refused with its reasons before any event exists, or recorded as a page's act.

The node signs that the act came from this page, by this account; only a client that holds a key of the pharmacy's could
sign it in the pharmacy's name.
"""

import uuid
from dataclasses import dataclass

from app.capture.service import Capture
from app.errors import Conflict
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.clock import Clock
from app.verification.service import Result, Verification
from ledger.custody.event import Event
from ledger.custody.verdict import Word
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from ledger.gs1.epc import Sgln
from ledger.gs1.gln import Gln
from ledger.store.sql.engine import Database


@dataclass(frozen=True, slots=True)
class Dispensed:
    """What was dispensed, and the entry that says so."""

    check: Result
    index: int


class NotDispensed(Conflict):
    """The package must not be given out: `check` says why and what to do."""

    def __init__(self, check: Result) -> None:
        super().__init__(
            "dispense.refused",
            f"Not dispensed: {check.verdict.word.value}",
            "Nothing was recorded.",
            check.verdict.next_step,
        )
        self.check = check


@dataclass
class Dispensing:
    """Closes a package's serial when it is handed to a patient. One a process."""

    database: Database
    clock: Clock
    verification: Verification
    capture: Capture

    def dispense(self, raw: bytes, symbology: str | None, actor: Actor) -> Dispensed:
        """Dispense the package whose label was scanned, for the actor's party. Raises `NotDispensed`.

        Only what is OK, a single package and in this party's hands is given out.
        """
        assert actor.party_gln is not None
        check = self.verification.check(raw, symbology, actor, asker=actor.party_gln)
        held = check.record is not None and check.record.yours and check.contents is None
        if check.verdict.word is not Word.OK or not held or check.subject is None:
            raise NotDispensed(check)
        now = self.clock.now()
        place = Sgln(Gln(actor.party_gln)).canonical
        event = Event(
            type=EventType.OBJECT,
            event_time=now,
            time_zone_offset="+00:00",
            event_id=f"urn:uuid:{uuid.uuid4()}",
            action=Action.DELETE,
            biz_step="dispensing",
            disposition="dispensed",
            epcs=(check.subject,),
            read_point=place,
            biz_location=place,
        )
        raw_document = write(Document(Form.JSON20, (event,), created=now))
        receipt = self.capture.receive(
            raw_document, "application/json", by=actor.party_gln, channel="page", actor=actor
        )
        with self.database.writing() as connection:
            record(
                connection,
                self.clock,
                actor,
                "package.dispense",
                subject=check.subject,
                whose=actor.party_gln,
            )
        return Dispensed(check, receipt.index)
