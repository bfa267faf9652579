"""What a desk has set on hold, and letting it go: packs that came damaged, differed from the record, or came back.

An investigation's own hold ends by clearing it, and what came back unsaleable is matched and verified in a return first
(FD&C Act 582(c)(4)(D), (g)(1)(F)); every other hold ends here, by somebody who may decide it and says why. The release
is an event like any other (inspecting, sellable), so the next scan follows by itself; why it was let go stands in the
threads of the cases that are about it, and in the audit trail::

    done = holds.release(actor, "(01)...(21)77", "Only the outer carton was crushed; quality looked inside.")
    done.entry, done.epcs
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from app.capture.desk import Deed, report
from app.capture.service import Capture
from app.cases import many
from app.cases import service as cases
from app.cases.rules import Desk, NoteKind
from app.custody import loading
from app.custody import service as custody
from app.errors import Conflict, Invalid, NotFound, Refused
from app.history.rules import shown, subject_of
from app.investigations.rules import DECIDING
from app.shared.actor import Actor
from app.shared.audit import record_each
from app.shared.clock import Clock
from ledger.custody.state import Item, World
from ledger.store.sql.engine import Database

LONGEST_TEXT = 1_500
MOST_RELEASED = 500  # packages or containers of one release
_MOST_LISTED = 500
_MOST_LOOKED_AT = 5_000  # items; more where one case alone has more
_DESKS = (Desk.EXCEPTIONS, Desk.RETURNS)
_MAY_GO = ("none", "damaged")  # of app.returns.rules.Reason, as the case of a return keeps it


@dataclass(frozen=True, slots=True)
class OnHold:
    """Something that is on hold with its party. `why`: the CBV's disposition; `case_id`, `desk`: what it is part of."""

    epc: str
    why: str
    desk: Desk
    case_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Released:
    """What was let go, and the entry that says so; 0 where nothing of it was on hold any more."""

    epcs: tuple[str, ...]
    entry: int


@dataclass
class Holds:
    """Ends holds. One a process."""

    database: Database
    clock: Clock
    capture: Capture

    def listed(self, gln: str) -> list[OnHold]:
        """What the desks of this party have set on hold, by their last cases, the open ones first: with it now, and in
        no investigation. It is looked at as many of these cases as `_MOST_LOOKED_AT` allows."""
        with self.database.snapshot() as connection:
            found = [
                case
                for closed in (False, True)
                for desk in _DESKS
                for case in cases.queue(connection, desk, gln, closed=closed)
            ]
            numbers = many.item_numbers(connection, [case.case_id for case in found])
            wanted: set[int] = set()
            for case in found:
                if len(wanted) < _MOST_LOOKED_AT:
                    wanted.update(numbers.get(case.case_id, ()))
            loaded = loading.load_numbers(connection, wanted)
            others = {*cases.about(connection, Desk.INVESTIGATIONS, wanted, gln)}
            others |= _unsaleable(connection, wanted, gln)
        lines: dict[str, OnHold] = {}
        for case in found:
            for number in (each for each in numbers.get(case.case_id, ()) if each in wanted):
                item = loaded.world.item(loaded.keys[number])
                if item.held and number not in others and _is_here(loaded.world, item, gln):
                    line = OnHold(item.key, item.held, case.desk, case.case_id, case.title)
                    lines.setdefault(item.key, line)
        return list(lines.values())[:_MOST_LISTED]

    def release(self, actor: Actor, typed: str, text: str) -> Released:
        """Let go what is `typed`, one label or EPC a line. What is on hold no more is passed over: asked twice is once.

        Raises `Refused` for a role that may not decide it, `Invalid` without a reason, `NotFound` for what is not
        this party's to release, `Conflict` for what is being investigated or lies in something that is on hold.
        """
        gln = actor.party_gln
        if gln is None or actor.role not in DECIDING:
            raise Refused("quarantine.role", "You may not decide this", "", "Ask quality.")
        reason = " ".join(text.split())
        if not 1 <= len(reason) <= LONGEST_TEXT:
            raise Invalid("note.length", "Say why it may go", f"1 to {LONGEST_TEXT} characters.")
        keys = tuple(dict.fromkeys(subject_of(line) for line in typed.splitlines() if line.strip()))
        if not 1 <= len(keys) <= MOST_RELEASED:
            raise Invalid("quarantine.subjects", "Say which packages", f"1 to {MOST_RELEASED}, one a line.")
        with self.database.snapshot() as connection:
            epcs = _releasable(connection, keys, gln)
        if not epcs:
            return Released((), 0)
        deed = Deed("inspecting", "sellable_accessible", epcs=epcs)
        entry = report(self.capture, self.clock, actor, deed).index
        with self.database.writing() as connection:
            self._tell(connection, actor, gln, epcs, f"Released from hold: {reason} Entry {entry}.")
            detail = f"entry {entry}: {reason[:200]}"
            record_each(connection, self.clock, actor, "quarantine.release", epcs, whose=gln, detail=detail)
        return Released(epcs, entry)

    def _tell(self, connection: Connection, actor: Actor, gln: str, epcs: Iterable[str], text: str) -> None:
        """Write it into the threads of the open cases that are about it."""
        numbers = loading.find_ids(connection, epcs).values()
        for desk in _DESKS:
            found = cases.about(connection, desk, numbers, gln)
            told = {each.case_id for listed in found.values() for each in listed}
            cases.say_in_each(connection, self.clock, told, actor.name, text, NoteKind.STATE)


def _releasable(connection: Connection, keys: tuple[str, ...], gln: str) -> tuple[str, ...]:
    """Those of them that are on hold."""
    loaded = loading.load(connection, keys)
    world = loaded.world
    strange = [key for key in keys if key not in loaded.ids or not _is_here(world, world.item(key), gln)]
    if strange:
        raise NotFound(
            "You have nothing of it", ", ".join(map(shown, strange[:5])), "Scan what is in your hand."
        )
    found = cases.about(connection, Desk.INVESTIGATIONS, loaded.ids.values(), gln)
    if found:
        names = custody.keys_of(connection, found)
        raise Conflict(
            "quarantine.investigated",
            "It is being investigated",
            ", ".join(shown(names[number]) for number in sorted(found)[:5]),
            "Clear it there, if it is not illegitimate.",
            cases=sorted({each.case_id for listed in found.values() for each in listed}),
        )
    if unsaleable := _unsaleable(connection, loaded.ids.values(), gln):
        names = custody.keys_of(connection, unsaleable)
        raise Conflict(
            "quarantine.returned",
            "It came back unsaleable",
            ", ".join(shown(names[number]) for number in sorted(unsaleable)[:5]),
            "Match and verify it in a return; only what fits our own sale and is verified is sold again.",
        )
    around = {box.key for key in keys for box in world.around(world.item(key)) if box.held}
    if around - set(keys):
        raise Conflict(
            "quarantine.container",
            "What it lies in is on hold",
            ", ".join(map(shown, sorted(around)[:5])),
            "Release that, or take it out first.",
        )
    return tuple(key for key in keys if world.item(key).held)


def _unsaleable(connection: Connection, numbers: Iterable[int], gln: str) -> set[int]:
    """Those that came back last as something else than saleable, or matched and verified but damaged."""
    found = many.states_of(connection, Desk.RETURNS, numbers, gln)
    return {number for number, reason in found.items() if reason not in _MAY_GO}


def _is_here(world: World, item: Item, gln: str) -> bool:
    """Whether it is this party's to release: in its hands, and not ended."""
    outer = world.outer(item)
    return not item.ended and not outer.in_transit and outer.holder == gln
