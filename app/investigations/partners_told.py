"""Telling immediate partners of illegitimate product they may have received, and of the end of it.

Each gets a case at its own desk: the law has it identify all such product on hand and that which it receives later
(FD&C Act 582(b)(4)(B)(iii), (c)(4)(B)(iii), (d)(4)(B)(iii)). Such product is what the notification names: the packages,
and their lots where who notifies says that the whole lot is meant. What was sent stands in both threads.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from sqlalchemy import Connection, insert, select, update

from app.cases import service as cases
from app.cases.blocking import NOTIFICATION
from app.cases.rules import Desk, NoteKind
from app.cases.service import DeskCase, NewCase
from app.custody import loading
from app.custody import service as custody
from app.custody.whereabouts import InHand, Population, in_hand, shipped_to
from app.history.rules import shown
from app.investigations.models import investigation_notice
from app.investigations.rules import GROUNDS, INVESTIGATE_WITHIN, Ground
from app.partners import service as partners
from app.shared.clock import Clock
from ledger.custody.state import lot_key

OF_LOT = "lot"
"""The state of an item of a notification that is a lot: a scan of any package of it finds the case, by the look-up that
it makes anyway."""
WHOLE_LOTS = "whole_lots"
"""In the `data` of a case: that not its packages alone are meant, but everything of their lots."""
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Told:
    """A partner that was told."""

    gln: str
    name: str
    told_at: datetime
    ended_at: datetime | None


def population(connection: Connection, case: DeskCase) -> Population:
    """The packages of a case, and all others of their lots: partners may have received these. Of a notification, what
    it names."""
    packages = sorted(number for number, state in case.items.items() if state != OF_LOT)
    if case.kind == NOTIFICATION:
        named = sorted(number for number, state in case.items.items() if state == OF_LOT)
        return Population(tuple(named), tuple(packages))
    world = loading.load_numbers(connection, packages)
    lots = {lot_key(item) for item in world.world.items.values() if item.lot is not None}
    numbers = loading.find_ids(connection, lots).values()
    return Population(tuple(sorted(numbers)), tuple(packages))


def recipients(connection: Connection, case: DeskCase) -> dict[int, int]:
    """The partners to whom this party shipped these packages or others of their lots, with how many: by number."""
    party = partners.by_gln(connection, case.party_gln)
    return shipped_to(connection, population(connection, case), party.party_id) if party else {}


def found_here(connection: Connection, notice: DeskCase) -> list[InHand]:
    """What the party that was notified has in hand of what it is about, and where."""
    party = partners.by_gln(connection, notice.party_gln)
    return in_hand(connection, population(connection, notice), party.party_id) if party else []


def tell(connection: Connection, clock: Clock, case: DeskCase) -> list[str]:
    """Tell all that may have received it and were not told yet; their names."""
    known = set(
        connection.execute(
            select(investigation_notice.c.party_id).where(investigation_notice.c.case_id == case.case_id)
        ).scalars()
    )
    fresh = {number: count for number, count in recipients(connection, case).items() if number not in known}
    glns = partners.glns(connection, fresh)
    names = partners.names(connection, [*glns.values(), case.party_gln])
    lots = population(connection, case).lots if case.data.get(WHOLE_LOTS) else ()
    named = _named(connection, case, lots)
    told = []
    for number in sorted(fresh):
        gln = glns[number]
        words = message(case, names.get(gln, gln), named)
        data = {name: case.data.get(name, "") for name in ("ground", "product", "gtin")} | {"message": words}
        notice_id = cases.open_case(
            connection,
            clock,
            NewCase(
                Desk.INVESTIGATIONS,
                NOTIFICATION,
                gln,
                f"Notified as illegitimate by {names.get(case.party_gln, case.party_gln)}: {case.data['product']}",
                subject=case.subject,
                partner_gln=case.party_gln,
                state="notified",
                due_at=clock.now() + INVESTIGATE_WITHIN,
                data=data,
                items={**dict.fromkeys(case.items, ""), **dict.fromkeys(lots, OF_LOT)},
            ),
            text="A partner notifies you of illegitimate product that you may have received.",
        )
        cases.say(connection, clock, notice_id, "Your partner", words, NoteKind.CAME)
        cases.say(connection, clock, case.case_id, cases.SYSTEM, words, NoteKind.SENT)
        connection.execute(
            insert(investigation_notice).values(
                case_id=case.case_id, party_id=number, notice_id=notice_id, told_at=clock.now()
            )
        )
        told.append(names.get(gln, gln))
    if not told:
        cases.say(
            connection, clock, case.case_id, cases.SYSTEM,
            "By the record, nobody was shipped these packages or others of their lots: no partner to notify.",
        )  # fmt: skip
    return told


def _named(connection: Connection, case: DeskCase, lots: tuple[int, ...]) -> str:
    """What the notification is about, in words: some of its packages, and lots where it is about these."""
    keys = custody.keys_of(connection, [*sorted(case.items)[:MOST_NAMED], *lots])
    packages = [keys[number] for number in sorted(case.items)[:MOST_NAMED] if number in keys]
    more = f" and {len(case.items) - MOST_NAMED} more" if len(case.items) > MOST_NAMED else ""
    said = f"{', '.join(map(shown, packages))}{more}"
    if lots:
        said += f"; and everything of lot {', '.join(unquote(keys[number].rpartition('/10/')[2]) for number in lots)}"
    return said


def message(case: DeskCase, name: str, named: str) -> str:
    """What a partner is told: never who else was, nor what they bought. `named`: the packages and lots it is about."""
    return (
        f"To {name}: we have determined that product you may have received from us is illegitimate "
        f"({GROUNDS[Ground(case.data['ground'])].lower()}): {case.data['product']}, GTIN {case.data['gtin']}: {named}. "
        "Identify all of it that you have or receive later, set it apart, and handle it as suspect product "
        "(FD&C Act 582). We have notified the FDA."
    )


def end(connection: Connection, clock: Clock, case: DeskCase, text: str) -> None:
    """Promptly tell those who were told that the notification is terminated."""
    query = select(investigation_notice).where(
        investigation_notice.c.case_id == case.case_id, investigation_notice.c.ended_at.is_(None)
    )
    for row in connection.execute(query).all():
        gln = partners.glns(connection, [row.party_id])[row.party_id]
        notice = cases.case(connection, Desk.INVESTIGATIONS, row.notice_id, gln)
        words = "The notification is terminated, in consultation with the FDA."
        if notice.is_open:
            cases.close(connection, clock, row.notice_id, "your partner", "terminated", text=words)
        else:
            # It was answered, and still stopped what came later: now it stops nothing.
            cases.say(connection, clock, row.notice_id, "Your partner", words, NoteKind.CAME)
            cases.reopen(connection, clock, row.notice_id, "your partner", "notified", text="It ends here.")
            cases.close(
                connection, clock, row.notice_id, "your partner", "terminated", text=words,
                root_cause=notice.root_cause,
            )  # fmt: skip
        connection.execute(
            update(investigation_notice)
            .where(investigation_notice.c.notice_no == row.notice_no)
            .values(ended_at=clock.now())
        )
        cases.say(connection, clock, case.case_id, cases.SYSTEM, f"Told {gln}: {words}", NoteKind.SENT)


def told(connection: Connection, case_id: str) -> list[Told]:
    """Whom a determination was told to."""
    query = select(investigation_notice).where(investigation_notice.c.case_id == case_id)
    rows = connection.execute(query.order_by(investigation_notice.c.notice_no)).all()
    glns = partners.glns(connection, [row.party_id for row in rows])
    names = partners.names(connection, glns.values())
    return [Told(gln := glns[row.party_id], names.get(gln, gln), row.told_at, row.ended_at) for row in rows]
