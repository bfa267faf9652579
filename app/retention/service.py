"""What is kept, gathered from where it stands; legal holds set and lifted. Deletes nothing.

retention.report(at)                          what is kept, what is free, what a hold keeps
retention.hold(actor, About.LOT, ...)         set, and in the audit trail
keeping(connection, [17])                     the holds that keep an event from being redacted
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import islice

from sqlalchemy import Connection, insert, select, update

from app.cases import many
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody import service as custody
from app.custody import shipped
from app.custody.shipped import Shipped
from app.errors import Conflict, Invalid, NotFound
from app.events import acts
from app.partners import service as partners
from app.retention.models import legal_hold
from app.retention.rules import About, Hold, Line, Record, RecordType, holds_of, report
from app.shared.actor import Actor
from app.shared.audit import record as audit
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.transactions import kept
from app.transactions.kept import Sale
from app.transactions.rules import day_of, local_day
from app.transactions.values import TRANSACTION_DATE
from ledger.custody.act import Act
from ledger.gs1.epc import GtinClass, Lgtin, Sgtin, Sscc, parse_any
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin
from ledger.store.sql.engine import Database

MOST_PACKAGES = 20_000
_AT_ONCE = 200
"""Events read together: a document that goes whole has thousands, and the ledger is locked meanwhile."""


@dataclass
class Retention:
    """Reports, and keeps legal holds. One a process."""

    database: Database
    clock: Clock

    def report(self, at: datetime, party_gln: str | None = None) -> tuple[list[Line], list[Hold]]:
        """What stands of each type at `at`, of one party or of all; and the holds in force."""
        with self.database.snapshot() as connection:
            in_force = holds(connection)
            return report(gather(connection, party_gln), in_force, at), in_force

    def holds(self, *, lifted: bool = False) -> list[Hold]:
        """The holds in force, or those that were lifted."""
        with self.database.reading() as connection:
            return holds(connection, lifted=lifted)

    def hold(self, actor: Actor, kind: About, about: str, reason: str) -> Hold:
        """Set a hold; `about` in any spelling. Raises `Invalid`."""
        with self.database.writing() as connection:
            return set_hold(connection, self.clock, actor, kind, about, reason)

    def lift(self, actor: Actor, hold_id: str, why: str) -> None:
        """Lift a hold. Raises `NotFound`, `Conflict`, `Invalid`."""
        with self.database.writing() as connection:
            lift_hold(connection, self.clock, actor, hold_id, why)


def gather(connection: Connection, party_gln: str | None = None) -> Iterator[Record]:
    """Every record that the law asks to keep; of one party, where its GLN is given."""
    sales = (
        sale
        for sale in kept.all_sales(connection)
        if party_gln is None or party_gln in (sale.seller, sale.buyer, sale.recipient)
    )
    while together := list(islice(sales, _AT_ONCE)):
        asked = [(list(sale.event.epcs), sale.event.position) for sale in together]
        for sale, contents in zip(
            together, shipped.at_positions(connection, asked, MOST_PACKAGES), strict=True
        ):
            yield from _of_sale(sale, contents)
    yield from _repackagings(connection, party_gln)
    yield from _files(connection, party_gln)


def _of_sale(sale: Sale, contents: Shipped) -> Iterator[Record]:
    day = day_of(sale.event.extension_text(TRANSACTION_DATE)) or local_day(sale.event)
    started = datetime.combine(day, time(), UTC)
    things: set[str] = set()
    for each in contents.items.values():
        things |= _things(each.epc, each.lot)
    parties = frozenset(gln for gln in (sale.seller, sale.buyer, sale.recipient, sale.by) if gln)
    found = frozenset(things)
    yield Record(RecordType.TRANSACTION, sale.transaction_id, started, parties, found)
    yield Record(RecordType.IDENTIFIERS, sale.transaction_id, started, parties, found, len(contents.leaves))


def _things(epc: str, lot: str = "") -> set[str]:
    """A package, its product and its lot; a container alone."""
    gtin_url, serial, _ = epc.partition("/21/")
    if not serial:
        return {epc}
    gtin = gtin_url.rpartition("/01/")[2]
    return {epc, gtin} | ({Lgtin(Gtin(gtin), lot).canonical} if lot else set())


def _repackagings(connection: Connection, party_gln: str | None) -> Iterator[Record]:
    for stored in acts.read(connection, acts.repackaging(connection)):
        event = stored.act.event
        if party_gln not in (None, stored.act.by):
            continue
        things = {thing for epc in event.all_epcs() for thing in _things(epc)} | set(event.lots())
        yield Record(
            RecordType.REPACKAGING, event.id, event.event_time, frozenset({stored.act.by}), frozenset(things)
        )


def _files(connection: Connection, party_gln: str | None) -> Iterator[Record]:
    """Files of suspect and illegitimate products: the desk of investigations writes when each state was reached."""
    for each in many.all_of(connection, Desk.INVESTIGATIONS, party_gln):
        items = custody.keys_of(connection, each.items)
        things = {thing for epc in (*items.values(), each.subject) for thing in _things(epc) if thing}
        parties = frozenset(gln for gln in (each.party_gln, each.partner_gln) if gln)
        illegitimate = "illegitimate_at" in each.data
        kind = RecordType.ILLEGITIMATE if illegitimate else RecordType.SUSPECT
        started = _reached(each, "dispositioned" if illegitimate else "cleared")
        yield Record(kind, each.case_id, started, parties, frozenset(things))


def _reached(case: DeskCase, state: str) -> datetime | None:
    text = case.data.get(f"{state}_at")
    return datetime.fromisoformat(text) if isinstance(text, str) else None


# Holds.


def holds(connection: Connection, *, lifted: bool = False) -> list[Hold]:
    """The holds in force, the oldest first; or those that were lifted."""
    where = legal_hold.c.lifted_at.is_not(None) if lifted else legal_hold.c.lifted_at.is_(None)
    query = select(legal_hold).where(where).order_by(legal_hold.c.set_at, legal_hold.c.hold_id)
    return [
        Hold(row.hold_id, About(row.kind), row.about, row.reason, row.set_at)
        for row in connection.execute(query)
    ]


def keeping(connection: Connection, seqs: Iterable[int] | None) -> list[Hold]:
    """The holds in force that keep one of these events (numbers): by its parties, by what it names and by what was in
    that before it and after, for what it takes out is in it no more. All that are in force for None: where nobody can
    tell what is kept."""
    in_force = holds(connection)
    if not in_force or seqs is None:
        return in_force
    found: set[str] = set()
    numbers = sorted(set(seqs))
    for start in range(0, len(numbers), _AT_ONCE):
        stored = acts.read(connection, numbers[start : start + _AT_ONCE], without_effect=True)
        asked = [
            (list(each.act.event.all_epcs()), each.act.event.position - before)
            for each in stored
            for before in (0, 1)
        ]
        contents = shipped.at_positions(connection, asked, MOST_PACKAGES)
        for act, inside in zip((each.act for each in stored for _ in range(2)), contents, strict=True):
            if not inside.complete:
                return in_force
            found.update(hold.hold_id for hold in holds_of(_told(act, inside), in_force))
        if len(found) == len(in_force):
            break
    return [each for each in in_force if each.hold_id in found]


def _told(act: Act, inside: Shipped) -> Record:
    """An event as a record: its parties, what it names and what was `inside` that."""
    things = {thing for epc in act.event.all_epcs() for thing in _things(epc)}
    for lot in act.event.lots():
        things |= {lot, lot.partition("/01/")[2].partition("/")[0]}
    for each in inside.items.values():
        things |= _things(each.epc, each.lot)
    told = (act.by, act.sender, act.recipient, act.seller, act.buyer)
    parties = frozenset(gln for gln in told if gln)
    return Record(RecordType.TRANSACTION, act.event.id, None, parties, frozenset(things))


def set_hold(
    connection: Connection, clock: Clock, actor: Actor, kind: About, about: str, reason: str
) -> Hold:
    """Set a hold. `about` in any spelling. Raises `Invalid` for what it cannot be about, or without a reason."""
    said = " ".join(reason.split())
    if not said or len(said) > 500:
        raise Invalid(
            "hold.reason", "A hold needs its reason", "", "1 to 500 characters, and no person in it"
        )
    made = Hold(new_id("hold"), kind, checked(connection, kind, about), said, clock.now())
    connection.execute(
        insert(legal_hold).values(
            hold_id=made.hold_id,
            kind=kind.value,
            about=made.about,
            reason=said,
            set_at=made.set_at,
            set_by=actor.id,
        )
    )
    audit(
        connection,
        clock,
        actor,
        "hold.set",
        subject=made.hold_id,
        detail=f"{kind.value} {made.about}: {said}",
    )
    return made


def lift_hold(connection: Connection, clock: Clock, actor: Actor, hold_id: str, why: str) -> None:
    """Lift a hold. Raises `NotFound`; `Conflict` where it was lifted before; `Invalid` without a reason."""
    said = " ".join(why.split())
    if not said:
        raise Invalid("hold.reason", "Say why the hold is lifted", "", "--why 'the case was settled'")
    row = connection.execute(
        select(legal_hold.c.lifted_at).where(legal_hold.c.hold_id == hold_id)
    ).one_or_none()
    if row is None:
        raise NotFound("No such hold", hold_id, "packproof retention holds")
    if row.lifted_at is not None:
        raise Conflict("hold.lifted", "This hold was lifted already", f"{row.lifted_at:%Y-%m-%d}")
    values = {"lifted_at": clock.now(), "lifted_by": actor.id, "lifted_why": said[:500]}
    connection.execute(update(legal_hold).where(legal_hold.c.hold_id == hold_id).values(**values))
    audit(connection, clock, actor, "hold.lift", subject=hold_id, detail=said)


def checked(connection: Connection, kind: About, about: str) -> str:
    """What a hold or a question is about, as records name it. Raises `Invalid`."""
    try:
        if kind is About.EVERYTHING:
            return ""
        if kind is About.PARTY:
            gln = partners.checked_gln(about)
            return partners.owners_of(connection, [gln])[gln]
        epc = parse_any(about) if kind is not About.GTIN else GtinClass(Gtin.parse(about))
        if kind is About.GTIN and isinstance(epc, GtinClass):
            return epc.gtin.digits
        if kind is About.LOT and isinstance(epc, Lgtin):
            return epc.canonical
        if kind is About.PACKAGE and isinstance(epc, Sgtin | Sscc):
            return epc.canonical
    except Gs1Error as error:
        raise Invalid("hold.about", f"{about!r} names nothing", error.message) from error
    example = "(01)00312345678906(10)A1" if kind is About.LOT else "(01)00312345678906(21)11"
    raise Invalid("hold.about", f"{about!r} is no {kind.value}", "", f"Write it as printed: {example}")
