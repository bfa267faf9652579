"""The professional override: documented before it is done, by two people, and followed up.

The second person signs in with their own password on the same page; that opens no session. The override stands before
the event that it leads to, and its id stands in that event and in the audit trail::

    done = overrides.dispense(raw, None, mia, Request("urgent_care", "Patient waits", "quinn", "quinn's password"))
    done.override_id, done.index, done.case_id
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.dispensing.service import Dispensing
from app.errors import Conflict, Refused
from app.overrides import rules
from app.overrides.models import professional_override
from app.overrides.rules import CAUSES, FOLLOW_UP_WITHIN, RATE_OVER, REASONS
from app.partners import service as partners
from app.people.service import People, Source
from app.people.sessions import Sessions
from app.shared.actor import ANONYMOUS, Actor, Role
from app.shared.audit import Outcome, audit_trail, disclose, record
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.verification.service import Result, Verification
from ledger.custody.event import Linked
from ledger.gs1.epc import Sgtin, parse_epc
from ledger.store.sql.engine import Database

OVERRIDE = "override"
SECOND = frozenset({Role.PHARMACIST, Role.QUALITY})


@dataclass(frozen=True, slots=True)
class Request:
    """What an override is asked with: why, and the second person's own name and password."""

    reason: str
    text: str
    second_name: str
    second_password: str


@dataclass(frozen=True, slots=True)
class Overridden:
    """What was dispensed over its verdict, the entry that says so, and where it is followed up."""

    override_id: str
    case_id: str
    index: int
    check: Result


@dataclass(frozen=True, slots=True)
class Kept:
    """An override as its follow-up shows it."""

    override_id: str
    at: datetime
    subject: str
    word: str
    verdict_reason: str
    reason: str
    explanation: str
    first_name: str
    second_name: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How many packages a party dispensed within the last 30 days, and how many of them by an override."""

    overrides: int
    dispensed: int

    @property
    def said(self) -> str:
        return rules.rate(self.overrides, self.dispensed)


@dataclass
class Overrides:
    """The professional override and its follow-up. One a process."""

    database: Database
    clock: Clock
    verification: Verification
    dispensing: Dispensing
    people: People
    sessions: Sessions

    def dispense(self, raw: bytes, symbology: str | None, actor: Actor, asked: Request) -> Overridden:
        """Dispense the package of this scan over its verdict.

        Raises `Conflict` for a verdict that is not to be overridden, `Invalid` without a reason, `SignInFailed` or
        `Refused` for a second person who may not confirm it. Every refusal is in the audit trail.
        """
        assert actor.party_gln is not None
        check = self.verification.check(raw, symbology, actor, asker=actor.party_gln)
        try:
            is_package = (
                check.contents is None and check.label.serial is not None and check.subject is not None
            )
            rules.require(check.verdict, check.blocked_by, is_package=is_package)
            reason, text = rules.parse(asked.reason, asked.text)
            second = self._second(actor, asked)
        except Exception as error:
            code = getattr(error, "code", "")
            disclose(
                self.database, self.clock, actor, "override.dispense", subject=check.subject or "",
                whose=actor.party_gln, outcome=Outcome.REFUSED, detail=f"{check.verdict.reason.value}: {code}",
            )  # fmt: skip
            raise
        override_id, case_id = self._keep(actor, second, check, reason, text)
        reference = Linked("", f"urn:epcglobal:cbv:bt:{actor.party_gln}:{override_id}")
        done = self.dispensing.record(check, actor, (reference,), detail=override_id)
        with self.database.writing() as connection:
            connection.execute(
                update(professional_override)
                .where(professional_override.c.override_id == override_id)
                .values(idx=done.index)
            )
            cases.say(connection, self.clock, case_id, cases.SYSTEM, f"Dispensed: entry {done.index}.")
        return Overridden(override_id, case_id, done.index, check)

    def follow_up(self, actor: Actor, case_id: str, root_cause: str, text: str) -> None:
        """Close the follow-up: what was found. Neither of the two who overrode may be the one."""
        assert actor.party_gln is not None
        if root_cause not in CAUSES:
            raise Conflict("override.cause", "Say what was the cause", "", "Choose one.")
        with self.database.writing() as connection:
            case = cases.case(connection, Desk.OVERRIDES, case_id, actor.party_gln)
            if actor.id in case.data["people"]:
                raise Refused(
                    "override.own", "Somebody else follows it up", "You were one of the two who overrode."
                )
            cases.close(
                connection, self.clock, case_id, actor.name, "closed", text=text, root_cause=root_cause
            )
            record(
                connection, self.clock, actor, "override.close", subject=case_id, whose=actor.party_gln,
                detail=root_cause,
            )  # fmt: skip

    def rate(self, connection: Connection, gln: str) -> Rate:
        """How often it was done within the last 30 days."""
        since = self.clock.now() - RATE_OVER
        party = partners.by_gln(connection, gln)
        count = func.count()
        overrides = connection.execute(
            select(count)
            .select_from(professional_override)
            .where(
                professional_override.c.party_id == (party.party_id if party else -1),
                professional_override.c.at >= since,
                professional_override.c.idx.is_not(None),
            )
        ).scalar_one()
        dispensed = connection.execute(
            select(count)
            .select_from(audit_trail)
            .where(
                audit_trail.c.at >= since,
                audit_trail.c.action == "package.dispense",
                audit_trail.c.outcome == Outcome.DONE.value,
                audit_trail.c.whose == gln,
            )
        ).scalar_one()
        return Rate(overrides, dispensed)

    def person(
        self, by: Actor, name: str, password: str, roles: frozenset[Role] = frozenset({Role.PHARMACIST})
    ) -> Actor:
        """Somebody of the party of `by`, in one of `roles`, by their own password. No session stays open.

        Raises `SignInFailed`, `Refused` for anybody else.
        """
        found = self._signed(by, name, password)
        if found.party_gln != by.party_gln or found.role not in roles:
            allowed = " or ".join(sorted(role.value for role in roles))
            raise Refused(
                "override.person", "This person cannot do it", f"It takes a {allowed} of your own company."
            )
        return found

    def _second(self, actor: Actor, asked: Request) -> Actor:
        """The second person, by their own password."""
        second = self._signed(actor, asked.second_name, asked.second_password)
        if second.id == actor.id:
            raise Refused(
                "override.same_person", "A second person confirms it", "That was you.", "Ask a colleague."
            )
        if second.party_gln != actor.party_gln or second.role not in SECOND:
            raise Refused(
                "override.second",
                "This person cannot confirm it",
                "It takes a pharmacist or a quality manager of your own company.",
            )
        return second

    def _signed(self, by: Actor, name: str, password: str) -> Actor:
        """Whose name and password these are. The session that signing in opens ends at once. What fails is counted with
        who asks for it, who is signed in: neither a colleague nor strangers who fail in a name hold an override up."""
        anonymous = replace(ANONYMOUS, address=by.address, request_id=by.request_id)
        source = Source(f"{by.kind} {by.id}", known=True)
        secret, found = self.people.sign_in(name, password, by=anonymous, source=source)
        with self.database.writing() as connection:
            self.sessions.end(connection, secret)
        return found

    def _keep(
        self, actor: Actor, second: Actor, check: Result, reason: rules.Reason, text: str
    ) -> tuple[str, str]:
        """Write it down before it is done, and open its follow-up."""
        assert actor.party_gln is not None
        assert check.subject is not None
        override_id, now = new_id("ovr"), self.clock.now()
        epc = parse_epc(check.subject)
        what = check.product.title if check.product else check.subject
        serial = epc.serial if isinstance(epc, Sgtin) else check.subject
        with self.database.writing() as connection:
            party = partners.by_gln(connection, actor.party_gln)
            assert party is not None
            case_id = cases.open_case(
                connection,
                self.clock,
                NewCase(
                    Desk.OVERRIDES, OVERRIDE, actor.party_gln, f"Override: {what}, serial {serial}",
                    subject=check.subject, due_at=now + FOLLOW_UP_WITHIN,
                    data={"override_id": override_id, "people": [actor.id, second.id]},
                ),
                who=actor.name,
                text=f"{check.verdict.word.value} was overridden by {actor.name} with {second.name}. "
                f"{REASONS[reason]}: {text}",
            )  # fmt: skip
            connection.execute(
                insert(professional_override).values(
                    override_id=override_id,
                    case_id=case_id,
                    party_id=party.party_id,
                    at=now,
                    check_id=check.check_id,
                    subject=check.subject,
                    word=check.verdict.word.value,
                    verdict_reason=check.verdict.reason.value,
                    reason=reason.value,
                    explanation=text,
                    first_id=actor.id,
                    first_name=actor.name,
                    second_id=second.id,
                    second_name=second.name,
                )
            )
            record(
                connection, self.clock, actor, "override.dispense", subject=check.subject,
                whose=actor.party_gln, detail=f"{override_id} {check.verdict.reason.value} with {second.name}",
            )  # fmt: skip
        return override_id, case_id


def kept(connection: Connection, case_id: str) -> Kept | None:
    """The override that a follow-up is about."""
    row = connection.execute(
        select(professional_override).where(professional_override.c.case_id == case_id)
    ).one_or_none()
    if row is None:
        return None
    return Kept(
        row.override_id, row.at, row.subject, row.word, row.verdict_reason, row.reason, row.explanation,
        row.first_name, row.second_name, row.idx,
    )  # fmt: skip
