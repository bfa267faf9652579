"""Dispensing: a command. It is refused with its reasons before any event exists, or recorded as a page's act.

The node signs that the act came from this page, by this account; only a client that holds a key of the pharmacy's could
sign it in the pharmacy's name.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from app.capture.desk import Deed, report
from app.capture.service import Capture
from app.custody import loading
from app.errors import Conflict
from app.shared.actor import Actor
from app.shared.audit import Outcome, disclose, record
from app.shared.clock import Clock
from app.verification.service import Result, Verification
from ledger.custody.event import Linked
from ledger.custody.verdict import Word
from ledger.custody.vocabulary import Action
from ledger.store.sql.engine import Database

OVERTAKEN = "Somebody else was quicker", "Set this pack apart, and scan it again."


@dataclass(frozen=True, slots=True)
class Dispensed:
    """What was dispensed, and the entry that says so."""

    check: Result
    index: int


class NotDispensed(Conflict):
    """The package must not be given out: `check` says why, and where it is OK, `title` and `next_step` do."""

    def __init__(self, check: Result, title: str, next_step: str) -> None:
        super().__init__("dispense.refused", title, "Nothing was recorded.", next_step)
        self.check = check


class Overtaken(Conflict):
    """Somebody closed or sold the package between its scan and its dispensing."""

    def __init__(self) -> None:
        super().__init__("dispense.overtaken", OVERTAKEN[0], "Nothing was recorded.", OVERTAKEN[1])


def why_not(check: Result) -> tuple[str, str] | None:
    """Why the package of this scan is not given out, and what to do; None where nothing stands against it.

    What is OK may still be no package in this party's hands: OK also answers a delivery on its way, and a pallet.
    """
    verdict, record = check.verdict, check.record
    if verdict.word is not Word.OK:
        return verdict.word.value, check.next_step
    if check.blocked_by:
        return f"It is part of {check.blocked_by[0].what}: {check.blocked_by[0].title}", check.next_step
    if check.contents is not None or check.label.serial is None:
        return "This is a container, not a pack", "Open it, and scan the one pack you hand out."
    if record is not None and record.in_transit:
        return "It is on its way to you, and not received yet", "Receive it first; then it can be dispensed."
    if record is None or not record.yours:
        return "By the record, you are not its holder", "Set it aside and open an exception."
    return None


@dataclass
class Dispensing:
    """Closes a package's serial when it is handed to a patient. One a process."""

    database: Database
    clock: Clock
    verification: Verification
    capture: Capture

    def dispense(
        self, raw: bytes, symbology: str | None, actor: Actor, *, site: str | None = None
    ) -> Dispensed:
        """Dispense the package whose label was scanned, for the actor's party, at its site with this GLN. Raises
        `NotDispensed`, and `Invalid` for a site that is not the party's.

        Only what is OK, a single package and in this party's hands is given out.
        """
        assert actor.party_gln is not None
        check = self.verification.check(raw, symbology, actor, asker=actor.party_gln, site=site)
        obstacle = why_not(check)
        if obstacle is None:
            try:
                return self.record(check, actor, only_held=True)
            except Overtaken:
                check = self.verification.check(raw, symbology, actor, asker=actor.party_gln, site=site)
                obstacle = why_not(check) or OVERTAKEN
        disclose(
            self.database,
            self.clock,
            actor,
            "package.dispense",
            subject=check.subject or "",
            whose=actor.party_gln,
            outcome=Outcome.REFUSED,
            detail=f"{check.verdict.reason.value}: {obstacle[0]}",
        )
        raise NotDispensed(check, *obstacle)

    def record(
        self,
        check: Result,
        actor: Actor,
        references: tuple[Linked, ...] = (),
        detail: str = "",
        *,
        only_held: bool = False,
    ) -> Dispensed:
        """Record that the package of this scan was dispensed; whether it may be is the caller's to have asked.

        `references` go into the event as business transactions, `detail` into the audit trail. Raises `Overtaken`, and
        then nothing of it stands, where it was closed since the scan, or, if `only_held`, is not with the party now.
        """
        assert actor.party_gln is not None
        assert check.subject is not None
        subject, party = check.subject, actor.party_gln
        deed = Deed(
            "dispensing",
            "dispensed",
            (subject,),
            action=Action.DELETE,
            references=references,
            site=check.site,
        )

        def still_here(connection: Connection) -> None:
            world = loading.load(connection, [subject]).world
            item = world.item(subject)
            outer = world.outer(item)
            gone = only_held and (outer.holder != party or outer.in_transit)
            if item.ended or gone:
                raise Overtaken()

        receipt = report(self.capture, self.clock, actor, deed, first=still_here)
        with self.database.writing() as connection:
            record(
                connection,
                self.clock,
                actor,
                "package.dispense",
                subject=check.subject,
                whose=actor.party_gln,
                detail=detail,
            )
        return Dispensed(check, receipt.index)
